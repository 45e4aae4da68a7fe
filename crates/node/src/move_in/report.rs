//! What came of it, for people and for programs: what was copied, what was not and why, and what is
//! left to do.

use std::fmt::{self, Display};

use serde::Serialize;

use super::sorting::LeftOut;
use crate::visible;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) source: String,
    /// The account here.
    pub(super) account: String,
    pub(super) dry_run: bool,
    /// What ended it before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    pub(super) zones: Vec<ZoneReport>,
    pub(super) delegation_sets: Vec<DelegationSetReport>,
    pub(super) health_checks: Vec<HealthCheckReport>,
    /// Things beside zones that are not copied.
    pub(super) not_copied: Vec<Thing>,
    /// What could not be found out, and may be missing here therefore.
    pub(super) unknown: Vec<String>,
    /// What the source does not have.
    pub(super) notes: Vec<String>,
}

/// One zone.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ZoneReport {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) outcome: Outcome,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<String>,
    /// As many as it has here, with NS and SOA.
    pub(super) record_sets: u64,
    /// Here.
    pub(super) name_servers: Vec<String>,
    /// At the other end.
    pub(super) old_name_servers: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) notes: Vec<String>,
}

/// What became of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Copied,
    /// With `--dry-run`: nothing speaks against it.
    Checked,
    /// It was copied before.
    ThereBefore,
    NotCopied,
}

/// A reusable delegation set.
#[derive(Debug, Serialize)]
pub(super) struct DelegationSetReport {
    pub(super) id: String,
    pub(super) new_id: String,
    pub(super) name_servers: Vec<String>,
}

/// A health check that is copied, or was before.
#[derive(Debug, Serialize)]
pub(super) struct HealthCheckReport {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// None in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_id: Option<String>,
}

/// Something that is not copied.
#[derive(Debug, Serialize)]
pub(super) struct Thing {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) reason: String,
}

impl Report {
    /// Says how much was not copied; none if nothing is missing.
    pub(super) fn missing(&self) -> Option<String> {
        let not = |zone: &&ZoneReport| zone.outcome == Outcome::NotCopied;
        let zones = self.zones.iter().filter(not).count();
        let sets: usize = self.zones.iter().map(|zone| zone.left_out.len()).sum();
        let things = self.not_copied.len() + self.unknown.len();
        (zones + sets + things > 0).then(|| {
            format!("{zones} zones, {sets} record sets and {things} other things were not copied")
        })
    }

    /// Whether anything is here now that was not before.
    pub(super) fn has_changes(&self) -> bool {
        let copied = |zone: &ZoneReport| zone.outcome == Outcome::Copied;
        let mut checks = self.health_checks.iter();
        self.zones.iter().any(copied)
            || !self.delegation_sets.is_empty()
            || checks.any(|check| check.new_id.is_some())
    }

    fn steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = |zone: &&ZoneReport| zone.outcome == Outcome::Copied;
        if !self.zones.iter().any(|zone| new(&zone)) {
            return Ok(());
        }
        f.write_str(
            "\nWhat is left to do, for each zone that was copied (docs/MOVING.md):\n\
             1. Lower the TTL of the zone's NS records at the old side and, where you can, of the\n   \
             delegation in the parent zone, and wait until the old TTL has passed.\n\
             2. Hold the answers against each other: meridian verify ZONE --against OLD_NAME_SERVER\n\
             3. Enter the new name servers at the registrar, or in the parent zone.\n\
             4. See that they have arrived: meridian delegation check ZONE\n\
             5. Change nothing at the old side any more; delete the old zone when nobody asks it.\n",
        )
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.dry_run { "would go to" } else { "to" };
        let (source, account) = (&self.source, &self.account);
        line(f, format_args!("From {source} {to} account {account}."))?;
        writeln!(f)?;
        for zone in &self.zones {
            write!(f, "{zone}")?;
        }
        for set in &self.delegation_sets {
            let servers = set.name_servers.join(" ");
            line(
                f,
                format_args!("delegation set {} is {}: {servers}", set.id, set.new_id),
            )?;
        }
        for HealthCheckReport { id, kind, new_id } in &self.health_checks {
            match new_id {
                Some(new_id) => line(f, format_args!("health check {id} ({kind}) is {new_id}"))?,
                None => line(f, format_args!("health check {id} ({kind}): can be copied"))?,
            }
        }
        for Thing { kind, id, reason } in &self.not_copied {
            line(f, format_args!("{kind} {id}: NOT COPIED: {reason}"))?;
        }
        for unknown in &self.unknown {
            line(f, format_args!("NOT KNOWN: {unknown}"))?;
        }
        for note in &self.notes {
            line(f, format_args!("note: {note}"))?;
        }
        if let Some(error) = &self.error {
            line(
                f,
                format_args!("NOT FINISHED: {error}; run it again for the rest"),
            )?;
        }
        self.steps(f)
    }
}

impl Display for ZoneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, .. } = self;
        let new_id = self.new_id.as_deref().unwrap_or_default();
        let sets = self.record_sets;
        let became = match self.outcome {
            Outcome::Copied => format!("copied as {new_id}, {sets} record sets"),
            Outcome::Checked => format!("would be copied, {sets} record sets"),
            Outcome::ThereBefore => format!("there already as {new_id}, {sets} record sets"),
            Outcome::NotCopied => {
                let reason = self.reason.as_deref().unwrap_or_default();
                format!("NOT COPIED: {reason}")
            }
        };
        line(f, format_args!("zone {name} ({id}): {became}"))?;
        for (whose, servers) in [("new", &self.name_servers), ("old", &self.old_name_servers)] {
            if !servers.is_empty() {
                line(
                    f,
                    format_args!("    {whose} name servers: {}", servers.join(" ")),
                )?;
            }
        }
        for left in &self.left_out {
            let identifier = left.set_identifier.as_ref();
            let identifier = identifier.map(|identifier| format!(" '{identifier}'"));
            line(
                f,
                format_args!(
                    "    left out: {} {}{}: {}",
                    left.name,
                    left.rtype,
                    identifier.unwrap_or_default(),
                    left.reason
                ),
            )?;
        }
        for note in &self.notes {
            line(f, format_args!("    note: {note}"))?;
        }
        Ok(())
    }
}

/// Writes a line that ends where it should, whatever the other end put into it.
fn line(f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    writeln!(f, "{}", visible::text(&text.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(things: Vec<Thing>) -> Report {
        Report {
            source: "https://s".to_owned(),
            account: "1".to_owned(),
            dry_run: false,
            error: None,
            zones: Vec::new(),
            delegation_sets: Vec::new(),
            health_checks: Vec::new(),
            not_copied: things,
            unknown: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_is_not_copied_is_missing() {
        assert_eq!(report(Vec::new()).missing(), None);
        let check = Thing {
            kind: "health check",
            id: "h".to_owned(),
            reason: "r".to_owned(),
        };
        let missing = report(vec![check]).missing().unwrap();
        assert!(missing.contains("1 other things"), "{missing}");
        let mut unknown = report(Vec::new());
        unknown.unknown.push("tags".to_owned());
        assert!(unknown.missing().is_some());
    }

    #[test]
    fn nobody_elses_text_ends_a_line_or_moves_a_cursor() {
        let check = Thing {
            kind: "health check",
            id: "h\u{1b}[2J".to_owned(),
            reason: "r\nzone x: copied".to_owned(),
        };
        let text = report(vec![check]).to_string();
        assert!(
            !text.contains('\u{1b}') && !text.contains("\nzone"),
            "{text}"
        );
    }
}
