//! Writing the effects of entries into rows. Nothing is validated, allocated or refused here: an
//! old journal gives the old state, whatever today's rules are.

use std::collections::BTreeMap;

use meridian_model::{
    AccessKey, AccessKeyId, Account, AccountId, Change, Effect, Generation, RecordSet, Seq, SetKey,
    TagSet, Timestamp, UnseenGeneration, Zone, ZoneId, may_be_reserved,
};
use prost::Message;

use super::history::{Deltas, Origin};
use super::layout::{self, GENERATION_COUNTER, Table};
use super::rows::Rows;
use super::{
    ApplyError, alias_sources, cidr, delegation_sets, external_aliases, health_checks, protections,
    query_logging, regions, requests, resources, traffic_policies, traffic_policy_instances, vpcs,
};
use crate::format::{ChangeRow, Entry, StatsRow, Stored};

/// Every this many entries the digest is kept under its number, for nodes to compare.
const DIGEST_INTERVAL: u64 = 1000;

/// Applies one entry whose place in the chain was checked.
pub(super) fn apply_entry(rows: &mut Rows<'_>, entry: &Entry) -> Result<(), ApplyError> {
    let mut counts = Counts::default();
    for (index, commit) in entry.commits.iter().enumerate() {
        let mut deltas = Deltas::default();
        for effect in &commit.effects {
            apply_effect(
                rows,
                &mut counts,
                &mut deltas,
                (entry.seq, entry.time),
                effect,
            )?;
        }
        let origin = Origin {
            seq: entry.seq,
            // An entry is at most 1 MiB long.
            commit: u32::try_from(index).unwrap_or(u32::MAX),
            principal: &commit.principal,
            time: entry.time,
        };
        deltas.write(rows, &origin)?;
    }
    requests::apply(rows, entry)?;
    counts.write(rows)?;
    if entry.seq.0.is_multiple_of(DIGEST_INTERVAL) {
        let digest = rows.digest.to_bytes();
        rows.put(Table::Digests, &layout::seq(entry.seq), &digest)?;
    }
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "an arm for each kind of effect")]
fn apply_effect(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    deltas: &mut Deltas,
    (seq, time): (Seq, Timestamp),
    effect: &Effect,
) -> Result<(), ApplyError> {
    match effect {
        Effect::PutZone(zone) => put_zone(rows, counts, deltas, seq, zone)?,
        Effect::DeleteZone(id) => delete_zone(rows, counts, id)?,
        Effect::PutSet { generation, set } => {
            put_set(rows, counts, deltas, (seq, *generation), set)?;
        }
        Effect::DeleteSet { generation, key } => {
            delete_set(rows, counts, deltas, (seq, *generation), key)?;
        }
        Effect::PutChange(change) => put_change(rows, seq, change)?,
        Effect::PutNameServer(server) => {
            let key = layout::name_server(&server.name);
            rows.put(Table::NameServers, &key, &server.to_bytes())?;
        }
        Effect::DeleteNameServer(name) => {
            rows.delete(Table::NameServers, &layout::name_server(name))?;
        }
        Effect::PutAccount(account) => put_account(rows, account)?,
        Effect::DeleteAccount(id) => delete_account(rows, id)?,
        Effect::PutUser(user) => {
            let key = layout::in_account(&user.account, &user.name);
            rows.put(Table::Users, &key, &user.to_bytes())?;
        }
        Effect::DeleteUser { account, name } => {
            rows.delete(Table::Users, &layout::in_account(account, name))?;
        }
        Effect::PutAccessKey(key) => put_access_key(rows, key)?,
        Effect::DeleteAccessKey(id) => delete_access_key(rows, id)?,
        Effect::PutQuota {
            account,
            quota,
            limit,
        } => {
            let key = layout::quota(account, *quota);
            rows.put(Table::Quotas, &key, &limit.to_be_bytes())?;
        }
        Effect::PutUnseenGeneration(unseen) => put_unseen(rows, counts, unseen)?,
        Effect::DeleteUnseenGeneration(generation) => {
            rows.delete(Table::UnseenGenerations, &layout::generation(*generation))?;
        }
        Effect::CollectGeneration { generation, most } => {
            collect_generation(rows, counts, *generation, *most)?;
        }
        Effect::PutVpc(vpc) => vpcs::put(rows, vpc)?,
        Effect::DeleteVpc(id) => vpcs::delete(rows, id)?,
        Effect::PutVpcAuthorization(authorization) => vpcs::authorize(rows, authorization)?,
        Effect::DeleteVpcAuthorization { zone, vpc } => vpcs::deauthorize(rows, zone, vpc)?,
        Effect::PutCidrCollection(collection) => cidr::put(rows, collection)?,
        Effect::DeleteCidrCollection(id) => cidr::delete(rows, id)?,
        Effect::PutCidrBlocks(put) => cidr::put_blocks(rows, put)?,
        Effect::DeleteCidrBlocks(gone) => cidr::delete_blocks(rows, gone)?,
        Effect::PutTrafficPolicy(policy) => traffic_policies::put(rows, seq, policy)?,
        Effect::DeleteTrafficPolicy { id, version } => {
            traffic_policies::delete(rows, seq, (id, *version))?;
        }
        Effect::ForgetTrafficPolicy { id, version } => {
            traffic_policies::forget(rows, seq, (id, *version))?;
        }
        Effect::PutTrafficPolicyInstance(instance) => {
            traffic_policy_instances::put(rows, instance)?;
        }
        Effect::DeleteTrafficPolicyInstance(id) => traffic_policy_instances::delete(rows, id)?,
        Effect::PutTags(set) => put_tags(rows, set)?,
        Effect::PutProtection(protection) => protections::put(rows, protection)?,
        Effect::DeleteProtection(key) => protections::delete(rows, key)?,
        Effect::PutDelegationSet(set) => {
            delegation_sets::put(rows, set)?;
            counts.note_generation(set.turn);
        }
        Effect::DeleteDelegationSet(id) => delegation_sets::delete(rows, id)?,
        Effect::PutQueryLoggingConfig(config) => query_logging::put(rows, config)?,
        Effect::DeleteQueryLoggingConfig(id) => query_logging::delete(rows, id)?,
        Effect::PutRegion(region) => regions::put(rows, region)?,
        Effect::DeleteRegion(name) => regions::delete(rows, name)?,
        Effect::PutResource(resource) => resources::put(rows, resource)?,
        Effect::DeleteResource { account, name } => resources::delete(rows, account, name)?,
        Effect::PutHealthCheck(check) => health_checks::put(rows, check, time)?,
        Effect::DeleteHealthCheck(id) => health_checks::delete(rows, id)?,
        Effect::PutHealthSwitch(switch) => health_checks::switch(rows, switch)?,
        Effect::DeleteHealthSwitch(id) => health_checks::release(rows, id)?,
        Effect::PutRoutingControl(control) => health_checks::turn(rows, control)?,
    }
    Ok(())
}

