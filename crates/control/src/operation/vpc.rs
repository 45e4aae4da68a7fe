//! What the operations on VPCs share: which VPC a request means, which zones of others it may
//! name, and the tokens of pages.

use std::fmt;

use meridian_log::Snapshot;
use meridian_model::{AssociatedVpc, AssociationRefusal, State, Vpc, VpcId, Zone, ZoneId};

use super::Outcome;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::request;
use crate::rights::own_zone;

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

/// The refusal in Route 53's words. `vpc` is the one that was named.
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

/// A token that stands for the id at which a page begins. It means nothing to clients, so that none
/// comes to rely on what it says.
pub(super) fn token(id: &str) -> String {
    let bytes = id.bytes().map(|byte| format!("{:02x}", byte ^ MASK));
    bytes.collect()
}

/// The id that a token stands for, as `read` understands it.
pub(super) fn read_token<T>(
    token: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Outcome<Option<T>> {
    let Some(token) = token else {
        return Ok(None);
    };
    let pairs = token.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let digits = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        Some(byte ^ MASK)
    });
    let id = bytes.collect::<Option<Vec<u8>>>();
    let id = id.and_then(|bytes| String::from_utf8(bytes).ok());
    let read = id.and_then(|id| read(&id));
    Ok(Some(read.ok_or(Refusal::InvalidPaginationToken)?))
}

/// What makes the bytes of an id those of a token.
const MASK: u8 = 0x5a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_again_and_others_refused() {
        let read = |text: &str| read_token(Some(text), |id| VpcId::new(id).ok());
        let id = VpcId::new("vpc-0a1").unwrap();
        assert_eq!(read(&token("vpc-0a1")).unwrap(), Some(id));
        assert!(read_token(None, |_| Some(())).unwrap().is_none());
        for text in ["", "vpc-0a1", "0", "zz", "+1", "2c2a39é", &token("A b")] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
