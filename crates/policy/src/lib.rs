//! What an operator may write: the resource types, and the function that compiles them.
