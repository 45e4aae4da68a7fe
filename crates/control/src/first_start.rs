//! The first entry of a journal: the operator's account with a key, the pool and its zone.

use std::convert::Infallible;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKey, Account, AccountId, Action, Draft, DraftChange, Effect, EmptyState, Facts,
    KeyStatus, NameServer, NewZone, PlanError, ProbeRights, plan_batch, plan_create_zone,
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
                probes: ProbeRights::Public,
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
    let empty = EmptyState {
        name_servers: servers,
        ..EmptyState::default()
    };
    let new = NewZone {
        name: first.domain.to_string(),
        caller_reference: "meridian first start".to_owned(),
        comment: Some("Names of this service's name servers".to_owned()),
        delegation_set: None,
        vpc: None,
    };
    let (zone, zone_effects) =
        plan_create_zone(&empty, facts, account, new).map_err(|error| wrong(describe(error)))?;
    let changes: Vec<DraftChange> = empty.name_servers.iter().map(address_record).collect();
    let mut effects: Vec<Effect> = empty
        .name_servers
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
