//! Which record sets of a zone are copied with it, which once other zones are there, and which not
//! at all. Sets go by in the order of the list; aliases to others of the zone are looked at again in
//! the end, as their targets may stay behind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use meridian_api::remote::RemoteSet;
use meridian_dns::Name;
use meridian_model::{ZoneId, external};
use serde::Serialize;

use super::{HealthChecks, checks};
use crate::transfer::JsonSet;

/// How often aliases are looked at again: as often as a chain of them may have links.
const ROUNDS: usize = 17;

/// A set that is not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) rtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set_identifier: Option<String>,
    pub(super) reason: String,
}

impl LeftOut {
    pub(super) fn new(set: &JsonSet, reason: String) -> Self {
        Self {
            name: set.name.clone(),
            rtype: set.rtype.clone(),
            set_identifier: set.set_identifier.clone(),
            reason,
        }
    }
}

/// When a set is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    WithZone,
    /// It is an alias to another zone.
    Later,
}

/// A name and type, in lower case.
type Key = (String, String);

/// An alias to a set of its own zone.
#[derive(Debug)]
struct OwnAlias {
    place: u64,
    key: Key,
    target: Key,
    left: LeftOut,
}

/// What sets of one zone are sorted by.
#[derive(Debug)]
pub(super) struct Sorting<'a> {
    /// The zone's id at the other end, and its name.
    id: &'a str,
    name: Key,
    /// Zones that aliases may lead to: those that are copied, or were before.
    zones: &'a BTreeSet<String>,
    /// Health checks that are copied, and what becomes of sets with others.
    checks: &'a BTreeSet<String>,
    health_checks: HealthChecks,
    aliases: Vec<OwnAlias>,
    later: HashSet<Key>,
    left: HashSet<Key>,
    pub(super) left_out: Vec<LeftOut>,
    /// Sets whose health check was taken off.
    pub(super) unchecked: u64,
    /// Health checks, CIDR collections and traffic policy instances that sets name, by their ids.
    pub(super) used: BTreeSet<String>,
    /// The values of the apex's NS set.
    pub(super) servers: Vec<String>,
}

impl<'a> Sorting<'a> {
    pub(super) fn new(
        id: &'a str,
        name: &str,
        zones: &'a BTreeSet<String>,
        checks: &'a BTreeSet<String>,
        health_checks: HealthChecks,
    ) -> Self {
        Self {
            id,
            name: (folded(name), String::new()),
            zones,
            checks,
            health_checks,
            aliases: Vec::new(),
            later: HashSet::new(),
            left: HashSet::new(),
            left_out: Vec::new(),
            unchecked: 0,
            used: BTreeSet::new(),
            servers: Vec::new(),
        }
    }

    /// Says when a set is copied, and how; none if it is not, or is the zone's own NS or SOA.
    pub(super) fn set(&mut self, place: u64, set: RemoteSet) -> Option<(When, JsonSet)> {
        let key = (folded(&set.name), set.rtype.clone());
        if key.0 == self.name.0 && matches!(set.rtype.as_str(), "NS" | "SOA") {
            if set.rtype == "NS" {
                let values = set.set.ok().and_then(|draft| draft.records);
                self.servers = values.unwrap_or_default();
            }
            return None;
        }
        let mut json = match set.set {
            Ok(draft) => JsonSet::from(draft),
            Err(reason) => {
                let left = LeftOut {
                    name: set.name,
                    rtype: set.rtype,
                    set_identifier: set.set_identifier,
                    reason: format!("is not known here: {reason}"),
                };
                return self.leave(key, left);
            }
        };
        let collection = json.cidr_routing_config.as_ref();
        let named = [
            json.health_check_id.as_ref(),
            json.traffic_policy_instance_id.as_ref(),
            collection.map(|cidr| &cidr.collection_id),
        ];
        self.used.extend(named.into_iter().flatten().cloned());
        let stays = |check: &String| !self.checks.contains(check);
        if self.health_checks == HealthChecks::Dropped
            && json.health_check_id.take_if(|check| stays(check)).is_some()
        {
            self.unchecked += 1;
        }
        if let Some(reason) = obstacle(&json, self.checks) {
            let left = LeftOut::new(&json, reason);
            return self.leave(key, left);
        }
        let Some(alias) = &json.alias_target else {
            return Some((When::WithZone, json));
        };
        if alias.hosted_zone_id == self.id {
            let target = (folded(&alias.dns_name), json.rtype.clone());
            let left = LeftOut::new(&json, "its target is not copied".to_owned());
            self.aliases.push(OwnAlias {
                place,
                key,
                target,
                left,
            });
            return Some((When::WithZone, json));
        }
        if ZoneId::new(&alias.hosted_zone_id).is_ok_and(|id| external(&id).is_some()) {
            return Some((When::WithZone, json));
        }
        if self.zones.contains(&alias.hosted_zone_id) {
            self.later.insert(key);
            return Some((When::Later, json));
        }
        let reason = format!(
            "is an alias to {} in {}, which is a zone that is not copied or a service unknown here",
            alias.dns_name, alias.hosted_zone_id
        );
        let left = LeftOut::new(&json, reason);
        self.leave(key, left)
    }

