//! The edge, as a program.

fn main() {}
