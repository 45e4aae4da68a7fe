//! The ceiling: sends every datagram back as it came. What a name server costs beyond this is its
//! own doing.

use std::io::ErrorKind;
use std::net::{SocketAddrV4, UdpSocket};

use anyhow::Result;
use clap::Parser;
use meridian_bench::datagrams::{BATCH, Batch, Peer, Wait, grow_buffers};

/// Send every UDP datagram back.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    listen: SocketAddrV4,
    /// Datagrams per system call.
    #[arg(long, default_value_t = BATCH)]
    batch: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let socket = UdpSocket::bind(arguments.listen)?;
    grow_buffers(&socket);
    let mut batch = Batch::new(arguments.batch, Peer::Any);
    loop {
        let outcome = batch
            .receive(&socket, Wait::ForOne)
            .and_then(|_| batch.send_back(&socket));
        match outcome {
            // Whoever asked last may be gone by now.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => outcome?,
        }
    }
}
