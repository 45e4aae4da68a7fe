//! An oracle that plays a server: the right one, to see that nothing is complained of, or one
//! with a wrong rule, to see that it is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::answer::{Answer, Negative};
use crate::case::{Ask, Case, Prefix};
use crate::compare::{Reply, Server};
use crate::fate::Fate;
use crate::model::Oracle;
use crate::rng::Rng;
use crate::scope;
use crate::wrong::Wrong;

/// A server that follows an oracle.
pub(crate) struct Pretender<'c> {
    oracle: Oracle<'c>,
    wrong: Option<Wrong>,
    /// The scopes of what was asked before: they take longest.
    scopes: BTreeMap<(String, u16, IpAddr, Prefix), u8>,
}

impl<'c> Pretender<'c> {
    pub(crate) fn new(case: &'c Case, wrong: Option<Wrong>) -> Self {
        let oracle = Oracle::new(case, wrong);
        Self {
            oracle,
            wrong,
            scopes: BTreeMap::new(),
        }
    }
}

impl<'c> Server<'c> for Pretender<'c> {
    fn turn(&mut self, case: &'c Case) {
        *self = Self::new(case, self.wrong);
    }

    fn reply(&mut self, ask: &Ask, seed: u64) -> Reply {
        let fate = self.oracle.fate(ask);
        let answer = fate.live(&mut Rng::new(seed), 5);
        let negative = answer.negative.map(|negative| match negative {
            Negative::Exactly(ttl) | Negative::AtMost(ttl) => ttl,
        });
        let scope = match ask.subnet {
            Some(subnet) if subnet.len > 0 && !answer.records.is_empty() => {
                let key = (ask.name.to_string(), ask.rtype.code(), ask.source, subnet);
                let scopes = &mut self.scopes;
                *scopes
                    .entry(key)
                    .or_insert_with(|| scope(&self.oracle, self.wrong, ask, &fate))
            }
            _ => 0,
        };
        Reply {
            rcode: answer.rcode,
            records: answer.records.clone(),
            soa: negative,
            scope: ask.subnet.map(|_| scope),
        }
    }
}

/// The scope of a reply that has records.
fn scope(oracle: &Oracle<'_>, wrong: Option<Wrong>, ask: &Ask, fate: &Fate<Answer>) -> u8 {
    if wrong == Some(Wrong::ScopeZero)
        || oracle.is_private(ask)
        || !scope::asks_for_place(oracle, ask)
    {
        return 0;
    }
    // What is settled is settled for a range of addresses.
    let client = ask.client();
    let widest = if fate.is_settled() {
        scope::narrowest(oracle, ask).unwrap_or_else(|| client.width())
    } else {
        scope::widest(oracle, ask)
    };
    match wrong {
        Some(Wrong::ScopeTooWide) => widest.saturating_sub(1),
        Some(Wrong::ScopeAsAsked) => client.len,
        _ => widest,
    }
}
