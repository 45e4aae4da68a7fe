//! The made-up zones as images in memory: for timing answers without sockets, journal or files.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use meridian_answer::{
    Broken, HashKey, Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World,
    ZoneImage, ZoneMeta, answer,
};
use meridian_dns::Name;
use meridian_model::{Generation, RecordSet, Timestamp, ZoneId};

use crate::data::{self, Row, ZoneRows};

/// The key of all hashes here; a server draws one of its own.
pub const KEY: HashKey = HashKey([0x6d65_7269_6469_616e, 0x6265_6e63_686d_6172]);
/// The view that all zones are visible in.
pub const VIEW: ViewId = ViewId(0);

/// Zones to make a World of.
#[derive(Default)]
pub struct Images {
    zones: Vec<Arc<ZoneImage>>,
}

impl Images {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the single zone with this many names.
    #[must_use]
    pub fn one(self, names: u64) -> Self {
        self.add(&data::one(names))
    }

    /// Adds the zone that delegates.
    #[must_use]
    pub fn cuts(self) -> Self {
        self.add(&data::cuts())
    }

    /// Adds the zone whose names have policies.
    #[must_use]
    pub fn routed(self) -> Self {
        self.add(&data::routed())
    }

    /// Adds the zone with this many names that go by health checks.
    #[must_use]
    pub fn checked(self, names: u64) -> Self {
        self.add(&data::checked(names))
    }

    /// Adds this many zones of ten sets.
    #[must_use]
    pub fn many(self, zones: u64) -> Self {
        (0..zones).fold(self, |images, number| images.add(&data::many(number)))
    }

    fn add(mut self, zone: &ZoneRows) -> Self {
        let generation = Generation(self.zones.len() as u64 + 1);
        self.zones.push(Arc::new(image(zone, generation)));
        self
    }

    /// The World of them.
    #[must_use]
    pub fn world(self) -> TestWorld {
        TestWorld(World::new(KEY, self.zones))
    }
}

/// A World with one view.
pub struct TestWorld(pub World);

impl TestWorld {
    /// The reply to one query over UDP; empty when it is dropped.
    #[must_use]
    pub fn reply(&self, query: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; 1232];
        let mut packets = [packet(query, &mut buffer)];
        let mut outcomes = [Outcome::Drop];
        let moment = Moment { now_s: 0, seed: 1 };
        let mut scratch = Scratch::default();
        answer(
            &mut scratch,
            &self.0,
            &Identity::default(),
            &mut packets,
            &mut outcomes,
            moment,
        );
        let [Outcome::Reply(answered)] = outcomes else {
            return Vec::new();
        };
        buffer.truncate(answered.len.into());
        buffer
    }
}

/// A query that came over UDP.
pub fn packet<'a>(query: &'a [u8], reply: &'a mut [u8]) -> Packet<'a> {
    Packet {
        query,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        view: VIEW,
        transport: Transport::Udp { max_payload: 1232 },
        reply,
    }
}

/// The image of a zone, with SOA and NS.
fn image(zone: &ZoneRows, generation: Generation) -> ZoneImage {
    let mut names: BTreeMap<&str, Vec<RecordSet>> = BTreeMap::new();
    let apex_rows = zone.apex_rows();
    for row in apex_rows.iter().chain(&zone.rows) {
        names.entry(&row.name).or_default().push(stored(row));
    }
    let names: Vec<(Name, Vec<RecordSet>)> = names
        .into_values()
        .map(|sets| (sets[0].key.name.clone(), sets))
        .collect();
    let meta = ZoneMeta {
        zone: ZoneId::new(&format!("Z{}", generation.0)).expect("an id"),
        apex: Name::parse(&zone.apex).expect("made-up apexes are names"),
        generation,
        created_at: Timestamp(0),
        views: 1 << VIEW.0,
        last_changed: 1,
    };
    let names = names.iter().map(|(name, sets)| (name, sets.as_slice()));
    ZoneImage::build(KEY, meta, names, Broken::Refuse).expect("made-up sets can be answered")
}

/// A row as it is stored.
#[must_use]
pub fn stored(row: &Row) -> RecordSet {
    row.set().expect("made-up owners are names")
}
