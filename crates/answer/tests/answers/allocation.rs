//! Answering allocates nothing: a promise of the query path.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};

use meridian_answer::{BATCH, Moment, Outcome, Packet, Scratch, Transport, ViewId, answer};

use crate::attack::small_world;
use crate::wire;

/// The system's allocator, counting what each thread asks of it.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(
    unsafe_code,
    reason = "allocators are; this one only counts and passes on"
)]
// SAFETY: every call goes to `System` as it came. Counting touches a thread-local cell that
// needs neither allocation nor destruction.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn answering_allocates_nothing() {
    let (world, asks) = small_world();
    // Every kind of reply is among the scenarios; unreadable ones are made from them.
    let mut queries: Vec<Vec<u8>> = asks.iter().map(wire::packet).collect();
    for ask in asks.iter().take(40) {
        let packet = wire::packet(ask);
        queries.push(packet[..packet.len() - 1].to_vec());
        queries.push(packet[..packet.len().min(11)].to_vec());
        queries.push([&packet[..], b"\0"].concat());
    }
    queries.extend(crate::options::packets());
    let (mut scratch, mut replies) = (Scratch::default(), vec![vec![0; 65_535]; BATCH]);
    let identity = crate::raw::identity();
    let (mut seen, mut with_answers) = ([0; 17], 0);
    for (round, queries) in queries.chunks(BATCH).enumerate() {
        for transport in [
            Transport::Tcp { idle: 100 },
            Transport::Udp { max_payload: 1232 },
            Transport::Tls { idle: 100 },
        ] {
            let batch = queries.iter().zip(&mut replies);
            let mut batch: Vec<Packet<'_>> = batch
                .map(|(query, reply)| Packet {
                    query,
                    client: IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1)),
                    view: ViewId(0),
                    transport,
                    reply,
                })
                .collect();
            let mut outcomes = [Outcome::Drop; BATCH];
            let moment = Moment {
                now_s: 0,
                seed: round as u64,
            };
            let before = CALLS.get();
            answer(
                &mut scratch,
                &world,
                &identity,
                &mut batch,
                &mut outcomes[..queries.len()],
                moment,
            );
            assert_eq!(CALLS.get() - before, 0, "in batch {round}");
            for (outcome, reply) in outcomes.iter().zip(&replies) {
                let dropped = *outcome == Outcome::Drop;
                with_answers += usize::from(!dropped && reply[6..8] != [0, 0]);
                seen[if dropped {
                    16
                } else {
                    usize::from(reply[3] & 0xf)
                }] += 1;
            }
        }
    }
    assert!(with_answers > 400, "{with_answers}");
    for rcode in [0, 1, 2, 3, 5, 16] {
        assert!(seen[rcode] > 0, "no reply with code {rcode} was tried");
    }
}
