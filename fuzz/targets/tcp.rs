//! Messages on a stream: cut into any pieces, with replies taken in any pieces, they are answered
//! as one by one.
//!
//! An input is turns of the client: a byte that says whether it sends or takes and how much, and
//! what it sends. The answerer is a function of the query, with replies of every length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_server::{Turn, converse};

/// A DNS header; nothing shorter is answered.
const MESSAGE_MIN: usize = 12;

fuzz_target!(|input: &[u8]| {
    let turns = turns(input);
    let sent: Vec<u8> = turns.iter().flat_map(sent_in).copied().collect();
    let (expected, all_answered) = one_by_one(&sent);
    let (replies, heard) = converse(&turns, reply);
    assert_eq!(heard, all_answered);
    if all_answered {
        assert_eq!(replies.len(), expected.len());
    }
    // Behind a message that is not answered a connection ends, and does not wait until replies
    // that had no room are taken.
    assert!(
        expected.starts_with(&replies),
        "the bytes of some reply differ"
    );
    if !all_answered && matches!(turns.first(), Some(Turn::Take(room)) if *room >= expected.len()) {
        assert_eq!(replies.len(), expected.len());
    }
});

/// Up to 127 bytes are sent by one turn, or up to 64 KiB taken.
fn turns(mut input: &[u8]) -> Vec<Turn<'_>> {
    let mut turns = Vec::new();
    while let Some((&head, rest)) = input.split_first() {
        let amount = usize::from(head & 0x7f);
        if head & 0x80 == 0 {
            let (piece, rest) = rest.split_at(amount.min(rest.len()));
            turns.push(Turn::Send(piece));
            input = rest;
        } else {
            turns.push(Turn::Take(amount * amount * 4));
            input = rest;
        }
    }
    turns
}

fn sent_in<'a>(turn: &Turn<'a>) -> &'a [u8] {
    match turn {
        Turn::Send(bytes) => bytes,
        Turn::Take(_) => &[],
    }
}

/// All replies one after the other, and whether every message got one.
fn one_by_one(mut sent: &[u8]) -> (Vec<u8>, bool) {
    let mut replies = Vec::new();
    let mut room = vec![0; usize::from(u16::MAX)];
    while let [high, low, rest @ ..] = sent {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if rest.len() < len {
            break;
        }
        let (query, after) = rest.split_at(len);
        let answered = if len < MESSAGE_MIN {
            None
        } else {
            reply(query, &mut room)
        };
        let Some(len) = answered else {
            return (replies, false);
        };
        replies.extend(len.to_be_bytes());
        replies.extend(&room[..len.into()]);
        sent = after;
    }
    (replies, true)
}

/// The third byte of a query says how long its reply is, the fourth whether there is one.
fn reply(query: &[u8], reply: &mut [u8]) -> Option<u16> {
    let (long, kind) = (u16::from(query[2]), query[3]);
    if kind == 0xff {
        return None;
    }
    let len = if kind & 1 == 0 { long } else { long * 257 };
    for (to, from) in reply[..len.into()].iter_mut().zip(query.iter().cycle()) {
        *to = *from;
    }
    Some(len)
}
