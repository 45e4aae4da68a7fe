//! Batches over sockets of the loopback interface.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::*;
use crate::sys::tell_destinations;

fn socket(local: &str) -> UdpSocket {
    let socket = UdpSocket::bind(local).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket
}

/// A batch with these datagrams in it, received by a socket at `local`.
fn received(local: &str, queries: &[&[u8]]) -> (Batch, UdpSocket, UdpSocket) {
    let (server, client) = (socket(local), socket(local));
    let address = server.local_addr().unwrap();
    for query in queries {
        client.send_to(query, address).unwrap();
    }
    let mut batch = Batch::new(address, 65_535);
    assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), queries.len());
    (batch, server, client)
}

#[test]
fn datagrams_come_as_sent_with_their_source() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let longest = [7; QUERY_MAX];
        let too_long = [8; QUERY_MAX + 1];
        let queries: [&[u8]; 4] = [b"first", b"", &longest, &too_long];
        let (mut batch, _server, client) = received(local, &queries);
        assert_eq!(batch.datagrams().count(), queries.len());
        for (datagram, query) in batch.datagrams().zip(queries) {
            assert_eq!(datagram.source, client.local_addr().unwrap());
            assert_eq!(datagram.truncated, query.len() > QUERY_MAX);
            assert_eq!(datagram.query, &query[..query.len().min(QUERY_MAX)]);
            assert_eq!(datagram.reply.len(), 65_535);
        }
    }
}

#[test]
fn a_socket_of_every_address_answers_from_the_one_that_was_asked() {
    let server = socket("0.0.0.0:0");
    let local = server.local_addr().unwrap();
    tell_destinations(&server, local).unwrap();
    let mut batch = Batch::new(local, 512);
    // More than once, as the kernel and we write to the same control messages.
    for round in 0..3 {
        let clients: Vec<UdpSocket> = (1..=5).map(|_| socket("127.0.0.1:0")).collect();
        let asked = |number: usize| Ipv4Addr::new(127, 0, round, number as u8 + 1);
        for (number, client) in clients.iter().enumerate() {
            // A connected socket hears nobody else.
            client.connect((asked(number), local.port())).unwrap();
            client.send(&[number as u8]).unwrap();
        }
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), clients.len());
        let mut replies = Vec::new();
        for datagram in batch.datagrams() {
            let number = datagram.query[0];
            let expected = Destination::Address(asked(number.into()).into());
            assert_eq!(datagram.destination, expected);
            datagram.reply[0] = number;
            replies.insert(
                0,
                Reply {
                    slot: datagram.slot,
                    len: 1,
                },
            );
        }
        assert_eq!(batch.send(&server, &replies), clients.len());
        for (number, client) in clients.iter().enumerate() {
            let mut reply = [0];
            assert_eq!(client.recv(&mut reply).unwrap(), 1);
            assert_eq!(usize::from(reply[0]), number);
        }
    }
}

#[test]
fn datagrams_to_many_are_told_apart() {
    let server = socket("0.0.0.0:0");
    let local = server.local_addr().unwrap();
    tell_destinations(&server, local).unwrap();
    let client = socket("127.0.0.1:0");
    client.set_broadcast(true).unwrap();
    client
        .send_to(b"a", ("127.255.255.255", local.port()))
        .unwrap();
    let mut batch = Batch::new(local, 512);
    assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
    let datagram = batch.datagrams().next().unwrap();
    assert_eq!(datagram.destination, Destination::Many);
}

#[test]
fn a_socket_of_every_address_of_the_sixth_version_tells_them_too() {
    let server = socket("[::]:0");
    let local = server.local_addr().unwrap();
    tell_destinations(&server, local).unwrap();
    let client = socket("[::1]:0");
    client.connect(("::1", local.port())).unwrap();
    client.send(b"a").unwrap();
    let mut batch = Batch::new(local, 512);
    assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
    let datagram = batch.datagrams().next().unwrap();
    let expected = Destination::Address(Ipv6Addr::LOCALHOST.into());
    assert_eq!(datagram.destination, expected);
    let reply = Reply {
        slot: datagram.slot,
        len: 3,
    };
    assert_eq!(batch.send(&server, &[reply]), 1);
    assert_eq!(client.recv(&mut [0; 10]).unwrap(), 3);
}

#[test]
fn a_batch_can_be_filled_again() {
    let (mut batch, server, client) = received("127.0.0.1:0", &[b"a", b"b"]);
    let empty = batch.receive(&server, Wait::No).unwrap_err();
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(batch.datagrams().count(), 0);
    client.send_to(b"c", server.local_addr().unwrap()).unwrap();
    assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
    let datagram = batch.datagrams().next().unwrap();
    assert_eq!(
        (datagram.query, datagram.source),
        (&b"c"[..], client.local_addr().unwrap())
    );
}

#[test]
fn a_reply_that_the_kernel_refuses_is_skipped() {
    let (mut batch, server, client) = received("127.0.0.1:0", &[b"a", b"b", b"c"]);
    let mut replies = Vec::new();
    // The second is longer than a datagram can be.
    for (datagram, len) in batch.datagrams().zip([1, u16::MAX, 1]) {
        datagram.reply[0] = datagram.query[0];
        replies.push(Reply {
            slot: datagram.slot,
            len,
        });
    }
    assert_eq!(batch.send(&server, &replies), 2);
    for expected in [b"a", b"c"] {
        let mut reply = [0; 10];
        assert_eq!(client.recv(&mut reply).unwrap(), 1);
        assert_eq!(&reply[..1], expected);
    }
}
