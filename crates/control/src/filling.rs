//! What few words about record sets leave open: types, zones of targets, regions, identifiers and health
//! checks. Whether the sets may be written is not decided here.

mod near;
mod unfilled;

use std::collections::BTreeSet;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_log::Snapshot;
use meridian_model::{
    Draft, DraftAlias, EXTERNAL, GeoproximityLocation, Region, ResourceName, ResourceRefusal,
    State, Zone, ZoneId, external, known_region, region_of_target,
};

use crate::admin::{RecordAddition, RecordPolicy, RecordTarget, TargetHealth, zone_of};
use crate::caller::Caller;
use crate::rights::{authorize, zone_arn};

pub use self::unfilled::Unfilled;

type Outcome<T> = Result<T, Unfilled>;

/// A record set to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledSet {
    /// The set.
    pub draft: Draft,
    /// What told its region, where nobody said it.
    pub region_source: Option<RegionSource>,
}

/// What tells the region of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionSource {
    /// The account has registered the target with it.
    Resource,
    /// The target's name has it, in the way of AWS's services.
    Name,
    /// The zone of AWS's service that the target is in.
    ServiceZone,
}

/// Who has an addition filled in, and what may be looked at for it.
#[derive(Clone, Copy)]
pub(crate) enum Asker<'a> {
    /// All that the zone's account has.
    Operator,
    /// What this caller may see of it.
    Caller(&'a Caller),
}

/// What an addition stands for.
pub(crate) struct Filling<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) zone: &'a Zone,
    pub(crate) request: &'a RecordAddition,
    pub(crate) asker: Asker<'a>,
}

