//! A control plane in memory: enough of Route 53 to drive real clients through the dialect.
//!
//! Some names make it fail on purpose: `fault.example`, `panic.example`, and `busy.example` once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use meridian_api::Operations;
use meridian_control::{
    Caller, ChangeOutcome, ChangeRecordSets, ChangeStatus, CreateHostedZone, CreatedHostedZone,
    Credential, Fault, HostedZone, ListHostedZones, ListHostedZonesByName, ListRecordSets,
    OperationError, RecordSetPage, Refusal, Secret, ZonePage, ZonesByNamePage,
};
use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKeyId, AccountId, Action, AliasTarget, Change, ChangeId, DelegationSet, DelegationSetId,
    Draft, Generation, RecordSet, Routing, SetData, SetKey, Timestamp, Zone, ZoneId,
};
use zeroize::Zeroizing;

pub(crate) const KEY: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

type Outcome<T> = Result<T, OperationError>;

#[derive(Default)]
pub(crate) struct Fake {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    zones: BTreeMap<ZoneId, Zone>,
    sets: BTreeMap<ZoneId, Vec<RecordSet>>,
    /// With how often each was asked for.
    changes: BTreeMap<ChangeId, (Change, u32)>,
    busy: u32,
    /// The retry keys of creations.
    retries: Vec<Option<[u8; 32]>>,
}

impl Tables {
    fn zone(&self, id: &str) -> Result<&Zone, Refusal> {
        let missing = || Refusal::NoSuchHostedZone(id.to_owned());
        let id = ZoneId::new(id).map_err(|_| missing())?;
        self.zones.get(&id).ok_or_else(missing)
    }

    fn hosted(&self, zone: &Zone) -> HostedZone {
        HostedZone {
            zone: zone.clone(),
            record_set_count: self.sets[&zone.id].len() as u64,
        }
    }

    fn submit(&mut self, zone: &ZoneId, comment: Option<String>) -> ChangeOutcome {
        let change = Change {
            id: ChangeId::new(&format!("C{:020}", self.changes.len())).unwrap(),
            account: account(),
            zone: zone.clone(),
            submitted_at: Timestamp(1_490_636_896_751),
            comment,
        };
        self.changes.insert(change.id.clone(), (change.clone(), 0));
        ChangeOutcome {
            change,
            status: ChangeStatus::Pending,
        }
    }
}

fn account() -> AccountId {
    AccountId::new("123456789012").unwrap()
}

impl Operations for Fake {
    fn credential(&self, key: &AccessKeyId) -> Result<Option<Credential>, Fault> {
        Ok((key.as_str() == KEY).then(|| Credential {
            account: account(),
            operator: true,
            user: None,
            secret: Secret(Zeroizing::new(SECRET.to_owned())),
        }))
    }

    fn create_hosted_zone(
        &self,
        by: &Caller,
        ask: &CreateHostedZone,
    ) -> Outcome<CreatedHostedZone> {
        let ask = ask.clone();
        // Before the lock, which would be poisoned.
        assert_ne!(ask.name, "panic.example", "as asked");
        let mut tables = self.tables.lock().unwrap();
        tables.retries.push(by.retry);
        match ask.name.as_str() {
            "fault.example" => return Err(Fault::Storage("disk /dev/sda9 is full".into()).into()),
            "busy.example" => {
                tables.busy += 1;
                if tables.busy == 1 {
                    return Err(Fault::Contention.into());
                }
                let [.., first, second] = &tables.retries[..] else {
                    panic!()
                };
                assert!(
                    first.is_some() && first == second,
                    "a retry is recognisable"
                );
            }
            _ => {}
        }
        let name = Name::parse(&ask.name)
            .map_err(|error| Refusal::InvalidDomainName(error.to_string()))?
            .to_lowercase();
        if tables
            .zones
            .values()
            .any(|zone| zone.caller_reference == ask.caller_reference)
        {
            return Err(Refusal::HostedZoneAlreadyExists.into());
        }
        let zone = Zone {
            id: ZoneId::new(&format!("Z00{:04}", tables.zones.len())).unwrap(),
            account: by.account.clone(),
            name,
            caller_reference: ask.caller_reference,
            comment: ask.comment,
            private: ask.private_zone,
            delegation_set: DelegationSet {
                id: ask
                    .delegation_set_id
                    .map(|id| DelegationSetId::new(&id).unwrap()),
                name_servers: ["ns1.example.net", "ns2.example.net"]
                    .map(|name| Name::parse(name).unwrap())
                    .into(),
            },
            generation: Generation(1),
            created_at: Timestamp(0),
        };
        tables.sets.insert(zone.id.clone(), vec![]);
        tables.zones.insert(zone.id.clone(), zone.clone());
        let change = tables.submit(&zone.id, None);
        Ok(CreatedHostedZone {
            zone: tables.hosted(&zone),
            change,
        })
    }

    fn hosted_zone(&self, _by: &Caller, id: &str) -> Outcome<HostedZone> {
        let tables = self.tables.lock().unwrap();
        Ok(tables.hosted(tables.zone(id)?))
    }

    fn list_hosted_zones(&self, _by: &Caller, ask: &ListHostedZones) -> Outcome<ZonePage> {
        let tables = self.tables.lock().unwrap();
        let from = ask.marker.as_deref().unwrap_or_default();
        let mut zones = tables
            .zones
            .values()
            .filter(|zone| zone.id.as_str() >= from && (!ask.private_only || zone.private));
        Ok(ZonePage {
            zones: zones
                .by_ref()
                .take(ask.max_items)
                .map(|zone| tables.hosted(zone))
                .collect(),
            next: zones.next().map(|zone| zone.id.clone()),
        })
    }

