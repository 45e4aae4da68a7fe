//! `meridian health`. What is shown is how checks stand in the answers that are given, and what is
//! handed over by break-glass needs the data directory alone: both are there where DNS is answered
//! without a journal, too. Webhooks are in `webhook`, those who watch in `watch`.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use meridian_api::remote::read_check_config;
use meridian_control::{AdminError, Environment, SystemEnvironment};
use meridian_health::Certificate;
use meridian_model::{
    AccountId, BreakGlass, Health, HealthCheck, HealthCheckId, HealthSubject, HealthSwitch,
    HealthSwitchRefusal, Protocol, Reason, Seq, Standing, State as _, Tag, Timestamp,
};
use serde_json::{Value, json};

use super::{Host, health_control, time};
use crate::admin::Command;
use crate::break_glass::{BreakGlassFile, Kept};
use crate::checkers::{Board, State, observed, votes};
use crate::health::{subject, why};

/// Checks of a page.
const PAGE: usize = 1000;

pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::HealthList { account, from } => list(host, account.as_deref(), from.as_deref()),
        Command::HealthShow { id } => show(host, &id),
        Command::HealthForce {
            id,
            state,
            reason,
            break_glass_ms,
        } => force(host, &id, &state, &reason, break_glass_ms),
        Command::HealthRelease { id, break_glass } => release(host, &id, break_glass),
        Command::HealthSet { id, interval_s } => set(host, &id, interval_s),
        Command::HealthControlList => health_control::list(host),
        Command::HealthControlTurn { arn, state } => health_control::turn(host, &arn, &state),
        Command::HealthCheckProvide {
            account,
            caller_reference,
            config,
            tags,
        } => provide(host, &account, &caller_reference, &config, tags),
        _ => bail!("this is not about health checks"),
    }
}

fn provide(
    host: &Host,
    account: &str,
    caller_reference: &str,
    config: &str,
    tags: Vec<(String, String)>,
) -> Result<Value> {
    let config = read_check_config(config).map_err(|error| anyhow!(error))?;
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value });
    let tags: Vec<Tag> = tags.collect();
    let control = host.control()?;
    let id = control.provide_health_check(account, caller_reference, &config, &tags)?;
    Ok(json!({ "id": id.as_str() }))
}

/// What is known at this moment.
struct Seen {
    state: Arc<State>,
    break_glass: Arc<BreakGlassFile>,
    board: Arc<Board>,
    now: Timestamp,
}

impl Seen {
    fn of(host: &Host) -> Self {
        // What was changed just now is waited for, as far as there is a journal.
        let seq = match host.control().map(|control| control.head()) {
            Ok(Ok(head)) => head.seq,
            Ok(Err(error)) => {
                tracing::warn!(%error, "health checks are shown as answers go by them: {error}");
                Seq(0)
            }
            Err(_) => Seq(0),
        };
        let documents = host.break_glass.revision();
        Self {
            state: host.board.state_since(seq, documents),
            break_glass: Arc::clone(&host.break_glass),
            board: Arc::clone(&host.board),
            now: SystemEnvironment::new().now(),
        }
    }

    fn document(&self, check: &HealthCheckId) -> Option<BreakGlass> {
        let document = self.break_glass.document(check);
        document.filter(|document| document.expires_at > self.now)
    }

    /// A line of a list.
    fn row(&self, check: &HealthCheck, standing: &Standing) -> Value {
        json!({
            "id": check.id.as_str(),
            "account": check.account.as_str(),
            "type": check.config.check_type().as_str(),
            "checks": subject(check),
            "state": standing.health.as_str(),
            "why": self.why(check, standing),
        })
    }

    fn why(&self, check: &HealthCheck, standing: &Standing) -> String {
        let said = match standing.reason {
            Reason::BreakGlass => self.document(&check.id).map(|document| {
                let until = time(document.expires_at);
                format!(" until {until}: {}", document.reason)
            }),
            Reason::Switched => {
                let said = self.state.said.get(&check.id);
                said.map(|said| format!(": {said}"))
            }
            Reason::Observed => Some(observed(&self.board, check)),
            _ => None,
        };
        why(check, standing, &said.unwrap_or_default())
    }
}

/// A page of checks by id, and where the next one begins.
fn list(host: &Host, account: Option<&str>, from: Option<&str>) -> Result<Value> {
    let account = account
        .map(|account| account_id(host, account))
        .transpose()?;
    let from = from.map(HealthCheckId::new).transpose();
    let from = from.map_err(|_| anyhow!("no page begins there"))?;
    let seen = Seen::of(host);
    let tables = host.tables.read()?;
    let mut checks = match &account {
        Some(account) => tables.health_checks_of(account, from.as_ref(), PAGE + 1)?,
        None => tables.health_checks_from(from.as_ref(), PAGE + 1)?,
    };
    let rest = checks.split_off(PAGE.min(checks.len()));
    let rows = checks.iter().filter_map(|check| {
        let (check, standing) = seen.state.of(check.id.as_str())?;
        Some(seen.row(check, standing))
    });
    Ok(json!({
        "checks": rows.collect::<Vec<_>>(),
        "next": rest.first().map(|check| check.id.as_str()),
    }))
}

/// The id of an account, by that or its name. The tables know it without a journal.
fn account_id(host: &Host, text: &str) -> Result<AccountId> {
    let accounts = host.tables.read()?.accounts()?;
    let by_id = accounts.iter().find(|account| account.id.as_str() == text);
    let found = by_id.or_else(|| accounts.iter().find(|account| account.name == text));
    let found = found.ok_or_else(|| AdminError::UnknownAccount(text.to_owned()))?;
    Ok(found.id.clone())
}

