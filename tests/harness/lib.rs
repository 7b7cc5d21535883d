//! What several tests share: keys, tokens, real processes.
