//! Packets in, packets out: UDP and TCP with their limits and counters; never policy.
//!
//! What a reply says is crate `answer`'s. Here are the sockets, the threads, and the pointer
//! through which a new World reaches them.

mod live;

pub use live::Live;
