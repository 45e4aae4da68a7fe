//! What the data plane of this process answers and why, for the control plane to tell:
//! TestDNSAnswer.
//!
//! A query is answered by the code that answers packets, from the World that packets are answered
//! from. Nothing is sent, and nothing is counted as traffic.

use std::sync::Arc;

use domain::base::iana::OptRcode;
use meridian_answer::{Ask, CheckState, Explanation, Moment, Section, ViewId, explain};
use meridian_control::{
    Answering, Environment, Supposed, SystemEnvironment, TestAnswer, TestProtocol, TestQuery,
};
use meridian_dns::RecordType;
use meridian_server::Live;

use crate::checkers::Board;
use crate::explanation::{Question, Reader, shown};
use crate::supposition::Supposition;

/// What a query by UDP says it has room for (DNS flag day 2020).
const PAYLOAD: usize = 1232;

/// The World of this process, and what is known of health checks.
pub(crate) struct Answers {
    pub(crate) live: Arc<Live>,
    pub(crate) board: Arc<Board>,
}

impl Answers {
    /// What would be answered to a client in this region, if one is supposed, and how it comes
    /// about; none where the zone is not served.
    fn ask(
        &self,
        query: &TestQuery<'_>,
        region: Option<&str>,
        health: &[(&str, CheckState)],
    ) -> Option<Explanation> {
        let world = Arc::clone(&self.live.load());
        let zone = world.zone(&query.zone.name, query.zone.generation)?;
        let ask = Ask {
            name: query.name,
            qtype: query.rtype.code(),
            view: first_view(zone.meta().views)?,
            source: query.resolver,
            subnet: query.client,
            at: region,
            health,
            moment: moment(),
        };
        Some(explain(&world, &ask))
    }
}

impl Answering for Answers {
    fn explain(&self, query: &TestQuery<'_>, supposed: &Supposed) -> Option<String> {
        let region = supposed.region.as_deref();
        let supposition = Supposition::of(&supposed.health, &self.board.state());
        let told = self.ask(query, region, &supposition.health())?;
        let question = Question {
            name: query.name,
            qtype: query.rtype.code(),
            region,
            supposition: &supposition,
            reader: Reader::Owner,
        };
        Some(shown(&question, &told, &self.board).to_string())
    }

    fn test(&self, query: &TestQuery<'_>) -> Option<TestAnswer> {
        let told = self.ask(query, None, &[])?;
        let protocol = match told.reply.len() {
            0..=PAYLOAD => TestProtocol::Udp,
            // As a resolver does when a reply is cut off.
            _ => TestProtocol::Tcp,
        };
        let answered = told.records.into_iter().filter(|record| {
            record.section == Section::Answer && RecordType::from_code(record.rtype).is_some()
        });
        Some(TestAnswer {
            name_server: query.zone.delegation_set.name_servers.first()?.clone(),
            rcode: rcode(told.rcode),
            data: answered.map(|record| record.data).collect(),
            protocol,
        })
    }
}

/// The facts of an answer that is given now.
pub(crate) fn moment() -> Moment {
    let now = SystemEnvironment::new();
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = now.entropy();
    Moment {
        now_s: u64::try_from(now.now().0 / 1000).unwrap_or(0),
        seed: u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
    }
}

/// A response code's name, as in `NXDOMAIN`.
pub(crate) fn rcode(code: u16) -> String {
    OptRcode::masked_from_int(code).to_string()
}

/// A view that the zone is visible in: all that show it show the same.
pub(crate) fn first_view(views: u64) -> Option<ViewId> {
    let first = u8::try_from(views.trailing_zeros()).ok()?;
    (views != 0).then_some(ViewId(first))
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
