//! VPCs: what an operator may say they are, and which private zones they come to see. Who may ask
//! for it is decided elsewhere.

use meridian_dns::Name;

use super::PlanError;
use crate::effect::Effect;
use crate::id::VpcId;
use crate::quota::Quota;
use crate::state::State;
use crate::vpc::{AssociatedVpc, Network, Vpc, VpcAuthorization};
use crate::zone::Zone;

/// The most networks of one VPC.
const MAX_NETWORKS: usize = 256;
/// The most VPCs.
const MAX_VPCS: usize = 10_000;

/// Why a VPC is not described so; texts for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum VpcRefusal {
    #[error("'{0}' is no id of a VPC: vpc- and small letters, digits and hyphens")]
    BadId(VpcId),
    #[error("there is a VPC {0} already; use `vpc set`")]
    Exists(VpcId),
    #[error("there is no VPC {0}; `vpc list` shows all")]
    Unknown(VpcId),
    #[error("a VPC has at most {MAX_NETWORKS} networks")]
    TooManyNetworks,
    #[error("there are at most {MAX_VPCS} VPCs")]
    TooMany,
    #[error("the network {0} of VPC {1} overlaps {2} of VPC {3}")]
    Overlap(Network, VpcId, Network, VpcId),
    #[error("private zones use it: {0} and {1} more")]
    InUse(Name, usize),
}

type Planned<R, E> = Result<Vec<Effect>, PlanError<R, E>>;

/// Describes a VPC that is not there yet.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_vpc<S: State>(state: &S, vpc: &Vpc) -> Planned<VpcRefusal, S::Error> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    if !vpc.id.as_str().starts_with("vpc-") {
        return refused(VpcRefusal::BadId(vpc.id.clone()));
    }
    if state.vpc(&vpc.id)?.is_some() {
        return refused(VpcRefusal::Exists(vpc.id.clone()));
    }
    let others = state.vpcs()?;
    if others.len() >= MAX_VPCS {
        return refused(VpcRefusal::TooMany);
    }
    put(&others, vpc)
}

/// Gives a VPC other networks.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_set_vpc_networks<S: State>(
    state: &S,
    id: &VpcId,
    networks: Vec<Network>,
) -> Planned<VpcRefusal, S::Error> {
    let others = state.vpcs()?;
    let Some(vpc) = others.iter().find(|vpc| vpc.id == *id) else {
        return Err(PlanError::Refused(VpcRefusal::Unknown(id.clone())));
    };
    let vpc = Vpc {
        networks,
        ..vpc.clone()
    };
    put(&others, &vpc)
}

fn put<E>(others: &[Vpc], vpc: &Vpc) -> Planned<VpcRefusal, E> {
    match problem(others, vpc) {
        Some(refusal) => Err(PlanError::Refused(refusal)),
        None => Ok(vec![Effect::PutVpc(vpc.clone())]),
    }
}

fn problem(others: &[Vpc], vpc: &Vpc) -> Option<VpcRefusal> {
    if vpc.networks.len() > MAX_NETWORKS {
        return Some(VpcRefusal::TooManyNetworks);
    }
    // Of two networks one holds the other or they are apart; sorted by their first addresses, what
    // holds others stands right before one of them.
    let others = others.iter().filter(|other| other.id != vpc.id);
    let mut all: Vec<(Network, &Vpc)> = others
        .chain([vpc])
        .flat_map(|vpc| vpc.networks.iter().map(move |network| (*network, vpc)))
        .collect();
    all.sort_by_key(|(network, _)| *network);
    let overlap = all.windows(2).find(|pair| pair[0].0.overlaps(&pair[1].0));
    overlap.map(|pair| {
        let ((a, of), (b, other)) = (pair[0], pair[1]);
        VpcRefusal::Overlap(a, of.id.clone(), b, other.id.clone())
    })
}

