//! From a group to the records that answer: choosing by its policy, following aliases.
//!
//! Health is known before the first choice: a member is down when its check is, or when nothing of
//! what it points to is up, so no branch has to be left again. Each policy is one file; what holds
//! for all of them is here (Route 53's common algorithm).

pub(crate) mod candidates;
mod cidr;
pub(crate) mod failover;
mod geolocation;
pub(crate) mod geoproximity;
pub(crate) mod group;
mod latency;
pub(crate) mod multivalue;
mod nearest;
pub(crate) mod parameter;
mod random;
mod simple;
pub(crate) mod trace;
pub(crate) mod weighted;

use arrayvec::ArrayVec;
use meridian_dns::RecordType;
use meridian_model::RoutingKind;

use crate::client::Client;
use crate::external::Outside;
use crate::node::{Kind, Node, Set};
use crate::{World, ZoneImage};

pub(crate) use candidates::is_up;
pub use trace::{Fate, Finding, LatencyFound, LatencySource, Lost};

use candidates::Candidates;
use group::{External, Group, Part, Target};
use multivalue::MULTIVALUE_SETS;
use random::Random;
use trace::Trace;

/// The most sets in a group; plans accept no more.
pub(crate) const MAX_MEMBERS: usize = 1000;
/// The most aliases that are followed one after the other.
pub(crate) const MAX_ALIASES: usize = 16;

/// Why a group has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Nothing is for this client.
    Nothing,
    /// None can be given.
    Failed(Lost),
}

/// Sets that answer together, plain all of them. Whoever asks has the room for them: moving it takes
/// as long as choosing.
#[derive(Debug)]
pub(crate) struct Chosen<'a> {
    pub(crate) sets: ArrayVec<Set<'a>, MULTIVALUE_SETS>,
    pub(crate) values: Values,
}

/// Places of members, in the order in which they answer.
type Places = ArrayVec<usize, MULTIVALUE_SETS>;

/// Whether sets that answer together have values in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// None is in two of them.
    Apart,
    /// Some may be in several.
    Overlapping,
}

impl<'a> Chosen<'a> {
    /// Room for them.
    #[inline]
    pub(crate) fn none() -> Self {
        Self {
            sets: ArrayVec::new(),
            values: Values::Apart,
        }
    }

    /// The TTL that all records get: the smallest, since they are one set to the client.
    pub(crate) fn ttl(&self) -> u32 {
        self.sets.iter().map(|set| set.ttl).min().unwrap_or(0)
    }

    /// The data of the only record, if there is just one.
    pub(crate) fn only(&self) -> Option<&'a [u8]> {
        match self.sets.as_slice() {
            [set] => set.only(),
            _ => None,
        }
    }
}

/// One client's way through groups.
#[derive(Debug)]
pub(crate) struct Route<'a, 't, T> {
    world: &'a World,
    client: &'t mut Client<'a>,
    random: Random,
    trace: &'t mut T,
}

impl<'a, 't, T: Trace> Route<'a, 't, T> {
    pub(crate) fn new(
        world: &'a World,
        client: &'t mut Client<'a>,
        seed: u64,
        trace: &'t mut T,
    ) -> Self {
        Self {
            world,
            client,
            random: Random::new(seed),
            trace,
        }
    }

    /// Finds out what a set of a zone leads to.
    pub(crate) fn follow(
        &mut self,
        zone: &'a ZoneImage,
        (labels, set): (&'a [u8], Set<'a>),
        answer: &mut Chosen<'a>,
    ) -> Result<(), NoAnswer> {
        let (mut zone, mut labels, mut set) = (zone, labels, set);
        for _ in 0..=MAX_ALIASES {
            match set.kind {
                Kind::Even | Kind::Uneven => {
                    answer.sets.push(set);
                    return Ok(());
                }
                Kind::Unserved => return Err(self.lost(Lost::Unserved)),
                Kind::Group => {}
            }
            let Some(group) = Group::read(set) else {
                return Err(self.lost(Lost::Unserved));
            };
            let candidates = Candidates::new(group, &self.world.down);
            self.trace.group(zone, labels, &candidates);
            let mut chosen = Places::new();
            self.choose(&candidates, &mut chosen);
            let mut parts = chosen.iter().filter_map(|place| group.member(*place));
            let Some(first) = parts.next() else {
                return Err(NoAnswer::Nothing);
            };
            match group.part(&first) {
                Some(Part::Records(set)) => {
                    answer.sets.push(set);
                    let others = parts.filter_map(|member| match group.part(&member)? {
                        Part::Records(set) => Some(set),
                        Part::Alias(_) | Part::External(_) => None,
                    });
                    answer.sets.extend(others);
                    answer.values = values_of(&group, &chosen);
                    return Ok(());
                }
                Some(Part::Alias(target)) => match find(self.world, zone, target, set.rtype) {
                    Ok((there, node, next)) => (zone, labels, set) = (there, node.labels, next),
                    // As at a name without such a set.
                    Err(Lost::NoTarget) => {
                        self.trace.lost(Lost::NoTarget);
                        return Err(NoAnswer::Nothing);
                    }
                    Err(lost) => return Err(self.lost(lost)),
                },
                Some(Part::External(external)) => return self.leave(zone, &external, answer),
                None => return Err(self.lost(Lost::Unserved)),
            }
        }
        Err(self.lost(Lost::TooDeep))
    }

