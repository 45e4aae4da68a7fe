//! Zones as operators see them: found by id or name in all accounts, with what is counted and
//! known about each; their sets in portions, for exports.

use std::ops::ControlFlow;

use meridian_dns::Name;
use meridian_log::{SetStart, Snapshot};
use meridian_model::{
    Change, ChangeId, Generation, RecordSet, Seq, SetKey, State, Tag, TaggedKind, TaggedResource,
    Timestamp, Zone, ZoneId,
};

use super::{AdminError, Outcome, account_of};
use crate::control::Control;
use crate::request::ChangeStatus;

/// Which zones are listed.
#[derive(Debug, Clone, Default)]
pub struct ZoneFilter {
    /// Those of this account, by name or id.
    pub account: Option<String>,
    /// Those whose name, without the final dot, is like this: `*` stands for any characters.
    pub name: Option<String>,
}

/// A zone and what is known about it.
#[derive(Debug, Clone)]
pub struct ZoneDetail {
    /// The zone.
    pub zone: Zone,
    /// Its account's name.
    pub account_name: String,
    /// How many record sets it has.
    pub record_sets: u64,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// The entry that last changed its sets.
    pub changed_in: Seq,
    /// When that was and who did it, as far back as history goes.
    pub changed: Option<(Timestamp, String)>,
    /// Whether every name server serves that.
    pub status: ChangeStatus,
}

/// A change and how far it is.
#[derive(Debug, Clone)]
pub struct ChangeDetail {
    /// The change.
    pub change: Change,
    /// The entry that carried it.
    pub seq: Seq,
    /// Whether every name server of its zone serves it.
    pub status: ChangeStatus,
}

/// The record sets of a zone as they were at one moment, in Route 53's order.
#[derive(Debug)]
pub struct ZoneSets {
    snapshot: Snapshot,
    generation: Generation,
    next: Option<SetKey>,
    ended: bool,
}

impl Control {
    /// The zones of all accounts, or of one, in the order of their ids.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn zones(&self, filter: &ZoneFilter) -> Outcome<Vec<ZoneDetail>> {
        let snapshot = self.fresh()?;
        let account = filter.account.as_deref();
        let account = account
            .map(|text| account_of(&snapshot, text))
            .transpose()?;
        let wanted = filter.name.as_deref().map(str::to_ascii_lowercase);
        let mut zones = Vec::new();
        snapshot.each_zone(|zone| {
            let name = zone.name.to_string();
            let mine = account.as_ref().is_none_or(|one| one.id == zone.account);
            let named = wanted.as_deref().is_none_or(|wanted| {
                let wanted = wanted.trim_end_matches('.').as_bytes();
                is_like(name.trim_end_matches('.').as_bytes(), wanted)
            });
            if mine && named {
                zones.push(zone);
            }
            ControlFlow::Continue(())
        })?;
        let details = zones.into_iter().map(|zone| self.detail(&snapshot, zone));
        details.collect()
    }

    /// One zone, by id or name.
    ///
    /// # Errors
    /// When there is none, or several have the name.
    pub fn zone(&self, text: &str) -> Outcome<ZoneDetail> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, text, None)?;
        self.detail(&snapshot, zone)
    }

    /// One zone, by id or name, of one account if one is named; as it is stored.
    ///
    /// # Errors
    /// When there is none, or several have the name.
    pub fn find_zone(&self, text: &str, account: Option<&str>) -> Outcome<Zone> {
        zone_of(&self.fresh()?, text, account)
    }

    /// One zone, by id or name, and its record sets.
    ///
    /// # Errors
    /// When there is none, or several have the name.
    pub fn zone_sets(&self, text: &str) -> Outcome<(ZoneDetail, ZoneSets)> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, text, None)?;
        let generation = zone.generation;
        let detail = self.detail(&snapshot, zone)?;
        let sets = ZoneSets {
            snapshot,
            generation,
            next: None,
            ended: false,
        };
        Ok((detail, sets))
    }

    /// A change, whoever may ask for it by the API.
    ///
    /// # Errors
    /// When there is none.
    pub fn change_detail(&self, text: &str) -> Outcome<ChangeDetail> {
        let snapshot = self.fresh()?;
        let unknown = || AdminError::UnknownChange(text.to_owned());
        let id = ChangeId::new(text.trim_start_matches("/change/")).map_err(|_| unknown())?;
        let (seq, change) = snapshot.change(&id)?.ok_or_else(unknown)?;
        let status = self.acks.status(change.zone.as_ref(), seq);
        Ok(ChangeDetail {
            change,
            seq,
            status,
        })
    }

    fn detail(&self, snapshot: &Snapshot, zone: Zone) -> Outcome<ZoneDetail> {
        let stats = snapshot.stats(zone.generation)?;
        let before = Seq(stats.last_changed.0.saturating_sub(1));
        let row = snapshot.history(&zone.id, before, 1)?.pop();
        let resource = TaggedResource {
            kind: TaggedKind::HostedZone,
            id: zone.id.to_string(),
        };
        let account = snapshot.account(&zone.account)?;
        Ok(ZoneDetail {
            account_name: account.map_or_else(String::new, |account| account.name),
            record_sets: stats.sets,
            tags: snapshot.tags(&resource)?,
            changed_in: stats.last_changed,
            changed: row
                .filter(|row| row.seq == stats.last_changed)
                .map(|row| (row.time, row.principal)),
            status: self.acks.status(Some(&zone.id), stats.last_changed),
            zone,
        })
    }
}