fn put_zone(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    deltas: &mut Deltas,
    seq: Seq,
    zone: &Zone,
) -> Result<(), ApplyError> {
    let old: Option<Zone> = rows.get_stored(Table::Zones, &layout::zone(&zone.id))?;
    if let Some(old) = &old {
        unindex_zone(rows, old)?;
    }
    rows.put(Table::Zones, &layout::zone(&zone.id), &zone.to_bytes())?;
    index_zone(rows, zone)?;
    counts.note_generation(zone.generation);
    let previous = old.map(|old| old.generation);
    if previous != Some(zone.generation) {
        counts.touch(rows, zone.generation)?.last_changed = seq.0;
    }
    if let Some(previous) = previous.filter(|previous| *previous != zone.generation) {
        deltas.note_generation(zone.id.clone(), previous);
    }
    Ok(())
}

fn delete_zone(rows: &mut Rows<'_>, counts: &mut Counts, id: &ZoneId) -> Result<(), ApplyError> {
    let old: Option<Zone> = rows.get_stored(Table::Zones, &layout::zone(id))?;
    if let Some(old) = old {
        unindex_zone(rows, &old)?;
        counts.retire(rows, old.generation)?;
    }
    rows.delete(Table::Zones, &layout::zone(id))?;
    Ok(())
}

