//! The first entry of a journal: the operator's account with a key, the pool and its zone.

use std::convert::Infallible;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKey, Account, AccountId, Action, CidrBlock, CidrCollection, CidrCollectionId,
    CidrLocation, DelegationSetId, Draft, DraftChange, Effect, Facts, Generation, HealthCheck,
    HealthCheckId, HealthSlot, HealthSwitch, KeyStatus, NameServer, NewZone, PlanError, Protection,
    ProtectionKey, QueryLoggingConfig, Quota, RecordSet, ReusableDelegationSet, State, Tag,
    TaggedResource, Vpc, VpcAuthorization, VpcId, Zone, ZoneId, plan_batch, plan_create_zone,
};

use crate::admin::{AdminError, NewKey, SECRETS, vault_row};
use crate::control::{Author, Control};
use crate::refusal::Fault;

/// What the first start writes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstStart {
    /// The zone that names the pool; its names are `ns-1` to `ns-4` below it.
    pub domain: Name,
    /// Where the pool is reached: one address for all names, or dealt out in turn.
    pub addresses: Vec<IpAddr>,
}

/// How many names the first pool has: as many as a zone needs.
const FIRST_NAMES: usize = 4;
/// TTL of the pool's addresses, in seconds.
const ADDRESS_TTL: u32 = 3600;

impl Control {
    /// Writes the first entry if there is none, and returns the operator's key. `keep` is handed
    /// the key before it is valid, to put it where the operator finds it; an interrupted first
    /// start is simply begun again.
    ///
    /// # Errors
    /// When the journal, the vault or `keep` fails.
    pub fn first_start(
        &self,
        first: &FirstStart,
        keep: impl Fn(&NewKey) -> Result<(), String>,
    ) -> Result<Option<AccountId>, AdminError> {
        if !self.fresh()?.accounts()?.is_empty() {
            return Ok(None);
        }
        let author = Author {
            request_id: "first-start",
            caller: None,
            principal: "first start".to_owned(),
        };
        let secret = self.new_secret();
        let id = self.commit(&author, |_, facts| {
            let account = Account {
                id: facts.account_id(),
                name: "operator".to_owned(),
                operator: true,
                created_at: facts.now,
            };
            let key = AccessKey {
                id: facts.access_key_id(),
                account: account.id.clone(),
                user: None,
                status: KeyStatus::Active,
                vault_row: String::new(),
                created_at: facts.now,
            };
            let key = AccessKey {
                vault_row: vault_row(&key.id),
                ..key
            };
            self.vault
                .put(&key.vault_row, &SECRETS, secret.0.as_bytes())
                .map_err(Fault::storage)?;
            let new = NewKey {
                key: key.clone(),
                secret: secret.clone(),
            };
            keep(&new).map_err(Fault::Storage)?;
            let mut effects = vec![
                Effect::PutAccount(account.clone()),
                Effect::PutAccessKey(key),
            ];
            effects.extend(pool_effects(first, facts, &account)?);
            Ok::<_, AdminError>((effects, account.id))
        })?;
        match id {
            crate::control::Committed::Now(id) => Ok(Some(id)),
            crate::control::Committed::Before(..) => Ok(None),
        }
    }
}

/// The names of the pool, and the zone that holds their addresses.
fn pool_effects(
    first: &FirstStart,
    facts: &mut Facts,
    account: &Account,
) -> Result<Vec<Effect>, AdminError> {
    let wrong = |text: String| Fault::Storage(format!("the pool's domain cannot be used: {text}"));
    let mut servers = Vec::with_capacity(FIRST_NAMES);
    for place in 0..FIRST_NAMES {
        let text = format!("ns-{}.{}", place + 1, first.domain);
        let name = Name::parse(&text).map_err(|error| wrong(error.to_string()))?;
        let address = first.addresses.get(place % first.addresses.len().max(1));
        let address = address.ok_or_else(|| wrong("there is no address".to_owned()))?;
        servers.push(NameServer {
            name: name.to_lowercase(),
            addresses: vec![*address],
            ordinal: u32::try_from(place).unwrap_or(u32::MAX),
        });
    }
    let empty = Empty { servers };
    let new = NewZone {
        name: first.domain.to_string(),
        caller_reference: "meridian first start".to_owned(),
        comment: Some("Names of this service's name servers".to_owned()),
        delegation_set: None,
        vpc: None,
    };
    let (zone, zone_effects) =
        plan_create_zone(&empty, facts, account, new).map_err(|error| wrong(describe(error)))?;
    let changes: Vec<DraftChange> = empty.servers.iter().map(address_record).collect();
    let mut effects: Vec<Effect> = empty
        .servers
        .iter()
        .cloned()
        .map(Effect::PutNameServer)
        .collect();
    effects.extend(zone_effects);
    let planned = plan_batch(&empty, &zone, &changes);
    effects.extend(planned.map_err(|error| wrong(describe(error)))?);
    Ok(effects)
}