fn show(host: &Host, id: &str) -> Result<Value> {
    let seen = Seen::of(host);
    let (check, standing) = seen.state.of(id).ok_or_else(|| unknown(id))?;
    let switch = host.tables.read()?.health_switch(&check.id)?;
    let document = seen.document(&check.id);
    let mut value = seen.row(check, standing);
    value["caller_reference"] = check.caller_reference.as_str().into();
    value["version"] = check.version.into();
    value["inverted"] = check.config.inverted.into();
    value["disabled"] = check.config.disabled.into();
    value["slot"] = check.slot.slot.into();
    value["incarnation"] = check.slot.incarnation.into();
    value["switch"] = switch.as_ref().map_or(Value::Null, shown_switch);
    value["break_glass"] = document.as_ref().map_or(Value::Null, shown_document);
    value["votes"] = votes(&host.board, check);
    value["certificate"] = certificate(host, check).into();
    let children = check.config.children().iter();
    let state = |child: &HealthCheckId| {
        let found = seen.state.of(child.as_str());
        found.map_or("gone", |(_, standing)| standing.health.as_str())
    };
    let children = children.map(|child| json!({ "id": child.as_str(), "state": state(child) }));
    value["children"] = children.collect();
    Ok(value)
}

/// Whether the endpoint's certificate counts, where there is one.
fn certificate(host: &Host, check: &HealthCheck) -> Option<&'static str> {
    let HealthSubject::Endpoint(endpoint) = &check.config.subject else {
        return None;
    };
    let said = host.board.state().marks.certificate(&check.id);
    (endpoint.protocol == Protocol::Https).then(|| match said.unwrap_or(host.certificates) {
        Certificate::Any => "any",
        Certificate::Valid => "validated",
    })
}

fn set(host: &Host, id: &str, interval_s: u8) -> Result<Value> {
    let check = host.control()?.set_health_check_interval(id, interval_s)?;
    Ok(json!({ "id": check.id.as_str(), "interval_s": interval_s, "version": check.version }))
}

fn force(
    host: &Host,
    id: &str,
    state: &str,
    reason: &str,
    break_glass_ms: Option<u64>,
) -> Result<Value> {
    let health = Health::parse(state);
    let health = health.ok_or_else(|| anyhow!("'{state}' is neither healthy nor unhealthy"))?;
    let id = HealthCheckId::new(id).map_err(|_| unknown(id))?;
    match break_glass_ms {
        Some(for_ms) => {
            let now = SystemEnvironment::new().now();
            let until = now
                .0
                .saturating_add(i64::try_from(for_ms).unwrap_or(i64::MAX));
            let (document, kept) = hand_over(host, &id, Some(health), reason, Timestamp(until))?;
            Ok(json!({
                "id": id.as_str(),
                "break_glass": shown_document(&document),
                "kept": shown_kept(kept),
            }))
        }
        None => {
            let switch = host.control()?.force_health(&id, health, reason)?;
            Ok(json!({ "id": id.as_str(), "switch": shown_switch(&switch) }))
        }
    }
}

/// Lets go of what this node was handed, and unless only that is meant of what the journal has.
fn release(host: &Host, id: &str, break_glass: bool) -> Result<Value> {
    let id = HealthCheckId::new(id).map_err(|_| unknown(id))?;
    let control = (!break_glass).then(|| host.control()).transpose()?;
    let now = SystemEnvironment::new().now();
    let document = host.break_glass.document(&id);
    let held = document.filter(|document| document.health.is_some() && document.expires_at > now);
    let let_go = match &held {
        Some(document) => {
            hand_over(host, &id, None, &document.reason, document.expires_at)?;
            true
        }
        None => false,
    };
    let switch = match control.map(|control| control.release_health(&id)) {
        None => false,
        Some(Ok(())) => true,
        Some(Err(AdminError::HealthSwitch(HealthSwitchRefusal::NotSwitched(_)))) if let_go => false,
        Some(Err(error)) if let_go => {
            let error = anyhow!(error);
            return Err(error.context("break-glass let go; the switch in the journal did not"));
        }
        Some(Err(error)) => return Err(error.into()),
    };
    if !let_go && !switch {
        bail!("this node was handed no switch of the health check {id} that still holds");
    }
    Ok(json!({
        "id": id.as_str(),
        "released": { "switch": switch, "break_glass": let_go },
    }))
}

/// Takes a document of the next version. All it needs is the data directory.
fn hand_over(
    host: &Host,
    id: &HealthCheckId,
    health: Option<Health>,
    reason: &str,
    expires_at: Timestamp,
) -> Result<(BreakGlass, Kept)> {
    if host.tables.read()?.health_check(id)?.is_none() {
        return Err(unknown(id.as_str()));
    }
    let now = SystemEnvironment::new().now();
    let document = BreakGlass {
        check: id.clone(),
        health,
        reason: reason.to_owned(),
        expires_at,
        version: host.break_glass.next_version(id, now),
    };
    let kept = host.break_glass.accept(document.clone(), now)?;
    Ok((document, kept))
}

fn shown_kept(kept: Kept) -> Value {
    match kept {
        Kept::OnDisk => "on disk".into(),
        Kept::InMemory(why) => format!("in memory only: {why}").into(),
    }
}

fn unknown(id: &str) -> anyhow::Error {
    anyhow!("there is no health check '{id}'; `meridian health list` shows all")
}

fn shown_switch(switch: &HealthSwitch) -> Value {
    json!({
        "state": switch.health.as_str(),
        "reason": switch.reason,
        "by": switch.principal,
        "at": time(switch.at),
    })
}

fn shown_document(document: &BreakGlass) -> Value {
    json!({
        "state": document.health.map_or("released", Health::as_str),
        "reason": document.reason,
        "until": time(document.expires_at),
        "version": document.version,
    })
}
