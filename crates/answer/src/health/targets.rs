//! The health of what aliases point to: worked out from the leaves up whenever checks or zones
//! change, so that a query only asks whether a target is among those that are down.
//!
//! Each zone with aliases that evaluate is judged by itself, with everything they lead to, and
//! knows which zones and checks that depended on. So a change costs as much as the zones that
//! depend on what has changed, and no tenant pays for another's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use meridian_dns::RecordType;
use meridian_model::{AccountId, Generation, ZoneId};

use super::{Key, Keys};
use crate::node::{Kind, Set};
use crate::route::group::{External, Group, Part, Target};
use crate::route::{MAX_ALIASES, find, is_up};
use crate::{World, ZoneChange, ZoneImage};

/// Links of a chain of aliases beyond which nothing is looked for. Twice what an answer follows: what
/// is found out of a target is kept for all that lead there, whoever was looked at first. Chains can
/// grow at their ends, and from the midst of one that did an answer still gets to its end; that one
/// began too far away is not to bring it down for those.
const MAX_DEPTH: usize = 2 * MAX_ALIASES;

/// The zones with aliases that evaluate the health of their targets, judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets(Arc<[Arc<Judged>]>);

/// What is known of the targets of one zone's aliases.
#[derive(Debug)]
struct Judged {
    zone: Arc<ZoneImage>,
    /// The targets that are down.
    down: Box<[Key]>,
    /// The checks and host names elsewhere, and the other zones, that it depends on.
    keys: Keys,
    others: HashSet<ZoneId>,
    /// Whose rights to the addresses of host names elsewhere it depends on.
    accounts: HashSet<AccountId>,
}

impl Targets {
    /// Judges all zones of a World.
    pub(crate) fn of(world: &World, checks: &Keys) -> Self {
        let zones = world.zones().filter(|zone| zone.evaluating().is_some());
        let judged = zones.map(|zone| Judged::of(world, zone, checks));
        Self(judged.collect())
    }

    /// After these changes, which have led to this World; none where nothing of it can be different.
    pub(crate) fn changed(
        &self,
        world: &World,
        changes: &[ZoneChange],
        checks: &Keys,
    ) -> Option<Self> {
        let zones = changes.iter().map(|change| match change {
            ZoneChange::Put(zone) | ZoneChange::Remove(zone) => &zone.meta,
        });
        let ids: HashSet<&ZoneId> = zones.clone().map(|meta| &meta.zone).collect();
        let generations: HashSet<Generation> = zones.map(|meta| meta.generation).collect();
        let new = changes.iter().filter_map(|change| match change {
            ZoneChange::Put(zone) => zone.evaluating().is_some().then_some(zone),
            ZoneChange::Remove(_) => None,
        });
        let new: Vec<&Arc<ZoneImage>> = new.collect();
        let is_old = |judged: &Judged| generations.contains(&judged.zone.meta.generation);
        let depends = |judged: &Judged| judged.others.iter().any(|other| ids.contains(other));
        if new.is_empty()
            && !self
                .0
                .iter()
                .any(|judged| is_old(judged) || depends(judged))
        {
            return None;
        }
        let kept = self.0.iter().filter(|judged| !is_old(judged));
        let kept = kept.map(|judged| match depends(judged) {
            true => Judged::of(world, &judged.zone, checks),
            false => Arc::clone(judged),
        });
        let new = new.into_iter().map(|zone| Judged::of(world, zone, checks));
        Some(Self(kept.chain(new).collect()))
    }

    /// After these checks or host names elsewhere went down or came up.
    pub(crate) fn flipped(&self, world: &World, flipped: &[Key], checks: &Keys) -> Self {
        // All hosts elsewhere come at once at a start: each zone is held against few, or few against
        // each zone.
        let all: Keys = flipped.iter().copied().collect();
        let depends = |judged: &Judged| match flipped.len() <= judged.keys.room() {
            true => flipped.iter().any(|key| judged.keys.has(*key)),
            false => judged.keys.iter().any(|key| all.has(key)),
        };
        let judged = self.0.iter().map(|judged| match depends(judged) {
            true => Judged::of(world, &judged.zone, checks),
            false => Arc::clone(judged),
        });
        Self(judged.collect())
    }

