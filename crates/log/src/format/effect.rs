//! The stored form of effects. A new kind gets a new tag and a higher level.

use meridian_model::{Effect, Generation};
use prost::{Message, Oneof};

use super::account::{AccessKeyMessage, AccountMessage, UserMessage, access_key_id, quota};
use super::cidr::{CidrBlocksMessage, CidrCollectionMessage, cidr_collection_id};
use super::delegation_set::{DelegationSetMessage, delegation_set_id};
use super::generation::UnseenGenerationMessage;
use super::health_check::{
    HealthCheckMessage, HealthSwitchMessage, RoutingControlMessage, health_check_id,
};
use super::protection::{ProtectionKeyMessage, ProtectionMessage};
use super::query_logging::{QueryLoggingConfigMessage, query_logging_config_id};
use super::record_set::{RecordSetMessage, SetKeyMessage};
use super::region::RegionMessage;
use super::resource::{ResourceKeyMessage, ResourceMessage};
use super::tag::TagSetMessage;
use super::traffic_policy::{TrafficPolicyMessage, traffic_policy_id};
use super::traffic_policy_instance::{TrafficPolicyInstanceMessage, traffic_policy_instance_id};
use super::vpc::{VpcAuthorizationMessage, VpcMessage, vpc_id};
use super::zone::{ChangeMessage, NameServerMessage, ZoneMessage, zone_id};
use super::{DecodeError, Stored, account_id, name, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EffectMessage {
    #[prost(
        oneof = "KindMessage",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 33, 40, 41, 42, 43, 50, 60, 61, 62, 70, 71, 75, 76, 63, 64, 65, 66, 80, 81, 82, 83, 90, 91, 92, 93, 94"
    )]
    kind: Option<KindMessage>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum KindMessage {
    #[prost(message, tag = "1")]
    PutZone(ZoneMessage),
    #[prost(string, tag = "2")]
    DeleteZone(String),
    #[prost(message, tag = "3")]
    PutSet(PutSetMessage),
    #[prost(message, tag = "4")]
    DeleteSet(DeleteSetMessage),
    #[prost(message, tag = "5")]
    PutChange(ChangeMessage),
    #[prost(message, tag = "6")]
    PutNameServer(NameServerMessage),
    #[prost(bytes, tag = "7")]
    DeleteNameServer(Vec<u8>),
    #[prost(message, tag = "8")]
    PutAccount(AccountMessage),
    #[prost(message, tag = "9")]
    PutUser(UserMessage),
    #[prost(message, tag = "10")]
    DeleteUser(DeleteUserMessage),
    #[prost(message, tag = "11")]
    PutAccessKey(AccessKeyMessage),
    #[prost(string, tag = "12")]
    DeleteAccessKey(String),
    #[prost(message, tag = "13")]
    PutQuota(PutQuotaMessage),
    #[prost(message, tag = "60")]
    PutUnseenGeneration(UnseenGenerationMessage),
    #[prost(uint64, tag = "61")]
    DeleteUnseenGeneration(u64),
    #[prost(message, tag = "62")]
    CollectGeneration(CollectGenerationMessage),
    #[prost(message, tag = "20")]
    PutTags(TagSetMessage),
    #[prost(message, tag = "21")]
    PutProtection(ProtectionMessage),
    #[prost(message, tag = "22")]
    DeleteProtection(ProtectionKeyMessage),
    #[prost(message, tag = "30")]
    PutDelegationSet(DelegationSetMessage),
    #[prost(string, tag = "31")]
    DeleteDelegationSet(String),
    #[prost(string, tag = "50")]
    DeleteAccount(String),
    #[prost(message, tag = "32")]
    PutQueryLoggingConfig(QueryLoggingConfigMessage),
    #[prost(string, tag = "33")]
    DeleteQueryLoggingConfig(String),
    #[prost(message, tag = "40")]
    PutVpc(VpcMessage),
    #[prost(string, tag = "41")]
    DeleteVpc(String),
    #[prost(message, tag = "42")]
    PutVpcAuthorization(VpcAuthorizationMessage),
    #[prost(message, tag = "43")]
    DeleteVpcAuthorization(DeleteVpcAuthorizationMessage),
    #[prost(message, tag = "70")]
    PutHealthCheck(HealthCheckMessage),
    #[prost(string, tag = "71")]
    DeleteHealthCheck(String),
    #[prost(message, tag = "76")]
    PutHealthSwitch(HealthSwitchMessage),
    #[prost(string, tag = "75")]
    DeleteHealthSwitch(String),
    #[prost(message, tag = "63")]
    PutRoutingControl(RoutingControlMessage),
    #[prost(message, tag = "64")]
    Region(RegionMessage),
    #[prost(message, tag = "65")]
    PutResource(ResourceMessage),
    #[prost(message, tag = "66")]
    DeleteResource(ResourceKeyMessage),
    #[prost(message, tag = "80")]
    PutCidrCollection(CidrCollectionMessage),
    #[prost(string, tag = "81")]
    DeleteCidrCollection(String),
    #[prost(message, tag = "82")]
    PutCidrBlocks(CidrBlocksMessage),
    #[prost(message, tag = "83")]
    DeleteCidrBlocks(CidrBlocksMessage),
    #[prost(message, tag = "90")]
    PutTrafficPolicy(TrafficPolicyMessage),
    #[prost(message, tag = "91")]
    DeleteTrafficPolicy(DeleteTrafficPolicyMessage),
    #[prost(message, tag = "94")]
    ForgetTrafficPolicy(DeleteTrafficPolicyMessage),
    #[prost(message, tag = "92")]
    PutTrafficPolicyInstance(TrafficPolicyInstanceMessage),
    #[prost(string, tag = "93")]
    DeleteTrafficPolicyInstance(String),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PutSetMessage {
    #[prost(uint64, tag = "1")]
    generation: u64,
    #[prost(message, optional, tag = "2")]
    set: Option<RecordSetMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteSetMessage {
    #[prost(uint64, tag = "1")]
    generation: u64,
    #[prost(message, optional, tag = "2")]
    key: Option<SetKeyMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteUserMessage {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PutQuotaMessage {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, tag = "2")]
    quota: String,
    #[prost(uint64, tag = "3")]
    limit: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteVpcAuthorizationMessage {
    #[prost(string, tag = "1")]
    zone: String,
    #[prost(string, tag = "2")]
    vpc: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteTrafficPolicyMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(uint32, tag = "2")]
    version: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CollectGenerationMessage {
    #[prost(uint64, tag = "1")]
    generation: u64,
    #[prost(uint32, tag = "2")]
    most: u32,
}

impl Stored for Effect {
    type Message = EffectMessage;

    #[expect(clippy::too_many_lines, reason = "an arm for each kind of effect")]
    fn to_message(&self) -> EffectMessage {
        let kind = match self {
            Self::PutZone(zone) => KindMessage::PutZone(zone.to_message()),
            Self::DeleteZone(id) => KindMessage::DeleteZone(id.as_str().into()),
            Self::PutSet { generation, set } => KindMessage::PutSet(PutSetMessage {
                generation: generation.0,
                set: Some(set.to_message()),
            }),
            Self::DeleteSet { generation, key } => KindMessage::DeleteSet(DeleteSetMessage {
                generation: generation.0,
                key: Some(key.to_message()),
            }),
            Self::PutChange(change) => KindMessage::PutChange(change.to_message()),
            Self::PutNameServer(server) => KindMessage::PutNameServer(server.to_message()),
            Self::DeleteNameServer(name) => KindMessage::DeleteNameServer(name.as_wire().into()),
            Self::PutAccount(account) => KindMessage::PutAccount(account.to_message()),
            Self::DeleteAccount(id) => KindMessage::DeleteAccount(id.as_str().into()),
            Self::PutUser(user) => KindMessage::PutUser(user.to_message()),
            Self::DeleteUser { account, name } => KindMessage::DeleteUser(DeleteUserMessage {
                account: account.as_str().into(),
                name: name.clone(),
            }),
            Self::PutAccessKey(key) => KindMessage::PutAccessKey(key.to_message()),
            Self::DeleteAccessKey(id) => KindMessage::DeleteAccessKey(id.as_str().into()),
            Self::PutQuota {
                account,
                quota,
                limit,
            } => KindMessage::PutQuota(PutQuotaMessage {
                account: account.as_str().into(),
                quota: quota.as_str().into(),
                limit: *limit,
            }),
            Self::PutUnseenGeneration(unseen) => {
                KindMessage::PutUnseenGeneration(unseen.to_message())
            }
            Self::DeleteUnseenGeneration(generation) => {
                KindMessage::DeleteUnseenGeneration(generation.0)
            }
            Self::CollectGeneration { generation, most } => {
                KindMessage::CollectGeneration(CollectGenerationMessage {
                    generation: generation.0,
                    most: *most,
                })
            }
            Self::PutTags(set) => KindMessage::PutTags(set.to_message()),
            Self::PutProtection(protection) => KindMessage::PutProtection(protection.to_message()),
            Self::DeleteProtection(key) => KindMessage::DeleteProtection(key.to_message()),
            Self::PutDelegationSet(set) => KindMessage::PutDelegationSet(set.to_message()),
            Self::DeleteDelegationSet(id) => KindMessage::DeleteDelegationSet(id.as_str().into()),
            Self::PutQueryLoggingConfig(config) => {
                KindMessage::PutQueryLoggingConfig(config.to_message())
            }
            Self::DeleteQueryLoggingConfig(id) => {
                KindMessage::DeleteQueryLoggingConfig(id.as_str().into())
            }
            Self::PutVpc(vpc) => KindMessage::PutVpc(vpc.to_message()),
            Self::DeleteVpc(id) => KindMessage::DeleteVpc(id.as_str().into()),
            Self::PutVpcAuthorization(authorization) => {
                KindMessage::PutVpcAuthorization(authorization.to_message())
            }
            Self::DeleteVpcAuthorization { zone, vpc } => {
                KindMessage::DeleteVpcAuthorization(DeleteVpcAuthorizationMessage {
                    zone: zone.as_str().into(),
                    vpc: vpc.as_str().into(),
                })
            }
            Self::PutHealthCheck(check) => KindMessage::PutHealthCheck(check.to_message()),
            Self::DeleteHealthCheck(id) => KindMessage::DeleteHealthCheck(id.as_str().into()),
            Self::PutHealthSwitch(switch) => KindMessage::PutHealthSwitch(switch.to_message()),
            Self::DeleteHealthSwitch(id) => KindMessage::DeleteHealthSwitch(id.as_str().into()),
            Self::PutRoutingControl(control) => {
                KindMessage::PutRoutingControl(control.to_message())
            }
            Self::PutRegion(region) => KindMessage::Region(RegionMessage::put(region)),
            Self::DeleteRegion(name) => KindMessage::Region(RegionMessage::delete(name)),
            Self::PutResource(resource) => KindMessage::PutResource(resource.to_message()),
            Self::DeleteResource { account, name } => {
                KindMessage::DeleteResource(ResourceKeyMessage::new(account, name))
            }
            Self::PutCidrCollection(it) => KindMessage::PutCidrCollection(it.to_message()),
            Self::DeleteCidrCollection(id) => KindMessage::DeleteCidrCollection(id.as_str().into()),
            Self::PutCidrBlocks(blocks) => KindMessage::PutCidrBlocks(blocks.to_message()),
            Self::DeleteCidrBlocks(blocks) => KindMessage::DeleteCidrBlocks(blocks.to_message()),
            Self::PutTrafficPolicy(policy) => KindMessage::PutTrafficPolicy(policy.to_message()),
            Self::DeleteTrafficPolicy { id, version } => {
                KindMessage::DeleteTrafficPolicy(DeleteTrafficPolicyMessage {
                    id: id.as_str().into(),
                    version: *version,
                })
            }
            Self::ForgetTrafficPolicy { id, version } => {
                KindMessage::ForgetTrafficPolicy(DeleteTrafficPolicyMessage {
                    id: id.as_str().into(),
                    version: *version,
                })
            }
            Self::PutTrafficPolicyInstance(instance) => {
                KindMessage::PutTrafficPolicyInstance(instance.to_message())
            }
            Self::DeleteTrafficPolicyInstance(id) => {
                KindMessage::DeleteTrafficPolicyInstance(id.as_str().into())
            }
        };
        EffectMessage { kind: Some(kind) }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each kind of effect")]
    fn from_message(message: EffectMessage) -> Result<Self, DecodeError> {
        Ok(match required(message.kind, "effect")? {
            KindMessage::PutZone(zone) => Self::PutZone(Stored::from_message(zone)?),
            KindMessage::DeleteZone(id) => Self::DeleteZone(zone_id(&id)?),
            KindMessage::PutSet(put) => Self::PutSet {
                generation: Generation(put.generation),
                set: Stored::from_message(required(put.set, "set")?)?,
            },
            KindMessage::DeleteSet(delete) => Self::DeleteSet {
                generation: Generation(delete.generation),
                key: Stored::from_message(required(delete.key, "set key")?)?,
            },
            KindMessage::PutChange(change) => Self::PutChange(Stored::from_message(change)?),
            KindMessage::PutNameServer(it) => Self::PutNameServer(Stored::from_message(it)?),
            KindMessage::DeleteNameServer(wire) => {
                Self::DeleteNameServer(name(&wire, "name server")?)
            }
            KindMessage::PutAccount(account) => Self::PutAccount(Stored::from_message(account)?),
            KindMessage::DeleteAccount(id) => Self::DeleteAccount(account_id(&id)?),
            KindMessage::PutUser(user) => Self::PutUser(Stored::from_message(user)?),
            KindMessage::DeleteUser(delete) => Self::DeleteUser {
                account: account_id(&delete.account)?,
                name: delete.name,
            },
            KindMessage::PutAccessKey(key) => Self::PutAccessKey(Stored::from_message(key)?),
            KindMessage::DeleteAccessKey(id) => Self::DeleteAccessKey(access_key_id(&id)?),
            KindMessage::PutQuota(put) => Self::PutQuota {
                account: account_id(&put.account)?,
                quota: quota(&put.quota)?,
                limit: put.limit,
            },
            KindMessage::PutVpc(vpc) => Self::PutVpc(Stored::from_message(vpc)?),
            KindMessage::DeleteVpc(id) => Self::DeleteVpc(vpc_id(&id)?),
            KindMessage::PutVpcAuthorization(it) => {
                Self::PutVpcAuthorization(Stored::from_message(it)?)
            }
            KindMessage::DeleteVpcAuthorization(delete) => Self::DeleteVpcAuthorization {
                zone: zone_id(&delete.zone)?,
                vpc: vpc_id(&delete.vpc)?,
            },
            KindMessage::PutCidrCollection(it) => {
                Self::PutCidrCollection(Stored::from_message(it)?)
            }
            KindMessage::DeleteCidrCollection(id) => {
                Self::DeleteCidrCollection(cidr_collection_id(&id)?)
            }
            KindMessage::PutCidrBlocks(it) => Self::PutCidrBlocks(Stored::from_message(it)?),
            KindMessage::DeleteCidrBlocks(it) => Self::DeleteCidrBlocks(Stored::from_message(it)?),
            KindMessage::PutTrafficPolicy(it) => Self::PutTrafficPolicy(Stored::from_message(it)?),
            KindMessage::DeleteTrafficPolicy(delete) => Self::DeleteTrafficPolicy {
                id: traffic_policy_id(&delete.id)?,
                version: delete.version,
            },
            KindMessage::ForgetTrafficPolicy(forget) => Self::ForgetTrafficPolicy {
                id: traffic_policy_id(&forget.id)?,
                version: forget.version,
            },
            KindMessage::PutTrafficPolicyInstance(it) => {
                Self::PutTrafficPolicyInstance(Stored::from_message(it)?)
            }
            KindMessage::DeleteTrafficPolicyInstance(id) => {
                Self::DeleteTrafficPolicyInstance(traffic_policy_instance_id(&id)?)
            }
            KindMessage::PutUnseenGeneration(it) => {
                Self::PutUnseenGeneration(Stored::from_message(it)?)
            }
            KindMessage::DeleteUnseenGeneration(generation) => {
                Self::DeleteUnseenGeneration(Generation(generation))
            }
            KindMessage::CollectGeneration(collect) => Self::CollectGeneration {
                generation: Generation(collect.generation),
                most: collect.most,
            },
            KindMessage::PutTags(set) => Self::PutTags(Stored::from_message(set)?),
            KindMessage::PutProtection(it) => Self::PutProtection(Stored::from_message(it)?),
            KindMessage::DeleteProtection(key) => {
                Self::DeleteProtection(Stored::from_message(key)?)
            }
            KindMessage::PutDelegationSet(set) => {
                Self::PutDelegationSet(Stored::from_message(set)?)
            }
            KindMessage::DeleteDelegationSet(id) => {
                Self::DeleteDelegationSet(delegation_set_id(&id)?)
            }
            KindMessage::PutQueryLoggingConfig(it) => {
                Self::PutQueryLoggingConfig(Stored::from_message(it)?)
            }
            KindMessage::DeleteQueryLoggingConfig(id) => {
                Self::DeleteQueryLoggingConfig(query_logging_config_id(&id)?)
            }
            KindMessage::PutHealthCheck(it) => Self::PutHealthCheck(Stored::from_message(it)?),
            KindMessage::DeleteHealthCheck(id) => Self::DeleteHealthCheck(health_check_id(&id)?),
            KindMessage::PutHealthSwitch(it) => Self::PutHealthSwitch(Stored::from_message(it)?),
            KindMessage::PutRoutingControl(it) => {
                Self::PutRoutingControl(Stored::from_message(it)?)
            }
            KindMessage::Region(region) => match region.place() {
                Some(region) => Self::PutRegion(region),
                None => Self::DeleteRegion(region.name()),
            },
            KindMessage::PutResource(it) => Self::PutResource(Stored::from_message(it)?),
            KindMessage::DeleteResource(key) => {
                let (account, name) = key.read()?;
                Self::DeleteResource { account, name }
            }
            KindMessage::DeleteHealthSwitch(id) => Self::DeleteHealthSwitch(health_check_id(&id)?),
        })
    }
}
