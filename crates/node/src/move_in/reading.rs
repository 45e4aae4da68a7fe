//! Reading one zone at the other end into files: what comes with it, and what comes later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use meridian_api::remote::{RemoteDelegationSet, RemoteZone};

use super::HealthChecks;
use super::folder::{About, Folder, Lines, sets, write_document};
use super::sorting::{LeftOut, Sorting, When};
use super::source::Source;

/// A zone that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) zone: RemoteZone,
    pub(super) delegation_set: RemoteDelegationSet,
    /// For `zone import`.
    pub(super) document: PathBuf,
    /// Aliases to other zones, one on each line, and how many.
    pub(super) later: PathBuf,
    pub(super) later_count: u64,
    pub(super) left_out: Vec<LeftOut>,
    /// What its sets name that is beside zones, by their ids.
    pub(super) used: BTreeSet<String>,
    /// Whether health checks that are copied are among it.
    pub(super) has_checks: bool,
    pub(super) notes: Vec<String>,
}

/// What does not change from zone to zone.
pub(super) struct Reader<'a> {
    pub(super) folder: &'a Folder,
    /// Zones that aliases may lead to.
    pub(super) zones: &'a BTreeSet<String>,
    /// Health checks that are copied.
    pub(super) checks: &'a BTreeSet<String>,
    pub(super) health_checks: HealthChecks,
}

impl Reader<'_> {
    /// Reads a zone; `seen` hears of each record set.
    pub(super) fn read(
        &self,
        source: &mut Source,
        zone: RemoteZone,
        tags: &[(String, String)],
        mut seen: impl FnMut(),
    ) -> Result<Read> {
        let delegation_set = source.delegation_set_of(&zone)?;
        let signed = source.is_signed(&zone)? == Some(true);
        let file = |kind: &str| self.folder.file(&format!("{}.{kind}", zone.id));
        let (raw, later, document) = (file("sets"), file("later"), file("json"));
        let (zones, checks) = (self.zones, self.checks);
        let mut sorting = Sorting::new(&zone.id, &zone.name, zones, checks, self.health_checks);
        let mut first = Lines::create(&raw)?;
        let mut second = Lines::create(&later)?;
        source.each_set(&zone, |set| {
            seen();
            // Aliases to the zone itself are known by their places among what comes with it.
            match sorting.set(first.count, set) {
                Some((When::WithZone, set)) => first.push(&set),
                Some((When::Later, set)) => second.push(&set),
                None => Ok(()),
            }
        })?;
        first.end()?;
        let mut moved = BTreeMap::new();
        if sorting.has_open_aliases() {
            // They were written a moment ago, so that each can be read.
            let keys = sets(&raw)?.filter_map(Result::ok);
            moved = sorting.aliases(keys.map(|set| (set.name, set.rtype)));
        }
        for (place, set) in (0..).zip(sets(&raw)?) {
            if moved.get(&place) == Some(&Some(When::Later)) {
                second.push(&set?)?;
            }
        }
        let about = About {
            id: Some(&zone.id),
            comment: zone.comment.as_deref(),
            tags,
        };
        let with_zone = (0..).zip(sets(&raw)?);
        let with_zone = with_zone.filter(|(place, _)| !moved.contains_key(place));
        write_document(&document, &about, with_zone.map(|(_, set)| set))?;
        fs::remove_file(&raw)?;
        let later_count = second.end()?;
        let notes = notes(&zone, &sorting, &delegation_set, signed);
        Ok(Read {
            has_checks: sorting.used.iter().any(|id| checks.contains(id)),
            left_out: sorting.left_out,
            used: sorting.used,
            zone,
            delegation_set,
            document,
            later,
            later_count,
            notes,
        })
    }
}

/// What is said of sets whose health check was taken off.
pub(super) fn without_check(sets: u64) -> String {
    format!("{sets} record sets are copied without their health check")
}

fn notes(
    zone: &RemoteZone,
    sorting: &Sorting<'_>,
    delegation_set: &RemoteDelegationSet,
    signed: bool,
) -> Vec<String> {
    let mut notes = Vec::new();
    if signed {
        notes.push(
            "is signed at the other end and unsigned here: have its DS records taken out of the \
             parent zone, and wait for their TTL, before the name servers change"
                .to_owned(),
        );
    }
    if let Some(service) = &zone.linked_service {
        notes.push(format!(
            "is made and kept by {service}, which goes on changing the old one"
        ));
    }
    if sorting.unchecked > 0 {
        notes.push(without_check(sorting.unchecked));
    }
    let plain = |name: &String| name.trim_end_matches('.').to_ascii_lowercase();
    let given: BTreeSet<String> = delegation_set.name_servers.iter().map(plain).collect();
    let stated: BTreeSet<String> = sorting.servers.iter().map(plain).collect();
    if !given.is_empty() && !stated.is_empty() && given != stated {
        let stated: Vec<String> = stated.into_iter().collect();
        notes.push(format!(
            "the NS set of its apex is not that of its delegation set, and is not copied: {}",
            stated.join(" ")
        ));
    }
    notes
}