impl ZoneSets {
    /// The next sets, at most `limit`; none at the end.
    ///
    /// # Errors
    /// Faults only.
    pub fn next(&mut self, limit: usize) -> Outcome<Vec<RecordSet>> {
        if self.ended {
            return Ok(Vec::new());
        }
        let from = self.next.as_ref().map(|key| SetStart {
            name: &key.name,
            rtype: Some(key.rtype),
            identifier: key.set_identifier.as_deref(),
        });
        let limit = limit.saturating_add(1);
        let mut sets = self
            .snapshot
            .listed_sets_from(self.generation, from, limit)?;
        self.ended = sets.len() < limit;
        if !self.ended {
            self.next = sets.pop().map(|set| set.key);
        }
        Ok(sets)
    }
}

/// The zone of this id or name, of one account if one is named.
pub(crate) fn zone_of(snapshot: &Snapshot, text: &str, account: Option<&str>) -> Outcome<Zone> {
    let account = account.map(|text| account_of(snapshot, text)).transpose()?;
    let mine = |zone: &Zone| account.as_ref().is_none_or(|one| one.id == zone.account);
    if let Ok(id) = ZoneId::new(text.trim_start_matches("/hostedzone/"))
        && let Some(zone) = snapshot.zone(&id)?.filter(&mine)
    {
        return Ok(zone);
    }
    let unknown = || AdminError::UnknownZone(text.to_owned());
    let name = Name::parse(text).map_err(|_| unknown())?.to_lowercase();
    let mut found = snapshot.zones_named(&name)?;
    found.retain(mine);
    if found.len() > 1 {
        let ids: Vec<&str> = found.iter().map(|zone| zone.id.as_str()).collect();
        return Err(AdminError::AmbiguousZone(text.to_owned(), ids.join(", ")));
    }
    found.pop().ok_or_else(unknown)
}

/// Whether a text is like a pattern in which `*` stands for any characters.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    // Each part where it is found first leaves most for those behind it.
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let mut places = 0..=rest.len().saturating_sub(part.len());
        let Some(at) = places.find(|at| rest[*at..].starts_with(part)) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let like = |text: &str, pattern: &str| is_like(text.as_bytes(), pattern.as_bytes());
        assert!(like("site.test", "site.test"));
        assert!(!like("a.site.test", "site.test"));
        assert!(like("a.site.test", "*site.test"));
        assert!(like("site.test", "*"));
        assert!(like("a.b.c", "a*b*c"));
        assert!(!like("a.b.c", "a*c*b"));
        assert!(like("aab", "*ab"));
        assert!(!like("ab", "ab*b"));
        assert!(like("", "*") && like("", "") && !like("", "a*"));
    }
}
