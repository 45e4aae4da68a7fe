//! The other side of Route 53's API: what to ask another Route 53, and what its answers say. As
//! much of it as moving in needs; only reading.
//!
//! Pure: sockets, credentials and the pace are whoever's who asks. Answers are read leniently, since
//! a service may say more than is known here: elements that are not looked for are passed over. Only
//! record sets and health checks are read strictly, so that none is taken for less than it is.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod ask;
mod check;
mod read;

pub use ask::{Ask, InstancesStart, SetsStart};
pub use check::{read_check_config, write_check_config};
pub use read::{
    RemoteDelegationSet, RemoteHealthCheck, RemotePage, RemotePolicyInstance, RemoteQueryLog,
    RemoteSet, RemoteTags, RemoteThing, RemoteZone, Unreadable, read_cidr_collections,
    read_delegation_sets, read_error, read_health_checks, read_hosted_zone, read_hosted_zones,
    read_policy_instances, read_query_logs, read_record_sets, read_signing, read_tags,
    read_traffic_policies,
};

/// The service in the scope of signatures.
pub const SERVICE: &str = crate::route53::SERVICE;