fn index_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    let Zone {
        id, account, name, ..
    } = zone;
    rows.put(Table::ZoneNames, &layout::zone_name(name, id), b"")?;
    rows.put(Table::AccountZones, &layout::account_zone(account, id), b"")?;
    let by_name = layout::account_zone_name(account, name, id);
    rows.put(Table::AccountZoneNames, &by_name, b"")?;
    let reference = layout::in_account(account, &zone.caller_reference);
    rows.put(Table::CallerReferences, &reference, id.as_str().as_bytes())?;
    let generation = layout::generation(zone.generation);
    rows.put(Table::Generations, &generation, id.as_str().as_bytes())?;
    let counter = layout::zone_counter(account);
    let count = rows.number(Table::Counters, &counter)? + 1;
    rows.put(Table::Counters, &counter, &count.to_be_bytes())?;
    vpcs::note_zone(rows, zone)?;
    delegation_sets::note_zone(rows, zone)
}

/// Takes back what [`index_zone`] wrote, but for the caller reference, which is used up for ever.
fn unindex_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    let Zone {
        id, account, name, ..
    } = zone;
    rows.delete(Table::ZoneNames, &layout::zone_name(name, id))?;
    rows.delete(Table::AccountZones, &layout::account_zone(account, id))?;
    let by_name = layout::account_zone_name(account, name, id);
    rows.delete(Table::AccountZoneNames, &by_name)?;
    let generation = layout::generation(zone.generation);
    rows.delete(Table::Generations, &generation)?;
    let counter = layout::zone_counter(account);
    let count = rows.number(Table::Counters, &counter)?.saturating_sub(1);
    rows.put(Table::Counters, &counter, &count.to_be_bytes())?;
    vpcs::forget_zone(rows, zone)?;
    delegation_sets::forget_zone(rows, zone)
}

fn put_set(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    deltas: &mut Deltas,
    (seq, generation): (Seq, Generation),
    set: &RecordSet,
) -> Result<(), ApplyError> {
    let row_key = layout::set(generation, &set.key);
    let old = rows.put(Table::Sets, &row_key, &set.to_bytes())?;
    note_set(rows, generation, old.as_deref(), Some(set))?;
    counts.note_generation(generation);
    let replaced = old.as_deref().map(|old| counts_as_set(&set.key, old));
    let replaced = replaced.transpose()?.unwrap_or(0);
    let stats = counts.touch(rows, generation)?;
    stats.sets = stats.sets.saturating_sub(replaced) + u64::from(!set.is_hidden());
    stats.last_changed = seq.0;
    if let Some(zone) = zone_of(rows, generation)? {
        deltas.note_set(zone, row_key, &set.key, old.as_deref())?;
    }
    Ok(())
}

fn delete_set(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    deltas: &mut Deltas,
    (seq, generation): (Seq, Generation),
    key: &SetKey,
) -> Result<(), ApplyError> {
    let row_key = layout::set(generation, key);
    let Some(old) = rows.delete(Table::Sets, &row_key)? else {
        return Ok(());
    };
    note_set(rows, generation, Some(&old), None)?;
    let counted = counts_as_set(key, &old)?;
    let stats = counts.touch(rows, generation)?;
    stats.sets = stats.sets.saturating_sub(counted);
    stats.last_changed = seq.0;
    if let Some(zone) = zone_of(rows, generation)? {
        deltas.note_set(zone, row_key, key, Some(&old))?;
    }
    Ok(())
}

