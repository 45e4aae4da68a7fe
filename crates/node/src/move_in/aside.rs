//! What there is at the other end beside zones and their record sets: delegation sets and health
//! checks, which are copied, and all that is not, for the report.

use std::collections::BTreeSet;

use anyhow::Result;
use meridian_api::remote::{RemoteDelegationSet, RemoteQueryLog};

use super::checks::{self, Check};
use super::reading::Read;
use super::report::Thing;
use super::source::Source;

/// All of it.
pub(super) struct Aside {
    pub(super) delegation_sets: Vec<RemoteDelegationSet>,
    /// Children before what is calculated from them.
    pub(super) health_checks: Vec<Check>,
    pub(super) query_logs: Vec<RemoteQueryLog>,
    pub(super) not_copied: Vec<Thing>,
}

impl Aside {
    /// Asks for it. What the source does not tell is in its notes.
    pub(super) fn read(source: &mut Source) -> Result<Self> {
        let (health_checks, mut others) = checks::sorted(source.health_checks()?);
        others.append(&mut not_copied(source)?);
        Ok(Self {
            delegation_sets: source.delegation_sets()?,
            health_checks,
            query_logs: source.query_logs()?,
            not_copied: others,
        })
    }

    /// Keeps what these zones have to do with: the others were not asked for.
    pub(super) fn keep_used_by(&mut self, zones: &[&Read]) {
        let ids = zones.iter().flat_map(|zone| &zone.used);
        let mut used: BTreeSet<String> = ids.cloned().collect();
        for check in self.health_checks.iter().rev() {
            if used.contains(&check.id) {
                used.extend(check.children().iter().cloned());
            }
        }
        self.health_checks.retain(|check| used.contains(&check.id));
        self.not_copied.retain(|thing| used.contains(&thing.id));
        let sets = zones
            .iter()
            .filter_map(|zone| zone.delegation_set.id.as_ref());
        let sets: BTreeSet<&String> = sets.collect();
        self.delegation_sets
            .retain(|set| set.id.as_ref().is_some_and(|id| sets.contains(id)));
    }
}

fn not_copied(source: &mut Source) -> Result<Vec<Thing>> {
    let mut things = Vec::new();
    things.extend(source.cidr_collections()?.into_iter().map(|one| Thing {
        kind: "CIDR collection",
        id: one.id,
        reason: format!(
            "CIDR collections cannot be copied yet; it is '{}'",
            one.name
        ),
    }));
    things.extend(source.traffic_policies()?.into_iter().map(|one| Thing {
        kind: "traffic policy",
        id: one.id,
        reason: format!(
            "traffic policies cannot be copied yet; it is '{}'",
            one.name
        ),
    }));
    things.extend(source.policy_instances()?.into_iter().map(|one| Thing {
        kind: "traffic policy instance",
        id: one.id,
        reason: format!("it makes record sets at {} of zone {}", one.name, one.zone),
    }));
    Ok(things)
}
