//! VPCs: which networks of clients they are.

use meridian_log::ReadError;
use meridian_model::{
    Network, PlanError, State, Vpc, VpcId, VpcRefusal, VpcRegion, Zone, plan_create_vpc,
    plan_delete_vpc, plan_set_vpc_networks,
};

use super::{AdminError, Outcome, account_of};
use crate::control::Control;

/// A VPC to be described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVpc {
    /// `vpc-` and more; made up when absent.
    pub id: Option<String>,
    /// One of the API's regions.
    pub region: String,
    /// The account that may associate zones with it, by name or id.
    pub account: String,
    /// Where its clients are.
    pub networks: Vec<Network>,
}

impl Control {
    /// All VPCs, or those of an account given by name or id, by their ids.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn vpcs(&self, account: Option<&str>) -> Outcome<Vec<Vpc>> {
        let snapshot = self.fresh()?;
        let mut vpcs = snapshot.vpcs()?;
        if let Some(account) = account {
            let account = account_of(&snapshot, account)?.id;
            vpcs.retain(|vpc| vpc.account == account);
        }
        Ok(vpcs)
    }

    /// A VPC and the private zones that it sees.
    ///
    /// # Errors
    /// When there is no such VPC.
    pub fn vpc(&self, id: &str) -> Outcome<(Vpc, Vec<Zone>)> {
        let snapshot = self.fresh()?;
        let id = vpc_id(id)?;
        let vpc = snapshot.vpc(&id)?;
        let vpc = vpc.ok_or_else(|| VpcRefusal::Unknown(id.clone()))?;
        Ok((vpc, snapshot.zones_of_vpc(&id)?))
    }

    /// Describes a VPC.
    ///
    /// # Errors
    /// [`VpcRefusal`], and when there is no such account or region.
    pub fn create_vpc(&self, new: &NewVpc) -> Outcome<Vpc> {
        self.administer(|snapshot, facts| {
            let region = VpcRegion::new(&new.region);
            let vpc = Vpc {
                id: match &new.id {
                    Some(id) => vpc_id(id)?,
                    None => facts.vpc_id(),
                },
                region: region.ok_or_else(|| AdminError::UnknownVpcRegion(new.region.clone()))?,
                account: account_of(snapshot, &new.account)?.id,
                networks: new.networks.clone(),
            };
            let effects = plan_create_vpc(snapshot, &vpc).map_err(refused)?;
            Ok((effects, vpc))
        })
    }

    /// Gives a VPC other networks, which count at once.
    ///
    /// # Errors
    /// [`VpcRefusal`].
    pub fn set_vpc_networks(&self, id: &str, networks: &[Network]) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_set_vpc_networks(snapshot, &vpc_id(id)?, networks.to_vec());
            Ok((planned.map_err(refused)?, ()))
        })
    }

    /// Forgets a VPC that no zone is associated with.
    ///
    /// # Errors
    /// [`VpcRefusal`].
    pub fn delete_vpc(&self, id: &str) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_delete_vpc(snapshot, &vpc_id(id)?);
            Ok((planned.map_err(refused)?, ()))
        })
    }
}

fn vpc_id(text: &str) -> Outcome<VpcId> {
    VpcId::new(text).map_err(|_| AdminError::BadVpcId(text.to_owned()))
}

fn refused(error: PlanError<VpcRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
