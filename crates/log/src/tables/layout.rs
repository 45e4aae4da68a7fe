//! Which tables there are and how their keys are built. What their values hold is `format`'s.
//!
//! Keys are made for range scans: parts that vary in length end with a zero byte, which no part
//! but the last can contain, and numbers are big-endian.

use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKeyId, AccountId, AliasTarget, ChangeId, CidrBlock, CidrCollectionId, CidrLocation,
    DelegationSetId, Generation, HealthCheckId, Network, ProtectionKey, QueryLoggingConfigId,
    Quota, ResourceName, Seq, SetKey, TaggedKind, TaggedResource, Timestamp, TrafficPolicyId,
    TrafficPolicyInstanceId, VpcId, ZoneId,
};

use crate::format::RetryKey;

mod table;

pub(super) use self::table::Table;

/// The highest generation ever used.
pub(super) const GENERATION_COUNTER: &[u8] = b"generation";

/// How many zones an account owns.
pub(super) fn zone_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"zones", account.as_str().as_bytes()])
}

/// How many reusable delegation sets an account owns.
pub(super) fn delegation_set_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"delegation_sets", account.as_str().as_bytes()])
}

/// How many zones have a reusable delegation set.
pub(super) fn delegation_set_zone_counter(id: &DelegationSetId) -> Vec<u8> {
    joined(&[b"delegation_set_zones", id.as_str().as_bytes()])
}

/// How many health checks an account owns.
pub(super) fn health_check_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"health_checks", account.as_str().as_bytes()])
}

pub(super) fn health_check(id: &HealthCheckId) -> Vec<u8> {
    id.as_str().into()
}

/// What the keys of all rows of a health check begin with.
pub(super) fn of_health_check(id: &HealthCheckId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), b""])
}

pub(super) fn health_check_parent(child: &HealthCheckId, parent: &HealthCheckId) -> Vec<u8> {
    joined(&[child.as_str().as_bytes(), parent.as_str().as_bytes()])
}

pub(super) fn health_slot(slot: u32) -> [u8; 4] {
    slot.to_be_bytes()
}

/// How many resources an account has registered.
pub(super) fn resource_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"resources", account.as_str().as_bytes()])
}

pub(super) fn resource(account: &AccountId, name: &ResourceName) -> Vec<u8> {
    in_account(account, &name.to_string())
}

/// How many CIDR collections an account owns.
pub(super) fn cidr_collection_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"cidr_collections", account.as_str().as_bytes()])
}

/// How many blocks a CIDR collection has.
pub(super) fn cidr_block_counter(id: &CidrCollectionId) -> Vec<u8> {
    joined(&[b"cidr_blocks", id.as_str().as_bytes()])
}

/// What the keys of the counters of [`cidr_set_counter`] begin with.
pub(super) fn cidr_set_counters(id: &str) -> Vec<u8> {
    joined(&[b"cidr_sets", id.as_bytes(), b""])
}

/// How many record sets of a generation are routed by the CIDR collection of this id.
pub(super) fn cidr_set_counter(id: &str, of: Generation) -> Vec<u8> {
    let mut key = cidr_set_counters(id);
    key.extend_from_slice(&generation(of));
    key
}

/// The key of [`Table::ExternalAliases`]: whose zone has the generation, or will have it.
pub(super) fn external_aliases(account: &AccountId, of: Generation) -> Vec<u8> {
    let mut key = of_account(account);
    key.extend_from_slice(&generation(of));
    key
}

/// What the keys of all aliases to a name and type of a zone begin with.
pub(super) fn aliases_to(zone: &ZoneId, name: &Name, rtype: RecordType) -> Vec<u8> {
    // Names are found by themselves and in no order. In their wire form they end by themselves.
    let name = name.as_wire();
    let mut key = Vec::with_capacity(64 + 2 * name.len());
    key.extend_from_slice(zone.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(name);
    key.extend_from_slice(rtype.as_str().as_bytes());
    key.push(0);
    key
}

/// The key of [`Table::AliasSources`]: where the alias points, then its generation, name and
/// identifier. Its type is that of its target.
pub(super) fn alias_source(to: &AliasTarget, of: Generation, key: &SetKey) -> Vec<u8> {
    let mut row = aliases_to(&to.zone, &to.name, key.rtype);
    row.extend_from_slice(&of.0.to_be_bytes());
    row.extend_from_slice(key.name.as_wire());
    row.extend_from_slice(key.set_identifier.as_deref().unwrap_or("").as_bytes());
    row
}

/// What follows the target in such a key: the alias's generation, name and identifier.
pub(super) fn alias_source_of(rest: &[u8]) -> Option<(Generation, Name, Option<String>)> {
    let (generation, rest) = rest.split_first_chunk()?;
    let (name, identifier) = Name::read(rest).ok()?;
    let identifier = std::str::from_utf8(identifier).ok()?;
    let identifier = (!identifier.is_empty()).then(|| identifier.to_owned());
    Some((
        Generation(u64::from_be_bytes(*generation)),
        name,
        identifier,
    ))
}

pub(super) fn cidr_collection(id: &CidrCollectionId) -> Vec<u8> {
    id.as_str().into()
}

/// What the keys of all blocks of a CIDR collection begin with.
pub(super) fn of_cidr_collection(id: &CidrCollectionId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), b""])
}

