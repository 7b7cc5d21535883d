//! What the controller promises the edge: the rules, their one byte form, the signed envelope, the trust documents.
