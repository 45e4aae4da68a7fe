//! A server against the oracle: every reply is one of the possible ones, every likely one comes,
//! scopes are right. What fails is made smaller and shown with the seed that brings it back.

use std::collections::BTreeMap;

use meridian_model::RoutingKind;

use crate::answer::{Answer, Negative, Record};
use crate::case::{Ask, Case, Prefix};
use crate::fate::Fate;
use crate::generate;
use crate::model::Oracle;
use crate::rng::Rng;
use crate::scope;

/// What is less likely than once in e^35, or 10^15, times does not happen by chance.
const CERTAIN: f64 = 35.0;
/// In how many states of health a case is compared, and how many questions are asked in each.
const STATES: usize = 4;
const ASKS: usize = 8;
/// The most ways in which what is settled may be settled, to look at each.
const MOST_HABITS: usize = 256;

/// A reply as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) rcode: u16,
    /// Sorted.
    pub(crate) records: Vec<Record>,
    /// The TTL of the SOA record in the authority section.
    pub(crate) soa: Option<u32>,
    /// The scope of the client subnet option.
    pub(crate) scope: Option<u8>,
}

/// Something that answers the questions of one case.
pub(crate) trait Server<'c> {
    /// The reply when `seed` decides what is left to chance.
    fn reply(&mut self, ask: &Ask, seed: u64) -> Reply;

    /// Goes on with the same case in another state of health.
    fn turn(&mut self, case: &'c Case);
}

/// Sets up a server with a case.
pub(crate) type SetUp<'s> = &'s (dyn for<'c> Fn(&'c Case) -> Box<dyn Server<'c> + 'c> + Sync);

/// What is wrong with the answers to one question.
#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
pub(crate) enum Complaint {
    /// No such answer is possible.
    Impossible(Reply),
    /// Something that is likely never came, or what is settled changed: these came, so often.
    Unlikely(Vec<(Answer, usize)>),
    /// A client in the scope of the reply may not get it.
    ScopeTooWide(Reply, Prefix),
    /// A client in the scope of the reply got another.
    NotTheSame(Reply, Prefix, Reply),
    /// Nothing can need a scope longer than this.
    ScopeTooNarrow(Reply, u8),
    /// There is a scope without a subnet, or none with one.
    ScopeMisplaced(Reply),
}

/// A question that is not answered right.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) case: Case,
    pub(crate) ask: Ask,
    pub(crate) complaint: Complaint,
    /// What the seeds came from, and how many there were.
    pub(crate) seeds: (u64, usize),
}

/// How much was compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    pub(crate) questions: usize,
    pub(crate) replies: usize,
    /// The replies to questions for a group of each policy.
    pub(crate) by_policy: BTreeMap<String, usize>,
}

impl Tally {
    /// What another one has counted besides.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.questions += other.questions;
        self.replies += other.replies;
        for (policy, replies) in &other.by_policy {
            *self.by_policy.entry(policy.clone()).or_default() += replies;
        }
    }

    fn count(&mut self, oracle: &Oracle<'_>, ask: &Ask, replies: usize) {
        self.questions += 1;
        self.replies += replies;
        let policy = oracle.policy(ask).map(|kind| kind.to_string());
        let policy = policy.unwrap_or_else(|| "none".to_owned());
        *self.by_policy.entry(policy).or_default() += replies;
    }
}

/// Compares the answers in a case that a seed makes, in several states of health.
pub(crate) fn compare(
    (seed, favourite): (u64, Option<RoutingKind>),
    set_up: SetUp<'_>,
    tally: &mut Tally,
) -> Result<(), Box<Failure>> {
    let mut rng = Rng::new(!seed);
    let case = generate::case(seed, favourite);
    let turned = |checks| Case {
        checks,
        ..case.clone()
    };
    let states: Vec<Case> = (0..STATES)
        .map(|_| turned(generate::health(&mut rng)))
        .collect();
    // Setting up takes longest, so it is done once for all states.
    let mut server = set_up(&states[0]);
    tally.cases += 1;
    for case in &states {
        server.turn(case);
        let oracle = Oracle::new(case, None);
        for ask in generate::asks(case, &mut rng, ASKS) {
            let (first, seeds) = (rng.next(), if rng.percent(6) { 500 } else { 12 });
            tally.count(&oracle, &ask, seeds);
            let Err(complaint) = judge(&oracle, &ask, &mut *server, (first, seeds)) else {
                continue;
            };
            return Err(Box::new(Failure {
                case: case.clone(),
                ask,
                complaint,
                seeds: (first, seeds),
            }));
        }
    }
    Ok(())
}