/// What the keys of all blocks of a location begin with.
pub(super) fn of_cidr_location(id: &CidrCollectionId, location: &CidrLocation) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), location.as_str().as_bytes(), b""])
}

/// Collection; 4 or 6, address, length: the order of blocks.
pub(super) fn cidr_block(id: &CidrCollectionId, block: &CidrBlock) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), &block_bytes(block)])
}

pub(super) fn cidr_location_block(
    id: &CidrCollectionId,
    location: &CidrLocation,
    block: &CidrBlock,
) -> Vec<u8> {
    joined(&[
        id.as_str().as_bytes(),
        location.as_str().as_bytes(),
        &block_bytes(block),
    ])
}

fn block_bytes(block: &CidrBlock) -> Vec<u8> {
    let mut bytes = match block.address() {
        IpAddr::V4(v4) => [&[4], v4.octets().as_slice()].concat(),
        IpAddr::V6(v6) => [&[6], v6.octets().as_slice()].concat(),
    };
    bytes.push(block.prefix_len());
    bytes
}

/// The block at the end of a key.
pub(super) fn cidr_block_of(bytes: &[u8]) -> Option<CidrBlock> {
    let (len, rest) = bytes.split_last()?;
    let (family, address) = rest.split_first()?;
    let address = match family {
        4 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    Network::new(address, *len).map(CidrBlock::stored)
}

/// How many traffic policies an account owns.
pub(super) fn traffic_policy_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"traffic_policies", account.as_str().as_bytes()])
}

pub(super) fn traffic_policy(id: &TrafficPolicyId) -> Vec<u8> {
    id.as_str().into()
}

/// Policy, version.
pub(super) fn traffic_policy_version(id: &TrafficPolicyId, version: u32) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), &version.to_be_bytes()])
}

/// Account, the entry that made the policy, policy: the order of lists.
pub(super) fn account_traffic_policy(
    account: &AccountId,
    created: Seq,
    id: &TrafficPolicyId,
) -> Vec<u8> {
    joined(&[
        account.as_str().as_bytes(),
        &created.0.to_be_bytes(),
        id.as_str().as_bytes(),
    ])
}

/// Account, the entry that deleted the version, policy, version: the order of forgetting.
pub(super) fn deleted_traffic_policy(
    account: &AccountId,
    deleted: Seq,
    (id, version): (&TrafficPolicyId, u32),
) -> Vec<u8> {
    joined(&[
        account.as_str().as_bytes(),
        &deleted.0.to_be_bytes(),
        &traffic_policy_version(id, version),
    ])
}

/// The version at the end of such a key.
pub(super) fn deleted_traffic_policy_of(key: &[u8]) -> Option<(TrafficPolicyId, u32)> {
    let (rest, version) = key.split_last_chunk()?;
    let id = rest.strip_suffix(b"\0")?.rsplit(|byte| *byte == 0).next()?;
    let id = TrafficPolicyId::new(std::str::from_utf8(id).ok()?).ok()?;
    Some((id, u32::from_be_bytes(*version)))
}

/// The policy at the end of such a key.
pub(super) fn traffic_policy_of(key: &[u8]) -> Option<TrafficPolicyId> {
    let id = key.rsplit(|byte| *byte == 0).next()?;
    TrafficPolicyId::new(std::str::from_utf8(id).ok()?).ok()
}

/// How many traffic policy instances an account owns.
pub(super) fn traffic_policy_instance_counter(account: &AccountId) -> Vec<u8> {
    joined(&[b"traffic_policy_instances", account.as_str().as_bytes()])
}

