//! Everything that a query can be answered with, depending on chance alone, and how often.
//!
//! The code that answers packets is run once for each way that chance can take, with the choices
//! made beforehand. What differs between clients is found by whoever asks for several of them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use meridian_atlas::{Latencies, Place};
use meridian_dns::{Name, RecordType};
use meridian_model::{RoutingKind, ZoneId};

use super::{Ask, Client, Record, Section, reading, run};
use crate::image::name_of;
use crate::lookup;
use crate::route::MAX_MEMBERS;
use crate::route::candidates::Candidates;
use crate::route::multivalue::MULTIVALUE_SETS;
use crate::route::trace::{Fate, Finding, Lost, Trace};
use crate::{World, ZoneImage};

/// The most ways of chance that are gone: more than the largest group has members.
const MAX_WAYS: usize = 4 * MAX_MEMBERS;
/// Shares are told in millionths.
const MILLION: f64 = 1e6;

/// Who is supposed to ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Supposed {
    /// The sender of the query, wherever that is and whatever it sees.
    Sender,
    /// Somebody at this address and this place, in no VPC. The nearest regions are the fastest:
    /// latency maps know addresses, not places.
    At(IpAddr, Place),
}

/// What a query can be answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Possible {
    /// Each answer once, the most frequent first.
    pub answers: Vec<PossibleAnswer>,
    /// The groups that choices were made in.
    pub groups: Vec<GroupSeen>,
    /// Whether these are all; more than a few thousand are not looked at.
    pub complete: bool,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PossibleAnswer {
    /// How often it is given, in millionths.
    pub share: u32,
    /// The response code.
    pub rcode: u16,
    /// The records, in an order of their own; without the SOA of what is not there.
    pub records: Vec<(String, u16, u32, String)>,
    /// Of more multivalue sets than are answered together: how many there are. The records are
    /// those of all.
    pub of: Option<usize>,
}

/// A group that a choice was made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSeen {
    /// Its zone.
    pub zone: ZoneId,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub rtype: RecordType,
    /// Whether its policy looks at who asks.
    pub by_client: bool,
}

/// Goes through all that chance can make of a query. The seed does not matter.
pub fn possible(world: &World, ask: &Ask<'_>, supposed: Supposed) -> Possible {
    let mut possible = Possible {
        answers: Vec::new(),
        groups: Vec::new(),
        complete: true,
    };
    // By what chance was made to choose, but for the runs of multivalue sets.
    let mut found: BTreeMap<Vec<Option<usize>>, PossibleAnswer> = BTreeMap::new();
    let mut scripts = vec![Vec::new()];
    let mut ways = 0;
    while let Some(script) = scripts.pop() {
        ways += 1;
        if ways > MAX_WAYS {
            possible.complete = false;
            break;
        }
        let mut explorer = Explorer::new(script);
        let (seen, client) = match supposed {
            Supposed::At(address, place) => (None, Some(Client::at_place(world, address, place))),
            Supposed::Sender => {
                let private = world.private.as_ref();
                (
                    private.and_then(|private| private.seen_by(ask.source)),
                    None,
                )
            }
        };
        let ran = run(world, ask, (seen, client), &mut explorer);
        scripts.extend(explorer.others());
        let answer = PossibleAnswer {
            share: millionths(explorer.share),
            rcode: ran.rcode,
            records: records(&ran.reply),
            of: explorer.of,
        };
        let key = explorer.key();
        for group in explorer.groups {
            if !possible.groups.contains(&group) {
                possible.groups.push(group);
            }
        }
        match found.get_mut(&key) {
            Some(known) => known.join(answer.records),
            None => {
                found.insert(key, answer);
            }
        }
    }
    possible.answers = alike(found.into_values());
    possible
}

fn millionths(share: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is from 0 to 1"
    )]
    let share = (share * MILLION).round() as u32;
    share
}

/// Answers that are the same become one with their shares together.
fn alike(answers: impl Iterator<Item = PossibleAnswer>) -> Vec<PossibleAnswer> {
    let mut alike: BTreeMap<_, u32> = BTreeMap::new();
    for answer in answers {
        let share = alike.entry((answer.rcode, answer.records, answer.of));
        let share = share.or_default();
        *share = share.saturating_add(answer.share);
    }
    let answers = alike.into_iter();
    let mut answers: Vec<PossibleAnswer> = answers
        .map(|((rcode, records, of), share)| PossibleAnswer {
            share,
            rcode,
            records,
            of,
        })
        .collect();
    answers.sort_by(|a, b| b.share.cmp(&a.share).then_with(|| a.cmp(b)));
    answers
}

