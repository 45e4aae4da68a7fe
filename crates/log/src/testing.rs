//! Strategies for the model's types, and helpers that only tests use. Values come from small
//! pools, so that sequences of effects meet each other's rows.

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AcceleratedRecovery, AccessKey, AccessKeyId, Account, AccountId, AliasTarget, AssociatedVpc,
    Change, ChangeId, CheckerRegion, CidrBlock, CidrBlocks, CidrCollection, CidrCollectionId,
    CidrLocation, ControlState, Coordinates, DelegationSet, DelegationSetId, Effect, Endpoint,
    FailoverRole, Generation, GeoLocation, GeoproximityLocation, GeoproximityPlace, Health,
    HealthCheck, HealthCheckConfig, HealthCheckId, HealthSlot, HealthSubject, HealthSwitch,
    KeyStatus, LogGroupArn, NameServer, Network, OwnRegion, Policy, ProbeRights, Protection,
    ProtectionKey, Protocol, QueryLoggingConfig, QueryLoggingConfigId, Quota, RecordSet, Region,
    Resource, ResourceName, ReusableDelegationSet, Routing, RoutingControl, SetData, SetKey, Tag,
    TagSet, TaggedKind, TaggedResource, Timestamp, TrafficPolicy, TrafficPolicyId,
    TrafficPolicyInstance, TrafficPolicyInstanceId, UnseenGeneration, UnseenState, User, Vpc,
    VpcAuthorization, VpcId, VpcRegion, WithoutData, Zone, ZoneId,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::format::{Commit, Entry, RetryKey};
use crate::journal::Head;

mod cidr;
mod health;
mod traffic;

pub(crate) use self::cidr::{cidr_block, cidr_collection_id, cidr_location};
use self::cidr::{cidr_blocks, cidr_collection, collection_name};
pub(crate) use self::health::health_check_id;
use self::health::{health_check, health_switch, routing_control};
use self::traffic::{traffic_policy, traffic_policy_instance};
pub(crate) use self::traffic::{traffic_policy_id, traffic_policy_instance_id};

pub(crate) fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[a-c]{0,2}", any::<String>()]
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp)
}

/// Short names that meet and nest, with bytes around those of dots, digits and letters.
pub(crate) fn name() -> impl Strategy<Value = Name> + Clone {
    let byte = select(b"ab-_*!.0~\x00\xff".to_vec());
    let label = prop::collection::vec(byte, 1..3);
    prop::collection::vec(label, 0..4).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).expect("short"));
            wire.extend_from_slice(&label);
        }
        wire.push(0);
        Name::from_wire(&wire).expect("labels and a root")
    })
}

pub(crate) fn account_id() -> impl Strategy<Value = AccountId> {
    select(vec!["111111111111", "222222222222"]).prop_map(|id| AccountId::new(id).expect("digits"))
}

pub(crate) fn zone_id() -> impl Strategy<Value = ZoneId> {
    select(vec!["Z1", "Z2", "Z22", "Z3"]).prop_map(|id| ZoneId::new(id).expect("capitals"))
}

pub(crate) fn generation() -> impl Strategy<Value = Generation> {
    prop_oneof![9 => 1..5u64, 1 => any::<u64>()].prop_map(Generation)
}

pub(crate) fn set_key() -> impl Strategy<Value = SetKey> {
    let identifier = option::of(prop_oneof!["[a-b]{1,2}", ".{1,4}"]);
    (name(), select(RecordType::ALL.to_vec()), identifier).prop_map(|(name, rtype, identifier)| {
        SetKey {
            name,
            rtype,
            set_identifier: identifier,
        }
    })
}