    /// After these accounts have other rights to what host names elsewhere lead to.
    pub(crate) fn entitled(
        &self,
        world: &World,
        accounts: &HashSet<&AccountId>,
        checks: &Keys,
    ) -> Self {
        let depends = |judged: &Judged| judged.accounts.iter().any(|it| accounts.contains(it));
        let judged = self.0.iter().map(|judged| match depends(judged) {
            true => Judged::of(world, &judged.zone, checks),
            false => Arc::clone(judged),
        });
        Self(judged.collect())
    }

    /// Everything that is down: these checks, and the targets that have nothing healthy left.
    pub(crate) fn down(&self, checks: &Arc<Keys>) -> Arc<Keys> {
        let mut targets = self.0.iter().flat_map(|judged| judged.down.iter().copied());
        match targets.next() {
            None => Arc::clone(checks),
            Some(first) => Arc::new(checks.iter().chain([first]).chain(targets).collect()),
        }
    }
}

impl Judged {
    fn of(world: &World, zone: &Arc<ZoneImage>, checks: &Keys) -> Arc<Self> {
        let mut judge = Judge {
            world,
            down: checks,
            known: HashMap::new(),
            keys: HashSet::new(),
            others: HashSet::new(),
            accounts: HashSet::new(),
        };
        for labels in zone.evaluating().into_iter().flat_map(|names| names.iter()) {
            let hash = world.key.below(zone.hash, labels);
            let sets = zone.find(hash, labels).map(|node| node.sets());
            for set in sets.into_iter().flatten() {
                // Its own health is of no interest here, those of its targets are.
                judge.set_is_up(zone, set, 0);
            }
        }
        let targets = judge.known.into_iter();
        let down = targets.filter(|(_, state)| *state != State::Up);
        Arc::new(Self {
            zone: Arc::clone(zone),
            down: down.map(|(key, _)| key).collect(),
            keys: judge.keys.into_iter().collect(),
            others: judge.others,
            accounts: judge.accounts,
        })
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
    /// The checks that are down.
    down: &'a Keys,
    known: HashMap<Key, State>,
    /// The checks, host names elsewhere and zones that were looked at.
    keys: HashSet<Key>,
    others: HashSet<ZoneId>,
    /// Whose rights were asked for.
    accounts: HashSet<AccountId>,
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
            let mut up = is_up(&member, self.down);
            self.keys.extend(member.check);
            let part = member
                .target
                .and_then(|key| Some((key, group.part(&member)?)));
            up &= match part {
                Some((key, Part::Alias(target))) => {
                    self.target_is_up(zone, (key, target), set.rtype, depth)
                }
                Some((key, Part::External(external))) => {
                    self.external_is_up(zone, (key, &external))
                }
                Some((_, Part::Records(_))) | None => true,
            };
            any |= up;
        }
        any
    }

    /// Whether a host name elsewhere can be answered with by this zone, and its check, if it is a resource that
    /// has one, is healthy.
    fn external_is_up(&mut self, zone: &ZoneImage, (key, external): (Key, &External<'_>)) -> bool {
        if let Some(state) = self.known.get(&key) {
            return *state == State::Up;
        }
        let check = self.world.resources.check(zone, external.name);
        let check = check.map(|id| Key::of_check(self.world.key, id));
        self.keys.insert(external.key);
        self.keys.extend(check);
        let is_healthy = check.is_none_or(|check| !self.down.has(check));
        if let Some(account) = zone.account().filter(|it| !self.accounts.contains(it)) {
            self.accounts.insert(account.clone());
        }
        let rights = self.world.egress_of(zone);
        let up = is_healthy && self.world.external.has_records(external, rights);
        let state = if up { State::Up } else { State::Down };
        self.known.insert(key, state);
        up
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