    fn leave(&mut self, key: Key, left: LeftOut) -> Option<(When, JsonSet)> {
        self.left.insert(key);
        self.left_out.push(left);
        None
    }

    /// Whether aliases have to be looked at again, for which all sets that come with the zone are
    /// to be counted.
    pub(super) fn has_open_aliases(&self) -> bool {
        let all_stand = self.later.is_empty() && self.left.is_empty();
        !(self.aliases.is_empty() || all_stand)
    }

    /// What becomes of aliases whose targets do not come with the zone: those to be copied later,
    /// and those to be left out, by their places. `with_zone` are the sets that come with it.
    pub(super) fn aliases(
        &mut self,
        with_zone: impl Iterator<Item = (String, String)>,
    ) -> BTreeMap<u64, Option<When>> {
        let targets: HashSet<&Key> = self.aliases.iter().map(|alias| &alias.target).collect();
        let mut standing: HashMap<Key, usize> = HashMap::new();
        for (name, rtype) in with_zone {
            let key = (folded(&name), rtype);
            if targets.contains(&key) {
                *standing.entry(key).or_default() += 1;
            }
        }
        let mut moved = BTreeMap::new();
        for _ in 0..ROUNDS {
            let before = moved.len();
            let mut open = Vec::new();
            for alias in std::mem::take(&mut self.aliases) {
                let stands = standing.get(&alias.target).is_some_and(|count| *count > 0);
                let later = self.later.contains(&alias.target);
                if stands || !(later || self.left.contains(&alias.target)) {
                    open.push(alias);
                    continue;
                }
                if let Some(count) = standing.get_mut(&alias.key) {
                    *count = count.saturating_sub(1);
                }
                if later {
                    moved.insert(alias.place, Some(When::Later));
                    self.later.insert(alias.key);
                } else {
                    moved.insert(alias.place, None);
                    self.left.insert(alias.key);
                    self.left_out.push(alias.left);
                }
            }
            self.aliases = open;
            if moved.len() == before {
                break;
            }
        }
        moved
    }
}

/// Why a set cannot be copied, if it is not for what it is an alias to.
fn obstacle(set: &JsonSet, copied: &BTreeSet<String>) -> Option<String> {
    if let Some(instance) = &set.traffic_policy_instance_id {
        return Some(format!(
            "is made by the traffic policy instance {instance}, which cannot be copied yet"
        ));
    }
    if set.cidr_routing_config.is_some() {
        return Some("is routed by a CIDR collection, which cannot be copied yet".to_owned());
    }
    let check = set.health_check_id.as_ref()?;
    (!copied.contains(check)).then(|| checks::obstacle(check))
}

