//! What a reply has to be, the slow way: RFC 1034 section 4.3.2 and RFC 4592 over plain maps,
//! with the decisions of DESIGN section 9. No hashes, no masks, nothing shared with the crate.

use std::collections::BTreeMap;

use meridian_dns::{Name, RecordType, rdata};

use crate::scenario::{Ask, Expected, Policy, Record, Zone};

/// Labels from the root on, in lower case.
type Path = Vec<Vec<u8>>;

const MAX_LINKS: usize = 8;
const DS: u16 = 43;
const ANY: u16 = 255;

/// The zones of a world, oldest first.
pub(crate) struct Oracle {
    zones: Vec<Tree>,
}

struct Tree {
    apex: Path,
    views: Vec<u8>,
    nodes: BTreeMap<Path, Vec<Rrset>>,
}

#[derive(Clone)]
struct Rrset {
    rtype: u16,
    ttl: u32,
    data: Vec<Vec<u8>>,
    /// Without a policy: fit for ANY and for glue.
    plain: bool,
}

/// Where a name leads in a tree.
enum Found<'t> {
    /// A zone cut at the path of this many labels.
    Cut(usize),
    /// The name itself.
    Name(&'t [Rrset]),
    /// A wildcard that covers it.
    Wildcard(&'t [Rrset]),
    Nothing,
}

fn path(wire: &[u8]) -> Path {
    let name = Name::from_wire(wire).unwrap().to_lowercase();
    let mut labels: Path = name.labels().map(<[u8]>::to_vec).collect();
    labels.reverse();
    labels
}

/// The last `labels` labels of a wire name, case as it is.
fn suffix(wire: &[u8], labels: usize) -> Vec<u8> {
    let mut name = Name::from_wire(wire).unwrap();
    while name.label_count() > labels {
        name = name.parent().unwrap();
    }
    name.as_wire().to_vec()
}

impl Tree {
    fn new(zone: &Zone) -> Self {
        let mut nodes: BTreeMap<Path, Vec<Rrset>> = BTreeMap::new();
        for set in &zone.sets {
            let data = set
                .values
                .iter()
                .map(|v| rdata::parse(set.rtype, v).unwrap());
            nodes
                .entry(path(set.name.as_wire()))
                .or_default()
                .push(Rrset {
                    rtype: set.rtype.code(),
                    ttl: set.ttl,
                    data: data.collect(),
                    plain: set.policy == Policy::default(),
                });
        }
        Self {
            apex: path(zone.apex.as_wire()),
            views: zone.views.clone(),
            nodes,
        }
    }

    /// The sets at a name; none of a name that does not exist.
    fn at(&self, name: &[Vec<u8>]) -> Option<&[Rrset]> {
        match self.nodes.get(name) {
            Some(sets) => Some(sets),
            // An apex exists in any case, other names if something is below them.
            None if name == self.apex => Some(&[]),
            None => self
                .nodes
                .keys()
                .any(|n| n.starts_with(name))
                .then_some(&[]),
        }
    }

    fn find(&self, name: &[Vec<u8>], qtype: u16) -> Found<'_> {
        for depth in self.apex.len() + 1..=name.len() {
            let is_cut = rrset(self.at(&name[..depth]).unwrap_or_default(), 2).is_some();
            if is_cut && !(qtype == DS && depth == name.len()) {
                return Found::Cut(depth);
            }
        }
        if let Some(sets) = self.at(name) {
            return Found::Name(sets);
        }
        let mut encloser = name.to_vec();
        while self.at(&encloser).is_none() {
            encloser.pop();
        }
        encloser.push(b"*".to_vec());
        self.at(&encloser).map_or(Found::Nothing, Found::Wildcard)
    }
}

fn rrset(sets: &[Rrset], rtype: u16) -> Option<&Rrset> {
    sets.iter().find(|set| set.rtype == rtype)
}

fn records<'a>(owner: &'a [u8], set: &'a Rrset) -> impl Iterator<Item = Record> + 'a {
    set.data.iter().map(|data| Record {
        owner: owner.to_vec(),
        rtype: set.rtype,
        ttl: set.ttl,
        data: data.clone(),
    })
}

impl Oracle {
    pub(crate) fn new(zones: &[Zone]) -> Self {
        let zones = zones.iter().map(Tree::new).collect();
        Self { zones }
    }

    /// The most specific zone of the view with an apex of fewer than `below` labels, the oldest
    /// of its name.
    fn zone(&self, view: u8, name: &[Vec<u8>], below: usize) -> Option<&Tree> {
        let mut best: Option<&Tree> = None;
        for zone in &self.zones {
            let fits = zone.views.contains(&view)
                && name.starts_with(&zone.apex)
                && zone.apex.len() < below;
            if fits && best.is_none_or(|best| best.apex.len() < zone.apex.len()) {
                best = Some(zone);
            }
        }
        best
    }

