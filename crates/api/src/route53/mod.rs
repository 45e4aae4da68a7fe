//! Route 53, API version 2013-04-01: one file per operation, each with its route, its request and
//! its response. Shapes that several operations share are in `shape`, the paths of the operations
//! still to come in `planned`.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod call;
mod planned;
mod query;
mod route;
mod shape;

mod associate_vpc;
mod change_cidr_collection;
mod change_resource_record_sets;
mod change_tags_for_resource;
mod create_cidr_collection;
mod create_health_check;
mod create_hosted_zone;
mod create_query_logging_config;
mod create_resource_record_set_protections;
mod create_reusable_delegation_set;
mod create_traffic_policy;
mod create_traffic_policy_instance;
mod create_traffic_policy_version;
mod create_vpc_association_authorization;
mod delete_cidr_collection;
mod delete_health_check;
mod delete_hosted_zone;
mod delete_query_logging_config;
mod delete_resource_record_set_protections;
mod delete_reusable_delegation_set;
mod delete_traffic_policy;
mod delete_traffic_policy_instance;
mod delete_vpc_association_authorization;
mod disassociate_vpc;
mod get_account_limit;
mod get_change;
mod get_checker_ip_ranges;
mod get_dnssec;
mod get_geo_location;
mod get_health_check;
mod get_health_check_count;
mod get_health_check_last_failure_reason;
mod get_health_check_status;
mod get_hosted_zone;
mod get_hosted_zone_count;
mod get_hosted_zone_limit;
mod get_query_logging_config;
mod get_reusable_delegation_set;
mod get_reusable_delegation_set_limit;
mod get_traffic_policy;
mod get_traffic_policy_instance;
mod get_traffic_policy_instance_count;
mod list_cidr_blocks;
mod list_cidr_collections;
mod list_cidr_locations;
mod list_geo_locations;
mod list_health_checks;
mod list_hosted_zones;
mod list_hosted_zones_by_name;
mod list_hosted_zones_by_vpc;
mod list_query_logging_configs;
mod list_resource_record_set_protections;
mod list_resource_record_sets;
mod list_reusable_delegation_sets;
mod list_tags_for_resource;
mod list_tags_for_resources;
mod list_traffic_policies;
mod list_traffic_policy_instances;
mod list_traffic_policy_instances_by_hosted_zone;
mod list_traffic_policy_instances_by_policy;
mod list_traffic_policy_versions;
mod list_vpc_association_authorizations;
mod test_dns_answer;
mod update_health_check;
mod update_hosted_zone_comment;
mod update_hosted_zone_features;
mod update_traffic_policy_comment;
mod update_traffic_policy_instance;

pub(crate) use call::{Call, Form, Reply, not_implemented};
pub(crate) use query::Query;
pub(crate) use route::{Match, resolve};
pub(crate) use shape::{health_check_config, read_config, read_record_set};

use route::Route;

/// The service name in credential scopes.
pub(crate) const SERVICE: &str = "route53";

/// The operations that are there.
const ROUTES: &[Route] = &[
    associate_vpc::ROUTE,
    get_geo_location::ROUTE,
    list_geo_locations::ROUTE,
    change_cidr_collection::ROUTE,
    create_cidr_collection::ROUTE,
    delete_cidr_collection::ROUTE,
    list_cidr_blocks::ROUTE,
    list_cidr_collections::ROUTE,
    list_cidr_locations::ROUTE,
    create_vpc_association_authorization::ROUTE,
    delete_vpc_association_authorization::ROUTE,
    disassociate_vpc::ROUTE,
    list_hosted_zones_by_vpc::ROUTE,
    list_vpc_association_authorizations::ROUTE,
    change_resource_record_sets::ROUTE,
    change_tags_for_resource::ROUTE,
    create_health_check::ROUTE,
    create_hosted_zone::ROUTE,
    create_resource_record_set_protections::ROUTE,
    create_reusable_delegation_set::ROUTE,
    delete_health_check::ROUTE,
    delete_hosted_zone::ROUTE,
    delete_resource_record_set_protections::ROUTE,
    create_query_logging_config::ROUTE,
    delete_query_logging_config::ROUTE,
    delete_reusable_delegation_set::ROUTE,
    get_account_limit::ROUTE,
    get_change::ROUTE,
    get_checker_ip_ranges::ROUTE,
    get_dnssec::ROUTE,
    get_health_check::ROUTE,
    get_health_check_count::ROUTE,
    get_health_check_last_failure_reason::ROUTE,
    get_health_check_status::ROUTE,
    get_hosted_zone::ROUTE,
    get_query_logging_config::ROUTE,
    get_reusable_delegation_set::ROUTE,
    get_reusable_delegation_set_limit::ROUTE,
    list_health_checks::ROUTE,
    get_hosted_zone_count::ROUTE,
    get_hosted_zone_limit::ROUTE,
    list_hosted_zones::ROUTE,
    list_hosted_zones_by_name::ROUTE,
    list_resource_record_set_protections::ROUTE,
    list_query_logging_configs::ROUTE,
    list_resource_record_sets::ROUTE,
    list_tags_for_resource::ROUTE,
    list_tags_for_resources::ROUTE,
    test_dns_answer::ROUTE,
    update_health_check::ROUTE,
    update_hosted_zone_comment::ROUTE,
    update_hosted_zone_features::ROUTE,
    list_reusable_delegation_sets::ROUTE,
    create_traffic_policy::ROUTE,
    create_traffic_policy_instance::ROUTE,
    create_traffic_policy_version::ROUTE,
    delete_traffic_policy::ROUTE,
    delete_traffic_policy_instance::ROUTE,
    get_traffic_policy::ROUTE,
    get_traffic_policy_instance::ROUTE,
    get_traffic_policy_instance_count::ROUTE,
    list_traffic_policies::ROUTE,
    list_traffic_policy_instances::ROUTE,
    list_traffic_policy_instances_by_hosted_zone::ROUTE,
    list_traffic_policy_instances_by_policy::ROUTE,
    list_traffic_policy_versions::ROUTE,
    update_traffic_policy_comment::ROUTE,
    update_traffic_policy_instance::ROUTE,
];
