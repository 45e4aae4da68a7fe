//! Moving in: copying the zones of a Route 53, or of another server with its API, to this one. All
//! is read first, into files; then zones are made one by one by the path that `zone import` takes.
//! Rules are control's, the API's words are `api`'s; nothing is changed at the other end.

mod aside;
mod checks;
mod copying;
mod credentials;
mod endpoint;
mod folder;
mod id_map;
mod reading;
mod remote;
mod report;
mod sorting;
mod source;
mod target;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_api::remote::{RemoteDelegationSet, RemoteZone};
use serde_json::Value;

use self::aside::Aside;
use self::copying::{Begun, Waiting};
pub(crate) use self::endpoint::Endpoint;
use self::folder::Folder;
use self::id_map::IdMap;
use self::reading::{Read, Reader};
use self::remote::Remote;
use self::report::{DelegationSetReport, Outcome, Report, Thing, ZoneReport};
use self::source::{Source, Tags};
use self::target::{Known, Target};
use crate::admin::Client;
use crate::terminal::{self, Bar, Form};
use crate::transfer::{Incomplete, Told};
use crate::visible;

/// Where zones come from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) profile: Option<String>,
    pub(crate) ca: Option<PathBuf>,
    /// Requests in a second.
    pub(crate) rate: u32,
}

/// What becomes of record sets with a health check that is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HealthChecks {
    LeftOut,
    Dropped,
}

/// What is copied, and how.
#[derive(Debug)]
pub(crate) struct MoveIn {
    pub(crate) origin: Origin,
    /// By id or name; all if there is none.
    pub(crate) zones: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) health_checks: HealthChecks,
    pub(crate) skip_invalid: bool,
    pub(crate) beyond_quota: bool,
    pub(crate) dry_run: bool,
    pub(crate) report: Option<PathBuf>,
    pub(crate) id_map: Option<PathBuf>,
    pub(crate) terraform: Option<PathBuf>,
}

/// Copies, and says what came of it.
pub(crate) fn run(client: &Client, options: MoveIn) -> Result<()> {
    let target = Target::find(client, options.account.as_deref())?;
    let map = IdMap::read(options.id_map.as_deref())?;
    let source = Source::new(Remote::new(&options.origin)?);
    let mut moving = Moving {
        report: Report {
            source: options.origin.endpoint.clone(),
            account: target.account.clone(),
            dry_run: options.dry_run,
            error: None,
            zones: Vec::new(),
            delegation_sets: Vec::new(),
            health_checks: Vec::new(),
            not_copied: Vec::new(),
            unknown: Vec::new(),
            notes: Vec::new(),
        },
        folder: Folder::new()?,
        bar: Bar::new(client.form()),
        options,
        target,
        source,
        map,
    };
    let done = moving.run();
    moving.bar.clear();
    let Moving {
        mut report,
        options,
        ..
    } = moving;
    if let Err(error) = done {
        // Errors quote what the other end says.
        let text = visible::text(&format!("{error:#}")).into_owned();
        if !report.has_changes() {
            bail!(text);
        }
        report.error = Some(text.clone());
        print(client, &report, options.report.as_deref())?;
        return Err(Told(format!("{text}; the report says what is copied")).into());
    }
    print(client, &report, options.report.as_deref())?;
    match report.missing() {
        None => Ok(()),
        Some(missing) => Err(Incomplete(missing).into()),
    }
}

/// The report, on standard output and in a file.
fn print(client: &Client, report: &Report, file: Option<&Path>) -> Result<()> {
    let json = || -> Result<String> {
        let json = serde_json::to_string_pretty(report)?;
        Ok(format!("{}\n", visible::json(&json)))
    };
    if let Some(path) = file {
        let text = match path.extension() {
            Some(extension) if extension == "json" => json()?,
            _ => report.to_string(),
        };
        id_map::replace(path, &text)?;
    }
    let mut out = terminal::out();
    match client.form() {
        Form::Json => write!(out, "{}", json()?)?,
        Form::Text => write!(out, "{report}")?,
    }
    Ok(())
}