fn routing() -> impl Strategy<Value = Routing> {
    let place = prop_oneof![
        text().prop_map(GeoproximityPlace::Region),
        text().prop_map(GeoproximityPlace::LocalZoneGroup),
        (text(), text()).prop_map(|(latitude, longitude)| {
            GeoproximityPlace::Coordinates(Coordinates {
                latitude,
                longitude,
            })
        }),
    ];
    prop_oneof![
        Just(Routing::Simple),
        any::<u8>().prop_map(Routing::Weighted),
        text().prop_map(|region| Routing::Latency(Region::stored(&region))),
        select(vec![FailoverRole::Primary, FailoverRole::Secondary]).prop_map(Routing::Failover),
        (option::of(text()), option::of(text()), option::of(text())).prop_map(
            |(continent, country, subdivision)| Routing::Geolocation(GeoLocation {
                continent,
                country,
                subdivision,
            })
        ),
        Just(Routing::Multivalue),
        (collection_name(), text()).prop_map(|(collection_id, location)| Routing::Cidr {
            collection_id,
            location,
        }),
        (place, option::of(any::<i8>()))
            .prop_map(|(place, bias)| Routing::Geoproximity(GeoproximityLocation { place, bias })),
    ]
}

fn set_data() -> impl Strategy<Value = SetData> {
    let values = prop::collection::vec(text(), 0..3);
    prop_oneof![
        (any::<u32>(), values).prop_map(|(ttl, values)| SetData::Records { ttl, values }),
        (zone_id(), name(), any::<bool>()).prop_map(|(zone, name, evaluate)| {
            SetData::Alias(AliasTarget {
                zone,
                name,
                evaluate_target_health: evaluate,
            })
        }),
    ]
}

/// A name that an instance keeps for its tree, or one that only looks like that.
fn reserved_key() -> impl Strategy<Value = SetKey> {
    let label = select(vec!["_tp-1-0", "_tp-1-1", "_tp-22-0", "_tp-1"]);
    (set_key(), label).prop_map(|(key, label)| SetKey {
        name: Name::parse(label).expect("a name"),
        ..key
    })
}

pub(crate) fn record_set() -> impl Strategy<Value = RecordSet> {
    let instance = prop_oneof![
        text(),
        traffic_policy_instance_id().prop_map(|id| id.to_string())
    ];
    let ids = (option::of(text()), option::of(instance));
    let key = prop_oneof![3 => set_key(), 1 => reserved_key()];
    (key, routing(), set_data(), ids).prop_map(|(key, routing, data, (health, policy))| RecordSet {
        key,
        routing,
        data,
        health_check_id: health,
        traffic_policy_instance_id: policy,
    })
}

fn zone() -> impl Strategy<Value = Zone> {
    let ids = (zone_id(), account_id(), name(), generation(), time());
    let texts = (
        text(),
        option::of(text()),
        any::<bool>(),
        recovery(),
        associated_vpcs(),
    );
    let name_servers = prop::collection::vec(name(), 0..4);
    let delegation_set = (option::of(delegation_set_id()), name_servers);
    (ids, texts, delegation_set).prop_map(
        |((id, account, name, generation, created_at), texts, (reusable, name_servers))| Zone {
            id,
            account,
            name,
            caller_reference: texts.0,
            comment: texts.1,
            private: texts.2,
            delegation_set: DelegationSet {
                id: reusable.clone(),
                caller_reference: reusable.map(|id| id.to_string()),
                name_servers,
            },
            generation,
            created_at,
            accelerated_recovery: texts.3,
            vpcs: texts.4,
        },
    )
}

fn recovery() -> impl Strategy<Value = AcceleratedRecovery> {
    select(vec![
        AcceleratedRecovery::Enabled,
        AcceleratedRecovery::Disabled,
    ])
}

/// Few, so that they are met again.
pub(crate) fn protection_key() -> impl Strategy<Value = ProtectionKey> {
    let rtype = select(vec![RecordType::A, RecordType::Txt]);
    (zone_id(), name(), rtype).prop_map(|(zone, name, rtype)| ProtectionKey { zone, name, rtype })
}
pub(crate) fn vpc_id() -> impl Strategy<Value = VpcId> {
    select(vec!["vpc-1", "vpc-2", "vpc-22"]).prop_map(|id| VpcId::new(id).expect("small letters"))
}

fn associated_vpc() -> impl Strategy<Value = AssociatedVpc> {
    (vpc_id(), text()).prop_map(|(id, region)| AssociatedVpc {
        id,
        region: VpcRegion::stored(&region),
    })
}

