//! An oracle that plays a server: the right one, to see that nothing is complained of, or one
//! with a wrong rule, to see that it is.

use crate::case::{Ask, Case};
use crate::compare::{Reply, Server};
use crate::model::{Negative, Oracle};
use crate::rng::Rng;
use crate::scope;
use crate::wrong::Wrong;

/// A server that follows an oracle.
pub(crate) struct Pretender<'c> {
    oracle: Oracle<'c>,
    wrong: Option<Wrong>,
}

impl<'c> Pretender<'c> {
    pub(crate) fn new(case: &'c Case, wrong: Option<Wrong>) -> Self {
        let oracle = Oracle::new(case, wrong);
        Self { oracle, wrong }
    }
}

impl Server for Pretender<'_> {
    fn reply(&mut self, ask: &Ask, seed: u64) -> Reply {
        let fate = self.oracle.fate(ask);
        let answer = fate.live(&mut Rng::new(seed), 5);
        let negative = answer.negative.map(|negative| match negative {
            Negative::Exactly(ttl) | Negative::AtMost(ttl) => ttl,
        });
        let subnet = ask
            .subnet
            .filter(|subnet| subnet.len > 0 && !answer.records.is_empty());
        // What is settled is settled for a range of addresses.
        let width = ask.client().width();
        let range = || scope::narrowest(&self.oracle, ask).unwrap_or(width);
        let widest = || match fate.is_settled() {
            true => range(),
            false => scope::widest(&self.oracle, ask),
        };
        let scope = match (self.wrong, subnet) {
            (_, None) | (Some(Wrong::ScopeZero), _) => 0,
            _ if self.oracle.is_private(ask) || !scope::asks_for_place(&self.oracle, ask) => 0,
            (Some(Wrong::ScopeTooWide), _) => widest().saturating_sub(1),
            (Some(Wrong::ScopeAsAsked), Some(subnet)) => subnet.len,
            _ => widest(),
        };
        Reply {
            rcode: answer.rcode,
            records: answer.records.clone(),
            soa: negative,
            scope: ask.subnet.map(|_| scope),
        }
    }
}
