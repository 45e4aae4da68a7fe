//! Making zones out of what was read: each by the path that `zone import` takes, and then the
//! aliases between them, which find their targets only now.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;

use super::MoveIn;
use super::checks::with_new_check;
use super::folder::{About, Lines, refused_sets, rewrite_document, sets, write_document};
use super::id_map::IdMap;
use super::reading::{Read, without_check};
use super::report::{Outcome, ZoneReport};
use super::sorting::LeftOut;
use super::target::{Target, name_servers, text};
use crate::admin::ImportCommand;
use crate::transfer::{self, Answered, Format, Import, JsonSet};

/// How often aliases between zones are tried: as often as a chain of them may have links.
const ROUNDS: usize = 17;

/// Record sets that a zone is made with: NS and SOA.
const OWN_SETS: u64 = 2;

/// Aliases that wait for zones.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Of their zone, at the other end and here.
    pub(super) id: String,
    pub(super) new_id: String,
    /// One on each line.
    pub(super) file: PathBuf,
    /// Whether an earlier run may have put some into the zone.
    pub(super) begun: Begun,
}

/// How far a zone's aliases to others are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Not,
    Perhaps,
}

/// A zone whose record sets are all to come.
pub(super) fn report(read: &Read) -> ZoneReport {
    ZoneReport {
        id: read.zone.id.clone(),
        name: read.zone.name.clone(),
        outcome: Outcome::NotCopied,
        reason: None,
        new_id: None,
        change: None,
        record_sets: 0,
        name_servers: Vec::new(),
        old_name_servers: read.delegation_set.name_servers.clone(),
        left_out: read.left_out.clone(),
        notes: read.notes.clone(),
    }
}

/// Makes a zone. What speaks against it is in the report.
pub(super) fn copy(
    target: &Target,
    options: &MoveIn,
    read: &Read,
    map: &IdMap,
) -> Result<ZoneReport> {
    let mut report = report(read);
    if read.has_checks {
        put_new_checks(options, read, map, &mut report)?;
    }
    let old_set = read.delegation_set.id.as_ref();
    let delegation_set = old_set.and_then(|id| map.delegation_sets.get(id).cloned());
    let import = Import {
        file: read.document.clone(),
        format: Some(Format::Json),
        skip_invalid: options.skip_invalid,
        command: ImportCommand {
            create: Some(read.zone.name.clone()),
            account: Some(target.account.clone()),
            skip_invalid: options.skip_invalid,
            beyond_quota: options.beyond_quota,
            dry_run: options.dry_run,
            caller_reference: Some(read.zone.caller_reference.clone()),
            delegation_set,
            ..ImportCommand::default()
        },
    };
    let Answered {
        result, refused, ..
    } = match transfer::ask(&target.client, import) {
        Ok(answered) => answered,
        Err(error) => {
            target.is_there()?;
            report.reason = Some(format!("{error:#}"));
            return Ok(report);
        }
    };
    report.record_sets = result["record_sets"].as_u64().unwrap_or_default();
    let refused = refused_sets(&read.document, &refused)?;
    if !refused.is_empty() && !options.skip_invalid {
        report.reason = Some(format!(
            "{} (--skip-invalid leaves such out)",
            shown(&refused)
        ));
        return Ok(report);
    }
    report.left_out.extend(refused);
    if options.dry_run {
        report.outcome = Outcome::Checked;
        report.record_sets += OWN_SETS;
        if read.later_count > 0 {
            report.notes.push(format!(
                "{} aliases to other zones are tried only when they are written",
                read.later_count
            ));
        }
        return Ok(report);
    }
    let id = text(&result, "zone");
    report.outcome = Outcome::Copied;
    report.change = result["change"].as_str().map(str::to_owned);
    report.name_servers = name_servers(&target.show(&id)?);
    report.new_id = Some(id);
    Ok(report)
}

/// Has the document name health checks as they are here.
fn put_new_checks(
    options: &MoveIn,
    read: &Read,
    map: &IdMap,
    report: &mut ZoneReport,
) -> Result<()> {
    let mut unchecked = 0;
    let left = rewrite_document(&read.document, |set| {
        let was_checked = set.health_check_id.is_some();
        let set = with_new_check(options, map, set)?;
        if was_checked && set.health_check_id.is_none() {
            unchecked += 1;
        }
        Ok(set)
    })?;
    report.left_out.extend(left);
    if unchecked > 0 && !options.dry_run {
        report.notes.push(without_check(unchecked));
    }
    Ok(())
}

/// The first few of what was refused.
fn shown(refused: &[LeftOut]) -> String {
    const SHOWN: usize = 10;
    let some = refused.iter().take(SHOWN);
    let some = some.map(|set| format!("{} {}: {}", set.name, set.rtype, set.reason));
    let mut text = some.collect::<Vec<_>>().join("; ");
    if refused.len() > SHOWN {
        text.push_str(&format!("; and {} more", refused.len() - SHOWN));
    }
    text
}

