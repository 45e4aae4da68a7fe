//! The server's side of the admin socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use meridian_control::{Control, NewUser, check_policy};
use meridian_dns::Name;
use meridian_log::{Journal, Tables, verify};
use meridian_model::{AccessKey, Account, KeyStatus, Policy, Quota, User};
use meridian_server::{ACCEPT_PAUSE, Live};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::{task, time};

use super::command::{Answer, Command, MAX_LINE, PolicyText};
use super::progress::Progress;

/// Commands that run at the same time; further ones wait.
const MAX_COMMANDS: usize = 16;
/// How long a client may take to send its line, and to take the answer: who connects and stays
/// silent must not keep the slots from others.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// What commands work on.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) control: Arc<Control>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) live: Arc<Live>,
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
    mut ended: watch::Receiver<()>,
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
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, host, replacing).await {
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
) -> Result<()> {
    let mut line = String::new();
    let (input, mut output) = stream.split();
    let mut input = BufReader::new(input.take(MAX_LINE));
    time::timeout(CLIENT_TIMEOUT, input.read_line(&mut line)).await??;
    let outcome = match read(&line) {
        Ok(Command::Replace { binary }) => {
            // Who replaces needs all files for itself.
            drop(host);
            replace(replacing, binary, stream).await;
            return Ok(());
        }
        Ok(command) => task::spawn_blocking(move || host.carry_out(command)).await?,
        Err(error) => Err(error),
    };
    let answer = match outcome {
        Ok(result) => Answer::Result(result),
        Err(error) => Answer::Error {
            message: format!("{error:#}"),
        },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    time::timeout(CLIENT_TIMEOUT, output.write_all(&line)).await??;
    Ok(())
}

fn read(line: &str) -> Result<Command> {
    let command: Command = serde_json::from_str(line)?;
    tracing::info!(?command, "admin command");
    Ok(command)
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
        let control = &self.control;
        let set_status = |id: &str, status| control.set_access_key_status(id, status);
        Ok(match command {
            Command::Status => self.status()?,
            Command::AccountCreate { name } => account(&control.create_account(&name)?),
            Command::AccountList => control.accounts()?.iter().map(account).collect(),
            Command::UserCreate {
                account,
                name,
                policies,
            } => {
                let new = NewUser {
                    account,
                    name,
                    policies: checked(policies)?,
                };
                user(&control.create_user(&new)?)
            }
            Command::UserList { account } => control
                .users(account.as_deref())?
                .iter()
                .map(user)
                .collect(),
            Command::KeyCreate { account, user } => {
                let new = control.create_access_key(&account, user.as_deref())?;
                let mut shown = key(&new.key);
                shown["secret_access_key"] = new.secret.0.as_str().into();
                shown
            }
            Command::KeyList { account } => control
                .access_keys(account.as_deref())?
                .iter()
                .map(key)
                .collect(),
            Command::KeyDeactivate { id } => key(&set_status(&id, KeyStatus::Inactive)?),
            Command::KeyActivate { id } => key(&set_status(&id, KeyStatus::Active)?),
            Command::KeyDelete { id } => {
                control.delete_access_key(&id)?;
                json!({ "deleted": id })
            }
            Command::NameserverList => self.pool()?,
            Command::NameserverAdd { name, address } => {
                let name = self.pool_name(&name, Known::No)?;
                control.put_name_server(&name, &address)?;
                self.pool()?
            }
            Command::NameserverSet { name, address } => {
                let name = self.pool_name(&name, Known::Yes)?;
                control.put_name_server(&name, &address)?;
                self.pool()?
            }
            Command::NameserverRemove { name } => {
                control.delete_name_server(&self.pool_name(&name, Known::Yes)?)?;
                self.pool()?
            }
            Command::QuotaSet {
                account,
                quota,
                limit,
            } => {
                control.put_quota(&account, known_quota(&quota)?, limit)?;
                json!({ "account": account, "quota": quota, "limit": limit })
            }
            Command::JournalVerify => report(&*self.journal, &self.tables)?,
            Command::Replace { .. } => bail!("this is not for the control plane"),
        })
    }

    fn pool(&self) -> Result<Value> {
        let servers = self.control.name_servers()?;
        let shown = servers.iter().map(
            |server| json!({ "name": server.name.to_string(), "addresses": server.addresses }),
        );
        Ok(shown.collect())
    }

    fn pool_name(&self, text: &str, wanted: Known) -> Result<Name> {
        let name = Name::parse(text)?.to_lowercase();
        let known = self
            .control
            .name_servers()?
            .iter()
            .any(|server| server.name == name);
        match wanted {
            Known::No if known => bail!("the pool has {name} already; use `nameserver set`"),
            Known::Yes if !known => bail!("the pool has no {name}; see `nameserver list`"),
            _ => Ok(name),
        }
    }

    fn status(&self) -> Result<Value> {
        let head = self.control.head()?;
        let nodes = self.control.acks().all().into_iter().map(|(name, served)| {
            let failed: Vec<String> = served.failed.keys().map(ToString::to_string).collect();
            json!({ "name": name, "served": served.seq.0, "failed_zones": failed })
        });
        // A reference of our own instead of a guard: counting walks through all names.
        let world = Arc::clone(&self.live.load());
        let size = world.size();
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "epoch": head.epoch,
            "head": head.seq.0,
            "name_servers": nodes.collect::<Vec<_>>(),
            "world": {
                "zones": size.zones,
                "names": size.names,
                "sets": size.sets,
                "bytes": size.bytes,
            },
        }))
    }
}

/// Whether a command is about a name that the pool has.
#[derive(Clone, Copy)]
enum Known {
    Yes,
    No,
}

fn known_quota(name: &str) -> Result<Quota> {
    let known = Quota::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = Quota::ALL.iter().map(|quota| quota.as_str()).collect();
        let names = names.join(", ");
        anyhow!("there is no quota '{name}'; there are {names}")
    })
}

fn checked(policies: Vec<PolicyText>) -> Result<Vec<Policy>> {
    let checked = policies.into_iter().map(|PolicyText { name, document }| {
        check_policy(&document)?;
        Ok(Policy { name, document })
    });
    checked.collect()
}

/// Verifies the journal, and the tables against it.
pub(super) fn report(journal: &dyn Journal, tables: &Tables) -> Result<Value> {
    let report = verify(journal, Some(tables))?;
    let tables = report
        .tables
        .map(|tables| json!({ "applied": tables.applied.0, "digest": tables.digest.to_string() }));
    Ok(json!({
        "valid": true,
        "head": report.head.seq.0,
        "epoch": report.head.epoch,
        "hash": report.head.hash.to_string(),
        "commits": report.commits,
        "effects": report.effects,
        "tables": tables,
    }))
}

fn account(account: &Account) -> Value {
    json!({ "id": account.id.as_str(), "name": account.name, "operator": account.operator })
}

fn user(user: &User) -> Value {
    let policies: Vec<&str> = user
        .policies
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    json!({ "account": user.account.as_str(), "name": user.name, "policies": policies })
}

fn key(key: &AccessKey) -> Value {
    json!({
        "access_key_id": key.id.as_str(),
        "account": key.account.as_str(),
        "user": key.user,
        "status": match key.status {
            KeyStatus::Active => "Active",
            KeyStatus::Inactive => "Inactive",
        },
    })
}
