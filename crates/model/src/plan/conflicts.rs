//! What the record sets of a zone must be to each other once a batch is through.

mod above;
mod asked;
mod loops;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use meridian_dns::message::fits_in_message;
use meridian_dns::{RecordType, rdata};

pub(super) use self::loops::Followed;
use self::loops::{MAX_ALIAS_DEPTH, MAX_ALIAS_STEPS, Search};
use super::batch::SetLimits;
use crate::record_set::{AliasTarget, RecordSet, SetData, SetKey};
use crate::routing::{Routing, RoutingKind};
use crate::service_zone::{ServiceZone, external, is_external_type};
use crate::state::State;
use crate::zone::Zone;

/// The zone as the batch leaves it, at the names it touched.
pub(super) struct Final<'a, S: State> {
    state: &'a S,
    zone: &'a Zone,
    names: &'a BTreeMap<String, Vec<RecordSet>>,
    /// The sets that the batch creates or replaces, in order.
    written: &'a [SetKey],
    /// Where each set stands among them: a batch may write a thousand at one name.
    orders: HashMap<&'a SetKey, usize>,
}

impl<'a, S: State> Final<'a, S> {
    pub(super) fn new(
        state: &'a S,
        zone: &'a Zone,
        names: &'a BTreeMap<String, Vec<RecordSet>>,
        written: &'a [SetKey],
    ) -> Self {
        Self {
            state,
            zone,
            names,
            written,
            orders: written.iter().zip(0..).collect(),
        }
    }

    pub(super) fn check(
        &self,
        most: &SetLimits,
        problems: &mut Vec<String>,
    ) -> Result<(), S::Error> {
        let mut followed = Followed::with(HashSet::new());
        for (order, key) in self.written.iter().enumerate() {
            if let Some(set) = self.check_place(order, key, most, problems)
                && let SetData::Alias(target) = &set.data
            {
                self.check_alias(set, target, &mut followed, problems)?;
            }
        }
        self.check_apex(problems);
        Ok(())
    }

