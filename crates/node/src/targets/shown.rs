//! Targets as they are told to others: to people, and to those who answer by them.

use std::sync::Arc;

use meridian_answer::{
    ExternalFacts, ExternalRecord, ExternalRecords, ExternalState, ExternalTarget,
};
use meridian_dns::{Name, RecordType};
use meridian_health::Guard;
use meridian_model::{ProbeRights, Timestamp};

use super::book::{Book, Entry};
use super::egress::needed;
use super::file::texts;
use super::judge::{Verdict, passed};

/// A target, and what is known of it at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: Name,
    pub(crate) rtype: RecordType,
    /// `answers`, `held`, `no-data`, `no-such-name` or `unknown`.
    pub(crate) state: &'static str,
    /// The records that answers have, as texts.
    pub(crate) data: Vec<String>,
    /// The right that each of them needs, in the same order: to zones of accounts with less it is
    /// withheld.
    pub(crate) needs: Vec<ProbeRights>,
    /// Those for clients of some networks.
    pub(crate) networks: Vec<Network>,
    /// The TTL that answers have at this moment.
    pub(crate) ttl_s: Option<u32>,
    /// How long ago that was heard.
    pub(crate) age_s: Option<u64>,
    /// Which resolver said it.
    pub(crate) source: Option<String>,
    /// How often in a row nobody could say, and why the last time.
    pub(crate) failures: u32,
    pub(crate) last_error: Option<String>,
    /// In how long it is asked for again.
    pub(crate) next_s: u64,
}

/// What clients of a network are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) network: String,
    pub(crate) data: Vec<String>,
}

/// All of a book, in no order of names.
pub(super) fn list(book: &Book, guard: &Guard, now: Timestamp) -> Vec<Target> {
    let target = |entry| of(book, (entry, guard), now);
    book.entries().map(target).collect()
}

/// All of a book, as answers go by them.
pub(super) fn for_answers(book: &Book, guard: &Guard, now: Timestamp) -> Vec<ExternalTarget> {
    let target = |entry: &Entry| {
        let (name, rtype) = entry.key.clone();
        let standing = &entry.standing;
        let state = match book.verdict(entry, now) {
            Verdict::Unknown => ExternalState::Unknown,
            Verdict::NoData => ExternalState::Nothing,
            Verdict::NoSuchName => ExternalState::NoSuchName,
            Verdict::Answers(good, ttl_s) => {
                let record = |data: &Vec<u8>| ExternalRecord {
                    needs: needed(guard, rtype, data),
                    data: data.clone(),
                };
                let records = |data: &[Vec<u8>], ttl_s| ExternalRecords {
                    ttl_s,
                    records: data.iter().map(record).collect(),
                };
                let own = book.networks((good, ttl_s), now);
                let own = own.map(|(own, ttl_s)| (own.network, records(&own.data, ttl_s)));
                ExternalState::Answers {
                    records: records(&good.data, ttl_s),
                    for_subnets: own.collect(),
                }
            }
        };
        let heard = standing.heard();
        let seconds = |at: Timestamp| u64::try_from(at.0 / 1000).unwrap_or(0);
        let facts = ExternalFacts {
            resolved_at_s: heard.map(|(at, _)| seconds(at)),
            source: heard.map(|(_, source)| source.to_string().into()),
            last_error: standing.last_error().map(Arc::from),
        };
        ExternalTarget {
            name,
            rtype,
            state,
            facts,
        }
    };
    book.entries().map(target).collect()
}

fn of(book: &Book, (entry, guard): (&Entry, &Guard), now: Timestamp) -> Target {
    let ((name, rtype), standing) = (&entry.key, &entry.standing);
    let nothing = Target {
        name: name.clone(),
        rtype: *rtype,
        state: "unknown",
        data: Vec::new(),
        needs: Vec::new(),
        networks: Vec::new(),
        ttl_s: None,
        age_s: None,
        source: None,
        failures: standing.failures,
        last_error: standing.last_error(),
        next_s: passed(now, entry.due).as_secs(),
    };
    let gone = standing.gone.map(|gone| Target {
        age_s: Some(passed(gone.heard_at, now).as_secs()),
        source: Some(gone.source.to_string()),
        ..nothing.clone()
    });
    let gone = gone.unwrap_or_else(|| nothing.clone());
    match book.verdict(entry, now) {
        Verdict::Unknown => nothing,
        Verdict::NoData => Target {
            state: "no-data",
            ..gone
        },
        Verdict::NoSuchName => Target {
            state: "no-such-name",
            ..gone
        },
        Verdict::Answers(good, ttl_s) => Target {
            state: if standing.is_held() {
                "held"
            } else {
                "answers"
            },
            data: texts(*rtype, &good.data),
            needs: good
                .data
                .iter()
                .map(|data| needed(guard, *rtype, data))
                .collect(),
            networks: book
                .networks((good, ttl_s), now)
                .map(|(own, _)| Network {
                    network: own.network.to_string(),
                    data: texts(*rtype, &own.data),
                })
                .collect(),
            ttl_s: Some(ttl_s),
            age_s: Some(passed(good.heard_at, now).as_secs()),
            source: Some(good.source.to_string()),
            ..nothing
        },
    }
}