    /// All replies that are right, over a transport where everything fits.
    pub(crate) fn replies(&self, view: u8, ask: &Ask) -> Vec<Expected> {
        let name = path(ask.name.as_wire());
        let mut reply = Expected::default();
        let Some(mut zone) = self.zone(view, &name, usize::MAX) else {
            reply.rcode = 5;
            reply.extended_error = ask.edns.map(|_| 20);
            return vec![reply];
        };
        if ask.qtype == DS
            && name == zone.apex
            && let Some(parent) = self.parent(view, zone)
        {
            zone = parent;
        }
        self.follow(view, ask, zone, reply)
    }

    /// The zone above that knows a zone as a cut of its own.
    fn parent(&self, view: u8, zone: &Tree) -> Option<&Tree> {
        let parent = self.zone(view, &zone.apex, zone.apex.len())?;
        matches!(parent.find(&zone.apex, DS), Found::Name(_)).then_some(parent)
    }

    fn follow(&self, view: u8, ask: &Ask, zone: &Tree, mut reply: Expected) -> Vec<Expected> {
        let mut owner = ask.name.as_wire().to_vec();
        let mut seen = vec![path(&owner)];
        loop {
            let name = path(&owner);
            let sets = match zone.find(&name, ask.qtype) {
                Found::Cut(depth) => {
                    reply.authoritative = seen.len() > 1;
                    refer(zone, &suffix(&owner, depth), &mut reply);
                    return vec![reply];
                }
                Found::Nothing => {
                    (reply.rcode, reply.authoritative) = (3, true);
                    return vec![negative(zone, reply)];
                }
                Found::Name(sets) | Found::Wildcard(sets) => sets,
            };
            reply.authoritative = true;
            if ask.qtype == ANY && !sets.is_empty() {
                return any(sets, &owner, &reply);
            }
            if let Some(set) = rrset(sets, ask.qtype) {
                return vec![positive(set, &owner, reply)];
            }
            let Some(cname) = rrset(sets, 5) else {
                return vec![negative(zone, reply)];
            };
            reply = positive(cname, &owner, reply);
            let target = path(&cname.data[0]);
            let stays = self
                .zone(view, &target, usize::MAX)
                .is_some_and(|z| z.apex == zone.apex);
            let parents =
                ask.qtype == DS && target == zone.apex && self.parent(view, zone).is_some();
            let stays = stays && !parents;
            let ended = reply.rcode != 0 || seen.len() > MAX_LINKS;
            if ended || !stays || seen.contains(&target) {
                return vec![reply];
            }
            seen.push(target);
            owner = cname.data[0].clone();
        }
    }
}

fn positive(set: &Rrset, owner: &[u8], mut reply: Expected) -> Expected {
    reply.sections[0].extend(records(owner, set));
    reply
}

fn negative(zone: &Tree, mut reply: Expected) -> Expected {
    let apex = zone.at(&zone.apex).unwrap_or_default();
    if let Some(soa) = rrset(apex, 6) {
        let minimum = soa.data[0].last_chunk().copied().map(u32::from_be_bytes);
        let mut soa = soa.clone();
        soa.ttl = soa.ttl.min(minimum.unwrap());
        reply.sections[1].extend(records(&wire(&zone.apex), &soa));
    }
    reply
}

fn wire(path: &[Vec<u8>]) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in path.iter().rev() {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend(label);
    }
    wire.push(0);
    wire
}

/// Any of the smallest sets will do; which is smallest depends on how they are measured.
fn any(sets: &[Rrset], owner: &[u8], reply: &Expected) -> Vec<Expected> {
    let with = |records: Vec<Record>| {
        let mut reply = reply.clone();
        reply.sections[0].extend(records);
        reply
    };
    let plain = || sets.iter().filter(|set| set.plain);
    if plain().next().is_none() {
        return vec![with(vec![Record {
            owner: owner.to_vec(),
            rtype: 13,
            ttl: 3600,
            data: b"\x07RFC8482\x00".to_vec(),
        }])];
    }
    plain()
        .map(|set| with(records(owner, set).collect()))
        .collect()
}

fn refer(zone: &Tree, cut: &[u8], reply: &mut Expected) {
    let servers = rrset(zone.at(&path(cut)).unwrap(), 2).unwrap();
    reply.sections[1].extend(records(cut, servers));
    for server in &servers.data {
        let name = path(server);
        if !name.starts_with(&zone.apex) {
            continue;
        }
        let known = zone.nodes.get(&name).map_or(&[][..], |sets| sets);
        for rtype in [RecordType::A, RecordType::Aaaa] {
            if let Some(set) = rrset(known, rtype.code()).filter(|set| set.plain) {
                reply.sections[2].extend(records(server, set));
            }
        }
    }
}