    /// Checks a written set against those of its name that were there before it. Returns it, if it
    /// is still there.
    pub(super) fn check_place(
        &self,
        order: usize,
        key: &SetKey,
        most: &SetLimits,
        problems: &mut Vec<String>,
    ) -> Option<&'a RecordSet> {
        let sets = self.names.get(&key.name.sort_key())?;
        let set = sets.iter().find(|set| set.key == *key)?;
        let earlier: Vec<&RecordSet> = sets
            .iter()
            .filter(|other| other.key != set.key && self.was_there(other, order))
            .collect();
        self.check_types(set, &earlier, problems);
        check_group(set, &earlier, most, problems);
        Some(set)
    }

    /// Whether a set was in the zone, or written by the batch, before place `order` of the batch:
    /// of two sets that exclude each other the later one is at fault.
    fn was_there(&self, set: &RecordSet, order: usize) -> bool {
        self.orders.get(&set.key).is_none_or(|own| *own < order)
    }

    fn check_types(&self, set: &RecordSet, others: &[&RecordSet], problems: &mut Vec<String>) {
        let SetKey { name, rtype, .. } = &set.key;
        let zone = &self.zone.name;
        if *rtype == RecordType::Cname {
            if name == zone {
                problems.push(format!(
                    "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
                ));
            } else if others
                .iter()
                .any(|other| other.key.rtype != RecordType::Cname)
            {
                problems.push(format!(
                    "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts \
                     with other records with the same DNS name in zone {zone}"
                ));
            }
        } else if others
            .iter()
            .any(|other| other.key.rtype == RecordType::Cname)
        {
            problems.push(format!(
                "RRSet of type {rtype} with DNS name {name} is not permitted because a \
                 conflicting RRSet of type CNAME with the same DNS name already exists in zone \
                 {zone}"
            ));
        }
        match rtype {
            RecordType::Soa if name != zone => {
                problems.push("A HostedZone must contain exactly one SOA record.".to_owned());
            }
            RecordType::Ns if name.is_wildcard() => problems.push(format!(
                "RRSet of type NS with DNS name {name} is not permitted as NS records cannot be \
                 wildcards in zone {zone}"
            )),
            RecordType::Ns if self.zone.private && name != zone => problems.push(format!(
                "RRSet of type NS with DNS name {name} is not permitted as the private hosted zone \
                 {zone} cannot delegate"
            )),
            RecordType::Ds if name == zone => problems.push(format!(
                "RRSet of type DS with DNS name {name} is not permitted at apex in zone {zone}"
            )),
            _ => {}
        }
    }

    pub(super) fn check_apex(&self, problems: &mut Vec<String>) {
        let Some(sets) = self.names.get(&self.zone.name.sort_key()) else {
            return;
        };
        let has = |rtype| sets.iter().any(|set| set.key.rtype == rtype);
        if !has(RecordType::Soa) {
            problems.push("A HostedZone must contain exactly one SOA record.".to_owned());
        }
        if !has(RecordType::Ns) {
            problems.push(
                "A HostedZone must contain at least one NS record for the zone itself.".to_owned(),
            );
        }
    }

    pub(super) fn check_alias(
        &self,
        set: &RecordSet,
        target: &AliasTarget,
        followed: &mut Followed<'_>,
        problems: &mut Vec<String>,
    ) -> Result<(), S::Error> {
        let tried = format!(
            "Tried to create an alias that targets {}, type {} in zone {}, but",
            target.name, set.key.rtype, target.zone
        );
        let Some(zone) = self.target_zone(target)? else {
            let problem = match external(&target.zone) {
                Some(service) => self.external_problem(set, target, service),
                None => Some("that target was not found".to_owned()),
            };
            let problem = match problem {
                Some(problem) => Some(problem),
                None => self.chain_problem(set, followed)?,
            };
            problems.extend(problem.map(|problem| format!("{tried} {problem}")));
            return Ok(());
        };
        if zone.private && !self.zone.private {
            problems.push(format!(
                "{tried} that target is in a private hosted zone, and the alias would be public"
            ));
        }
        if !target.name.is_within(&zone.name) {
            problems.push(format!(
                "{tried} the alias target name does not lie within the target zone"
            ));
        }
        let place = (&target.name, set.key.rtype);
        if !self.is_there((&zone.id, zone.generation), place, followed)? {
            problems.push(format!("{tried} that target was not found"));
            return Ok(());
        }
        let problem = self.chain_problem(set, followed)?;
        problems.extend(problem.map(|problem| format!("{tried} {problem}")));
        Ok(())
    }

    /// What is wrong with the chain that an alias is in.
    fn chain_problem(
        &self,
        set: &RecordSet,
        followed: &mut Followed<'_>,
    ) -> Result<Option<String>, S::Error> {
        let too_long = format!("that makes a chain of more than {MAX_ALIAS_DEPTH} aliases");
        let links = match self.search_loop(set, followed)? {
            Search::Ends(links) => links,
            Search::Loop(path) => {
                return Ok(Some(format!("that makes a loop: {}", path.join(" -> "))));
            }
            Search::TooWide => {
                return Ok(Some(format!(
                    "that leads over more than {MAX_ALIAS_STEPS} resource record sets, which is \
                     more than are looked at"
                )));
            }
        };
        if links > MAX_ALIAS_DEPTH {
            return Ok(Some(too_long));
        }
        let SetKey { name, rtype, .. } = &set.key;
        let place = (self.zone.id.clone(), name.clone(), *rtype);
        let all = links + self.links_to(&place, followed)?;
        Ok((all > MAX_ALIAS_DEPTH)
            .then(|| format!("{too_long}, counting those that lead to {name}")))
    }

    /// What is wrong with an alias to a host name that is elsewhere. Whether there is such a name is
    /// found out by name servers.
    fn external_problem(
        &self,
        set: &RecordSet,
        target: &AliasTarget,
        service: ServiceZone,
    ) -> Option<String> {
        let SetKey { name, rtype, .. } = &set.key;
        if !is_external_type(*rtype) {
            return Some("that target was not found".to_owned());
        }
        if service.is_cloudfront() && target.evaluate_target_health {
            return Some("the health of CloudFront distributions cannot be evaluated".to_owned());
        }
        if service.is_cloudfront() && self.zone.private {
            return Some(format!(
                "aliases in the private hosted zone {} cannot target CloudFront distributions",
                self.zone.name
            ));
        }
        (target.name == *name).then(|| format!("that makes a loop: {name} -> {name}"))
    }

    /// The zone an alias points into: this one, or another of the same account.
    fn target_zone(&self, target: &AliasTarget) -> Result<Option<Zone>, S::Error> {
        if target.zone == self.zone.id {
            return Ok(Some(self.zone.clone()));
        }
        let zone = self.state.zone(&target.zone)?;
        Ok(zone.filter(|zone| zone.account == self.zone.account))
    }
}

