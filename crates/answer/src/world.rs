//! Everything that answers come from, as one immutable value.

use std::collections::HashSet;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_atlas::{Atlas, LatencyMap, Regions};
use meridian_dns::Name;
use meridian_model::{AccountId, Generation, ProbeRights, Vpc};

use crate::cidr::CidrCollections;
use crate::external::{EgressRights, ExternalTargets, NeededTargets, ResourceChecks};
use crate::hash::HashKey;
use crate::health::{Health, Key, Keys, Targets};
use crate::image::{ZoneImage, ZoneLog, hash_of};
use crate::measured::Measured;
use crate::private::Private;
use crate::regions::RegionTable;
use crate::traffic::{self, ZoneTraffic};
use crate::zones::Zones;

/// An address's share of the world: the zones whose name servers are at that address. 0 to 63; in
/// any other nothing is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(pub u8);

impl ViewId {
    /// That of an address at which there is no name server.
    pub const EMPTY: Self = Self(u8::MAX);
}

/// All zones, by apex. A change makes a new one that shares all it can with the old.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) key: HashKey,
    /// The public ones.
    pub(crate) zones: Zones,
    /// Those of VPCs; none where there are neither private zones nor VPCs.
    pub(crate) private: Option<Arc<Private>>,
    /// How many zones are logged by themselves.
    logged: usize,
    /// Sorted, each address once: at most as many as there are views.
    addresses: Arc<[(IpAddr, ViewId)]>,
    health: Health,
    /// Where aliases are whose health is that of their targets.
    targets: Targets,
    /// What is down: checks, and what aliases point to.
    pub(crate) down: Arc<Keys>,
    /// Who is where.
    pub(crate) atlas: Arc<Atlas>,
    pub(crate) regions: Arc<RegionTable>,
    /// How far they are by measurement, where there is a map of that.
    pub(crate) measured: Option<Arc<Measured>>,
    pub(crate) cidrs: Arc<CidrCollections>,
    /// What is known of host names elsewhere that aliases point to.
    pub(crate) external: ExternalTargets,
    /// Who may answer with which of their addresses.
    egress: Arc<EgressRights>,
    /// Which of them are resources with health checks.
    pub(crate) resources: ResourceChecks,
    /// All of them that aliases point to.
    needed: NeededTargets,
}

/// One step from a World to the next.
#[derive(Debug, Clone)]
pub enum ZoneChange {
    /// The zone is now this; the first image of its generation, or a newer one.
    Put(Arc<ZoneImage>),
    /// The zone is gone.
    Remove(Arc<ZoneImage>),
}

/// Sizes, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorldSize {
    /// Zones.
    pub zones: usize,
    /// Names that own record sets or lie above such.
    pub names: usize,
    /// Types at names; a policy's sets count as one.
    pub sets: usize,
    /// Bytes of images, without the directory.
    pub bytes: usize,
}

impl World {
    /// A world of these zones.
    pub fn new(key: HashKey, zones: Vec<Arc<ZoneImage>>) -> Self {
        let logged = zones.iter().map(|zone| logged(zone)).sum();
        let health = Health::all_up(key);
        let needed = NeededTargets::of(key, zones.iter());
        let (private, public): (Vec<_>, Vec<_>) =
            zones.into_iter().partition(|zone| zone.vpcs().is_some());
        let mut world = Self {
            key,
            logged,
            zones: Zones::build(public),
            private: some(Private::of(private)),
            addresses: Arc::default(),
            down: Arc::clone(health.down()),
            health,
            targets: Targets::default(),
            atlas: Arc::default(),
            regions: Arc::new(RegionTable::new(key, &Regions::default())),
            measured: None,
            cidrs: Arc::new(CidrCollections::new(key)),
            external: ExternalTargets::none(),
            egress: Arc::default(),
            resources: ResourceChecks::default(),
            needed,
        };
        world.targets = Targets::of(&world, world.health.down());
        world.with_down()
    }

