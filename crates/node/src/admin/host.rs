//! The server's side of the admin socket: connections, and which command is whose. What commands
//! do is in one file for each area.

mod account;
mod agent;
mod backup;
mod explain;
mod geo;
mod health;
mod health_control;
mod journal;
mod key;
mod latency;
mod nameserver;
mod office;
mod policy;
mod preview;
mod quota;
mod record;
mod region;
mod resource;
mod status;
mod target;
mod transfer;
mod user;
mod vpc;
mod watch;
mod webhook;
mod zone;
mod zone_history;

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use meridian_api::Audit;
use meridian_health::Certificate;
use meridian_log::Tables;
use meridian_model::{KeyStatus, Timestamp};
use meridian_server::{ACCEPT_PAUSE, Live};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::{sync, task, time};

use self::journal::finalize;
pub(super) use self::journal::report;
pub(crate) use self::office::Office;
use crate::audit::{Peer, Told};
use crate::beacon::Agents;
use crate::break_glass::BreakGlassFile;
use crate::checkers::Board;
use crate::geo::Geo;
use crate::latency::{Latency, Workshop};
use crate::targets::Targets;
use crate::webhooks::Hook;

use super::command::{Answer, Command, MAX_LINE};
use super::progress::Progress;

/// Commands that run at the same time; further ones wait.
const MAX_COMMANDS: usize = 16;
/// How long a client may take to send its line, and to take the answer: who connects and stays
/// silent must not keep the slots from others.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// What commands work on.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) office: Office,
    pub(crate) tables: Arc<Tables>,
    pub(crate) live: Arc<Live>,
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) geo: Arc<Geo>,
    pub(crate) latency: Arc<Latency>,
    pub(crate) targets: Arc<Targets>,
    /// Where latency maps are built, if they are built here.
    pub(crate) workshop: Option<Arc<Workshop>>,
    pub(crate) listens: Listens,
    pub(crate) break_glass: Arc<BreakGlassFile>,
    pub(crate) board: Arc<Board>,
    /// Whether certificates of endpoints count where nothing else is said.
    pub(crate) certificates: Certificate,
    pub(crate) webhooks: Vec<Arc<Hook>>,
    pub(crate) agents: Arc<Agents>,
}

/// Where this process is reached.
#[derive(Clone, Serialize)]
pub(crate) struct Listens {
    pub(crate) dns: Vec<SocketAddr>,
    pub(crate) api: Vec<SocketAddr>,
    pub(crate) metrics: SocketAddr,
}

/// A command to replace this process, which is not carried out here.
pub(crate) struct Replacement {
    pub(crate) binary: PathBuf,
    pub(crate) progress: Progress,
}

