//! The pure decision: a query in, reply bytes and reasons out.