/// Forgets a VPC that no zone is associated with. What authorizes it says nothing any more.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_delete_vpc<S: State>(state: &S, id: &VpcId) -> Planned<VpcRefusal, S::Error> {
    if state.vpc(id)?.is_none() {
        return Err(PlanError::Refused(VpcRefusal::Unknown(id.clone())));
    }
    let zones = state.zones_of_vpc(id)?;
    match zones.first() {
        Some(zone) => Err(PlanError::Refused(VpcRefusal::InUse(
            zone.name.clone(),
            zones.len() - 1,
        ))),
        None => Ok(vec![Effect::DeleteVpc(id.clone())]),
    }
}

/// Why a zone does not come to be seen by a VPC, or stays to be; named by Route 53's error codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssociationRefusal {
    /// `PublicZoneVPCAssociation`.
    Public,
    /// `ConflictingDomainExists`: the VPC sees a zone of this name already, perhaps this one.
    Conflict(AssociatedVpc, Name),
    /// `LimitsExceeded`.
    TooMany,
    /// `VPCAssociationNotFound`.
    NotFound,
    /// `LastVPCAssociation`.
    Last,
}

/// Whether the VPC sees a zone of this name already.
pub(super) fn sees<S: State>(state: &S, vpc: &VpcId, name: &Name) -> Result<bool, S::Error> {
    let named = state.zones_named(name)?;
    Ok(named.iter().any(|zone| zone.is_seen_by(vpc)))
}

/// Lets a VPC see a private zone.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_associate_vpc<S: State>(
    state: &S,
    zone: &Zone,
    vpc: &Vpc,
) -> Planned<AssociationRefusal, S::Error> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    if !zone.private {
        return refused(AssociationRefusal::Public);
    }
    if sees(state, &vpc.id, &zone.name)? {
        let conflict = AssociationRefusal::Conflict(vpc.associated(), zone.name.clone());
        return refused(conflict);
    }
    if zone.vpcs.len() as u64 >= state.limit(&zone.account, Quota::VpcsByZone)? {
        return refused(AssociationRefusal::TooMany);
    }
    let mut zone = zone.clone();
    zone.vpcs.push(vpc.associated());
    Ok(vec![Effect::PutZone(zone)])
}

/// Ends that a VPC sees a private zone.
///
/// # Errors
/// The refusal: `NotFound` or `Last`.
pub fn plan_disassociate_vpc(zone: &Zone, vpc: &VpcId) -> Result<Vec<Effect>, AssociationRefusal> {
    if !zone.is_seen_by(vpc) {
        return Err(AssociationRefusal::NotFound);
    }
    if zone.vpcs.len() == 1 {
        return Err(AssociationRefusal::Last);
    }
    let mut zone = zone.clone();
    zone.vpcs.retain(|other| other.id != *vpc);
    Ok(vec![Effect::PutZone(zone)])
}

/// Why the owner of a VPC does not come to be authorized; named by Route 53's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationRefusal {
    /// `InvalidInput`: the zone is a public one.
    Public,
    /// `TooManyVPCAssociationAuthorizations`.
    TooMany,
}

/// Authorizes the owner of a VPC to associate it with the zone; doing so again changes nothing.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_authorize_vpc<S: State>(
    state: &S,
    zone: &Zone,
    vpc: &Vpc,
) -> Planned<AuthorizationRefusal, S::Error> {
    if !zone.private {
        return Err(PlanError::Refused(AuthorizationRefusal::Public));
    }
    let authorization = VpcAuthorization {
        zone: zone.id.clone(),
        vpc: vpc.associated(),
        account: vpc.account.clone(),
    };
    let known = state.vpc_authorizations(&zone.id)?;
    if known.contains(&authorization) {
        return Ok(Vec::new());
    }
    let is_new = known.iter().all(|other| other.vpc.id != vpc.id);
    let limit = state.limit(&zone.account, Quota::VpcAuthorizationsByZone)?;
    if is_new && known.len() as u64 >= limit {
        return Err(PlanError::Refused(AuthorizationRefusal::TooMany));
    }
    Ok(vec![Effect::PutVpcAuthorization(authorization)])
}