/// Puts the waiting aliases into their zones, and returns those that were not taken, by the zones'
/// old ids. Those that are taken are no longer in their files.
pub(super) fn connect(
    target: &Target,
    map: &IdMap,
    waiting: &[Waiting],
) -> Result<BTreeMap<String, Vec<LeftOut>>> {
    let mut left = BTreeMap::new();
    let begun = waiting.iter().filter(|one| one.begun == Begun::Perhaps);
    for aliases in begun {
        pass_over_known(target, aliases)?;
    }
    for _ in 0..ROUNDS {
        let mut open = 0;
        let mut taken = 0;
        for aliases in waiting {
            let all = sets(&aliases.file)?.count();
            if all == 0 {
                left.remove(&aliases.id);
                continue;
            }
            let refused = merge(target, map, aliases)?;
            open += refused.len();
            taken += all - refused.len();
            left.insert(aliases.id.clone(), refused);
        }
        if open == 0 || taken == 0 {
            break;
        }
    }
    left.retain(|_, refused: &mut Vec<LeftOut>| !refused.is_empty());
    Ok(left)
}

/// Takes aliases out of the file that the zone has already: it may have been changed since.
fn pass_over_known(target: &Target, aliases: &Waiting) -> Result<()> {
    let key = |set: &JsonSet| {
        let name = set.name.to_ascii_lowercase();
        (name, set.rtype.clone(), set.set_identifier.clone())
    };
    let mut wanted = BTreeSet::new();
    for set in sets(&aliases.file)? {
        wanted.insert(key(&set?));
    }
    target.each_set(&aliases.new_id, |set| {
        wanted.remove(&key(set));
        Ok(())
    })?;
    let partial = aliases.file.with_extension("partial");
    let mut out = Lines::create(&partial)?;
    for set in sets(&aliases.file)? {
        let set = set?;
        if wanted.contains(&key(&set)) {
            out.push(&set)?;
        }
    }
    out.end()?;
    Ok(fs::rename(&partial, &aliases.file)?)
}

/// Puts the aliases of one zone into it; its file then has those that were not taken.
fn merge(target: &Target, map: &IdMap, aliases: &Waiting) -> Result<Vec<LeftOut>> {
    let document = aliases.file.with_extension("json");
    let (mut lines, mut homeless, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets(&aliases.file)? {
        let set = set?;
        match moved(&set, map) {
            Some(moved) => {
                lines.push(Ok(moved));
                places.push(set);
            }
            None => homeless.push(set),
        }
    }
    write_document(&document, &About::default(), lines.into_iter())?;
    let mut left: Vec<LeftOut> = homeless
        .iter()
        .map(|set| LeftOut::new(set, "is an alias to a zone that was not copied".to_owned()))
        .collect();
    if places.is_empty() {
        return Ok(left);
    }
    let import = Import {
        file: document,
        format: Some(Format::Json),
        skip_invalid: true,
        command: ImportCommand {
            zone: Some(aliases.new_id.clone()),
            merge: true,
            skip_invalid: true,
            ..ImportCommand::default()
        },
    };
    let refused = match transfer::ask(&target.client, import) {
        Ok(answered) => answered.refused.into_iter().collect(),
        Err(error) => {
            target.is_there()?;
            let reason = format!("{error:#}");
            (1..)
                .take(places.len())
                .map(|place| (place, reason.clone()))
                .collect::<BTreeMap<u64, String>>()
        }
    };
    let partial = aliases.file.with_extension("partial");
    let mut out = Lines::create(&partial)?;
    for (place, set) in (1..).zip(&places) {
        if let Some(reason) = refused.get(&place) {
            left.push(LeftOut::new(set, reason.clone()));
            out.push(set)?;
        }
    }
    homeless.iter().try_for_each(|set| out.push(set))?;
    out.end()?;
    fs::rename(&partial, &aliases.file)?;
    Ok(left)
}

/// An alias as it is here; none if its zone is not.
fn moved(set: &JsonSet, map: &IdMap) -> Option<JsonSet> {
    let mut set = set.clone();
    let alias = set.alias_target.as_mut()?;
    let new = map.zones.get(&alias.hosted_zone_id)?;
    alias.hosted_zone_id.clone_from(new);
    let check = set.health_check_id.as_mut();
    if let Some(check) = check
        && let Some(new) = map.health_checks.get(check)
    {
        check.clone_from(new);
    }
    Some(set)
}

/// A zone that is there already.
pub(super) fn there(id: &str, name: &str, shown: &Value) -> ZoneReport {
    ZoneReport {
        id: id.to_owned(),
        name: name.to_owned(),
        outcome: Outcome::ThereBefore,
        reason: None,
        new_id: Some(text(shown, "id")),
        change: None,
        record_sets: shown["record_sets"].as_u64().unwrap_or_default(),
        name_servers: name_servers(shown),
        old_name_servers: Vec::new(),
        left_out: Vec::new(),
        notes: Vec::new(),
    }
}