    /// The same zones, with these checks down. Looks at every alias whose target's health depends on
    /// one that was not.
    #[must_use]
    pub fn with_health(mut self, health: Health) -> Self {
        let flipped = self.health.differences(&health);
        if !flipped.is_empty() {
            self.targets = self.targets.flipped(&self, &flipped, health.down());
        }
        self.health = health;
        self.with_down()
    }

    /// The same zones, with this known of host names elsewhere. Where some went or came, looks at
    /// every alias whose target's health depends on one of them.
    #[must_use]
    pub fn with_external_targets(mut self, targets: ExternalTargets) -> Self {
        let flipped = self.external.differences(&targets);
        self.external = targets;
        self.judged_again(&flipped)
    }

    /// The same zones, with these health checks for host names elsewhere that aliases evaluate.
    #[must_use]
    pub fn with_resource_checks(mut self, checks: ResourceChecks) -> Self {
        let flipped = self.resources.differences(&checks, self.key);
        self.resources = checks;
        self.judged_again(&flipped)
    }

    /// The same zones, with these rights of their accounts to what host names elsewhere lead to.
    #[must_use]
    pub fn with_egress_rights(mut self, rights: Arc<EgressRights>) -> Self {
        let before = mem::replace(&mut self.egress, rights);
        if Arc::ptr_eq(&before, &self.egress) {
            return self;
        }
        let accounts = before.keys().chain(self.egress.keys());
        let differs = |account: &&AccountId| {
            let [before, now] = [&before, &self.egress].map(|all| all.get(*account).copied());
            before.unwrap_or_default() != now.unwrap_or_default()
        };
        let concerned: HashSet<&AccountId> = accounts.filter(differs).collect();
        if concerned.is_empty() {
            return self;
        }
        self.targets = self.targets.entitled(&self, &concerned, self.health.down());
        self.with_down()
    }

    /// What a zone may answer with of what host names elsewhere lead to.
    pub(crate) fn egress_of(&self, zone: &ZoneImage) -> ProbeRights {
        let rights = zone.account().and_then(|account| self.egress.get(account));
        rights.copied().unwrap_or_default()
    }

    fn judged_again(mut self, flipped: &[Key]) -> Self {
        if flipped.is_empty() {
            return self;
        }
        self.targets = self.targets.flipped(&self, flipped, self.health.down());
        self.with_down()
    }

    /// What is known of host names elsewhere.
    pub fn known_targets(&self) -> &ExternalTargets {
        &self.external
    }

    /// The host names elsewhere that aliases point to.
    pub fn external_targets(&self) -> &NeededTargets {
        &self.needed
    }

    /// Brings together what is down.
    fn with_down(mut self) -> Self {
        self.down = self.targets.down(self.health.down());
        self
    }

    /// The same zones, with clients where this atlas says.
    #[must_use]
    pub fn with_atlas(self, atlas: Arc<Atlas>) -> Self {
        Self { atlas, ..self }
    }

    /// Who is where.
    pub fn atlas(&self) -> &Arc<Atlas> {
        &self.atlas
    }

    /// The same zones, with regions and local zone groups in these places.
    #[must_use]
    pub fn with_regions(self, regions: &Regions) -> Self {
        let regions = Arc::new(RegionTable::new(self.key, regions));
        Self { regions, ..self }
    }

    /// The same zones, with regions as fast as this map says.
    #[must_use]
    pub fn with_latency_map(self, map: Arc<LatencyMap>) -> Self {
        let measured = Some(Arc::new(Measured::new(self.key, map)));
        Self { measured, ..self }
    }

    /// How fast regions are, where there is a map of that.
    pub fn latency_map(&self) -> Option<&Arc<LatencyMap>> {
        self.measured.as_ref().map(|measured| measured.map())
    }

    /// The same zones, with these CIDR collections.
    #[must_use]
    pub fn with_cidr_collections(self, collections: CidrCollections) -> Self {
        let cidrs = Arc::new(collections);
        Self { cidrs, ..self }
    }

    /// The CIDR collections, to be changed in a copy.
    pub fn cidr_collections(&self) -> &CidrCollections {
        &self.cidrs
    }

