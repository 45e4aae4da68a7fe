//! Probes of real sockets on loopback: endpoints as they should be, and as nobody would wish them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod http;
mod names;
mod scene;
mod strings;
mod tls;