    /// Ends at a host name elsewhere, with what is known of it and may be told by this zone.
    fn leave(
        &mut self,
        zone: &ZoneImage,
        external: &External<'a>,
        answer: &mut Chosen<'a>,
    ) -> Result<(), NoAnswer> {
        let client = (self.client.address, self.client.bits);
        let world = self.world;
        match world
            .external
            .find(external, client, || world.egress_of(zone))
        {
            Outside::Records(set, scope) => {
                self.client.depended_on(scope);
                self.trace.left(scope);
                answer.sets.push(set);
                Ok(())
            }
            // As at a name without such a set.
            Outside::Nothing => {
                self.trace.lost(Lost::NoTarget);
                Err(NoAnswer::Nothing)
            }
            Outside::Unknown => Err(self.lost(Lost::Unresolved)),
            Outside::Withheld => Err(self.lost(Lost::Withheld)),
        }
    }

    fn choose(&mut self, candidates: &Candidates<'_>, chosen: &mut Places) {
        let (world, client, group) = (self.world, &mut *self.client, candidates.group());
        let (random, trace) = (&mut self.random, &mut *self.trace);
        let (only, scope) = match group.policy {
            RoutingKind::Simple => (simple::choose(candidates), 0),
            RoutingKind::Weighted => (weighted::choose(candidates, random, trace), 0),
            RoutingKind::Failover => (failover::choose(candidates, trace), 0),
            RoutingKind::Multivalue => {
                multivalue::choose(candidates, random, trace, chosen);
                (None, 0)
            }
            RoutingKind::Latency => latency::choose(candidates, client, world, trace),
            RoutingKind::Geoproximity => {
                geoproximity::choose(candidates, client.whereabouts(), &world.regions, trace)
            }
            RoutingKind::Geolocation => {
                geolocation::choose(candidates, client.whereabouts(), trace)
            }
            RoutingKind::Cidr => {
                let (collections, address) = (&world.cidrs, client.address);
                let found = collections.find(group.collection, address, client.bits);
                cidr::choose(candidates, found, trace)
            }
        };
        self.client.depended_on(scope);
        if let Some(only) = only {
            chosen.push(only);
        }
        self.trace.chosen(chosen, scope);
    }

    fn lost(&mut self, lost: Lost) -> NoAnswer {
        self.trace.lost(lost);
        NoAnswer::Failed(lost)
    }
}

/// Whether these members of a group have values in common.
fn values_of(group: &Group<'_>, chosen: &[usize]) -> Values {
    let mut members = chosen.iter().filter_map(|place| group.member(*place));
    let is_several = group.policy == RoutingKind::Multivalue;
    if is_several && members.any(|member| multivalue::overlaps(&member)) {
        Values::Overlapping
    } else {
        Values::Apart
    }
}

/// The zone, the name and the set that an alias of this zone points to.
pub(crate) fn find<'a>(
    world: &'a World,
    zone: &'a ZoneImage,
    target: Target<'_>,
    rtype: RecordType,
) -> Result<(&'a ZoneImage, Node<'a>, Set<'a>), Lost> {
    let (zone, node) = match target {
        Target::Here { hash, labels } => (zone, zone.find(hash, labels)),
        Target::Elsewhere { zone, name } => find_elsewhere(world, zone, name)?,
    };
    let node = node.ok_or(Lost::NoTarget)?;
    let set = node.set(rtype).ok_or(Lost::NoTarget)?;
    Ok((zone, node, set))
}

/// The zone with this id, which is at or above this name, and the node of the name.
fn find_elsewhere<'a>(
    world: &'a World,
    id: &str,
    name: &[u8],
) -> Result<(&'a ZoneImage, Option<Node<'a>>), Lost> {
    let mut labels = ArrayVec::<usize, 127>::new();
    let mut at = 0;
    while let Some(&len) = name.get(at)
        && len > 0
        && !labels.is_full()
    {
        labels.push(at);
        at += usize::from(len) + 1;
    }
    let root = at;
    let mut hash = world.key.root();
    let mut found = world.zone_of_id(hash, id, name.get(root..).unwrap_or_default());
    let mut apex = root;
    for start in labels.into_iter().rev() {
        let label = name.get(start + 1..).unwrap_or_default();
        let label = label.get(..usize::from(name[start])).unwrap_or_default();
        hash = world.key.child(hash, label);
        if found.is_none() {
            found = world.zone_of_id(hash, id, name.get(start..).unwrap_or_default());
            apex = start;
        }
    }
    let zone = found.ok_or(Lost::NoZone)?;
    let labels = name.get(..apex).unwrap_or_default();
    Ok((zone, zone.find(hash, labels)))
}
