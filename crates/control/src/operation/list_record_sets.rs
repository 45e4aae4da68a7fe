//! ListResourceRecordSets.

use meridian_log::SetStart;

use super::{Outcome, start_name};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListRecordSets, RecordSetPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_SETS: usize = 300;

impl Control {
    /// ListResourceRecordSets: a page of the zone's sets from a place on, current to the change. Of
    /// those that traffic policy instances made the root is shown, and no other.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, and `InvalidInput` for a type without a name or an identifier without
    /// a type.
    pub fn list_record_sets(
        &self,
        caller: &Caller,
        request: &ListRecordSets,
    ) -> Outcome<RecordSetPage> {
        let snapshot = self.fresh()?;
        let id = request.hosted_zone_id.as_str();
        authorize(
            &snapshot,
            caller,
            "route53:ListResourceRecordSets",
            &zone_arn(id),
        )?;
        if request.name.is_none() && (request.rtype.is_some() || request.identifier.is_some()) {
            return Err(invalid(
                "StartRecordName is required when StartRecordType is given.",
            ));
        }
        if request.rtype.is_none() && request.identifier.is_some() {
            return Err(invalid(
                "StartRecordType is required when StartRecordIdentifier is given.",
            ));
        }
        let name = request.name.as_deref().map(start_name).transpose()?;
        let zone = own_zone(&snapshot, caller, id)?;
        let from = name.as_ref().map(|name| SetStart {
            name,
            rtype: request.rtype,
            identifier: request.identifier.as_deref(),
        });
        let limit = request.max_items.clamp(1, MAX_SETS);
        let mut sets = snapshot.listed_sets_from(zone.generation, from, limit + 1)?;
        let next = sets
            .split_off(limit.min(sets.len()))
            .pop()
            .map(|set| set.key);
        Ok(RecordSetPage { sets, next })
    }
}

fn invalid(text: &str) -> crate::refusal::OperationError {
    Refusal::InvalidInput(text.to_owned()).into()
}
