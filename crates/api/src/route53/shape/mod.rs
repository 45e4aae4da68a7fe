//! Shapes that several operations read or write, in the order of the model.

mod change_info;
mod cidr;
mod geo;
mod health_check;
mod health_check_observation;
mod hosted_zone;
mod limit;
mod protection;
mod query_logging_config;
mod record_set;
mod tag;
mod time;
mod traffic_policy;
mod traffic_policy_instance;
mod vpc;

pub(super) use change_info::change_info;
pub(super) use cidr::{COLLECTION_ID, LOCATION, cidr_collection, cidr_page_start};
pub(super) use geo::{CONTINENT, COUNTRY, SUBDIVISION, geo_codes, geo_location_details};
pub(super) use health_check::{
    HEALTH_CHECK_ID, HEALTH_CHECK_NONCE, health_check, items, read_settings,
};
pub(crate) use health_check::{health_check_config, read_config};
pub(super) use health_check_observation::health_check_observations;
pub(super) use hosted_zone::{delegation_set, hosted_zone, hosted_zones};
pub(super) use limit::{limit, limit_type};
pub(super) use protection::{CONFIG, KEY, protection, read_protections};
pub(super) use query_logging_config::query_logging_config;
pub(crate) use record_set::read_record_set;
pub(super) use record_set::record_set;
pub(super) use tag::{tag_set, tagged_kind, tagged_resource};
pub(super) use traffic_policy::{
    POLICY_COMMENT, POLICY_ID, POLICY_NAME, new_version, policy_version, traffic_policy,
    version_number,
};
pub(super) use traffic_policy_instance::{
    INSTANCE_ID, ZoneMarker, read_policy_version, read_ttl, traffic_policy_instance,
    traffic_policy_instances, type_marker,
};
pub(super) use vpc::{VPC_ID, read_vpc, read_zone_and_vpc, vpc, vpc_regions, vpcs};

use crate::xml::TextFacets;

/// `DNSName`. What a name is made of is checked by the operation.
pub(super) const DNS_NAME: TextFacets = TextFacets::new("DNSName", 0, 1024);
/// `Nonce`: the caller references of zones and delegation sets.
pub(super) const NONCE: TextFacets = TextFacets::new("Nonce", 1, 128);
/// `PaginationToken`.
pub(super) const PAGINATION_TOKEN: TextFacets = TextFacets::new("PaginationToken", 0, 1024);
/// `ResourceDescription`.
pub(super) const COMMENT: TextFacets = TextFacets::new("ResourceDescription", 0, 256);
/// `ResourceRecordSetIdentifier`.
pub(super) const SET_IDENTIFIER: TextFacets =
    TextFacets::new("ResourceRecordSetIdentifier", 1, 128);
