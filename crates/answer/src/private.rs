//! Private zones: which VPC sees which, and which client is in which VPC.
//!
//! They are kept apart from the public ones, those of each VPC by themselves: what a client is not
//! to see is not in the place where its names are looked for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_dns::Name;
use meridian_model::{Generation, Vpc, VpcId, VpcRegion};

use crate::directory::Directory;
use crate::image::ZoneImage;
use crate::networks::Networks;
use crate::world::ZoneChange;
use crate::zones::Zones;

/// All private zones and all VPCs.
#[derive(Debug, Clone)]
pub(crate) struct Private {
    /// Every private zone, whoever sees it.
    all: Directory,
    networks: Arc<Networks>,
    /// Of all VPCs, in order.
    ids: Arc<[VpcId]>,
    /// Where they are.
    regions: Arc<[VpcRegion]>,
    /// What each VPC sees; none where that is nothing.
    seen: Vec<Option<Arc<Zones>>>,
}

impl Private {
    /// These zones, which no VPC is there for yet.
    pub(crate) fn of(zones: Vec<Arc<ZoneImage>>) -> Self {
        Self {
            all: Directory::build(zones),
            networks: Arc::default(),
            ids: Arc::default(),
            regions: Arc::default(),
            seen: Vec::new(),
        }
    }

    /// The same zones for other VPCs.
    pub(crate) fn with_vpcs(self, vpcs: &[Vpc]) -> Self {
        let mut vpcs = vpcs.to_vec();
        vpcs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let networks = Arc::new(Networks::of(&vpcs));
        let regions = vpcs.iter().map(|vpc| vpc.region.clone()).collect();
        let ids: Arc<[VpcId]> = vpcs.into_iter().map(|vpc| vpc.id).collect();
        let mut seen = vec![Vec::new(); ids.len()];
        for zone in self.all.iter() {
            for place in places(&ids, zone) {
                seen[place].push(Arc::clone(zone));
            }
        }
        let zones = |seen: Vec<_>| (!seen.is_empty()).then(|| Arc::new(Zones::build(seen)));
        Self {
            seen: seen.into_iter().map(zones).collect(),
            networks,
            ids,
            regions,
            ..self
        }
    }

    /// Whether there is nothing to be seen and nobody to see it.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.all.len() == 0
    }

    /// What a client sees before all else.
    #[inline]
    pub(crate) fn seen_by(&self, client: IpAddr) -> Option<&Zones> {
        self.seen.get(self.networks.find(client)?)?.as_deref()
    }

    /// The region of the VPC that a client is in.
    pub(crate) fn region_of(&self, client: IpAddr) -> Option<&str> {
        let region = self.regions.get(self.networks.find(client)?)?;
        Some(region.as_str())
    }

    /// The image of a zone whose apex has this hash.
    pub(crate) fn image(
        &self,
        hash: u64,
        apex: &Name,
        generation: Generation,
    ) -> Option<&ZoneImage> {
        self.all.image(hash, apex, generation)
    }

    /// The zones whose apex has this hash, whoever sees them.
    pub(crate) fn with_hash(&self, hash: u64) -> impl Iterator<Item = &ZoneImage> {
        self.all.find(hash)
    }

    /// Every zone, whoever sees it.
    pub(crate) fn zones(&self) -> impl Iterator<Item = &Arc<ZoneImage>> {
        self.all.iter()
    }

    /// The next state, after changes of private zones.
    pub(crate) fn changed(&self, changes: &[&ZoneChange]) -> Self {
        let (mut out, mut put) = (Vec::new(), Vec::new());
        let mut touched: BTreeMap<usize, Touched<'_>> = BTreeMap::new();
        for change in changes {
            let (ZoneChange::Put(zone) | ZoneChange::Remove(zone)) = change;
            let now = match change {
                ZoneChange::Put(zone) => {
                    put.push(Arc::clone(zone));
                    places(&self.ids, zone)
                }
                ZoneChange::Remove(zone) => {
                    out.push(&**zone);
                    Vec::new()
                }
            };
            let meta = &zone.meta;
            let before = self.image(zone.hash, &meta.apex, meta.generation);
            let before = before.map_or_else(Vec::new, |before| places(&self.ids, before));
            for place in before.iter().filter(|place| !now.contains(place)) {
                touched.entry(*place).or_default().out.push(zone);
            }
            for place in now {
                touched.entry(place).or_default().put.push(Arc::clone(zone));
            }
        }
        let mut seen = self.seen.clone();
        for (place, Touched { out, put }) in touched {
            let before = seen[place].take();
            let zones = before.unwrap_or_else(|| Zones::build(Vec::new()).into());
            let zones = zones.changed(&out, &put);
            seen[place] = (zones.directory.len() > 0).then(|| Arc::new(zones));
        }
        Self {
            all: self.all.changed(&out, &put),
            networks: Arc::clone(&self.networks),
            ids: Arc::clone(&self.ids),
            regions: Arc::clone(&self.regions),
            seen,
        }
    }
}

/// What changes for one VPC.
#[derive(Default)]
struct Touched<'a> {
    out: Vec<&'a ZoneImage>,
    put: Vec<Arc<ZoneImage>>,
}

/// The places of the VPCs that see a zone, each once. One that nobody has described sees nothing.
fn places(ids: &[VpcId], zone: &ZoneImage) -> Vec<usize> {
    let vpcs = zone.vpcs().unwrap_or_default();
    let known = vpcs.iter().filter_map(|vpc| ids.binary_search(vpc).ok());
    let mut places: Vec<usize> = known.collect();
    places.sort_unstable();
    places.dedup();
    places
}
