//! What there is at the other end: everything but record sets, read before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use meridian_api::remote::{
    Ask, InstancesStart, RemoteDelegationSet, RemoteHealthCheck, RemotePage, RemotePolicyInstance,
    RemoteQueryLog, RemoteSet, RemoteThing, RemoteZone, SetsStart, Unreadable,
    read_cidr_collections, read_delegation_sets, read_health_checks, read_hosted_zone,
    read_hosted_zones, read_policy_instances, read_query_logs, read_record_sets, read_signing,
    read_tags, read_traffic_policies,
};

use super::checks::Check;
use super::remote::{Refused, Remote};

/// Zones or health checks whose tags are asked for at once.
const TAGGED_AT_ONCE: usize = 10;
/// The most pages of a list, and their bytes, as all of it is kept: a million zones.
const MAX_PAGES: usize = 10_000;
const MAX_LIST_BYTES: usize = 1024 * 1024 * 1024;
/// The most record sets of a zone, and how many more it may send than it says it has: it may grow
/// while it is read, but not for ever.
const MAX_SETS: u64 = 30_000_000;
const MORE_SETS: u64 = 10_000;

/// Tags of zones or health checks, by their ids.
pub(super) type Tags = BTreeMap<String, Vec<(String, String)>>;

/// A Route 53 that is read.
pub(super) struct Source {
    remote: Remote,
    /// What the service does not have.
    pub(super) notes: Vec<String>,
    /// What it has perhaps, but does not tell.
    pub(super) unknown: Vec<String>,
}