/// Each at most once.
fn associated_vpcs() -> impl Strategy<Value = Vec<AssociatedVpc>> {
    prop::collection::vec(associated_vpc(), 0..3).prop_map(|mut vpcs| {
        vpcs.dedup_by(|a, b| a.id == b.id);
        vpcs
    })
}

fn vpc() -> impl Strategy<Value = Vpc> {
    let network = (any::<std::net::IpAddr>(), 0..=32u8)
        .prop_filter_map("no address in the form of another", |(address, len)| {
            Network::new(address, len)
        });
    let networks = prop::collection::vec(network, 0..3);
    (associated_vpc(), account_id(), networks).prop_map(|(vpc, account, networks)| Vpc {
        id: vpc.id,
        region: vpc.region,
        account,
        networks,
    })
}

fn vpc_authorization() -> impl Strategy<Value = VpcAuthorization> {
    (zone_id(), associated_vpc(), account_id()).prop_map(|(zone, vpc, account)| VpcAuthorization {
        zone,
        vpc,
        account,
    })
}

fn tag_set() -> impl Strategy<Value = TagSet> {
    let resource = (select(TaggedKind::ALL.to_vec()), zone_id());
    let tag = (text(), text()).prop_map(|(key, value)| Tag { key, value });
    (resource, prop::collection::vec(tag, 0..3)).prop_map(|((kind, id), tags)| TagSet {
        resource: TaggedResource {
            kind,
            id: id.to_string(),
        },
        tags,
    })
}

pub(crate) fn delegation_set_id() -> impl Strategy<Value = DelegationSetId> {
    select(vec!["N1", "N2", "N22"]).prop_map(|id| DelegationSetId::new(id).expect("capitals"))
}

fn delegation_set() -> impl Strategy<Value = ReusableDelegationSet> {
    let name_servers = prop::collection::vec(name(), 0..4);
    let rest = (text(), name_servers, generation());
    (delegation_set_id(), account_id(), rest).prop_map(
        |(id, account, (caller_reference, name_servers, turn))| ReusableDelegationSet {
            id,
            account,
            caller_reference,
            name_servers,
            turn,
        },
    )
}

pub(crate) fn query_logging_config_id() -> impl Strategy<Value = QueryLoggingConfigId> {
    select(vec!["1", "2", "22"]).prop_map(|id| QueryLoggingConfigId::new(id).expect("digits"))
}

fn query_logging_config() -> impl Strategy<Value = QueryLoggingConfig> {
    (query_logging_config_id(), account_id(), zone_id(), text()).prop_map(
        |(id, account, zone, log_group)| QueryLoggingConfig {
            id,
            account,
            zone,
            log_group: LogGroupArn::stored(log_group),
        },
    )
}

fn own_region() -> impl Strategy<Value = OwnRegion> {
    let name = select(vec!["home", "home-1", "moon"]);
    (name, text(), text()).prop_map(|(name, latitude, longitude)| OwnRegion {
        name: Region::stored(name),
        at: Coordinates {
            latitude,
            longitude,
        },
    })
}

pub(crate) fn resource_name() -> impl Strategy<Value = ResourceName> {
    prop_oneof![
        name().prop_map(ResourceName::Host),
        select(vec!["192.0.2.1", "192.0.2.10", "2001:db8::1"])
            .prop_map(|text| ResourceName::Address(text.parse().expect("an address"))),
    ]
}