    /// The checks that are down.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The same zones, with the clients of these VPCs: they see their private zones before all
    /// else. Looks at all private zones.
    #[must_use]
    pub fn with_vpcs(mut self, vpcs: &[Vpc]) -> Self {
        let private = match &self.private {
            Some(private) => Private::clone(private),
            None => Private::of(Vec::new()),
        };
        self.private = some(private.with_vpcs(vpcs));
        self
    }

    /// The same zones, with the views of these addresses. A socket of one address has no need of
    /// this; one of every address finds the view by the address a query was sent to, in the same
    /// World as the zones, so that both change in one step.
    #[must_use]
    pub fn with_addresses(mut self, mut addresses: Vec<(IpAddr, ViewId)>) -> Self {
        addresses.sort_unstable();
        addresses.dedup_by_key(|(address, _)| *address);
        self.addresses = addresses.into();
        self
    }

    /// What queries to this address see.
    pub fn view_at(&self, address: IpAddr) -> ViewId {
        let place = self
            .addresses
            .binary_search_by_key(&address, |(known, _)| *known);
        place
            .ok()
            .and_then(|place| self.addresses.get(place))
            .map_or(ViewId::EMPTY, |(_, view)| *view)
    }

    /// The addresses that have a view to be found by, in order.
    pub fn addresses(&self) -> &[(IpAddr, ViewId)] {
        &self.addresses
    }

    /// Whether any zone is logged by itself.
    #[inline]
    pub fn log(&self) -> ZoneLog {
        match self.logged {
            0 => ZoneLog::Off,
            _ => ZoneLog::On,
        }
    }

    /// The key that images for this world are built with.
    pub fn key(&self) -> HashKey {
        self.key
    }

    /// The image of a zone.
    pub fn zone(&self, apex: &Name, generation: Generation) -> Option<&ZoneImage> {
        let hash = hash_of(self.key, apex);
        let private = self.private.as_ref();
        self.zones
            .image(hash, apex, generation)
            .or_else(|| private.and_then(|private| private.image(hash, apex, generation)))
    }

    /// All zones, the private ones last.
    pub fn zones(&self) -> impl Iterator<Item = &Arc<ZoneImage>> {
        let private = self.private.iter().flat_map(|private| private.zones());
        self.zones.directory.iter().chain(private)
    }

    /// The next world. Of several changes of one zone only the last may be given; a private zone
    /// stays one.
    #[must_use]
    pub fn changed(&self, changes: &[ZoneChange]) -> Self {
        let mut log_count = self.logged;
        let (mut out, mut put, mut private) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            let (ZoneChange::Put(zone) | ZoneChange::Remove(zone)) = change;
            let before = self.zone(&zone.meta.apex, zone.meta.generation);
            log_count -= before.map_or(0, logged);
            if let ZoneChange::Put(zone) = change {
                log_count += logged(zone);
                if let Some(before) = before {
                    zone.traffic.go_on_from(&before.traffic);
                }
            }
            match change {
                change if zone.vpcs().is_some() => private.push(change),
                ZoneChange::Put(zone) => put.push(Arc::clone(zone)),
                ZoneChange::Remove(zone) => out.push(&**zone),
            }
        }
        let world = Self {
            zones: self.zones.changed(&out, &put),
            private: self.private_after(&private),
            logged: log_count,
            ..self.clone()
        };
        let world = match self.needed.changed(changes) {
            Some(needed) => Self { needed, ..world },
            None => world,
        };
        let targets = self.targets.changed(&world, changes, self.health.down());
        match targets {
            Some(targets) => Self { targets, ..world }.with_down(),
            None => world,
        }
    }

    /// The zone with this id and apex, whoever sees it; `hash` is that of the apex.
    pub(crate) fn zone_of_id(&self, hash: u64, id: &str, apex: &[u8]) -> Option<&ZoneImage> {
        let is_it =
            |zone: &&ZoneImage| zone.meta.zone.as_str() == id && zone.meta.apex.as_wire() == apex;
        let private = || self.private.as_ref()?.with_hash(hash).find(is_it);
        self.zones.directory.find(hash).find(is_it).or_else(private)
    }

    fn private_after(&self, changes: &[&ZoneChange]) -> Option<Arc<Private>> {
        if changes.is_empty() {
            return self.private.clone();
        }
        match &self.private {
            Some(private) => some(private.changed(changes)),
            None => some(Private::of(Vec::new()).changed(changes)),
        }
    }

    /// The zones with the most queries, at most `most`, the busiest first and of equally busy ones
    /// the older; those without any are left out. Looks at all zones.
    pub fn busiest(&self, most: usize) -> Vec<ZoneTraffic> {
        traffic::busiest(self, most)
    }

    /// How large it is. Walks through everything.
    pub fn size(&self) -> WorldSize {
        let mut size = WorldSize::default();
        for zone in self.zones() {
            size.zones += 1;
            size.bytes += size_of::<ZoneImage>() + zone.heap_bytes();
            for node in zone.nodes() {
                size.names += 1;
                size.sets += node.types.count_ones() as usize;
            }
        }
        size
    }
}

