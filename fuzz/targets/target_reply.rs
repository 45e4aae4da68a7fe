//! Replies of resolvers about external alias targets: nothing brings the reader down, and what it
//! reads can be answered.
#![no_main]

#[path = "../../crates/node/src/targets/reply.rs"]
mod reply;

use domain::base::Message;
use domain::base::opt::ClientSubnet;
use libfuzzer_sys::fuzz_target;
use meridian_dns::{RecordType, rdata};
use reply::{Fault, Host, MAX_DATA, MAX_RECORDS, Read, Said, Way, bytes, scope};

fuzz_target!(|input: &[u8]| {
    let Some((&kind, packet)) = input.split_first() else {
        return;
    };
    let Ok(message) = Message::from_octets(packet.to_vec()) else {
        return;
    };
    let all = RecordType::ALL;
    let rtype = all[usize::from(kind) % all.len()];
    let asked = ClientSubnet::new(24, 0, [198, 51, 100, 0].into());
    let _ = scope(&message, asked);
    let start: Host = "cdn.example".parse().expect("a name");
    let read = Way::from(start.clone()).read(&message, rtype);
    match &read {
        Ok(Read::Said(Said::Records { data, .. })) => {
            assert!((1..=MAX_RECORDS).contains(&data.len()));
            assert!(bytes(data) <= MAX_DATA);
            assert!(data.iter().all(|data| rdata::is_valid(rtype, data)));
            assert!(data.is_sorted_by(|a, b| a < b));
        }
        Ok(Read::GoesOn(next)) => {
            assert!(*next != start);
            // Whoever goes on there with the same reply finds no more there.
            let again = Way::from(next.clone()).read(&message, rtype);
            assert!(!matches!(again, Ok(Read::Said(Said::Records { .. }))));
        }
        _ => {}
    }
    // The code of a reply without a question comes before all else.
    if message.header().rcode().to_int() > 3 {
        assert!(matches!(read, Err(Fault::Rcode(_))));
    }
});