/// Keeps up what is counted and found of sets: a set of a generation was this, in its stored form, and
/// is that now.
fn note_set(
    rows: &mut Rows<'_>,
    generation: Generation,
    old: Option<&[u8]>,
    new: Option<&RecordSet>,
) -> Result<(), ApplyError> {
    let old = old.map(RecordSet::from_bytes).transpose();
    let old = old.map_err(|cause| ApplyError::row(Table::Sets, cause))?;
    let old = old.as_ref();
    cidr::note_set(rows, generation, old, new)?;
    alias_sources::note_set(rows, generation, old, new)?;
    let is_external = |set: Option<&RecordSet>| set.is_some_and(RecordSet::is_external_alias);
    external_aliases::note(rows, generation, (is_external(old), is_external(new)))
}

/// How many record sets a stored one counts as: those that are hidden as none.
fn counts_as_set(key: &SetKey, stored: &[u8]) -> Result<u64, ApplyError> {
    if !may_be_reserved(&key.name) {
        return Ok(1);
    }
    let set = RecordSet::from_bytes(stored).map_err(|cause| ApplyError::row(Table::Sets, cause))?;
    Ok(u64::from(!set.is_hidden()))
}

/// Removes the first sets of a generation, without history: no zone points to it.
fn collect_generation(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    generation: Generation,
    most: u32,
) -> Result<(), ApplyError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let key = layout::generation(generation);
    let keys = rows.first_keys(Table::Sets, &key, most)?;
    for set in &keys {
        let old = rows.delete(Table::Sets, set)?;
        note_set(rows, generation, old.as_deref(), None)?;
    }
    let stats = counts.touch(rows, generation)?;
    stats.sets = stats.sets.saturating_sub(keys.len() as u64);
    if keys.len() < most {
        rows.delete(Table::UnseenGenerations, &key)?;
        counts.retire(rows, generation)?;
    }
    Ok(())
}

/// The zone that points to the generation; none while it is being written unseen.
fn zone_of(rows: &Rows<'_>, generation: Generation) -> Result<Option<ZoneId>, ApplyError> {
    let row = rows.get(Table::Generations, &layout::generation(generation))?;
    let id = row.map(|bytes| {
        String::from_utf8(bytes)
            .ok()
            .and_then(|id| ZoneId::new(&id).ok())
    });
    match id {
        Some(None) => Err(ApplyError::number(Table::Generations)),
        Some(id) => Ok(id),
        None => Ok(None),
    }
}

fn put_change(rows: &mut Rows<'_>, seq: Seq, change: &Change) -> Result<(), ApplyError> {
    let row = ChangeRow::new(seq.0, change).encode_to_vec();
    rows.put(Table::Changes, &layout::change(&change.id), &row)?;
    Ok(())
}

fn put_unseen(
    rows: &mut Rows<'_>,
    counts: &mut Counts,
    unseen: &UnseenGeneration,
) -> Result<(), ApplyError> {
    let key = layout::generation(unseen.generation);
    rows.put(Table::UnseenGenerations, &key, &unseen.to_bytes())?;
    counts.note_generation(unseen.generation);
    Ok(())
}

fn put_tags(rows: &mut Rows<'_>, set: &TagSet) -> Result<(), ApplyError> {
    let key = layout::tags(&set.resource);
    if set.tags.is_empty() {
        rows.delete(Table::Tags, &key)?;
    } else {
        rows.put(Table::Tags, &key, &set.to_bytes())?;
    }
    Ok(())
}

fn put_account(rows: &mut Rows<'_>, account: &Account) -> Result<(), ApplyError> {
    let id = account.id.as_str().as_bytes();
    let old: Option<Account> = rows.get_stored(Table::Accounts, id)?;
    if let Some(old) = old {
        rows.delete(Table::AccountNames, old.name.as_bytes())?;
    }
    rows.put(Table::AccountNames, account.name.as_bytes(), id)?;
    rows.put(Table::Accounts, id, &account.to_bytes())?;
    Ok(())
}