fn records(reply: &[u8]) -> Vec<(String, u16, u32, String)> {
    let records = reading::read(reply).records.into_iter();
    let told = records.filter(|record| {
        record.section != Section::Authority || record.rtype != RecordType::Soa.code()
    });
    let mut told: Vec<_> = told
        .map(
            |Record {
                 name,
                 rtype,
                 ttl,
                 data,
                 ..
             }| (name.to_string(), rtype, ttl, data),
        )
        .collect();
    told.sort();
    told
}

impl PossibleAnswer {
    /// The records of another run of the same sets.
    fn join(&mut self, records: Vec<(String, u16, u32, String)>) {
        self.records.extend(records);
        self.records.sort();
        self.records.dedup();
    }
}

/// Takes the options that its script says, and the first ones beyond that.
#[derive(Debug)]
struct Explorer {
    script: Vec<usize>,
    /// What was met: the options there were and the one that was taken.
    met: Vec<Met>,
    share: f64,
    of: Option<usize>,
    groups: Vec<GroupSeen>,
}

#[derive(Debug)]
struct Met {
    /// The options that can be taken.
    options: Vec<usize>,
    taken: usize,
    /// The options are runs of sets that are told of together.
    runs: bool,
}

impl Explorer {
    fn new(script: Vec<usize>) -> Self {
        Self {
            script,
            met: Vec::new(),
            share: 1.0,
            of: None,
            groups: Vec::new(),
        }
    }

    /// The scripts for the options that were not taken, where the own one said nothing.
    fn others(&self) -> Vec<Vec<usize>> {
        let mut others = Vec::new();
        for (place, met) in self.met.iter().enumerate().skip(self.script.len()) {
            for option in met.options.iter().filter(|option| **option != met.taken) {
                let before = self.met.iter().take(place).map(|met| met.taken);
                others.push(before.chain([*option]).collect());
            }
        }
        others
    }

    /// What tells its answer from others.
    fn key(&self) -> Vec<Option<usize>> {
        let met = self.met.iter();
        met.map(|met| (!met.runs).then_some(met.taken)).collect()
    }

    fn take(&mut self, options: Vec<usize>, runs: bool) -> Option<usize> {
        let first = options.first().copied()?;
        let taken = self.script.get(self.met.len()).copied().unwrap_or(first);
        self.met.push(Met {
            options,
            taken,
            runs,
        });
        Some(taken)
    }
}

impl Trace for Explorer {
    const ON: bool = true;

    fn cname(&mut self) {}

    fn placed(&mut self, _: &ZoneImage, _: &[u8], _: &lookup::Place<'_>) {}

    fn group(&mut self, zone: &ZoneImage, labels: &[u8], candidates: &Candidates<'_>) {
        let group = candidates.group();
        self.groups.push(GroupSeen {
            zone: zone.meta.zone.clone(),
            name: name_of(zone, labels),
            rtype: group.rtype,
            by_client: match group.policy {
                RoutingKind::Simple
                | RoutingKind::Weighted
                | RoutingKind::Failover
                | RoutingKind::Multivalue => false,
                RoutingKind::Latency
                | RoutingKind::Geolocation
                | RoutingKind::Geoproximity
                | RoutingKind::Cidr => true,
            },
        });
    }

    fn draw(&mut self, shares: impl FnOnce() -> Vec<usize>) -> Option<usize> {
        let shares = shares();
        let options = shares.iter().enumerate().filter(|(_, share)| **share > 0);
        let options = options.map(|(option, _)| option).collect();
        let taken = self.take(options, false)?;
        let (own, all) = (shares.get(taken)?, shares.iter().sum::<usize>());
        // Both are far below what an f64 has whole.
        self.share *= *own as f64 / all as f64;
        Some(taken)
    }

    fn draw_several(&mut self, of: usize) -> Option<usize> {
        if of <= MULTIVALUE_SETS {
            return None;
        }
        self.of = Some(of);
        self.take((0..of.div_ceil(MULTIVALUE_SETS)).collect(), true)
    }

    fn last_resort(&mut self) {}

    fn fate(&mut self, _: usize, _: impl FnOnce() -> Fate) {}

    fn latencies<'a>(&mut self, _: impl FnOnce() -> (IpAddr, Latencies<'a>)) {}

    fn finding(&mut self, _: usize, _: impl FnOnce() -> Finding) {}

    fn chosen(&mut self, _: &[usize], _: u8) {}

    fn lost(&mut self, _: Lost) {}
}
