//! What the operations on VPCs share: which VPC a request means, and which zones of others it may
//! name.

use std::fmt;

use meridian_log::Snapshot;
use meridian_model::{AssociatedVpc, AssociationRefusal, State, Vpc, VpcId, Zone, ZoneId};

use super::Outcome;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::request;
use crate::rights::{Context, own_zone};

/// The VPC that a request names, whoever owns it.
pub(super) fn known_vpc(snapshot: &Snapshot, named: &request::Vpc) -> Outcome<Vpc> {
    let found = match named_id(named)? {
        Some(id) => snapshot.vpc(&id)?,
        None => None,
    };
    let region = named.region.as_deref();
    let known = found.filter(|vpc| region.is_none_or(|region| region == vpc.region.as_str()));
    Ok(known.ok_or(Refusal::InvalidVpcId)?)
}

/// What a request about a VPC brings for conditions. One that leaves the region out means that of
/// the VPC: a statement about the VPC is about this request too.
pub(super) fn vpc_context(snapshot: &Snapshot, named: Option<&request::Vpc>) -> Outcome<Context> {
    let Some(named) = named else {
        return Ok(Context::default());
    };
    let mut whole = named.clone();
    if let (None, Some(Ok(id))) = (&named.region, named.id.as_deref().map(VpcId::new)) {
        whole.region = snapshot.vpc(&id)?.map(|vpc| vpc.region.to_string());
    }
    Ok(Context::of_vpc(&whole))
}

/// The id that a request names; none where no VPC can have it.
pub(super) fn named_id(named: &request::Vpc) -> Result<Option<VpcId>, Refusal> {
    match &named.id {
        Some(id) => Ok(VpcId::new(id).ok()),
        None => Err(Refusal::InvalidInput("The VPCId is missing.".to_owned())),
    }
}

/// The caller's zone, or one of another account that the owner of a VPC has to do with as `sees`
/// says. All others are refused in the very words for a zone that does not exist.
pub(super) fn zone_for_vpc(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
    sees: impl FnOnce(&Zone) -> Outcome<bool>,
) -> Outcome<Zone> {
    let zone = match ZoneId::new(id) {
        Ok(id) => snapshot.zone(&id)?,
        Err(_) => None,
    };
    match zone {
        Some(zone) if zone.account != caller.account && sees(&zone)? => Ok(zone),
        _ => own_zone(snapshot, caller, id),
    }
}

/// The refusal in Route 53's words.
pub(super) fn association_words(refusal: AssociationRefusal, zone: &Zone) -> Refusal {
    match refusal {
        AssociationRefusal::Public => Refusal::PublicZoneVpcAssociation,
        AssociationRefusal::Conflict(vpc, name) => overlapping(&vpc, &name),
        AssociationRefusal::TooMany => Refusal::LimitsExceeded(format!(
            "Limits Exceeded: MAX_VPCS_ASSOCIATED_BY_ZONE - Cannot associate more VPCs with the \
             hosted zone {}.",
            zone.id
        )),
        AssociationRefusal::NotFound => Refusal::VpcAssociationNotFound,
        AssociationRefusal::Last => Refusal::LastVpcAssociation,
    }
}

/// The VPC sees a zone of this name already.
pub(super) fn overlapping(vpc: &AssociatedVpc, name: impl fmt::Display) -> Refusal {
    Refusal::ConflictingDomainExists(format!(
        "The VPC that you chose, {} in region {}, is already associated with another private \
         hosted zone that has an overlapping name space, {name}.",
        vpc.id, vpc.region
    ))
}
