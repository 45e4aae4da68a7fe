//! The health of what aliases point to: worked out from the leaves up whenever checks or zones
//! change, so that a query only asks whether a target is among those that are down.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use meridian_dns::RecordType;
use meridian_model::{Generation, ZoneId};

use super::{Health, Key, Keys};
use crate::node::{Kind, Set};
use crate::route::group::{Group, Part, Target};
use crate::route::{find, is_up};
use crate::{World, ZoneImage};

/// Links of a chain of aliases beyond which nothing is looked for: more than an answer follows.
const MAX_DEPTH: usize = 32;

/// Which zones have aliases that evaluate the health of their targets, and where those lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    /// Zones with such aliases.
    zones: Arc<[Arc<ZoneImage>]>,
    /// Other zones that they point into.
    others: Arc<HashSet<ZoneId>>,
}

impl Targets {
    /// Those of all zones that have any.
    pub(crate) fn of<'z>(zones: impl Iterator<Item = &'z Arc<ZoneImage>>) -> Self {
        let evaluating = zones.filter(|zone| zone.evaluating().is_some());
        Self {
            zones: evaluating.cloned().collect(),
            others: Arc::default(),
        }
    }

    /// Whether a change of this zone can change the health of any target.
    pub(crate) fn depend_on(&self, zone: &ZoneImage) -> bool {
        let meta = &zone.meta;
        let has = |other: &Arc<ZoneImage>| other.meta.generation == meta.generation;
        zone.evaluating().is_some()
            || self.others.contains(&meta.zone)
            || self.zones.iter().any(has)
    }

    /// After these zones went and these came or changed.
    pub(crate) fn changed(
        &self,
        gone: &HashSet<Generation>,
        put: impl Iterator<Item = Arc<ZoneImage>>,
    ) -> Self {
        let kept = self.zones.iter();
        let kept = kept.filter(|zone| !gone.contains(&zone.meta.generation));
        let new = put.filter(|zone| zone.evaluating().is_some());
        Self {
            zones: kept.cloned().chain(new).collect(),
            others: Arc::clone(&self.others),
        }
    }

    /// Everything that is down: these checks, and the targets that have nothing healthy left.
    pub(crate) fn down(&mut self, world: &World, health: &Health) -> Arc<Keys> {
        if self.zones.is_empty() {
            self.others = Arc::default();
            return Arc::clone(health.down());
        }
        let mut judge = Judge {
            world,
            checks: health.down(),
            known: HashMap::new(),
            others: HashSet::new(),
        };
        for zone in self.zones.iter() {
            let names = zone.evaluating().into_iter().flat_map(|names| names.iter());
            for labels in names {
                let hash = world.key.below(zone.hash, labels);
                let sets = zone.find(hash, labels).map(|node| node.sets());
                for set in sets.into_iter().flatten() {
                    // Its own health is of no interest here, those of its targets are.
                    judge.set_is_up(zone, set, 0);
                }
            }
        }
        let targets = judge.known.into_iter();
        let down = targets.filter(|(_, state)| *state != State::Up);
        let down = down.map(|(key, _)| key).chain(health.down().iter());
        self.others = Arc::new(judge.others);
        Arc::new(down.collect())
    }
}

/// What has been found out about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is being looked at: who meets it again has gone in a circle, which heals nobody.
    Open,
    Up,
    Down,
}

struct Judge<'a> {
    world: &'a World,
    checks: &'a Keys,
    known: HashMap<Key, State>,
    others: HashSet<ZoneId>,
}

impl Judge<'_> {
    /// Whether any member of a set is healthy. Looks at all of them: each alias's target must be
    /// known.
    fn set_is_up(&mut self, zone: &ZoneImage, set: Set<'_>, depth: usize) -> bool {
        match set.kind {
            Kind::Even | Kind::Uneven => return true,
            Kind::Unserved => return false,
            Kind::Group => {}
        }
        let Some(group) = Group::read(set) else {
            return false;
        };
        let mut any = false;
        for member in group.members() {
            let mut up = is_up(&member, self.checks);
            if let Some(key) = member.target
                && let Some(Part::Alias(target)) = group.part(&member)
            {
                up &= self.target_is_up(zone, (key, target), set.rtype, depth);
            }
            any |= up;
        }
        any
    }

    fn target_is_up(
        &mut self,
        zone: &ZoneImage,
        (key, target): (Key, Target<'_>),
        rtype: RecordType,
        depth: usize,
    ) -> bool {
        if let Some(state) = self.known.get(&key) {
            return *state == State::Up;
        }
        if depth >= MAX_DEPTH {
            return false;
        }
        if let Target::Elsewhere { zone, .. } = target
            && let Ok(id) = ZoneId::new(zone)
        {
            self.others.insert(id);
        }
        self.known.insert(key, State::Open);
        let found = find(self.world, zone, target, rtype);
        let up = found.is_ok_and(|(zone, _, set)| self.set_is_up(zone, set, depth + 1));
        let state = if up { State::Up } else { State::Down };
        self.known.insert(key, state);
        up
    }
}