impl Filling<'_> {
    /// The sets, one for each type, without what belongs to their policy.
    pub(crate) fn bare(&self) -> Outcome<Vec<Draft>> {
        let name = owner(self.zone, &self.request.name)?.to_string();
        match &self.request.target {
            RecordTarget::Values { values, ttl } => self.of_values(&name, values, *ttl),
            RecordTarget::Alias {
                name: target,
                zone,
                health,
            } => self.of_alias(&name, target, zone.as_deref(), *health),
        }
    }

    /// The same with it, which takes a look at what the account has registered.
    pub(crate) fn filled(&self, bare: Vec<Draft>) -> Outcome<Vec<FilledSet>> {
        bare.into_iter().map(|draft| self.routed(draft)).collect()
    }

    /// One set for each type: the one that is said, else those of addresses.
    fn of_values(&self, name: &str, values: &[String], ttl: u32) -> Outcome<Vec<Draft>> {
        let types: Vec<RecordType> = match self.request.types.as_slice() {
            [] => values
                .iter()
                .map(|value| address_type(value))
                .collect::<Outcome<_>>()?,
            [rtype] => vec![*rtype; values.len()],
            _ => return Err(Unfilled::SeveralTypes),
        };
        let mut drafts: Vec<Draft> = Vec::new();
        for (value, rtype) in values.iter().zip(types) {
            let found = drafts.iter_mut().find(|draft| draft.rtype == rtype);
            match found.and_then(|draft| draft.records.as_mut()) {
                Some(records) => records.push(value.clone()),
                None => drafts.push(Draft::simple(name, rtype, ttl, &[value.as_str()])),
            }
        }
        Ok(drafts)
    }

    /// One set for each type: those that are said; else those that the target has here, or addresses
    /// where it is elsewhere.
    fn of_alias(
        &self,
        name: &str,
        target: &str,
        zone: Option<&str>,
        health: TargetHealth,
    ) -> Outcome<Vec<Draft>> {
        if let Ok(address) = target.parse::<IpAddr>() {
            return Err(Unfilled::AliasOfAddress(address));
        }
        let text = target;
        let target = match target {
            // No host elsewhere has one label.
            text if !text.contains('.') => owner(self.zone, text)?,
            text => parsed(text)?,
        };
        let (id, here) = self.target_zone(&target, zone)?;
        if here.is_none() && !ResourceName::Host(target.clone()).is_reachable() {
            return Err(Unfilled::NoHost(text.to_owned()));
        }
        let mut types: BTreeSet<&str> = BTreeSet::new();
        types.extend(self.request.types.iter().map(|rtype| rtype.as_str()));
        if let Some(zone) = here.as_ref().filter(|_| types.is_empty()) {
            let sets = self.snapshot.sets_at(zone.generation, &target)?;
            let aliased = [RecordType::A, RecordType::Aaaa, RecordType::Https];
            let found = sets.iter().map(|set| set.key.rtype);
            types.extend(
                found
                    .filter(|it| aliased.contains(it))
                    .map(RecordType::as_str),
            );
        } else if types.is_empty() {
            types.extend([RecordType::A.as_str(), RecordType::Aaaa.as_str()]);
        }
        if types.is_empty() {
            // What is missing is told in the words of the rules.
            types.insert(RecordType::A.as_str());
        }
        let cannot = here.is_none() && external(&id).is_some_and(|it| it.is_cloudfront());
        let alias = DraftAlias {
            hosted_zone_id: id,
            dns_name: target.to_string(),
            evaluate_target_health: health == TargetHealth::Evaluate && !cannot,
        };
        let drafts = types.into_iter().filter_map(|rtype| rtype.parse().ok());
        let drafts = drafts.map(|rtype| Draft {
            ttl: None,
            records: None,
            alias_target: Some(alias.clone()),
            ..Draft::simple(name, rtype, 0, &[])
        });
        Ok(drafts.collect())
    }

    /// The zone that an alias points into: its id, and the zone itself if it is here.
    fn target_zone(&self, target: &Name, said: Option<&str>) -> Outcome<(ZoneId, Option<Zone>)> {
        let Some(said) = said else {
            if target.is_within(&self.zone.name) {
                return Ok((self.zone.id.clone(), Some(self.zone.clone())));
            }
            let anywhere = ZoneId::new(EXTERNAL);
            let anywhere = anywhere.map_err(|_| Unfilled::UnknownZone(EXTERNAL.to_owned()))?;
            return Ok((anywhere, None));
        };
        match self.zone_said(said) {
            Ok(zone) => Ok((zone.id.clone(), Some(zone))),
            Err(Unfilled::UnknownZone(text)) => match ZoneId::new(said) {
                Ok(id) if external(&id).is_some() => Ok((id, None)),
                _ => Err(Unfilled::UnknownZone(text)),
            },
            Err(error) => Err(error),
        }
    }

    /// A zone of the account by its id or name, if the asker may know what is in it. Rights are asked for
    /// before it is looked whether there is one: by an id at the zone itself, by a name at the list of them.
    fn zone_said(&self, said: &str) -> Outcome<Zone> {
        if let Asker::Caller(caller) = self.asker {
            match ZoneId::new(said) {
                // Nothing of anybody's, as a rule.
                Ok(id) if external(&id).is_some() => {}
                Ok(id) => self.authorize_read(caller, &id)?,
                Err(_) => {
                    let action = "route53:ListHostedZonesByName";
                    authorize(self.snapshot, caller, action, "*")?;
                }
            }
        }
        let zone = zone_of(self.snapshot, said, Some(self.zone.account.as_str()))?;
        if let Asker::Caller(caller) = self.asker {
            self.authorize_read(caller, &zone.id)?;
        }
        Ok(zone)
    }

    fn authorize_read(&self, caller: &Caller, zone: &ZoneId) -> Outcome<()> {
        let action = "route53:ListResourceRecordSets";
        authorize(self.snapshot, caller, action, &zone_arn(zone.as_str()))?;
        Ok(())
    }

    /// The set under the policy that was asked for.
    fn routed(&self, mut draft: Draft) -> Outcome<FilledSet> {
        let mut identifier = None;
        let mut region_source = None;
        match &self.request.policy {
            RecordPolicy::Simple => {}
            RecordPolicy::Latency(said) => {
                let region = match said {
                    Some(name) => known_region(self.snapshot, name)?,
                    None => {
                        let (region, source) = self.region(&draft)?;
                        region_source = Some(source);
                        region
                    }
                };
                identifier = Some(region.as_str().to_owned());
                draft.region = Some(region);
            }
            RecordPolicy::Weighted(weight) => draft.weight = Some(*weight),
            RecordPolicy::Failover(role) => {
                identifier = Some(role.as_str().to_ascii_lowercase());
                draft.failover = Some(*role);
            }
            RecordPolicy::Geolocation(place) => {
                let parts = [&place.continent, &place.country, &place.subdivision];
                let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
                identifier = Some(parts.join("-"));
                draft.geo_location = Some(place.clone());
            }
            RecordPolicy::Geoproximity { near, bias } => {
                let said = match near {
                    Some(said) => near::read(self.snapshot, said)?,
                    None => {
                        let (region, source) = self.region(&draft)?;
                        region_source = Some(source);
                        near::of_region(self.snapshot, &region)?
                    }
                };
                identifier = Some(said.name);
                draft.geo_proximity_location = Some(GeoproximityLocation {
                    place: said.place,
                    bias: *bias,
                });
            }
            RecordPolicy::IpBased {
                collection,
                location,
            } => {
                identifier = Some(location.clone());
                draft.cidr_routing_config = Some((collection.clone(), location.clone()));
            }
            RecordPolicy::Multivalue => draft.multi_value_answer = Some(true),
        }
        if self.request.policy != RecordPolicy::Simple {
            let said = self.request.set_identifier.clone().or(identifier);
            draft.set_identifier = Some(said.ok_or(Unfilled::NoIdentifier)?);
        } else {
            draft
                .set_identifier
                .clone_from(&self.request.set_identifier);
        }
        draft.health_check_id = match &self.request.health_check {
            Some(id) => Some(id.clone()),
            None => self.check_of_resources(&draft)?,
        };
        Ok(FilledSet {
            draft,
            region_source,
        })
    }

    /// The region of what a set points to.
    fn region(&self, draft: &Draft) -> Outcome<(Region, RegionSource)> {
        if let Some(alias) = &draft.alias_target {
            return match self.region_of(&alias.dns_name) {
                Err(Unfilled::Resource(ResourceRefusal::Untold(name))) => {
                    // The zone of a service may tell what the name does not.
                    let region = external(&alias.hosted_zone_id).and_then(|zone| zone.region);
                    let untold = || Unfilled::Resource(ResourceRefusal::Untold(name));
                    let region = region.and_then(Region::new).ok_or_else(untold)?;
                    Ok((region, RegionSource::ServiceZone))
                }
                told => told,
            };
        }
        if !points_to_hosts(draft.rtype) {
            return Err(Unfilled::NoRegionOfType(draft.rtype));
        }
        let values = draft.records.iter().flatten();
        let mut regions = values
            .map(|value| self.region_of(value))
            .collect::<Outcome<Vec<_>>>()?;
        regions.sort_by(|(one, _), (other, _)| one.cmp(other));
        match (regions.first(), regions.last()) {
            (Some((one, _)), Some((other, _))) if one != other => {
                Err(Unfilled::SeveralRegions(one.clone(), other.clone()))
            }
            (Some(told), _) => Ok(told.clone()),
            _ => Err(Unfilled::NoValue),
        }
    }

    fn region_of(&self, target: &str) -> Outcome<(Region, RegionSource)> {
        let region = region_of_target(self.snapshot, &self.zone.account, target)?;
        let registered = match ResourceName::parse(target) {
            Some(name) => self.snapshot.resource(&self.zone.account, &name)?,
            None => None,
        };
        let source = match registered {
            Some(_) => RegionSource::Resource,
            None => RegionSource::Name,
        };
        Ok((region, source))
    }

    /// The health check of the resources that values point to, if it is one. Aliases go by it as
    /// they are.
    fn check_of_resources(&self, draft: &Draft) -> Outcome<Option<String>> {
        if self.request.policy == RecordPolicy::Simple || !points_to_hosts(draft.rtype) {
            return Ok(None);
        }
        let mut checks = BTreeSet::new();
        for value in draft.records.iter().flatten() {
            let found = match ResourceName::parse(value) {
                Some(name) => self.snapshot.resource(&self.zone.account, &name)?,
                None => None,
            };
            checks.insert(found.and_then(|it| it.health_check.map(|id| id.to_string())));
        }
        let mut checks = checks.into_iter();
        match (checks.next(), checks.next()) {
            (Some(Some(check)), None)
                if self
                    .snapshot
                    .health_check_exists(&self.zone.account, &check)? =>
            {
                Ok(Some(check))
            }
            _ => Ok(None),
        }
    }
}

fn address_type(value: &str) -> Outcome<RecordType> {
    match value.parse() {
        Ok(IpAddr::V4(_)) => Ok(RecordType::A),
        Ok(IpAddr::V6(_)) => Ok(RecordType::Aaaa),
        Err(_) => Err(Unfilled::NoType(value.to_owned())),
    }
}

/// Whether a value is a host or an address and nothing else.
fn points_to_hosts(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::Aaaa | RecordType::Cname)
}

/// The owner that a name stands for which somebody has typed.
pub(crate) fn owner(zone: &Zone, text: &str) -> Outcome<Name> {
    if text == "@" {
        return Ok(zone.name.clone());
    }
    let name = parsed(text)?;
    if name.is_within(&zone.name) {
        return Ok(name);
    }
    if text.ends_with('.') {
        let zone = zone.name.clone();
        return Err(Unfilled::OutsideZone { name, zone });
    }
    parsed(&format!("{text}.{}", zone.name))
}

fn parsed(text: &str) -> Outcome<Name> {
    match Name::parse(text) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(error) => Err(Unfilled::BadName(text.to_owned(), error)),
    }
}