/// One policy per name and type, and what the sets of a policy must agree or differ in.
fn check_group(
    set: &RecordSet,
    others: &[&RecordSet],
    most: &SetLimits,
    problems: &mut Vec<String>,
) {
    let key = &set.key;
    let group: Vec<&&RecordSet> = others
        .iter()
        .filter(|other| other.key.rtype == key.rtype)
        .collect();
    if group.is_empty() {
        return;
    }
    let kind = set.routing.kind();
    if kind == RoutingKind::Simple {
        problems.push(format!(
            "RRSet with DNS name {}, type {} cannot be created as other RRSets exist with the \
             same name and type.",
            key.name, key.rtype
        ));
        return;
    }
    let named = format!(
        "RRSet with DNS name {}, type {}, SetIdentifier {} cannot be created as",
        key.name,
        key.rtype,
        key.set_identifier.as_deref().unwrap_or_default()
    );
    if group.iter().any(|other| other.routing.kind() != kind) {
        problems.push(format!(
            "{named} a non-{kind} set exists with the same name and type."
        ));
        return;
    }
    if kind == RoutingKind::Weighted && group.iter().any(|other| ttls_differ(other, set)) {
        problems.push(format!(
            "RRSet with DNS name {} and type {}, SetIdentifier {} cannot be created as weighted \
             sets must contain the same TTL.",
            key.name,
            key.rtype,
            key.set_identifier.as_deref().unwrap_or_default()
        ));
    }
    if let Some(what) = group
        .iter()
        .find_map(|other| clash(&set.routing, &other.routing))
    {
        problems.push(format!(
            "{named} {what} exists with the same name and type."
        ));
    }
    let all = group.iter().map(|other| **other).chain([set]);
    if kind == RoutingKind::Multivalue && !fit_together(all) {
        problems.push(format!(
            "{named} {MULTIVALUE_ANSWERS} multivalue sets together do not fit into one DNS message."
        ));
    }
    let most = match kind {
        RoutingKind::Geoproximity => most.geoproximity_sets,
        _ => most.policy_sets,
    };
    if group.len() as u64 >= most {
        problems.push(format!(
            "{named} there can be no more than {most} {kind} sets with the same name and type."
        ));
    }
}

/// The most sets of a multivalue policy that are answered together.
const MULTIVALUE_ANSWERS: usize = 8;

/// Whether any eight of these sets fit into one message.
fn fit_together<'s>(sets: impl Iterator<Item = &'s RecordSet> + Clone) -> bool {
    let values = |set: &'s RecordSet| match &set.data {
        SetData::Records { values, .. } => values.as_slice(),
        SetData::Alias(_) => &[],
    };
    // Few are so large that they have to be read: no data is more than 16 bytes longer than its
    // text.
    let texts = sets.clone().flat_map(values);
    if fits_in_message(texts.map(|text| text.len() + 16)) {
        return true;
    }
    let lengths = |set: &'s RecordSet| {
        let read = values(set).iter();
        let read = read.filter_map(|text| rdata::parse(set.key.rtype, text).ok());
        read.map(|data| data.len()).collect::<Vec<_>>()
    };
    let mut lengths: Vec<Vec<usize>> = sets.map(lengths).collect();
    // Beside its data a record takes 12 bytes.
    lengths.sort_by_key(|lengths| Reverse(lengths.iter().map(|len| 12 + len).sum::<usize>()));
    lengths.truncate(MULTIVALUE_ANSWERS);
    fits_in_message(lengths.into_iter().flatten())
}

/// Aliases have no TTL of their own and agree with everything.
fn ttls_differ(a: &RecordSet, b: &RecordSet) -> bool {
    match (&a.data, &b.data) {
        (SetData::Records { ttl: a, .. }, SetData::Records { ttl: b, .. }) => a != b,
        _ => false,
    }
}

/// What two sets of one policy may not share, or must.
fn clash(new: &Routing, other: &Routing) -> Option<String> {
    match (new, other) {
        (Routing::Latency(a), Routing::Latency(b)) if a == b => {
            Some(format!("a set with region {}", a.as_str()))
        }
        (Routing::Failover(a), Routing::Failover(b)) if a == b => {
            Some(format!("a {} set", a.as_str()))
        }
        (Routing::Geolocation(a), Routing::Geolocation(b)) if a == b => {
            Some("a set with the same geolocation".to_owned())
        }
        (
            Routing::Cidr {
                collection_id: a,
                location: x,
            },
            Routing::Cidr {
                collection_id: b,
                location: y,
            },
        ) => {
            if a != b {
                Some("a set with another CIDR collection".to_owned())
            } else {
                (x == y).then(|| "a set with the same CIDR location".to_owned())
            }
        }
        (Routing::Geoproximity(a), Routing::Geoproximity(b)) if a.place.is(&b.place) => {
            Some("a set with the same geoproximity location".to_owned())
        }
        _ => None,
    }
}
