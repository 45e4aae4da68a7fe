//! What the data plane of this process answers, for the control plane to tell: TestDNSAnswer.
//!
//! A query is written as a resolver would, answered by the code that answers packets, from the
//! World that packets are answered from, and the reply is read as a resolver would. Nothing is
//! sent.

use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::Rtype;
use domain::base::opt::ClientSubnet;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, MessageBuilder, Name};
use domain::rdata::AllRecordData;
use meridian_answer::{
    Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World, answer,
};
use meridian_control::{
    Answering, Environment, SystemEnvironment, TestAnswer, TestProtocol, TestQuery,
};
use meridian_dns::{RecordType, rdata};
use meridian_server::Live;

/// What a query by UDP says it has room for (DNS flag day 2020).
const PAYLOAD: u16 = 1232;
/// The longest reply by TCP.
const LONGEST: usize = 65_535;

/// The World of this process.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) Arc<Live>);

impl Answering for Answers {
    fn test(&self, query: &TestQuery<'_>) -> Option<TestAnswer> {
        let world = Arc::clone(&self.0.load());
        let zone = world.zone(&query.zone.name, query.zone.generation)?;
        let view = first_view(zone.meta().views)?;
        let message = message(query)?;
        let udp = Transport::Udp {
            max_payload: PAYLOAD,
        };
        let mut protocol = TestProtocol::Udp;
        let mut reply = ask(&world, query.resolver, view, udp, message.as_slice())?;
        if reply.header().tc() {
            let tcp = Transport::Tcp { idle: 0 };
            protocol = TestProtocol::Tcp;
            reply = ask(&world, query.resolver, view, tcp, message.as_slice())?;
        }
        Some(TestAnswer {
            name_server: query.zone.delegation_set.name_servers.first()?.clone(),
            rcode: reply.opt_rcode().to_string(),
            data: data(&reply)?,
            protocol,
        })
    }
}

/// A view that the zone is visible in: all that show it show the same.
fn first_view(views: u64) -> Option<ViewId> {
    let first = u8::try_from(views.trailing_zeros()).ok()?;
    (views != 0).then_some(ViewId(first))
}

/// The query as it would be sent.
fn message(query: &TestQuery<'_>) -> Option<Message<Vec<u8>>> {
    let name = Name::from_octets(query.name.as_wire()).ok()?;
    let mut builder = MessageBuilder::new_vec().question();
    builder
        .push((name, Rtype::from_int(query.rtype.code())))
        .ok()?;
    let mut builder = builder.additional();
    let subnet = query
        .client
        .map(|(address, bits)| ClientSubnet::new(bits, 0, address));
    builder
        .opt(|opt| {
            opt.set_udp_payload_size(PAYLOAD);
            subnet.iter().try_for_each(|subnet| opt.push(subnet))
        })
        .ok()?;
    Some(builder.into_message())
}

fn ask(
    world: &World,
    client: IpAddr,
    view: ViewId,
    transport: Transport,
    query: &[u8],
) -> Option<Message<Vec<u8>>> {
    let mut reply = vec![0; LONGEST];
    let mut outcome = [Outcome::Drop];
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = SystemEnvironment::new().entropy();
    let moment = Moment {
        now_s: u64::try_from(SystemEnvironment::new().now().0 / 1000).ok()?,
        seed: u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
    };
    let mut packet = [Packet {
        query,
        client,
        view,
        transport,
        reply: &mut reply,
    }];
    let mut scratch: Scratch = Scratch::default();
    answer(
        &mut scratch,
        world,
        &Identity::default(),
        &mut packet,
        &mut outcome,
        moment,
    );
    let [Outcome::Reply(answered)] = outcome else {
        return None;
    };
    reply.truncate(answered.len.into());
    Message::from_octets(reply).ok()
}

/// What is in the answer section.
fn data(reply: &Message<Vec<u8>>) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for record in reply.answer().ok()?.limit_to::<AllRecordData<_, _>>() {
        let record = record.ok()?;
        let Some(rtype) = RecordType::from_code(record.rtype().to_int()) else {
            continue;
        };
        let mut wire: Vec<u8> = Vec::new();
        record.data().compose_rdata(&mut wire).ok()?;
        texts.push(rdata::text(rtype, &wire).ok()?);
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_numbered_by_their_bits() {
        assert_eq!(first_view(0), None);
        assert_eq!(first_view(0b1000), Some(ViewId(3)));
    }
}