fn resource() -> impl Strategy<Value = Resource> {
    let region = select(vec!["home", "eu-west-1"]).prop_map(Region::stored);
    let check = option::of(health_check_id());
    (account_id(), resource_name(), region, check).prop_map(
        |(account, name, region, health_check)| Resource {
            account,
            name,
            region,
            health_check,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let id = select(vec!["C1", "C2"]).prop_map(|id| ChangeId::new(id).expect("capitals"));
    (
        id,
        account_id(),
        option::of(zone_id()),
        time(),
        option::of(text()),
    )
        .prop_map(|(id, account, zone, submitted_at, comment)| Change {
            id,
            account,
            zone,
            submitted_at,
            comment,
        })
}

fn name_server() -> impl Strategy<Value = NameServer> {
    let addresses = prop::collection::vec(any::<std::net::IpAddr>(), 0..3);
    (name(), addresses, any::<u32>()).prop_map(|(name, addresses, ordinal)| NameServer {
        name,
        addresses,
        ordinal,
    })
}

fn account() -> impl Strategy<Value = Account> {
    let probes = select(ProbeRights::ALL.to_vec());
    let account = (account_id(), text(), any::<bool>(), probes, time());
    account.prop_map(|(id, name, operator, probes, created_at)| Account {
        id,
        name,
        operator,
        probes,
        created_at,
    })
}

fn user() -> impl Strategy<Value = User> {
    let policy = (text(), text()).prop_map(|(name, document)| Policy { name, document });
    let policies = prop::collection::vec(policy, 0..3);
    (account_id(), text(), policies, time()).prop_map(|(account, name, policies, created_at)| {
        User {
            account,
            name,
            policies,
            created_at,
        }
    })
}

fn access_key_id() -> impl Strategy<Value = AccessKeyId> {
    select(vec!["AKIA1", "AKIA2"]).prop_map(|id| AccessKeyId::new(id).expect("letters"))
}

fn access_key() -> impl Strategy<Value = AccessKey> {
    let status = select(vec![KeyStatus::Active, KeyStatus::Inactive]);
    let texts = (option::of(text()), text());
    (access_key_id(), account_id(), texts, status, time()).prop_map(
        |(id, account, (user, vault_row), status, created_at)| AccessKey {
            id,
            account,
            user,
            status,
            vault_row,
            created_at,
        },
    )
}

fn unseen_generation() -> impl Strategy<Value = UnseenGeneration> {
    let states = vec![
        UnseenState::Draft,
        UnseenState::Superseded,
        UnseenState::Garbage,
    ];
    (
        generation(),
        account_id(),
        zone_id(),
        select(states),
        time(),
    )
        .prop_map(
            |(generation, account, zone, state, since)| UnseenGeneration {
                generation,
                account,
                zone,
                state,
                since,
            },
        )
}

/// Every kind of effect; sets more often than the rest.
pub(crate) fn effect() -> impl Strategy<Value = Effect> {
    let put_set = (generation(), record_set());
    let delete_set = (
        generation(),
        prop_oneof![3 => set_key(), 1 => reserved_key()],
    );
    let quota = (account_id(), select(Quota::ALL.to_vec()), any::<u64>());
    prop_oneof![
        4 => zone().prop_map(Effect::PutZone),
        2 => zone_id().prop_map(Effect::DeleteZone),
        8 => put_set.prop_map(|(generation, set)| Effect::PutSet { generation, set }),
        6 => delete_set.prop_map(|(generation, key)| Effect::DeleteSet { generation, key }),
        1 => change().prop_map(Effect::PutChange),
        1 => name_server().prop_map(Effect::PutNameServer),
        1 => name().prop_map(Effect::DeleteNameServer),
        1 => account().prop_map(Effect::PutAccount),
        1 => account_id().prop_map(Effect::DeleteAccount),
        1 => user().prop_map(Effect::PutUser),
        1 => (account_id(), text()).prop_map(|(account, name)| Effect::DeleteUser { account, name }),
        1 => access_key().prop_map(Effect::PutAccessKey),
        1 => access_key_id().prop_map(Effect::DeleteAccessKey),
        1 => unseen_generation().prop_map(Effect::PutUnseenGeneration),
        1 => generation().prop_map(Effect::DeleteUnseenGeneration),
        1 => (generation(), 0..4u32)
            .prop_map(|(generation, most)| Effect::CollectGeneration { generation, most }),
        1 => vpc().prop_map(Effect::PutVpc),
        1 => vpc_id().prop_map(Effect::DeleteVpc),
        1 => vpc_authorization().prop_map(Effect::PutVpcAuthorization),
        1 => (zone_id(), vpc_id())
            .prop_map(|(zone, vpc)| Effect::DeleteVpcAuthorization { zone, vpc }),
        1 => tag_set().prop_map(Effect::PutTags),
        2 => (protection_key(), option::of(text()))
            .prop_map(|(key, comment)| Effect::PutProtection(Protection { key, comment })),
        1 => protection_key().prop_map(Effect::DeleteProtection),
        1 => quota.prop_map(|(account, quota, limit)| Effect::PutQuota { account, quota, limit }),
        2 => delegation_set().prop_map(Effect::PutDelegationSet),
        1 => delegation_set_id().prop_map(Effect::DeleteDelegationSet),
        3 => traffic_policy().prop_map(Effect::PutTrafficPolicy),
        2 => (traffic_policy_id(), 1..4u32)
            .prop_map(|(id, version)| Effect::DeleteTrafficPolicy { id, version }),
        2 => (traffic_policy_id(), 1..4u32)
            .prop_map(|(id, version)| Effect::ForgetTrafficPolicy { id, version }),
        2 => cidr_collection().prop_map(Effect::PutCidrCollection),
        1 => cidr_collection_id().prop_map(Effect::DeleteCidrCollection),
        3 => cidr_blocks().prop_map(Effect::PutCidrBlocks),
        2 => cidr_blocks().prop_map(Effect::DeleteCidrBlocks),
        3 => traffic_policy_instance().prop_map(Effect::PutTrafficPolicyInstance),
        2 => traffic_policy_instance_id().prop_map(Effect::DeleteTrafficPolicyInstance),
        2 => query_logging_config().prop_map(Effect::PutQueryLoggingConfig),
        1 => query_logging_config_id().prop_map(Effect::DeleteQueryLoggingConfig),
        3 => health_check().prop_map(Effect::PutHealthCheck),
        2 => health_check_id().prop_map(Effect::DeleteHealthCheck),
        1 => health_switch().prop_map(Effect::PutHealthSwitch),
        1 => health_check_id().prop_map(Effect::DeleteHealthSwitch),
        1 => routing_control().prop_map(Effect::PutRoutingControl),
        1 => own_region().prop_map(Effect::PutRegion),
        1 => own_region().prop_map(|region| Effect::DeleteRegion(region.name)),
        2 => resource().prop_map(Effect::PutResource),
        1 => (account_id(), resource_name())
            .prop_map(|(account, name)| Effect::DeleteResource { account, name }),
    ]
}

pub(crate) fn commit() -> impl Strategy<Value = Commit> {
    let retry = option::of((0..4u8).prop_map(|key| RetryKey([key; 32])));
    let effects = prop::collection::vec(effect(), 0..6);
    let who = (text(), option::of(account_id()), text(), text());
    (who, retry, effects).prop_map(
        |((request_id, account, principal, source), retry, effects)| Commit {
            request_id,
            account,
            principal,
            source,
            retry,
            effects,
        },
    )
}

/// A chain from the first entry on. Minutes or months lie between entries.
pub(crate) fn chain(max: usize) -> impl Strategy<Value = Vec<Entry>> {
    let gap = prop_oneof![0..400_000i64, 0..10_000_000_000i64];
    let entry = (gap, prop::collection::vec(commit(), 0..3));
    prop::collection::vec(entry, 1..max).prop_map(|entries| {
        let (mut head, mut time) = (Head::EMPTY, 0);
        entries
            .into_iter()
            .map(|(gap, commits)| {
                time += gap;
                let (entry, _) = Entry::after(head, Timestamp(time), commits);
                head = entry.head();
                entry
            })
            .collect()
    })
}

pub(crate) fn commit_of(effects: Vec<Effect>) -> Commit {
    Commit {
        request_id: "request".into(),
        account: None,
        principal: "principal".into(),
        source: "source".into(),
        retry: None,
        effects,
    }
}

pub(crate) fn simple_zone(id: &str, generation: Generation) -> Zone {
    Zone {
        id: ZoneId::new(id).expect("capitals"),
        account: AccountId::new("111111111111").expect("digits"),
        name: Name::root(),
        caller_reference: id.into(),
        comment: None,
        private: false,
        delegation_set: DelegationSet::own(vec![]),
        generation,
        created_at: Timestamp(0),
        accelerated_recovery: AcceleratedRecovery::Disabled,
        vpcs: vec![],
    }
}