/// Judges the replies to one question for some seeds.
pub(crate) fn judge(
    oracle: &Oracle<'_>,
    ask: &Ask,
    server: &mut dyn Server<'_>,
    (first, seeds): (u64, usize),
) -> Result<(), Complaint> {
    let fate = oracle.fate(ask);
    let mut possible: Vec<&Answer> = fate.ends().into_iter().map(|(end, _)| end).collect();
    possible.sort();
    possible.dedup();
    let mut rng = Rng::new(first);
    let mut came: BTreeMap<&Answer, usize> = BTreeMap::new();
    let mut looked_at = Vec::new();
    for _ in 0..seeds {
        let seed = rng.next();
        let reply = server.reply(ask, seed);
        let fits = possible.iter().find(|answer| is_as(&reply, answer));
        let Some(answer) = fits else {
            return Err(Complaint::Impossible(reply));
        };
        *came.entry(answer).or_default() += 1;
        let known = (*answer, reply.scope);
        if !looked_at.contains(&known) {
            looked_at.push(known);
            check_scope(oracle, ask, answer, (reply, seed), server)?;
        }
    }
    let habits = fate.resolved(MOST_HABITS);
    let explained = |fate: &Fate<Answer>| explains(fate, &came, seeds);
    if habits.is_some_and(|habits| !habits.iter().any(explained)) {
        let came = came
            .into_iter()
            .map(|(answer, count)| (answer.clone(), count));
        return Err(Complaint::Unlikely(came.collect()));
    }
    Ok(())
}

/// Whether a reply is this answer.
pub(crate) fn is_as(reply: &Reply, answer: &Answer) -> bool {
    let negative = match (reply.soa, answer.negative) {
        (None, None) => true,
        (Some(ttl), Some(Negative::Exactly(right))) => ttl == right,
        (Some(ttl), Some(Negative::AtMost(most))) => ttl <= most,
        _ => false,
    };
    negative && (reply.rcode, &reply.records) == (answer.rcode, &answer.records)
}

/// Whether nothing else came than this may bring, and all about as often as it should.
fn explains(fate: &Fate<Answer>, came: &BTreeMap<&Answer, usize>, seeds: usize) -> bool {
    let mut odds: BTreeMap<&Answer, (f64, bool)> = BTreeMap::new();
    for (end, share) in fate.ends() {
        let (known, all_known) = odds.entry(end).or_insert((0.0, true));
        *known += share.unwrap_or(0.0);
        *all_known &= share.is_some();
    }
    let is_odd = |(end, (odds, all_known)): (&&Answer, &(f64, bool))| {
        let count = came.get(end).copied().unwrap_or_default();
        let rare = fraction(count, seeds) < *odds;
        (rare || *all_known) && surprise(count, seeds, *odds) > CERTAIN
    };
    came.keys().all(|end| odds.contains_key(end)) && !odds.iter().any(is_odd)
}

fn fraction(part: usize, whole: usize) -> f64 {
    let number = |count| f64::from(u32::try_from(count).unwrap());
    number(part) / number(whole)
}

/// The negative logarithm of a bound (Chernoff's) on the probability that something with these
/// odds comes so often or more, or so seldom or less.
pub(crate) fn surprise(count: usize, tries: usize, odds: f64) -> f64 {
    let came = fraction(count, tries);
    let part = |came: f64, odds: f64| match came {
        0.0 => 0.0,
        _ => came * (came / odds.max(0.0)).ln(),
    };
    let tries = f64::from(u32::try_from(tries).unwrap());
    tries * (part(came, odds) + part(1.0 - came, (1.0 - odds).max(0.0)))
}

/// DESIGN section 4: never too wide, none for what does not depend on the client.
fn check_scope(
    oracle: &Oracle<'_>,
    ask: &Ask,
    answer: &Answer,
    (reply, seed): (Reply, u64),
    server: &mut dyn Server<'_>,
) -> Result<(), Complaint> {
    let (Some(subnet), Some(scope)) = (ask.subnet, reply.scope) else {
        let alike = ask.subnet.is_some() == reply.scope.is_some();
        return if alike {
            Ok(())
        } else {
            Err(Complaint::ScopeMisplaced(reply))
        };
    };
    let is_empty = reply.records.is_empty();
    let is_static = oracle.is_private(ask) || !scope::asks_for_place(oracle, ask);
    if subnet.len == 0 || is_empty || is_static {
        return if scope == 0 {
            Ok(())
        } else {
            Err(Complaint::ScopeTooNarrow(reply, 0))
        };
    }
    if scope > subnet.width() {
        return Err(Complaint::ScopeTooNarrow(reply, subnet.width()));
    }
    if let Some(most) = scope::narrowest(oracle, ask)
        && scope > most
    {
        return Err(Complaint::ScopeTooNarrow(reply, most));
    }
    if let Some(place) = scope::outlier(oracle, ask, answer, scope) {
        return Err(Complaint::ScopeTooWide(reply, place));
    }
    if scope <= subnet.len {
        let inside = subnet.cut(scope);
        let mut places: Vec<Prefix> = scope::edges(oracle.case, &subnet).into_iter().collect();
        places.retain(|place| inside.contains(place));
        let step = places.len() / 4 + 1;
        for place in places.into_iter().step_by(step) {
            let ask = Ask {
                subnet: Some(place),
                ..ask.clone()
            };
            let other = server.reply(&ask, seed);
            if (other.rcode, &other.records) != (reply.rcode, &reply.records) {
                return Err(Complaint::NotTheSame(reply, place, other));
            }
        }
    }
    Ok(())
}
