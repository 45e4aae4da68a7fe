//! What few words about record sets leave open: types, zones of targets, regions, identifiers and health
//! checks. Whether the sets may be written is not decided here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_log::Snapshot;
use meridian_model::{
    Draft, DraftAlias, EXTERNAL, Region, ResourceName, ResourceRefusal, State, Zone, ZoneId,
    external, known_region, region_of_target,
};

use super::super::resource::refused;
use super::super::zone::zone_of;
use super::super::{AdminError, Outcome};
use super::{RecordAddition, RecordPolicy, RecordTarget, TargetHealth, owner, parsed};

/// What an addition stands for.
pub(super) struct Filling<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) zone: &'a Zone,
    pub(super) request: &'a RecordAddition,
}

impl Filling<'_> {
    /// The sets, one for each type.
    pub(super) fn drafts(&self) -> Outcome<Vec<Draft>> {
        let name = owner(self.zone, &self.request.name)?.to_string();
        let bare = match &self.request.target {
            RecordTarget::Values { values, ttl } => self.of_values(&name, values, *ttl)?,
            RecordTarget::Alias {
                name: target,
                zone,
                health,
            } => self.of_alias(&name, target, zone.as_deref(), *health)?,
        };
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
            _ => {
                let text = "values are of one type: say --type once, or not for addresses";
                return Err(AdminError::Records(text.to_owned()));
            }
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
        let target = match target {
            // No host elsewhere has one label.
            text if !text.contains('.') => owner(self.zone, text)?,
            text => parsed(text)?,
        };
        let (id, here) = self.target_zone(&target, zone)?;
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
            let anywhere = anywhere.map_err(|_| AdminError::UnknownZone(EXTERNAL.to_owned()))?;
            return Ok((anywhere, None));
        };
        match zone_of(self.snapshot, said, Some(self.zone.account.as_str())) {
            Ok(zone) => Ok((zone.id.clone(), Some(zone))),
            Err(AdminError::UnknownZone(text)) => match ZoneId::new(said) {
                Ok(id) if external(&id).is_some() => Ok((id, None)),
                _ => Err(AdminError::UnknownZone(text)),
            },
            Err(error) => Err(error),
        }
    }

    /// The set under the policy that was asked for.
    fn routed(&self, mut draft: Draft) -> Outcome<Draft> {
        let mut identifier = None;
        match &self.request.policy {
            RecordPolicy::Simple => {}
            RecordPolicy::Latency(said) => {
                let region = match said {
                    Some(name) => known_region(self.snapshot, name).map_err(refused)?,
                    None => self.region(&draft)?,
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
            RecordPolicy::Multivalue => draft.multi_value_answer = Some(true),
        }
        if self.request.policy != RecordPolicy::Simple {
            let said = self.request.set_identifier.clone().or(identifier);
            let missing = "say --set-identifier: it tells the sets of a name and type apart";
            let missing = || AdminError::Records(missing.to_owned());
            draft.set_identifier = Some(said.ok_or_else(missing)?);
        } else {
            draft
                .set_identifier
                .clone_from(&self.request.set_identifier);
        }
        draft.health_check_id = match &self.request.health_check {
            Some(id) => Some(id.clone()),
            None => self.check_of_resources(&draft)?,
        };
        Ok(draft)
    }

    /// The region of what a set points to.
    fn region(&self, draft: &Draft) -> Outcome<Region> {
        let of = |target: &str| {
            let found = region_of_target(self.snapshot, &self.zone.account, target);
            found.map_err(refused)
        };
        if let Some(alias) = &draft.alias_target {
            return match of(&alias.dns_name) {
                Err(AdminError::Resource(ResourceRefusal::Untold(name))) => {
                    // The zone of a service may tell what the name does not.
                    let region = external(&alias.hosted_zone_id).and_then(|zone| zone.region);
                    let untold = || ResourceRefusal::Untold(name).into();
                    region.and_then(Region::new).ok_or_else(untold)
                }
                told => told,
            };
        }
        if !points_to_hosts(draft.rtype) {
            return Err(AdminError::Records(format!(
                "a record of type {} has no region of its own: say --region",
                draft.rtype
            )));
        }
        let values = draft.records.iter().flatten();
        let regions = values
            .map(|value| of(value))
            .collect::<Outcome<BTreeSet<Region>>>()?;
        let mut regions = regions.into_iter();
        match (regions.next(), regions.next()) {
            (Some(region), None) => Ok(region),
            (Some(one), Some(other)) => Err(AdminError::Records(format!(
                "the values are in several regions, {} and {}: a latency record has one, so write \
                 one for each, or say --region",
                one.as_str(),
                other.as_str()
            ))),
            _ => Err(AdminError::Records("there is no value".to_owned())),
        }
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
        Err(_) => Err(AdminError::Records(format!(
            "'{value}' is no address: say --type"
        ))),
    }
}

/// Whether a value is a host or an address and nothing else.
fn points_to_hosts(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::Aaaa | RecordType::Cname)
}