fn describe<R: std::fmt::Debug>(error: PlanError<R, Infallible>) -> String {
    match error {
        PlanError::Refused(refusal) => format!("{refusal:?}"),
        PlanError::State(never) => match never {},
    }
}

fn address_record(server: &NameServer) -> DraftChange {
    let rtype = match server.addresses.first() {
        Some(IpAddr::V6(_)) => RecordType::Aaaa,
        _ => RecordType::A,
    };
    let values: Vec<String> = server.addresses.iter().map(IpAddr::to_string).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    DraftChange {
        action: Action::Create,
        set: Draft::simple(&server.name.to_string(), rtype, ADDRESS_TTL, &values),
    }
}

/// The state before the first entry, but for the pool that it is about to have.
struct Empty {
    servers: Vec<NameServer>,
}

impl State for Empty {
    type Error = Infallible;

    fn zone(&self, _: &ZoneId) -> Result<Option<Zone>, Infallible> {
        Ok(None)
    }

    fn zones_named(&self, _: &Name) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn zones_below(&self, _: &Name) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn zone_by_reference(&self, _: &AccountId, _: &str) -> Result<Option<ZoneId>, Infallible> {
        Ok(None)
    }

    fn zone_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn next_generation(&self) -> Result<Generation, Infallible> {
        Ok(Generation(1))
    }

    fn sets_at(&self, _: Generation, _: &Name) -> Result<Vec<RecordSet>, Infallible> {
        Ok(Vec::new())
    }

    fn set_count(&self, _: Generation) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn health_check_exists(&self, _: &AccountId, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn health_check(&self, _: &HealthCheckId) -> Result<Option<HealthCheck>, Infallible> {
        Ok(None)
    }

    fn health_check_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<HealthCheckId>, Infallible> {
        Ok(None)
    }

    fn health_check_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn is_child_health_check(&self, _: &HealthCheckId) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn free_health_slot(&self) -> Result<HealthSlot, Infallible> {
        Ok(HealthSlot {
            slot: 0,
            incarnation: 1,
        })
    }

    fn health_switch(&self, _: &HealthCheckId) -> Result<Option<HealthSwitch>, Infallible> {
        Ok(None)
    }

    fn cidr_collection(&self, _: &CidrCollectionId) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_named(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn cidr_block_count(&self, _: &CidrCollectionId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn cidr_location_of(
        &self,
        _: &CidrCollectionId,
        _: &CidrBlock,
    ) -> Result<Option<CidrLocation>, Infallible> {
        Ok(None)
    }

    fn cidr_location_exists(&self, _: &CidrCollectionId, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn cidr_set_count(&self, _: &CidrCollectionId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn protection(&self, _: &ProtectionKey) -> Result<Option<Protection>, Infallible> {
        Ok(None)
    }

    fn protection_count(&self, _: &ZoneId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn tags(&self, _: &TaggedResource) -> Result<Vec<Tag>, Infallible> {
        Ok(Vec::new())
    }

    fn name_servers(&self) -> Result<Vec<NameServer>, Infallible> {
        Ok(self.servers.clone())
    }

    fn delegation_sets(&self) -> Result<Vec<ReusableDelegationSet>, Infallible> {
        Ok(Vec::new())
    }

    fn delegation_set_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<DelegationSetId>, Infallible> {
        Ok(None)
    }

    fn delegation_set_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn delegation_set_zone_count(&self, _: &DelegationSetId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn query_logging_of(&self, _: &ZoneId) -> Result<Option<QueryLoggingConfig>, Infallible> {
        Ok(None)
    }

    fn vpc(&self, _: &VpcId) -> Result<Option<Vpc>, Infallible> {
        Ok(None)
    }

    fn vpcs(&self) -> Result<Vec<Vpc>, Infallible> {
        Ok(Vec::new())
    }

    fn zones_of_vpc(&self, _: &VpcId) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn vpc_authorizations(&self, _: &ZoneId) -> Result<Vec<VpcAuthorization>, Infallible> {
        Ok(Vec::new())
    }

    fn limit(&self, _: &AccountId, quota: Quota) -> Result<u64, Infallible> {
        Ok(quota.default_limit())
    }
}