/// Takes the limits along. Caller references stay, as they do for zones that are gone, and counts
/// of what there is none of any more.
fn delete_account(rows: &mut Rows<'_>, id: &AccountId) -> Result<(), ApplyError> {
    let key = id.as_str().as_bytes();
    let old: Option<Account> = rows.get_stored(Table::Accounts, key)?;
    if let Some(old) = old {
        rows.delete(Table::AccountNames, old.name.as_bytes())?;
    }
    rows.delete(Table::Accounts, key)?;
    // An account has as many limits as there are quotas, at most.
    for limit in rows.first_keys(Table::Quotas, &layout::of_account(id), usize::MAX)? {
        rows.delete(Table::Quotas, &limit)?;
    }
    Ok(())
}

fn put_access_key(rows: &mut Rows<'_>, key: &AccessKey) -> Result<(), ApplyError> {
    let row = layout::access_key(&key.id);
    let old = rows.put(Table::AccessKeys, &row, &key.to_bytes())?;
    unindex_access_key(rows, old.as_deref())?;
    let index = layout::in_account(&key.account, key.id.as_str());
    rows.put(Table::AccountKeys, &index, b"")?;
    Ok(())
}

fn delete_access_key(rows: &mut Rows<'_>, id: &AccessKeyId) -> Result<(), ApplyError> {
    let old = rows.delete(Table::AccessKeys, &layout::access_key(id))?;
    unindex_access_key(rows, old.as_deref())
}

fn unindex_access_key(rows: &mut Rows<'_>, old: Option<&[u8]>) -> Result<(), ApplyError> {
    if let Some(bytes) = old {
        let old = AccessKey::from_bytes(bytes)
            .map_err(|cause| ApplyError::row(Table::AccessKeys, cause))?;
        let index = layout::in_account(&old.account, old.id.as_str());
        rows.delete(Table::AccountKeys, &index)?;
    }
    Ok(())
}

/// What an entry counts, written once at its end: a batch touches the same row a thousand times.
#[derive(Default)]
struct Counts {
    stats: BTreeMap<Generation, StatsRow>,
    highest: Option<Generation>,
}

impl Counts {
    fn note_generation(&mut self, generation: Generation) {
        self.highest = self.highest.max(Some(generation));
    }

    fn touch(
        &mut self,
        rows: &Rows<'_>,
        generation: Generation,
    ) -> Result<&mut StatsRow, ApplyError> {
        use std::collections::btree_map::Entry;
        match self.stats.entry(generation) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(first) => {
                let key = layout::generation(generation);
                let row = rows.get_message(Table::Stats, &key)?;
                Ok(first.insert(row.unwrap_or_default()))
            }
        }
    }

    /// Drops the counts of a generation whose zone is gone. Sets that are left in it would be
    /// counted again from zero, so their counts stay.
    fn retire(&mut self, rows: &mut Rows<'_>, generation: Generation) -> Result<(), ApplyError> {
        if self.touch(rows, generation)?.sets == 0 {
            self.stats.remove(&generation);
            rows.delete(Table::Stats, &layout::generation(generation))?;
        }
        Ok(())
    }

    fn write(self, rows: &mut Rows<'_>) -> Result<(), ApplyError> {
        for (generation, stats) in self.stats {
            let key = layout::generation(generation);
            rows.put(Table::Stats, &key, &stats.encode_to_vec())?;
        }
        if let Some(Generation(highest)) = self.highest
            && highest > rows.number(Table::Counters, GENERATION_COUNTER)?
        {
            rows.put(Table::Counters, GENERATION_COUNTER, &highest.to_be_bytes())?;
        }
        Ok(())
    }
}