/// A zone to be read, and under which id it is here if it is.
struct Wanted {
    zone: RemoteZone,
    new_id: Option<String>,
}

struct Moving {
    options: MoveIn,
    target: Target,
    source: Source,
    map: IdMap,
    folder: Folder,
    report: Report,
    bar: Bar,
}

impl Moving {
    fn run(&mut self) -> Result<()> {
        let zones = self.source.zones()?;
        let ids = chosen(&zones, &self.options.zones)?;
        let (chosen, others): (Vec<_>, Vec<_>) =
            zones.into_iter().partition(|zone| ids.contains(&zone.id));
        self.know(&others)?;
        let wanted = self.wanted(chosen)?;
        let mut aside = Aside::read(&mut self.source)?;
        let checks = aside.health_checks.iter().map(|check| check.id.clone());
        let read = self.read(wanted, &checks.collect())?;
        if !self.options.zones.is_empty() {
            let zones: Vec<&Read> = read.iter().map(|(read, _)| read).collect();
            aside.keep_used_by(&zones);
        }
        let mut tags = self.source.check_tags(&aside.health_checks)?;
        for check in &mut aside.health_checks {
            check.tags = tags.remove(&check.id).unwrap_or_default();
        }
        self.report.notes.append(&mut self.source.notes);
        self.report.unknown.append(&mut self.source.unknown);
        // The other end has said all that is wanted of it.
        self.write(&read, aside)
    }