    fn list_hosted_zones_by_name(
        &self,
        _by: &Caller,
        ask: &ListHostedZonesByName,
    ) -> Outcome<ZonesByNamePage> {
        let tables = self.tables.lock().unwrap();
        let from = ask
            .dns_name
            .as_deref()
            .map_or(String::new(), |n| Name::parse(n).unwrap().sort_key());
        let mut zones: Vec<&Zone> = tables.zones.values().collect();
        zones.sort_by_key(|zone| zone.name.sort_key());
        let mut zones = zones
            .into_iter()
            .filter(|zone| zone.name.sort_key() >= from);
        Ok(ZonesByNamePage {
            zones: zones
                .by_ref()
                .take(ask.max_items)
                .map(|zone| tables.hosted(zone))
                .collect(),
            next: zones.next().cloned(),
        })
    }

    fn delete_hosted_zone(&self, _by: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        let mut tables = self.tables.lock().unwrap();
        let id = tables.zone(id)?.id.clone();
        if !tables.sets[&id].is_empty() {
            return Err(Refusal::HostedZoneNotEmpty.into());
        }
        tables.zones.remove(&id);
        Ok(tables.submit(&id, None))
    }

    fn change_record_sets(&self, _by: &Caller, ask: &ChangeRecordSets) -> Outcome<ChangeOutcome> {
        let ask = ask.clone();
        let mut tables = self.tables.lock().unwrap();
        let id = tables.zone(&ask.hosted_zone_id)?.id.clone();
        let mut sets = tables.sets[&id].clone();
        let mut errors = vec![];
        for change in ask.changes {
            let set = record_set(change.set);
            let at = sets.iter().position(|other| other.key == set.key);
            match (change.action, at) {
                (Action::Create, Some(_)) => errors.push(format!(
                    "Tried to create resource record set {} but it already exists",
                    set.key
                )),
                (Action::Delete, Some(at)) if sets[at] == set => drop(sets.remove(at)),
                (Action::Delete, _) => errors.push(format!(
                    "Tried to delete resource record set {} but it was not found",
                    set.key
                )),
                (Action::Upsert, Some(at)) => sets[at] = set,
                (Action::Create | Action::Upsert, None) => sets.push(set),
            }
        }
        if !errors.is_empty() {
            return Err(Refusal::InvalidChangeBatch(errors).into());
        }
        sets.sort_by_key(|set| place(&set.key));
        tables.sets.insert(id.clone(), sets);
        Ok(tables.submit(&id, ask.comment))
    }

    fn list_record_sets(&self, _by: &Caller, ask: &ListRecordSets) -> Outcome<RecordSetPage> {
        let tables = self.tables.lock().unwrap();
        let id = &tables.zone(&ask.hosted_zone_id)?.id;
        let name = ask
            .name
            .as_deref()
            .map(|name| Name::parse(name).unwrap().sort_key());
        let rtype = ask.rtype.map_or("", RecordType::as_str);
        let identifier = ask.identifier.as_deref().unwrap_or_default();
        let from = (name.unwrap_or_default(), rtype, identifier.to_owned());
        let mut sets = tables.sets[id].iter().filter(|set| place(&set.key) >= from);
        Ok(RecordSetPage {
            sets: sets.by_ref().take(ask.max_items).cloned().collect(),
            next: sets.next().map(|set| set.key.clone()),
        })
    }

    fn change(&self, _by: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        let mut tables = self.tables.lock().unwrap();
        let known = ChangeId::new(id)
            .ok()
            .and_then(|id| tables.changes.get_mut(&id));
        let (change, asked) = known.ok_or_else(|| Refusal::NoSuchChange(id.to_owned()))?;
        *asked += 1;
        Ok(ChangeOutcome {
            change: change.clone(),
            status: if *asked > 1 {
                ChangeStatus::Insync
            } else {
                ChangeStatus::Pending
            },
        })
    }
}

/// The order of lists.
fn place(key: &SetKey) -> (String, &'static str, String) {
    let identifier = key.set_identifier.clone().unwrap_or_default();
    (key.name.sort_key(), key.rtype.as_str(), identifier)
}

fn record_set(draft: Draft) -> RecordSet {
    let cidr = |(collection_id, location)| Routing::Cidr {
        collection_id,
        location,
    };
    let policies = [
        draft.weight.map(Routing::Weighted),
        draft.region.map(Routing::Latency),
        draft.failover.map(Routing::Failover),
        draft.geo_location.map(Routing::Geolocation),
        draft.multi_value_answer.map(|_| Routing::Multivalue),
        draft.geo_proximity_location.map(Routing::Geoproximity),
        draft.cidr_routing_config.map(cidr),
    ];
    let routing = policies.into_iter().flatten().next();
    let data = match draft.alias_target {
        Some(alias) => SetData::Alias(AliasTarget {
            zone: alias.hosted_zone_id,
            name: Name::parse(&alias.dns_name).unwrap().to_lowercase(),
            evaluate_target_health: alias.evaluate_target_health,
        }),
        None => SetData::Records {
            ttl: draft.ttl.unwrap_or_default(),
            values: draft.records.unwrap_or_default(),
        },
    };
    RecordSet {
        key: SetKey {
            name: Name::parse(&draft.name).unwrap().to_lowercase(),
            rtype: draft.rtype,
            set_identifier: draft.set_identifier,
        },
        routing: routing.unwrap_or(Routing::Simple),
        data,
        health_check_id: draft.health_check_id,
        traffic_policy_instance_id: draft.traffic_policy_instance_id,
    }
}
