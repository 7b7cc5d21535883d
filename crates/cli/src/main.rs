//! The same functions from a terminal.

fn main() {}
