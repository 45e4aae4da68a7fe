//! ListResourceRecordSetProtections.

use meridian_dns::{Name, RecordType};
use meridian_model::{ProtectionKey, Zone};

use super::{Outcome, start_name};
use crate::caller::Caller;
use crate::control::Control;
use crate::page_token;
use crate::refusal::Refusal;
use crate::request::{ListProtections, ProtectionPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_PROTECTIONS: usize = 300;
/// What tokens of this list are told by.
const LIST: &str = "protections";

impl Control {
    /// ListResourceRecordSetProtections: a page of the zone's protections, in the order of record
    /// sets. A token wins over a start.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidPaginationToken`, and `InvalidInput` for a type without a name.
    pub fn list_protections(
        &self,
        caller: &Caller,
        request: &ListProtections,
    ) -> Outcome<ProtectionPage> {
        let snapshot = self.fresh()?;
        let id = request.hosted_zone_id.as_str();
        let action = "route53:ListResourceRecordSetProtections";
        authorize(&snapshot, caller, action, &zone_arn(id))?;
        let start = match request.next_token {
            Some(_) => None,
            None => start(request)?,
        };
        let zone = own_zone(&snapshot, caller, id)?;
        let from = match request.next_token.as_deref() {
            Some(token) => {
                let (name, rtype) = read_token(&zone, token)?;
                Some((name, Some(rtype)))
            }
            None => start,
        };
        let from = from.as_ref().map(|(name, rtype)| (name, *rtype));
        let limit = request.max_results.clamp(1, MAX_PROTECTIONS);
        let mut protections = snapshot.protections_of(&zone.id, from, limit + 1)?;
        let next = protections.split_off(limit.min(protections.len())).pop();
        Ok(ProtectionPage {
            protections,
            next_token: next.map(|next| token(&next.key)),
        })
    }
}

fn start(request: &ListProtections) -> Outcome<Option<(Name, Option<RecordType>)>> {
    match (request.name.as_deref(), request.rtype) {
        (Some(name), rtype) => Ok(Some((start_name(name)?, rtype))),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let text = "StartRecordName is required when StartRecordType is given.";
            Err(Refusal::InvalidInput(text.to_owned()).into())
        }
    }
}

/// The zone is in it, so that nobody mistakes one zone's for another's.
fn token(next: &ProtectionKey) -> String {
    let parts = [
        next.zone.as_str().as_bytes(),
        next.name.as_wire(),
        next.rtype.as_str().as_bytes(),
    ];
    page_token::write(LIST, &parts)
}

fn read_token(zone: &Zone, token: &str) -> Result<(Name, RecordType), Refusal> {
    let [id, name, rtype] = page_token::read::<3>(LIST, token)?;
    let name = Name::from_wire(&name).ok();
    let rtype = RecordType::ALL
        .into_iter()
        .find(|known| known.as_str().as_bytes() == rtype);
    match (name, rtype) {
        (Some(name), Some(rtype)) if id == zone.id.as_str().as_bytes() => Ok((name, rtype)),
        _ => Err(Refusal::InvalidPaginationToken),
    }
}
