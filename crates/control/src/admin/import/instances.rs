//! Traffic policy instances in an import. It makes, changes and deletes none: what those of the zone
//! made stays, and their roots in a document stand for them.

use std::collections::BTreeMap;

use meridian_dns::Name;
use meridian_log::{InstanceStart, InstancesOf, Snapshot};
use meridian_model::{Draft, TrafficPolicyInstance, Zone};

use super::super::{AdminError, Outcome};
use super::checks::{check_unchanged, check_unpublished};
use super::{ExistingSets, Old};

/// Instances that are read at a time.
const READ_AT_A_TIME: usize = 1000;

/// The instances of a zone when an import of it began, by their ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StandingInstances(BTreeMap<String, TrafficPolicyInstance>);

/// What a set of a document is to the instances.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Nothing: it is imported like any other.
    Own,
    /// The root of one that is there.
    Root,
    /// Made by one that is not there.
    Refused(String),
}

impl StandingInstances {
    /// Those of a zone: as many as its account may have.
    pub(super) fn of(snapshot: &Snapshot, zone: &Zone) -> Outcome<Self> {
        let of = InstancesOf::Zone(&zone.id);
        let mut standing = BTreeMap::new();
        let mut next: Option<TrafficPolicyInstance> = None;
        // Ends with the zone's instances.
        loop {
            let from = next.as_ref().map(|instance| InstanceStart {
                zone: &zone.id,
                name: Some((&instance.name, Some(instance.rtype))),
            });
            let limit = READ_AT_A_TIME + 1;
            let mut read = snapshot.traffic_policy_instances(of, from, limit)?;
            next = (read.len() == limit).then(|| read.pop()).flatten();
            standing.extend(read.into_iter().map(|one| (one.id.to_string(), one)));
            if next.is_none() {
                return Ok(Self(standing));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// What a set of a document is to them.
    pub(super) fn judge(&self, draft: &Draft) -> Judged {
        let Some(id) = &draft.traffic_policy_instance_id else {
            return Judged::Own;
        };
        if draft.records.is_some() || draft.alias_target.is_some() {
            // Refused as no set that there may be.
            return Judged::Own;
        }
        let name = Name::parse(&draft.name).map(|name| name.to_lowercase());
        match self.0.get(id) {
            Some(instance)
                if draft.rtype == instance.rtype && name == Ok(instance.name.clone()) =>
            {
                Judged::Root
            }
            Some(instance) => Judged::Refused(format!(
                "The traffic policy instance {id} of this zone is at {}, type {}",
                instance.name, instance.rtype
            )),
            None => Judged::Refused(format!(
                "The traffic policy instance {id} is not in this zone, and an import makes none: \
                 make one of its policy with CreateTrafficPolicyInstance, and leave this out"
            )),
        }
    }

    /// Whether the zone is still what the import found, as far as it keeps of it.
    pub(super) fn check(
        &self,
        snapshot: &Snapshot,
        old: &Old,
        existing: ExistingSets,
    ) -> Outcome<()> {
        if existing == ExistingSets::Merge {
            return check_unchanged(snapshot, old);
        }
        let zone = check_unpublished(snapshot, old)?;
        if Self::of(snapshot, &zone)? == *self {
            return Ok(());
        }
        Err(AdminError::Import(format!(
            "traffic policy instances of zone {} were made, changed or deleted meanwhile: nothing is \
             written, try again",
            zone.id
        )))
    }
}
