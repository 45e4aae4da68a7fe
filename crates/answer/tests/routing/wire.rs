//! Questions as packets, and replies as crate `domain` reads them.

use std::net::IpAddr;

use domain::base::opt::ClientSubnet;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, ParsedName, ToName};
use domain::rdata::AllRecordData;
use meridian_dns::Name;

use crate::answer::Record;
use crate::case::Ask;
use crate::compare::Reply;

/// The fields of a reply's header that say how it went: QR, AA; without RD and the response code.
const FLAGS: [u8; 2] = [0x84, 0x00];

/// The packet of a question.
pub(crate) fn packet(ask: &Ask) -> Vec<u8> {
    let mut packet = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend(ask.name.as_wire());
    packet.extend(ask.rtype.code().to_be_bytes());
    packet.extend([0, 1]);
    let Some(subnet) = ask.subnet else {
        return packet;
    };
    let (family, octets) = match subnet.address() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    packet[11] = 1;
    let told = subnet.len.div_ceil(8);
    packet.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8 + told]);
    packet.extend([0, 8, 0, 4 + told, 0, family, subnet.len, 0]);
    packet.extend(&octets[..told.into()]);
    packet
}

/// Reads a reply, and checks what does not depend on routing.
pub(crate) fn read(ask: &Ask, reply: &[u8]) -> Reply {
    let message = Message::from_octets(reply).unwrap();
    let rcode = message.opt_rcode().to_int();
    if rcode != 2 {
        assert_eq!([reply[2] & 0xfe, reply[3] & 0xf0], FLAGS, "{ask:?}");
    }
    let (_, answer, authority, additional) = message.sections().unwrap();
    let [records, authority, additional] = [answer, authority, additional].map(|section| {
        let records = section.limit_to::<AllRecordData<_, ParsedName<_>>>();
        let records = records.map(|record| record.unwrap());
        let records = records.filter(|record| !matches!(record.data(), AllRecordData::Opt(_)));
        let record = |record: domain::base::Record<ParsedName<&[u8]>, AllRecordData<_, _>>| {
            let mut data = Vec::new();
            record.data().compose_rdata(&mut data).unwrap();
            let owner = record.owner().to_name::<Vec<u8>>().into_octets();
            Record {
                owner: Name::from_wire(&owner).unwrap().to_lowercase().to_string(),
                rtype: record.rtype().to_int(),
                ttl: record.ttl().as_secs(),
                data,
            }
        };
        records.map(record).collect::<Vec<Record>>()
    });
    assert_eq!(additional, [], "{ask:?}");
    let soa = match &*authority {
        [] => None,
        [soa] => {
            assert_eq!(soa.rtype, 6, "{ask:?}");
            assert!(
                ask.name.is_within(&Name::parse(&soa.owner).unwrap()),
                "{ask:?}"
            );
            Some(soa.ttl)
        }
        others => panic!("{ask:?}: {others:?}"),
    };
    let subnet = message.opt().and_then(|opt| {
        let mut subnets = opt.opt().iter::<ClientSubnet>();
        subnets.next().map(|subnet| subnet.unwrap())
    });
    if let (Some(told), Some(asked)) = (&subnet, ask.subnet) {
        let echoed = (told.addr(), told.source_prefix_len());
        assert_eq!(echoed, (asked.address(), asked.len), "{ask:?}");
    }
    Reply {
        rcode,
        records,
        soa,
        scope: subnet.map(|subnet| subnet.scope_prefix_len()),
    }
}