/// Carries out commands until `ended` changes. Those to replace the process go to `replacing`.
pub(crate) async fn serve(
    listener: UnixListener,
    host: Host,
    replacing: mpsc::Sender<Replacement>,
    mut ended: sync::watch::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(MAX_COMMANDS));
    // Ends with `ended`, also while all slots are taken.
    loop {
        let accepted = tokio::select! {
            _ = ended.changed() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let (host, replacing) = (host.clone(), replacing.clone());
                let ended = ended.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, host, replacing, ended).await {
                        tracing::debug!(%error, "an admin connection broke: {error}");
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket cannot accept: {error}");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The next connection, once there is a slot for it.
async fn accept(
    listener: &UnixListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(UnixStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn converse(
    mut stream: UnixStream,
    host: Host,
    replacing: mpsc::Sender<Replacement>,
    ended: sync::watch::Receiver<()>,
) -> Result<()> {
    let peer = Peer {
        user: stream.peer_cred().ok().map(|peer| peer.uid()),
    };
    let mut line = String::new();
    let (input, mut output) = stream.split();
    let mut input = BufReader::new(input.take(MAX_LINE));
    time::timeout(CLIENT_TIMEOUT, input.read_line(&mut line)).await??;
    let command = serde_json::from_str(&line);
    let told = command.as_ref().ok().map(|command| Told::of(command, peer));
    let audit = Arc::clone(&host.audit);
    let command = command.map_err(Into::into);
    let admitted = command.and_then(|command| host.admit(&command).map(|()| command));
    let outcome = match admitted {
        Ok(Command::Replace { binary }) => {
            // Who replaces needs all files for itself.
            drop(host);
            if let Some(told) = told {
                told.record(&*audit, Ok(&Value::Null));
            }
            replace(replacing, binary, stream).await;
            return Ok(());
        }
        Ok(Command::HealthWatch { screen }) => {
            let board = Arc::clone(&host.board);
            // It may last, and others need the files meanwhile.
            drop(host);
            if let Some(told) = told {
                told.record(&*audit, Ok(&Value::Null));
            }
            return watch::run(&board, screen, (&mut input, &mut output), ended).await;
        }
        Ok(Command::HealthWebhookTest { name }) => {
            let hooks = host.webhooks.clone();
            // Others need the files meanwhile.
            drop(host);
            webhook::test(&hooks, name.as_deref()).await
        }
        Ok(Command::Backup { path, with_key }) => {
            backup::run(host, path, with_key, &mut output).await
        }
        Ok(
            command @ (Command::ZoneImport(_)
            | Command::ZoneExport { .. }
            | Command::LatencyImport { .. }
            | Command::LatencyScore { .. }),
        ) => {
            let stream = stream.into_std()?;
            let tell = move |outcome: &Result<Value, String>| record(told, &*audit, outcome);
            return task::spawn_blocking(move || {
                transfer::carry_out(&host, command, stream, &ended, tell)
            })
            .await?;
        }
        Ok(command) => task::spawn_blocking(move || host.carry_out(command))
            .await
            .unwrap_or_else(|error| Err(anyhow!("the command panicked: {error}"))),
        Err(error) => Err(error),
    };
    let outcome = outcome.map_err(|error| format!("{error:#}"));
    record(told, &*audit, &outcome);
    let answer = match outcome {
        Ok(result) => Answer::Result(result),
        Err(message) => Answer::Error { message },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    time::timeout(CLIENT_TIMEOUT, output.write_all(&line)).await??;
    Ok(())
}

/// Tells of a command in the audit log.
fn record(told: Option<Told>, audit: &dyn Audit, outcome: &Result<Value, String>) {
    if let Some(told) = told {
        told.record(
            audit,
            outcome.as_ref().map_err(|error| error as &dyn Display),
        );
    }
}

/// Leaves the connection to whoever replaces this process.
async fn replace(replacing: mpsc::Sender<Replacement>, binary: PathBuf, stream: UnixStream) {
    let progress = Progress::new(stream);
    let refused = replacing.try_send(Replacement { binary, progress });
    if let Err(TrySendError::Full(refused) | TrySendError::Closed(refused)) = refused {
        let error = anyhow!("this server is being replaced already, or ends");
        refused.progress.finish(Err(error)).await;
    }
}

impl Host {
    /// Does it; the outcome is what `--json` prints.
    fn carry_out(&self, command: Command) -> Result<Value> {
        match command {
            Command::AccountCreate { name } => account::create(self, &name),
            Command::AccountList => account::list(self),
            Command::AccountShow { account } => account::show(self, &account),
            Command::AccountRename { account, name } => account::rename(self, &account, &name),
            Command::AccountSet { account, probes } => account::set(self, &account, &probes),
            Command::AccountDelete { account } => account::delete(self, &account),
            Command::UserCreate {
                account,
                name,
                policies,
            } => user::create(self, account, name, policies),
            Command::UserList { account } => user::list(self, account.as_deref()),
            Command::UserShow { account, name } => user::show(self, &account, &name),
            Command::UserDelete { account, name } => user::delete(self, &account, &name),
            Command::UserAttach {
                account,
                name,
                policies,
            } => user::attach(self, &account, &name, policies),
            Command::UserDetach {
                account,
                name,
                policies,
            } => user::detach(self, &account, &name, &policies),
            Command::PolicyShow {
                account,
                user,
                name,
            } => policy::show(self, &account, &user, &name),
            Command::PolicyTest {
                account,
                user,
                question,
            } => policy::test(self, &account, &user, &question),
            Command::KeyCreate { account, user } => key::create(self, &account, user.as_deref()),
            Command::KeyList { account } => key::list(self, account.as_deref()),
            Command::KeyRotate { id } => key::rotate(self, &id),
            Command::KeyDeactivate { id } => key::set_status(self, &id, KeyStatus::Inactive),
            Command::KeyActivate { id } => key::set_status(self, &id, KeyStatus::Active),
            Command::KeyDelete { id } => key::delete(self, &id),
            command => self.carry_out_other(command),
        }
    }

    /// Does what is not about accounts, users, policies and keys.
    fn carry_out_other(&self, command: Command) -> Result<Value> {
        match command {
            Command::Status => status::status(self),
            Command::AgentAdd { name, region } => agent::add(self, &name, region.as_deref()),
            Command::AgentList => agent::list(self),
            Command::AgentRemove { name } => agent::remove(self, &name),
            Command::NameserverList => nameserver::list(self),
            Command::NameserverAdd { name, address } => nameserver::add(self, &name, &address),
            Command::NameserverSet { name, address } => nameserver::set(self, &name, &address),
            Command::NameserverRemove { name } => nameserver::remove(self, &name),
            command @ (Command::VpcCreate { .. }
            | Command::VpcSet { .. }
            | Command::VpcList { .. }
            | Command::VpcShow { .. }
            | Command::VpcDelete { .. }) => vpc::carry_out(self, command),
            command @ (Command::HealthList { .. }
            | Command::HealthShow { .. }
            | Command::HealthForce { .. }
            | Command::HealthRelease { .. }
            | Command::HealthSet { .. }
            | Command::HealthControlList
            | Command::HealthControlTurn { .. }
            | Command::HealthCheckProvide { .. }) => health::carry_out(self, command),
            Command::QuotaSet {
                account,
                quota,
                limit,
            } => quota::set(self, &account, &quota, limit),
            Command::RegionList => region::list(self),
            Command::RegionAdd {
                name,
                latitude,
                longitude,
            } => region::add(self, &name, latitude, longitude),
            Command::RegionRemove { name } => region::remove(self, &name),
            command @ (Command::RecordAdd(_)
            | Command::RecordList { .. }
            | Command::RecordRemove(_)) => record::carry_out(self, command),
            command @ (Command::ResourceList { .. }
            | Command::ResourceShow { .. }
            | Command::ResourceAdd { .. }
            | Command::ResourceRemove { .. }) => resource::carry_out(self, command),
            Command::QuotaList { account } => quota::list(self, &account),
            Command::GeoStatus => geo::status(self),
            Command::GeoLookup { address } => geo::look_up(self, address),
            command @ (Command::LatencyStatus
            | Command::LatencyShow { .. }
            | Command::LatencyMap { .. }
            | Command::LatencyBuild
            | Command::LatencyAccept) => latency::carry_out(self, command),
            Command::TargetList => target::list(self),
            Command::TargetShow { name } => target::show(self, &name),
            Command::JournalVerify => report(&**self.journal()?, &self.tables),
            Command::JournalFinalize => finalize(&**self.journal()?),
            Command::ZoneList { account, name } => zone::list(self, account, name),
            Command::ZoneShow { zone } => zone::show(self, &zone),
            Command::ZoneFind { zone, account } => zone::find(self, &zone, account.as_deref()),
            command @ (Command::ZoneHistory { .. }
            | Command::ZoneDiff { .. }
            | Command::ZoneRestore { .. }) => zone_history::carry_out(self, command),
            Command::DelegationSetProvide {
                account,
                caller_reference,
            } => zone::provide_delegation_set(self, &account, &caller_reference),
            Command::Explain(question) => explain::explain(self, &question),
            Command::ChangePreview { zone, changes } => preview::preview(self, &zone, changes),
            Command::ChangeShow { id } => zone::show_change(self, &id),
            _ => bail!("this is not for the control plane"),
        }
    }
}

/// A time for people and programs, to the second.
fn time(at: Timestamp) -> String {
    let second = jiff::Timestamp::from_second(at.0.div_euclid(1000));
    second.unwrap_or_default().to_string()
}
