//! What the operations on VPCs take and give.

use meridian_model::{AssociatedVpc, Zone, ZoneId};

/// `VPC`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// `VPCRegion`.
    pub region: Option<String>,
    /// `VPCId`.
    pub id: Option<String>,
}

/// A zone and a VPC that are to be associated or not to be any more, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneAndVpc {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// The VPC.
    pub vpc: Vpc,
    /// What the change is for; empty is absent. Authorizations have none.
    pub comment: Option<String>,
}

/// `ListVPCAssociationAuthorizationsRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListVpcAuthorizations {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// Where the page before said that this one begins.
    pub token: Option<String>,
    /// 1 to 50.
    pub max_results: usize,
}

/// A page of VPCs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcPage {
    /// The zone.
    pub zone: ZoneId,
    /// In order of their ids.
    pub vpcs: Vec<AssociatedVpc>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// `ListHostedZonesByVPCRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListHostedZonesByVpc {
    /// The VPC.
    pub vpc: Vpc,
    /// Where the page before said that this one begins.
    pub token: Option<String>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of the zones that a VPC sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonesByVpcPage {
    /// In order of their ids, of every account.
    pub zones: Vec<Zone>,
    /// Where the next page begins.
    pub next: Option<String>,
}
