//! The binary: start, wire, stop.

fn main() {}
