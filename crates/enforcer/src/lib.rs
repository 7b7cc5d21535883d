//! What the edge does: verify a token, decide a request, hold what is in force.