fn folded(name: &str) -> String {
    match Name::parse(name) {
        Ok(name) => name.to_lowercase().to_string(),
        Err(_) => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use meridian_model::Draft;

    use super::*;

    fn remote(text: &str) -> RemoteSet {
        let json: JsonSet = serde_json::from_str(text).unwrap();
        let draft: Draft = json.clone().into_draft().unwrap();
        RemoteSet {
            name: json.name,
            rtype: json.rtype,
            set_identifier: json.set_identifier,
            set: Ok(draft),
        }
    }

    fn plain(name: &str, more: &str) -> RemoteSet {
        let text = format!(
            r#"{{"Name":"{name}","Type":"A","TTL":5,"ResourceRecords":[{{"Value":"192.0.2.1"}}]{more}}}"#
        );
        remote(&text)
    }

    fn alias(name: &str, zone: &str, target: &str) -> RemoteSet {
        let text = format!(
            r#"{{"Name":"{name}","Type":"A","AliasTarget":{{"HostedZoneId":"{zone}","DNSName":"{target}","EvaluateTargetHealth":false}}}}"#
        );
        remote(&text)
    }

    const CHECKED: &str = r#","SetIdentifier":"x","Weight":1,"HealthCheckId":"h""#;

    #[test]
    fn sets_go_with_their_zone_later_or_not_at_all() {
        let zones = BTreeSet::from(["Z1".to_owned(), "Z2".to_owned()]);
        let checks = BTreeSet::from(["copied".to_owned()]);
        let mut sorting = Sorting::new("Z1", "z.", &zones, &checks, HealthChecks::LeftOut);
        let copied = CHECKED.replace("\"h\"", "\"copied\"");
        let sets = [
            plain("a.z.", ""),
            alias("b.z.", "Z2", "t.y."),
            alias("c.z.", "ZUNKNOWN", "d.service.example."),
            alias("d.z.", "Z1", "C.z."),
            alias("e.z.", "Z1", "d.z."),
            alias("f.z.", "Z1", "b.z."),
            alias("g.z.", "Z1", "a.z."),
            plain("h.z.", CHECKED),
            alias("i.z.", "Z1", "h.z."),
            plain("h.z.", r#","SetIdentifier":"y","Weight":1"#),
            plain("j.z.", &copied),
            alias("k.z.", "Z2FDTNDATAQYW2", "d.cloudfront.net."),
        ];
        let mut with_zone = Vec::new();
        let mut later = Vec::new();
        for (place, set) in sets.into_iter().enumerate() {
            match sorting.set(place as u64, set) {
                Some((When::WithZone, set)) => with_zone.push((set.name, set.rtype)),
                Some((When::Later, set)) => later.push(set.name),
                None => {}
            }
        }
        assert_eq!(later, ["b.z."]);
        for name in ["j.z.", "k.z."] {
            assert!(with_zone.iter().any(|(copied, _)| copied == name));
        }
        assert!(sorting.has_open_aliases());
        let moved = sorting.aliases(with_zone.into_iter());
        let expected = [(3, None), (4, None), (5, Some(When::Later))];
        assert_eq!(moved, BTreeMap::from(expected));
        let left: Vec<_> = sorting
            .left_out
            .iter()
            .map(|left| left.name.as_str())
            .collect();
        assert_eq!(left, ["c.z.", "h.z.", "d.z.", "e.z."]);
    }

    #[test]
    fn health_checks_can_be_taken_off() {
        let zones = BTreeSet::new();
        let checks = BTreeSet::new();
        let mut sorting = Sorting::new("Z1", "z.", &zones, &checks, HealthChecks::Dropped);
        let (when, set) = sorting.set(0, plain("h.z.", CHECKED)).unwrap();
        assert_eq!((when, set.health_check_id), (When::WithZone, None));
        assert_eq!((sorting.unchecked, sorting.left_out.len()), (1, 0));
        assert_eq!(sorting.used, BTreeSet::from(["h".to_owned()]));
    }

    #[test]
    fn the_apex_keeps_its_own_servers() {
        let zones = BTreeSet::new();
        let checks = BTreeSet::new();
        let mut sorting = Sorting::new("Z1", "z.", &zones, &checks, HealthChecks::LeftOut);
        let set = r#"{"Name":"Z.","Type":"NS","TTL":5,"ResourceRecords":[{"Value":"ns.y."}]}"#;
        assert_eq!(sorting.set(0, remote(set)), None);
        assert_eq!(sorting.left_out, []);
    }
}
