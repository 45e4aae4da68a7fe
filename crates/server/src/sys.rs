//! What std and socket2 lack of the system and the processor, behind a safe face: batches of
//! datagrams, some socket options, what the kernel knows of a connection, thread affinity,
//! prefetching, large pages. The only module with unsafe code.
//!
//! Which datagrams deserve a reply, and what it says, is decided elsewhere.
#![expect(
    unsafe_code,
    reason = "recvmmsg, sendmmsg, a few options, TCP_INFO, prefetching and large pages have no safe form elsewhere"
)]

#[cfg(test)]
pub(crate) mod allocations;
mod batch;
mod memory;
mod options;
mod prefetch;
mod tcp_info;

pub(crate) use batch::{
    BATCH_MESSAGES, Batch, Datagram, Destination, QUERY_MAX, Reply, Slot, Wait,
};
pub use memory::LargePages;
pub(crate) use options::{force_buffer_sizes, ignore_path_mtu, pin_to, tell_destinations};
pub use prefetch::Prefetch;
pub use tcp_info::TcpInfo;

const CACHE_LINE: usize = 64;
