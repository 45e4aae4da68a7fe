//! No packet panics; what is read is what crate `domain` reads.

use domain::base::Message;
use domain::base::message_builder::MessageBuilder;
use domain::base::name::Name;
use meridian_dns::message::{Query, Reply, Unreadable, error_reply};
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads, and answers what wants an error, in buffers of any size.
fn read(packet: &[u8], limit: usize) -> Result<(), TestCaseError> {
    match Query::read(packet) {
        Ok(query) => {
            let question = query.question.name;
            prop_assert_eq!(&packet[12..12 + question.len()], question);
            let message = Message::from_octets(packet).unwrap();
            let theirs = message.sole_question().unwrap();
            prop_assert_eq!(theirs.qtype().to_int(), query.question.qtype);
            prop_assert_eq!(theirs.qclass().to_int(), query.question.class);
            prop_assert_eq!(message.opt().is_some(), query.edns.is_some());
        }
        Err(Unreadable::Drop) => prop_assert!(packet.len() < 12 || packet[2] & 0x80 != 0),
        Err(Unreadable::CookieAlone(query)) => {
            prop_assert!(matches!(query.edns.cookie.unwrap().len(), 8 | 16..=40));
            let message = Message::from_octets(packet).unwrap();
            prop_assert_eq!(message.header_counts().qdcount(), 0);
            let mut buf = [0; 512];
            let reply = Reply::for_cookie(&mut buf, limit, &query);
            prop_assert_eq!(
                reply.map(|reply| reply.finish(None)).unwrap_or(0),
                if limit < 12 { 0 } else { 12 }
            );
        }
        Err(Unreadable::Header(header)) => {
            let mut buf = [0; 512];
            let len = error_reply(&mut buf, limit, &header, 1232);
            prop_assert!(len <= limit.min(512));
            if len > 0 {
                let reply = Message::from_octets(&buf[..len]).unwrap();
                prop_assert_eq!(reply.header().id(), header.id);
                prop_assert!(reply.header().qr());
                prop_assert_eq!(u16::from(reply.header().rcode().to_int()), header.rcode);
                prop_assert!(reply.question().all(|question| question.is_ok()));
                let more = header.question.is_some() || header.edns;
                prop_assert!(limit < 300 || (len > 12) == more);
            }
        }
    }
    Ok(())
}

/// A query with EDNS and these options, as crate `domain` writes it.
fn written_by_domain(name: &[u8], options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec().question();
    let name = Name::from_octets(name.to_vec()).unwrap();
    builder
        .push((name, domain::base::iana::Rtype::AAAA))
        .unwrap();
    let mut builder = builder.additional();
    builder
        .opt(|opt| {
            opt.set_udp_payload_size(1400);
            for (code, data) in options {
                let len = u16::try_from(data.len()).unwrap();
                opt.push_raw_option((*code).into(), len, |target| {
                    use domain::dep::octseq::OctetsBuilder;
                    target.append_slice(data)
                })?;
            }
            Ok(())
        })
        .unwrap();
    builder.finish()
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec("[A-Za-z0-9_-]{1,20}", 0..6).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label.as_bytes());
        }
        wire.push(0);
        wire
    })
}

fn options() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let code = prop_oneof![
        any::<u16>(),
        prop::sample::select(vec![3, 8, 10, 11, 12, 19])
    ];
    vec((code, vec(any::<u8>(), 0..20)), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(packet in vec(any::<u8>(), 0..600), limit in 0..600usize) {
        read(&packet, limit)?;
    }

    #[test]
    fn nor_bytes_behind_a_good_header(
        flags in prop::sample::select(vec![0u8, 0, 0, 1, 0x20]),
        counts in prop::array::uniform4(0..3u8),
        tail in vec(prop_oneof![Just(0u8), Just(1), Just(41), any::<u8>()], 0..80),
        limit in 0..600usize,
    ) {
        let mut packet = vec![1, 2, flags, 0];
        packet.extend(counts.into_iter().flat_map(|count| [0, count]));
        packet.extend(tail);
        read(&packet, limit)?;
    }

    #[test]
    fn good_queries_are_read_and_damaged_ones_do_not_panic(
        name in name(),
        options in options(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        limit in 0..600usize,
    ) {
        let mut packet = written_by_domain(&name, &options);
        read(&packet, limit)?;
        if options.iter().all(|(code, _)| !matches!(code, 8 | 10 | 19)) {
            let query = Query::read(&packet).unwrap();
            let edns = query.edns.unwrap();
            prop_assert_eq!(query.question.name, &name[..]);
            prop_assert_eq!((edns.udp_payload, edns.version), (1400, 0));
            let has = |wanted| options.iter().any(|(code, _)| *code == wanted);
            let asked = [edns.asked.nsid(), edns.asked.keepalive(), edns.asked.padding()];
            prop_assert_eq!(asked, [has(3), has(11), has(12)]);
        }
        let at = at.index(packet.len());
        read(&packet[..at], limit)?;
        packet[at] = byte;
        if let Ok(query) = Query::read(&packet) {
            prop_assert!(query.question_end <= packet.len());
        }
    }
}
