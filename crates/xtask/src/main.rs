//! Generates, checks what is generated, runs the tests.

fn main() {}
