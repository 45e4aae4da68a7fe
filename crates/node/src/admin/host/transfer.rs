//! Zones in and out: commands whose connection goes on carrying sets, in portions. They run on a
//! thread of their own kind, since they wait for the client as well as for the disk.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail};
use meridian_control::{
    ExistingSets, ImportOutcome, ImportRequest, ImportRoom, ImportTarget, Imported, ImportedApex,
    ImportedSet, InvalidSets, RefusedSet, ZoneImport,
};
use meridian_dns::Name;
use meridian_model::Tag;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::command::{Answer, Command, ImportCommand};
use super::{CLIENT_TIMEOUT, Host, latency, zone};
use crate::transfer::{JsonSet, PlacedSet, Portion};

/// The longest portion, in bytes: far more than one of a client that keeps to the rules.
pub(super) const MAX_PORTION: u64 = 8 * 1024 * 1024;
/// The most sets at one name: far more than policies and types allow.
const MAX_AT_NAME: usize = 10_000;
/// Sets of a portion of an export.
const PORTION_SETS: usize = 500;

/// Carries out a command that goes on over its connection, and tells of it. An import is given up
/// when the server has `ended`.
pub(super) fn carry_out(
    host: &Host,
    command: Command,
    stream: UnixStream,
    ended: &watch::Receiver<()>,
    tell: impl FnOnce(&Result<Value, String>),
) -> Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut connection = Connection(stream);
    let outcome = match command {
        Command::ZoneImport(command) => import(host, command, &mut connection, ended),
        Command::ZoneExport { zone } => export(host, &zone, &mut connection),
        command @ (Command::LatencyImport { .. } | Command::LatencyScore { .. }) => {
            latency::stream(host, &command, &mut connection, ended)
        }
        other => bail!("{other:?} carries nothing"),
    };
    let outcome = outcome.map_err(|error| format!("{error:#}"));
    tell(&outcome);
    connection.write(&match outcome {
        Ok(result) => Answer::Result(result),
        Err(message) => Answer::Error { message },
    })
}

pub(super) struct Connection(UnixStream);

impl Connection {
    /// What the client sends, to be read line by line.
    pub(super) fn lines(&self) -> Result<BufReader<UnixStream>> {
        Ok(BufReader::new(self.0.try_clone()?))
    }

    pub(super) fn write(&mut self, answer: &Answer) -> Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        self.0.write_all(&line)?;
        Ok(())
    }
}

fn export(host: &Host, text: &str, connection: &mut Connection) -> Result<Value> {
    let (found, mut sets) = host.control()?.zone_sets(text)?;
    let start = json!({ "zone": zone::detail(&found) });
    connection.write(&Answer::Progress(start))?;
    let mut count = 0;
    // Ends with the zone.
    loop {
        let portion = sets.next(PORTION_SETS)?;
        if portion.is_empty() {
            return Ok(json!({ "record_sets": count }));
        }
        count += portion.len();
        let portion: Vec<JsonSet> = portion.iter().map(JsonSet::from).collect();
        connection.write(&Answer::Progress(json!({ "sets": portion })))?;
    }
}

fn import(
    host: &Host,
    command: ImportCommand,
    connection: &mut Connection,
    ended: &watch::Receiver<()>,
) -> Result<Value> {
    let mut taking = Taking {
        import: host.control()?.begin_import(request(command)?)?,
        name: None,
        waiting: Vec::new(),
    };
    let ready = json!({ "zone": taking.import.zone().id.as_str() });
    connection.write(&Answer::Progress(ready))?;
    let mut lines = connection.lines()?;
    let mut line = Vec::new();
    // Ends with the client's last portion, or with the client.
    loop {
        line.clear();
        if ended.has_changed().unwrap_or(true) {
            bail!("the server ends or is being replaced: nothing is imported");
        }
        let read = lines
            .by_ref()
            .take(MAX_PORTION)
            .read_until(b'\n', &mut line);
        if read.context("the client is silent")? == 0 {
            bail!("the client is gone");
        }
        match serde_json::from_slice(&line)? {
            Portion::Sets(sets) => {
                let mut refused = Vec::new();
                for set in sets {
                    taking.set(set, &mut refused)?;
                }
                let refused: Value = refused.iter().map(shown).collect();
                connection.write(&Answer::Progress(json!({ "refused": refused })))?;
            }
            Portion::End => {
                let mut refused = Vec::new();
                taking.end_name(&mut refused)?;
                let (imported, late) = taking.import.finish()?;
                refused.extend(late);
                return Ok(result(&imported, &refused));
            }
        }
    }
}

/// Puts sets together to names.
struct Taking<'a> {
    import: ZoneImport<'a>,
    /// In lower case; none where a name is none.
    name: Option<Name>,
    waiting: Vec<ImportedSet>,
}

impl Taking<'_> {
    fn set(
        &mut self,
        PlacedSet { place, set }: PlacedSet,
        refused: &mut Vec<RefusedSet>,
    ) -> Result<()> {
        let draft = match set.into_draft() {
            Ok(draft) => draft,
            Err(reason) => {
                refused.push(self.import.refused(place, reason));
                return Ok(());
            }
        };
        let name = Name::parse(&draft.name)
            .ok()
            .map(|name| name.to_lowercase());
        if name.is_none() || name != self.name || self.waiting.len() == MAX_AT_NAME {
            self.end_name(refused)?;
        }
        self.name = name;
        self.waiting.push(ImportedSet { place, draft });
        Ok(())
    }

    fn end_name(&mut self, refused: &mut Vec<RefusedSet>) -> Result<()> {
        refused.extend(self.import.name(std::mem::take(&mut self.waiting))?);
        Ok(())
    }
}

fn request(command: ImportCommand) -> Result<ImportRequest> {
    let tags = command.tags.into_iter();
    let target = match (command.create, command.zone) {
        (Some(name), None) => ImportTarget::New {
            name,
            comment: command.comment,
            tags: tags.map(|(key, value)| Tag { key, value }).collect(),
            caller_reference: command.caller_reference,
            delegation_set: command.delegation_set,
        },
        (None, Some(zone)) => ImportTarget::Zone(zone),
        _ => bail!("either a zone or the name of a new one"),
    };
    Ok(ImportRequest {
        target,
        account: command.account,
        existing: match (command.replace, command.merge) {
            (true, false) => ExistingSets::Replace,
            (false, true) => ExistingSets::Merge,
            (false, false) => ExistingSets::Refuse,
            (true, true) => bail!("either replace or merge"),
        },
        apex: if command.take_apex {
            ImportedApex::Take
        } else {
            ImportedApex::Keep
        },
        invalid: if command.skip_invalid {
            InvalidSets::Skip
        } else {
            InvalidSets::Refuse
        },
        room: if command.beyond_quota {
            ImportRoom::Unlimited
        } else {
            ImportRoom::Quota
        },
        outcome: if command.dry_run {
            ImportOutcome::Check
        } else {
            ImportOutcome::Publish
        },
    })
}

fn shown(refused: &RefusedSet) -> Value {
    json!({ "place": refused.place, "reasons": refused.reasons })
}

fn result(imported: &Imported, late: &[RefusedSet]) -> Value {
    json!({
        "zone": imported.zone.id.as_str(),
        "name": imported.zone.name.to_string(),
        "imported": imported.change.is_some(),
        "change": imported.change.as_ref().map(|change| change.id.as_str()),
        "record_sets": imported.sets,
        "passed_over": imported.passed_over,
        "traffic_policy_instances": imported.instances,
        "aliases_not_followed": imported.aliases_not_followed,
        "late": late.iter().map(shown).collect::<Value>(),
    })
}