pub(super) fn traffic_policy_instance(id: &TrafficPolicyInstanceId) -> Vec<u8> {
    id.as_str().into()
}

/// What the keys of all instances of a version of a traffic policy begin with.
pub(super) fn of_policy_version(policy: &TrafficPolicyId, version: u32) -> Vec<u8> {
    let mut key = joined(&[policy.as_str().as_bytes(), b""]);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// Where traffic policy instances stand, from a whole zone to the one of a name and type: zone id,
/// sort key, type, the order of lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct InstancePlace<'a> {
    pub(super) zone: &'a ZoneId,
    pub(super) name: Option<(&'a Name, Option<RecordType>)>,
}

impl InstancePlace<'_> {
    /// The lowest key of what stands there, after what the keys of a list begin with.
    pub(super) fn key(&self, list: &[u8]) -> Vec<u8> {
        let mut key = [list, self.zone.as_str().as_bytes(), b"\0"].concat();
        if let Some((name, rtype)) = self.name {
            key.extend_from_slice(name.sort_key().as_bytes());
            key.push(0);
            key.extend_from_slice(rtype.map_or("", RecordType::as_str).as_bytes());
        }
        key
    }
}

pub(super) fn query_logging_config(id: &QueryLoggingConfigId) -> Vec<u8> {
    id.as_str().into()
}

pub(super) fn vpc(id: &VpcId) -> Vec<u8> {
    id.as_str().into()
}

/// What the keys of all rows of a VPC begin with.
pub(super) fn of_vpc(id: &VpcId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), b""])
}

pub(super) fn vpc_zone(id: &VpcId, zone: &ZoneId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), zone.as_str().as_bytes()])
}

/// What the keys of all rows of a zone begin with.
pub(super) fn of_zone(zone: &ZoneId) -> Vec<u8> {
    joined(&[zone.as_str().as_bytes(), b""])
}

pub(super) fn vpc_authorization(zone: &ZoneId, vpc: &VpcId) -> Vec<u8> {
    joined(&[zone.as_str().as_bytes(), vpc.as_str().as_bytes()])
}

pub(super) fn delegation_set(id: &DelegationSetId) -> Vec<u8> {
    id.as_str().into()
}

/// What the keys of all rows of a delegation set begin with.
pub(super) fn of_delegation_set(id: &DelegationSetId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), b""])
}

pub(super) fn delegation_set_zone(id: &DelegationSetId, zone: &ZoneId) -> Vec<u8> {
    joined(&[id.as_str().as_bytes(), zone.as_str().as_bytes()])
}

pub(super) fn zone(id: &ZoneId) -> Vec<u8> {
    id.as_str().into()
}

/// The zones of this apex, and of those below: their keys go on after a longer sort key.
pub(super) fn zone_names(name: &Name) -> Vec<u8> {
    name.sort_key().into_bytes()
}

pub(super) fn zone_name(name: &Name, id: &ZoneId) -> Vec<u8> {
    joined(&[name.sort_key().as_bytes(), id.as_str().as_bytes()])
}

pub(super) fn account_zone(account: &AccountId, id: &ZoneId) -> Vec<u8> {
    joined(&[account.as_str().as_bytes(), id.as_str().as_bytes()])
}

pub(super) fn account_zone_name(account: &AccountId, name: &Name, id: &ZoneId) -> Vec<u8> {
    joined(&[
        account.as_str().as_bytes(),
        name.sort_key().as_bytes(),
        id.as_str().as_bytes(),
    ])
}

/// What the keys of all rows of an account begin with.
pub(super) fn of_account(account: &AccountId) -> Vec<u8> {
    joined(&[account.as_str().as_bytes(), b""])
}

pub(super) fn in_account(account: &AccountId, last: &str) -> Vec<u8> {
    joined(&[account.as_str().as_bytes(), last.as_bytes()])
}

pub(super) fn quota(account: &AccountId, quota: Quota) -> Vec<u8> {
    in_account(account, quota.as_str())
}

pub(super) fn access_key(id: &AccessKeyId) -> Vec<u8> {
    id.as_str().into()
}

pub(super) fn change(id: &ChangeId) -> Vec<u8> {
    id.as_str().into()
}

pub(super) fn generation(generation: Generation) -> Vec<u8> {
    generation.0.to_be_bytes().into()
}