    fn write(&mut self, read: &[(Read, Option<String>)], aside: Aside) -> Result<()> {
        self.report.not_copied = aside.not_copied;
        let refused_sets = self.delegation_sets(aside.delegation_sets)?;
        self.health_checks(aside.health_checks)?;
        let logs = aside.query_logs.into_iter();
        let logs: BTreeMap<_, _> = logs.map(|log| (log.zone, log.log_group)).collect();
        let all: u64 = read.iter().map(|(read, _)| read.zone.record_sets).sum();
        let mut done = 0;
        let mut waiting = Vec::new();
        for (read, there) in read {
            self.bar.draw("making zones", done, all);
            done += read.zone.record_sets;
            let (new_id, begun) = match there {
                Some(new_id) => (Some(new_id.clone()), Begun::Perhaps),
                None => (self.copy(read, &refused_sets)?, Begun::Not),
            };
            if let Some(new_id) = new_id
                && read.later_count > 0
            {
                waiting.push(Waiting {
                    id: read.zone.id.clone(),
                    new_id,
                    file: read.later.clone(),
                    begun,
                });
            } else {
                self.map.unfinished.remove(&read.zone.id);
            }
            self.note(read, logs.get(&read.zone.id));
        }
        self.connect(&waiting)?;
        if let Some(path) = &self.options.terraform
            && !self.options.dry_run
        {
            self.bar.draw("writing import blocks", all, all);
            let write = |out: &mut dyn Write| terraform::write(out, &self.target, &self.report);
            let written = id_map::replace_by(path, write);
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Says of a zone in the report what is not said of it when it is made.
    fn note(&mut self, read: &Read, log_group: Option<&String>) {
        let mut zones = self.report.zones.iter_mut();
        let Some(zone) = zones.find(|zone| zone.id == read.zone.id) else {
            return;
        };
        if zone.outcome == Outcome::ThereBefore {
            zone.left_out.extend(read.left_out.iter().cloned());
        }
        if let Some(log_group) = log_group {
            zone.notes.push(format!(
                "its queries are logged to {log_group}; here a CreateQueryLoggingConfig has them \
                 logged to a file"
            ));
        }
    }

    /// Finds out which zones that were not asked for are here: aliases may lead to them.
    fn know(&mut self, others: &[RemoteZone]) -> Result<()> {
        for zone in others.iter().filter(|zone| !zone.private) {
            let mapped = self.map.zones.remove(&zone.id);
            if let Known::Itself(id) = self.target.known(zone, mapped.as_deref())? {
                self.map.zones.insert(zone.id.clone(), id);
            }
        }
        Ok(())
    }

    /// Which zones are read. What becomes of the others is in the report.
    fn wanted(&mut self, chosen: Vec<RemoteZone>) -> Result<Vec<Wanted>> {
        let mut wanted = Vec::new();
        for zone in chosen {
            let mapped = self.map.zones.get(&zone.id).cloned();
            let reason = if zone.private {
                "is a private zone, which needs VPCs of this server: make it with \
                 CreateHostedZone, and import what `aws route53 list-resource-record-sets` prints"
                    .to_owned()
            } else {
                match self.target.known(&zone, mapped.as_deref())? {
                    Known::Nothing => {
                        // What the map has for it is gone.
                        self.map.zones.remove(&zone.id);
                        wanted.push(Wanted { zone, new_id: None });
                        continue;
                    }
                    Known::Itself(new_id) => {
                        if self.is_open(&zone, mapped.is_some(), &new_id)? {
                            let new_id = Some(new_id);
                            wanted.push(Wanted { zone, new_id });
                        }
                        continue;
                    }
                    Known::Namesake(id) => format!(
                        "the account has another zone of this name, {id}; `meridian zone import` \
                         can add to it what `aws route53 list-resource-record-sets` prints"
                    ),
                }
            };
            self.report.zones.push(ZoneReport {
                outcome: Outcome::NotCopied,
                reason: Some(reason),
                new_id: None,
                ..copying::there(&zone.id, &zone.name, &Value::Null)
            });
        }
        Ok(wanted)
    }

    /// Says of a zone that it is there, and whether aliases to other zones may be missing in it
    /// since an earlier run was ended. Only an id map says so for certain; without one a zone with
    /// fewer record sets than the old one has may be such a zone.
    fn is_open(&mut self, zone: &RemoteZone, is_mapped: bool, new_id: &str) -> Result<bool> {
        let shown = self.target.show(new_id)?;
        let mut report = copying::there(&zone.id, &zone.name, &shown);
        if report.record_sets != zone.record_sets {
            report.notes.push(format!(
                "had {} record sets here and {} there when this began; zones that are there are \
                 not compared",
                report.record_sets, zone.record_sets
            ));
        }
        let fewer = report.record_sets < zone.record_sets;
        let open = self.map.unfinished.contains(&zone.id) || (!is_mapped && fewer);
        self.report.zones.push(report);
        self.map.zones.insert(zone.id.clone(), new_id.to_owned());
        if open {
            self.map.unfinished.insert(zone.id.clone());
        }
        Ok(open && !self.options.dry_run)
    }

    /// Reads zones into files.
    fn read(
        &mut self,
        wanted: Vec<Wanted>,
        checks: &BTreeSet<String>,
    ) -> Result<Vec<(Read, Option<String>)>> {
        let zones: Vec<&RemoteZone> = wanted.iter().map(|wanted| &wanted.zone).collect();
        let tags: Tags = self.source.tags(&zones)?;
        let coming = zones.iter().map(|zone| zone.id.clone());
        let targets: BTreeSet<String> = coming.chain(self.map.zones.keys().cloned()).collect();
        let reader = Reader {
            folder: &self.folder,
            zones: &targets,
            checks,
            health_checks: self.options.health_checks,
        };
        let all = zones.iter().map(|zone| zone.record_sets).sum();
        let mut done = 0;
        let mut read = Vec::new();
        for Wanted { zone, new_id } in wanted {
            let bar = &mut self.bar;
            let name = zone.name.clone();
            let tags = tags.get(&zone.id).map_or(&[][..], Vec::as_slice);
            let one = reader.read(&mut self.source, zone, tags, || {
                bar.draw("reading record sets", done, all);
                done += 1;
            });
            let one = one.with_context(|| format!("cannot read zone {name}; nothing is copied"))?;
            read.push((one, new_id));
        }
        Ok(read)
    }

    /// Makes reusable delegation sets, and returns the ids of those that were refused.
    fn delegation_sets(&mut self, sets: Vec<RemoteDelegationSet>) -> Result<Vec<String>> {
        let mut refused = Vec::new();
        for set in sets {
            let Some(id) = set.id else { continue };
            if self.options.dry_run {
                continue;
            }
            let reference = set.caller_reference.unwrap_or_else(|| id.clone());
            match self.target.delegation_set(&reference) {
                Ok((new_id, name_servers)) => {
                    self.map.delegation_sets.insert(id.clone(), new_id.clone());
                    self.report.delegation_sets.push(DelegationSetReport {
                        id,
                        new_id,
                        name_servers,
                    });
                }
                Err(error) => {
                    self.target.is_there()?;
                    self.report.not_copied.push(Thing {
                        kind: "delegation set",
                        id: id.clone(),
                        reason: format!("{error:#}"),
                    });
                    refused.push(id);
                }
            }
        }
        if !self.options.dry_run {
            self.map.write()?;
        }
        Ok(refused)
    }

    /// Makes a zone, and returns its id.
    fn copy(&mut self, read: &Read, refused_sets: &[String]) -> Result<Option<String>> {
        let old_set = read.delegation_set.id.as_ref();
        let mut report = copying::copy(&self.target, &self.options, read, &self.map)?;
        if old_set.is_some_and(|id| refused_sets.contains(id)) {
            let note = "has name servers of its own, as its delegation set was not copied";
            report.notes.push(note.to_owned());
        }
        if let Some(new_id) = &report.new_id {
            self.map.zones.insert(read.zone.id.clone(), new_id.clone());
            if read.later_count > 0 {
                self.map.unfinished.insert(read.zone.id.clone());
            }
            self.map.write()?;
        }
        let new_id = report.new_id.clone();
        self.report.zones.push(report);
        Ok(new_id)
    }

    /// Puts aliases between zones into them.
    fn connect(&mut self, waiting: &[Waiting]) -> Result<()> {
        if self.options.dry_run {
            return Ok(());
        }
        self.bar.draw("following aliases", 0, 1);
        let left = copying::connect(&self.target, &self.map, waiting)?;
        for aliases in waiting {
            if !left.contains_key(&aliases.id) {
                self.map.unfinished.remove(&aliases.id);
            }
        }
        let connected: BTreeSet<&String> = waiting.iter().map(|aliases| &aliases.id).collect();
        for zone in &mut self.report.zones {
            if let Some(left) = left.get(&zone.id) {
                zone.left_out.extend(left.iter().cloned());
            }
            if connected.contains(&zone.id)
                && let Some(new_id) = &zone.new_id
            {
                let shown = self.target.show(new_id)?;
                zone.record_sets = shown["record_sets"].as_u64().unwrap_or_default();
            }
        }
        self.map.write()
    }
}

/// The ids of the zones that were asked for.
fn chosen(zones: &[RemoteZone], named: &[String]) -> Result<BTreeSet<String>> {
    if named.is_empty() {
        return Ok(zones.iter().map(|zone| zone.id.clone()).collect());
    }
    let mut ids = BTreeSet::new();
    for text in named {
        let bare = text.trim_start_matches("/hostedzone/");
        let name = format!("{}.", text.trim_end_matches('.'));
        let by_id = |zone: &&RemoteZone| zone.id == bare;
        let by_name = |zone: &&RemoteZone| zone.name.eq_ignore_ascii_case(&name);
        let found: Vec<&RemoteZone> = match zones.iter().find(by_id) {
            Some(zone) => vec![zone],
            None => zones.iter().filter(by_name).collect(),
        };
        match found.as_slice() {
            [] => bail!("there is no zone '{text}' at the other end"),
            [zone] => {
                ids.insert(zone.id.clone());
            }
            several => {
                let several: Vec<&str> = several.iter().map(|zone| zone.id.as_str()).collect();
                let several = several.join(", ");
                bail!("several zones are called '{text}', name one by its id: {several}")
            }
        }
    }
    Ok(ids)
}