/// A zone's share of those that are logged.
fn logged(zone: &ZoneImage) -> usize {
    usize::from(zone.log == ZoneLog::On)
}

fn some(private: Private) -> Option<Arc<Private>> {
    (!private.is_empty()).then(|| Arc::new(private))
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use meridian_model::Timestamp;

    use super::*;
    use crate::draft::ZoneDraft;
    use crate::image::ZoneMeta;

    #[test]
    fn a_world_says_whether_any_zone_is_logged() {
        let key = HashKey([1, 2]);
        let zone = |generation| {
            let meta = ZoneMeta {
                zone: meridian_model::ZoneId::new("Z1").unwrap(),
                apex: Name::parse("a.test").unwrap(),
                generation: Generation(generation),
                created_at: Timestamp(0),
                views: 1,
                last_changed: 0,
            };
            let draft = ZoneDraft::new(key, &meta.zone, &meta.apex);
            ZoneImage::from_drafts(key, meta, vec![draft], NonZero::<usize>::MIN)
        };
        let put = |zone: ZoneImage| ZoneChange::Put(Arc::new(zone));
        let world = World::new(key, vec![Arc::new(zone(1)), Arc::new(zone(2))]);
        assert_eq!(world.log(), ZoneLog::Off);
        let one = world.changed(&[put(zone(1).with_log(ZoneLog::On))]);
        assert_eq!(one.log(), ZoneLog::On);
        let two = one.changed(&[put(zone(3).with_log(ZoneLog::On))]);
        let third = two.zone(&Name::parse("a.test").unwrap(), Generation(3));
        let third = Arc::new(third.unwrap().clone());
        // A zone that changes otherwise stays logged, and one that goes takes its share along.
        let views = third.with_views(3);
        assert_eq!(views.log(), ZoneLog::On);
        let changed = views.with_names(key, 7, []).unwrap();
        assert_eq!(changed.log(), ZoneLog::On);
        let two = two.changed(&[put(changed), put(zone(1))]);
        assert_eq!(two.log(), ZoneLog::On);
        assert_eq!(
            two.changed(&[ZoneChange::Remove(third)]).log(),
            ZoneLog::Off
        );
    }

    #[test]
    fn a_view_is_found_by_its_address_and_stays_through_changes() {
        let address = |text: &str| -> IpAddr { text.parse().unwrap() };
        let known = vec![
            (address("192.0.2.2"), ViewId(1)),
            (address("2001:db8::1"), ViewId(2)),
            (address("192.0.2.1"), ViewId(0)),
        ];
        let world = World::new(HashKey([1, 2]), Vec::new());
        assert_eq!(world.view_at(address("192.0.2.1")), ViewId::EMPTY);
        let world = world.with_addresses(known.clone()).changed(&[]);
        for (address, view) in known {
            assert_eq!(world.view_at(address), view);
        }
        for stranger in ["192.0.2.3", "::ffff:192.0.2.1", "0.0.0.0", "::"] {
            assert_eq!(world.view_at(address(stranger)), ViewId::EMPTY);
        }
    }
}