/// Generation, sort key, type, identifier.
///
/// A sort key has neither zero bytes nor anything that sorts below a terminator, and mnemonics
/// are compared as text, so a range scan of one generation is Route 53's order of lists: by name
/// with labels reversed, then by type, then by identifier as bytes. An absent identifier and an
/// empty one, which Route 53 does not have, are the same key.
pub(super) fn set(of: Generation, key: &SetKey) -> Vec<u8> {
    let identifier = key.set_identifier.as_deref().unwrap_or("");
    set_from(of, &key.name, Some(key.rtype), Some(identifier))
}

/// The lowest key of a set at this name, of this type or a later one, of this identifier or a
/// later one.
pub(super) fn set_from(
    of: Generation,
    name: &Name,
    rtype: Option<RecordType>,
    identifier: Option<&str>,
) -> Vec<u8> {
    let sort_key = name.sort_key();
    let mut key = Vec::with_capacity(8 + sort_key.len() + 8 + identifier.map_or(0, str::len));
    key.extend_from_slice(&of.0.to_be_bytes());
    key.extend_from_slice(sort_key.as_bytes());
    key.push(0);
    if let Some(rtype) = rtype {
        key.extend_from_slice(rtype.as_str().as_bytes());
        key.push(0);
        key.extend_from_slice(identifier.unwrap_or("").as_bytes());
    }
    key
}

pub(super) fn name_server(name: &Name) -> Vec<u8> {
    name.sort_key().into_bytes()
}

pub(super) fn request(key: &RetryKey) -> Vec<u8> {
    key.0.into()
}

/// The number of the hour since 1970.
pub(super) const fn hour(time: Timestamp) -> i64 {
    time.0.div_euclid(60 * 60 * 1000)
}

/// What an account made in an hour.
pub(super) fn creations(account: &AccountId, hour: i64) -> Vec<u8> {
    // As with times.
    let hour = (hour.cast_unsigned() ^ (1 << 63)).to_be_bytes();
    joined(&[account.as_str().as_bytes(), &hour])
}

/// The lowest key of a request of this time.
pub(super) fn request_times_from(time: Timestamp) -> [u8; 8] {
    // The sign bit is flipped so that times before 1970 sort before the later ones.
    (time.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

pub(super) fn request_time(time: Timestamp, key: &RetryKey) -> Vec<u8> {
    [request_times_from(time).as_slice(), &key.0].concat()
}

/// What the keys of all history rows of a zone begin with.
pub(super) fn history_of(zone: &ZoneId) -> Vec<u8> {
    joined(&[zone.as_str().as_bytes(), b""])
}

pub(super) fn history(zone: &ZoneId, seq: Seq, commit: u32) -> Vec<u8> {
    let mut key = history_of(zone);
    key.extend_from_slice(&seq.0.to_be_bytes());
    key.extend_from_slice(&commit.to_be_bytes());
    key
}

/// How many protections a zone has.
pub(super) fn protection_counter(zone: &ZoneId) -> Vec<u8> {
    joined(&[b"protections", zone.as_str().as_bytes()])
}

/// What the keys of all protections of a zone begin with.
pub(super) fn protections_of(zone: &ZoneId) -> Vec<u8> {
    joined(&[zone.as_str().as_bytes(), b""])
}

/// Zone id, sort key, type: the order of record sets.
pub(super) fn protection(key: &ProtectionKey) -> Vec<u8> {
    protection_from(&key.zone, &key.name, Some(key.rtype))
}

/// The lowest key of a protection at this name, of this type or a later one.
pub(super) fn protection_from(zone: &ZoneId, name: &Name, rtype: Option<RecordType>) -> Vec<u8> {
    joined(&[
        zone.as_str().as_bytes(),
        name.sort_key().as_bytes(),
        rtype.map_or("", RecordType::as_str).as_bytes(),
    ])
}

pub(super) fn tags(resource: &TaggedResource) -> Vec<u8> {
    joined(&[resource.kind.as_str().as_bytes(), resource.id.as_bytes()])
}

/// What keys of tags begin with that are on such things.
pub(super) fn tags_of(kind: TaggedKind) -> Vec<u8> {
    joined(&[kind.as_str().as_bytes(), b""])
}

pub(super) fn seq(seq: Seq) -> Vec<u8> {
    seq.0.to_be_bytes().into()
}

/// The lowest key above all that begin with `prefix`; none when there is none.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}