impl Source {
    pub(super) fn new(remote: Remote) -> Self {
        Self {
            remote,
            notes: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// All zones.
    pub(super) fn zones(&mut self) -> Result<Vec<RemoteZone>> {
        self.all_by_name(Ask::hosted_zones, read_hosted_zones)
    }

    /// A zone's delegation set.
    pub(super) fn delegation_set_of(&mut self, zone: &RemoteZone) -> Result<RemoteDelegationSet> {
        let answer = self.remote.ask(&Ask::hosted_zone(&zone.id))?;
        Ok(read_hosted_zone(&answer)?.1)
    }

    /// Hands all record sets of a zone to `each`.
    pub(super) fn each_set(
        &mut self,
        zone: &RemoteZone,
        mut each: impl FnMut(RemoteSet) -> Result<()>,
    ) -> Result<()> {
        let mut start: Option<SetsStart> = None;
        let mut left = zone.record_sets.min(MAX_SETS) * 2 + MORE_SETS;
        // Ends with `left`, as each page takes something from it.
        loop {
            let ask = Ask::record_sets(&zone.id, start.as_ref());
            let page = read_record_sets(&self.remote.ask(&ask)?)?;
            let count = page.items.len() as u64;
            page.items.into_iter().try_for_each(&mut each)?;
            if page.next.is_none() {
                return Ok(());
            }
            left = left.saturating_sub(count);
            if count == 0 || left == 0 || page.next == start {
                bail!(
                    "the list of its record sets does not end; it has {} as the source says",
                    zone.record_sets
                );
            }
            start = page.next;
        }
    }

    /// Tags of these zones.
    pub(super) fn tags(&mut self, zones: &[&RemoteZone]) -> Result<Tags> {
        let ids: Vec<&str> = zones.iter().map(|zone| zone.id.as_str()).collect();
        self.tags_of("hostedzone", &ids, "zones are copied without their tags")
    }

    /// Tags of these health checks.
    pub(super) fn check_tags(&mut self, checks: &[Check]) -> Result<Tags> {
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        let without = "health checks are copied without their tags";
        self.tags_of("healthcheck", &ids, without)
    }

    fn tags_of(&mut self, kind: &str, ids: &[&str], without: &str) -> Result<Tags> {
        let mut all = Tags::new();
        for some in ids.chunks(TAGGED_AT_ONCE) {
            let answer = self.remote.ask(&Ask::tags(kind, some.iter().copied()));
            let Some(answer) = self.tolerate(answer, without)? else {
                break;
            };
            let read = read_tags(&answer)?.into_iter();
            all.extend(read.map(|tags| (tags.resource, tags.tags)));
        }
        Ok(all)
    }

    /// Reusable delegation sets.
    pub(super) fn delegation_sets(&mut self) -> Result<Vec<RemoteDelegationSet>> {
        let all = self.all_by_name(Ask::delegation_sets, read_delegation_sets);
        self.list(all, "reusable delegation sets are not copied")
    }

    /// Health checks.
    pub(super) fn health_checks(&mut self) -> Result<Vec<RemoteHealthCheck>> {
        let all = self.all_by_name(Ask::health_checks, read_health_checks);
        self.list(all, "health checks are not copied")
    }

    /// CIDR collections.
    pub(super) fn cidr_collections(&mut self) -> Result<Vec<RemoteThing>> {
        let all = self.all_by_name(Ask::cidr_collections, read_cidr_collections);
        self.list(all, "CIDR collections are not in this report")
    }

    /// Traffic policies.
    pub(super) fn traffic_policies(&mut self) -> Result<Vec<RemoteThing>> {
        let all = self.all_by_name(Ask::traffic_policies, read_traffic_policies);
        self.list(all, "traffic policies are not in this report")
    }

    /// Traffic policy instances.
    pub(super) fn policy_instances(&mut self) -> Result<Vec<RemotePolicyInstance>> {
        let ask = |start: Option<&InstancesStart>| Ask::policy_instances(start);
        let all = self.all(ask, read_policy_instances);
        self.list(all, "traffic policy instances are not in this report")
    }

    /// Where the queries of zones are logged.
    pub(super) fn query_logs(&mut self) -> Result<Vec<RemoteQueryLog>> {
        let all = self.all_by_name(Ask::query_logs, read_query_logs);
        self.list(all, "query logs are not in this report")
    }

    /// Whether a zone is signed; none if that is not told.
    pub(super) fn is_signed(&mut self, zone: &RemoteZone) -> Result<Option<bool>> {
        let answer = self.remote.ask(&Ask::signing(&zone.id));
        let answer = self.tolerate(answer, "whether zones are signed is not known")?;
        let status = answer.map(|answer| read_signing(&answer)).transpose()?;
        Ok(status.map(|status| status != "NOT_SIGNING"))
    }

    /// All pages of a list that goes on from a text.
    fn all_by_name<T>(
        &mut self,
        ask: impl Fn(Option<&str>) -> Ask,
        read: impl Fn(&[u8]) -> Result<RemotePage<T>, Unreadable>,
    ) -> Result<Vec<T>> {
        self.all(
            |start: Option<&String>| ask(start.map(String::as_str)),
            read,
        )
    }

    /// All pages of a list.
    fn all<T, N: Ord + Clone>(
        &mut self,
        ask: impl Fn(Option<&N>) -> Ask,
        read: impl Fn(&[u8]) -> Result<RemotePage<T, N>, Unreadable>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        let mut start: Option<N> = None;
        let mut bytes = 0;
        for _ in 0..MAX_PAGES {
            let answer = self.remote.ask(&ask(start.as_ref()))?;
            bytes += answer.len();
            let page = read(&answer)?;
            items.extend(page.items);
            match page.next {
                None => return Ok(items),
                Some(next) if bytes > MAX_LIST_BYTES || !seen.insert(next.clone()) => break,
                next => start = next,
            }
        }
        bail!("{}: the list does not end", ask(None).operation)
    }

    /// A list, or an empty one if it is refused.
    fn list<T>(&mut self, outcome: Result<Vec<T>>, without: &str) -> Result<Vec<T>> {
        Ok(self.tolerate(outcome, without)?.unwrap_or_default())
    }

    /// What is refused is noted and left out; it is not what zones are made of.
    fn tolerate<T>(&mut self, outcome: Result<T>, without: &str) -> Result<Option<T>> {
        let error = match outcome {
            Ok(found) => return Ok(Some(found)),
            Err(error) => error,
        };
        let Some(refused) = error.downcast_ref::<Refused>() else {
            return Err(error);
        };
        let notes = match refused.is_missing() {
            true => &mut self.notes,
            false => &mut self.unknown,
        };
        let note = format!("{without}: {error:#}");
        if !notes.contains(&note) {
            notes.push(note);
        }
        Ok(None)
    }
}
