//! Reading the tables: one row at a time, and what plans ask. Lists are in `list`.

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKey, AccessKeyId, Account, AccountId, Change, ChangeId, CidrBlock, CidrCollection,
    CidrCollectionId, CidrLocation, DelegationSetId, Generation, HealthCheck, HealthCheckId,
    HealthSlot, HealthSwitch, NameServer, OwnRegion, ProbeRights, Protection, ProtectionKey,
    QueryLoggingConfig, Quota, RecordSet, Resource, ResourceName, ReusableDelegationSet, Seq,
    SetKey, State, Tag, TagSet, TaggedResource, Timestamp, TrafficPolicy, TrafficPolicyId,
    TrafficPolicyInstance, TrafficPolicyInstanceId, TrafficPolicySummary, UnseenGeneration, User,
    Vpc, VpcAuthorization, VpcId, Zone, ZoneId,
};
use prost::Message;
use redb::{ReadOnlyTable, ReadTransaction};

use super::digest::Digest;
use super::layout::{self, GENERATION_COUNTER, InstancePlace, Table};
use super::rows::number;
use super::{APPLIED_KEY, InstancesOf, cidr, decode_applied, requests};
use crate::format::{ChangeRow, DecodeError, RetryKey, RetryRow, StatsRow, Stored};
use crate::journal::Head;
use crate::storage::{META, StorageError, storage_errors_from_redb};

/// The tables cannot be read. Never a user's fault.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage fails.
    #[error("reading the tables failed: {0}")]
    Storage(StorageError),
    /// A row cannot be read, or one that another row names is missing.
    #[error("a row of the table '{table}' cannot be read: {cause}")]
    Row {
        /// Which table.
        table: &'static str,
        /// Why.
        cause: DecodeError,
    },
}

storage_errors_from_redb!(ReadError);

impl ReadError {
    pub(super) fn row(table: Table, cause: DecodeError) -> Self {
        Self::Row {
            table: table.name(),
            cause,
        }
    }

    /// The row is there but its value is not what the table holds, or it is named and not there.
    pub(super) fn broken(table: Table) -> Self {
        Self::row(table, DecodeError::Field("value"))
    }
}

/// The state after one entry, as of [`Snapshot::head`].
///
/// Holding one keeps the pages it sees in the file: take one per request, not one per process.
#[derive(Debug)]
pub struct Snapshot {
    transaction: ReadTransaction,
    head: Head,
    digest: Digest,
}

/// What is known about the sets of one generation as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GenerationStats {
    /// How many there are: a zone's ResourceRecordSetCount.
    pub sets: u64,
    /// The last entry that changed one of them, or pointed a zone to them.
    pub last_changed: Seq,
}

impl From<StatsRow> for GenerationStats {
    fn from(row: StatsRow) -> Self {
        Self {
            sets: row.sets,
            last_changed: Seq(row.last_changed),
        }
    }
}

/// What one commit changed in one zone, by what was there before.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// The entry.
    pub seq: Seq,
    /// The commit's place in it.
    pub commit: u32,
    /// Who did it.
    pub principal: String,
    /// When.
    pub time: Timestamp,
    /// Where the zone's sets lay before, when the commit pointed it elsewhere.
    pub previous_generation: Option<Generation>,
    /// The sets it touched, as they were; none where there was none.
    pub before: Vec<(SetKey, Option<RecordSet>)>,
}

impl Snapshot {
    pub(super) fn new(transaction: ReadTransaction) -> Result<Self, ReadError> {
        let meta = transaction.open_table(META)?;
        let (head, digest) = meta
            .get(APPLIED_KEY)?
            .and_then(|row| decode_applied(row.value()))
            .ok_or(ReadError::Row {
                table: "meta",
                cause: DecodeError::Field(APPLIED_KEY),
            })?;
        Ok(Self {
            transaction,
            head,
            digest,
        })
    }

    /// The last entry that is in this state.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The digest of this state.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest after an earlier entry, kept for every thousandth.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn digest_at(&self, seq: Seq) -> Result<Option<Digest>, ReadError> {
        let Some(row) = self.get(Table::Digests, &layout::seq(seq))? else {
            return Ok(None);
        };
        let bytes = row
            .try_into()
            .map_err(|_| ReadError::broken(Table::Digests))?;
        Ok(Some(Digest::from_bytes(bytes)))
    }

    /// A submitted change and the entry that carried it.
    ///
    /// # Errors
    /// As for all methods.
    pub fn change(&self, id: &ChangeId) -> Result<Option<(Seq, Change)>, ReadError> {
        let Some(row) = self.message::<ChangeRow>(Table::Changes, &layout::change(id))? else {
            return Ok(None);
        };
        let seq = Seq(row.seq);
        let change = row.into_change();
        Ok(Some((
            seq,
            change.map_err(|cause| ReadError::row(Table::Changes, cause))?,
        )))
    }

    /// An access key.
    ///
    /// # Errors
    /// As for all methods.
    pub fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>, ReadError> {
        self.stored(Table::AccessKeys, &layout::access_key(id))
    }

    /// A user by its name.
    ///
    /// # Errors
    /// As for all methods.
    pub fn user(&self, account: &AccountId, name: &str) -> Result<Option<User>, ReadError> {
        self.stored(Table::Users, &layout::in_account(account, name))
    }

    /// An account.
    ///
    /// # Errors
    /// As for all methods.
    pub fn account(&self, id: &AccountId) -> Result<Option<Account>, ReadError> {
        self.stored(Table::Accounts, id.as_str().as_bytes())
    }

    /// An account by its name.
    ///
    /// # Errors
    /// As for all methods.
    pub fn account_named(&self, name: &str) -> Result<Option<Account>, ReadError> {
        match self.get(Table::AccountNames, name.as_bytes())? {
            Some(id) => self.stored(Table::Accounts, &id),
            None => Ok(None),
        }
    }

    /// A name server of the pool; the name in lower case.
    ///
    /// # Errors
    /// As for all methods.
    pub fn name_server(&self, name: &Name) -> Result<Option<NameServer>, ReadError> {
        self.stored(Table::NameServers, &layout::name_server(name))
    }

    /// Counts of a generation, zeros for one that has none.
    ///
    /// # Errors
    /// As for all methods.
    pub fn stats(&self, generation: Generation) -> Result<GenerationStats, ReadError> {
        let row: Option<StatsRow> = self.message(Table::Stats, &layout::generation(generation))?;
        Ok(row.unwrap_or_default().into())
    }

    /// The zone that points to the generation, if one does.
    ///
    /// # Errors
    /// As for all methods.
    pub fn zone_at(&self, generation: Generation) -> Result<Option<Zone>, ReadError> {
        let key = layout::generation(generation);
        let Some(id) = self.get(Table::Generations, &key)? else {
            return Ok(None);
        };
        let zone = self.zone(&super::list::zone_id(Table::Generations, &id)?)?;
        Ok(Some(
            zone.ok_or_else(|| ReadError::broken(Table::Generations))?,
        ))
    }

    /// A generation that no zone points to.
    ///
    /// # Errors
    /// As for all methods.
    pub fn unseen_generation(
        &self,
        generation: Generation,
    ) -> Result<Option<UnseenGeneration>, ReadError> {
        self.stored(Table::UnseenGenerations, &layout::generation(generation))
    }

    /// The entry in which this request was carried out, if that was in the 15 minutes before
    /// `now`.
    ///
    /// # Errors
    /// As for all methods.
    pub fn retry(&self, key: &RetryKey, now: Timestamp) -> Result<Option<Seq>, ReadError> {
        let row: Option<RetryRow> = self.message(Table::Requests, &layout::request(key))?;
        // Rows are removed as entries come: a quiet journal keeps older ones.
        let kept_from = now.0.saturating_sub(requests::KEPT_MS);
        Ok(row
            .filter(|row| row.time >= kept_from)
            .map(|row| Seq(row.seq)))
    }

    /// The digest by a scan over all rows.
    ///
    /// # Errors
    /// As for all methods.
    pub fn recompute_digest(&self) -> Result<Digest, ReadError> {
        let mut sum = Digest::default();
        for (_, digest) in self.digest_by_table()? {
            sum.add(digest);
        }
        Ok(sum)
    }

    /// The shares of the tables in the digest, by their names.
    pub(crate) fn digest_by_table(&self) -> Result<Vec<(&'static str, Digest)>, ReadError> {
        let mut digests = Vec::new();
        for table in Table::ALL
            .iter()
            .copied()
            .filter(|table| table.is_digested())
        {
            let mut sum = Digest::default();
            for row in self.table(table)?.range::<&[u8]>(..)? {
                let (key, value) = row?;
                sum.add(Digest::of_row(table.number(), key.value(), value.value()));
            }
            digests.push((table.name(), sum));
        }
        Ok(digests)
    }

    pub(super) fn table(
        &self,
        table: Table,
    ) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>, ReadError> {
        Ok(self.transaction.open_table(table.definition())?)
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let row = self.table(table)?.get(key)?;
        Ok(row.map(|guard| guard.value().to_vec()))
    }

    pub(super) fn stored<T: Stored>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, ReadError> {
        let row = self.table(table)?.get(key)?;
        row.map(|guard| T::from_bytes(guard.value()))
            .transpose()
            .map_err(|cause| ReadError::row(table, cause))
    }

    pub(super) fn message<M: Message + Default>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<M>, ReadError> {
        let row = self.table(table)?.get(key)?;
        row.map(|guard| M::decode(guard.value()))
            .transpose()
            .map_err(|cause| ReadError::row(table, cause.into()))
    }

    /// The highest key of a table.
    pub(super) fn last_key(&self, table: Table) -> Result<Option<Vec<u8>>, ReadError> {
        let last = self.table(table)?.range::<&[u8]>(..)?.next_back();
        last.map(|row| Ok(row?.0.value().to_vec())).transpose()
    }

    fn number(&self, table: Table, key: &[u8]) -> Result<Option<u64>, ReadError> {
        let row = self.table(table)?.get(key)?;
        row.map(|guard| number(guard.value()).ok_or_else(|| ReadError::broken(table)))
            .transpose()
    }
}

impl State for Snapshot {
    type Error = ReadError;

    fn zone(&self, id: &ZoneId) -> Result<Option<Zone>, ReadError> {
        self.stored(Table::Zones, &layout::zone(id))
    }

    fn zones_named(&self, name: &Name) -> Result<Vec<Zone>, ReadError> {
        let mut prefix = layout::zone_names(name);
        prefix.push(0);
        self.indexed_zones(Table::ZoneNames, &prefix, &prefix, usize::MAX)
    }

    fn zones_below(&self, name: &Name) -> Result<Vec<Zone>, ReadError> {
        // Of all keys that begin with the sort key, those of the name itself go on with a zero.
        let prefix = layout::zone_names(name);
        let mut start = prefix.clone();
        start.push(1);
        self.indexed_zones(Table::ZoneNames, &prefix, &start, usize::MAX)
    }

    fn zone_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<ZoneId>, ReadError> {
        let key = layout::in_account(account, reference);
        let row = self.get(Table::CallerReferences, &key)?;
        row.map(|id| super::list::zone_id(Table::CallerReferences, &id))
            .transpose()
    }

    fn zone_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::zone_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn next_generation(&self) -> Result<Generation, ReadError> {
        let highest = self.number(Table::Counters, GENERATION_COUNTER)?;
        let next = highest.unwrap_or(0).checked_add(1);
        next.map(Generation)
            .ok_or_else(|| ReadError::broken(Table::Counters))
    }

    fn sets_at(&self, generation: Generation, name: &Name) -> Result<Vec<RecordSet>, ReadError> {
        let prefix = layout::set_from(generation, name, None, None);
        self.scan_stored(Table::Sets, &prefix, &prefix, usize::MAX)
    }

    fn labels_in_common(&self, generation: Generation, name: &Name) -> Result<usize, ReadError> {
        self.labels_in_common(Table::Sets, &layout::generation(generation), name)
    }

    fn zone_labels_in_common(&self, name: &Name) -> Result<usize, ReadError> {
        self.labels_in_common(Table::ZoneNames, b"", name)
    }

    fn aliases_to(
        &self,
        target: (&ZoneId, &Name, RecordType),
        own: &Zone,
        most: usize,
    ) -> Result<Vec<(ZoneId, SetKey)>, ReadError> {
        self.alias_sources(target, own, most)
    }

    fn set_count(&self, generation: Generation) -> Result<u64, ReadError> {
        Ok(self.stats(generation)?.sets)
    }

    fn health_check_exists(&self, account: &AccountId, id: &str) -> Result<bool, ReadError> {
        let Ok(id) = HealthCheckId::new(id) else {
            return Ok(false);
        };
        let check = self.health_check_row(&id)?;
        Ok(check.is_some_and(|check| check.account == *account))
    }

    fn health_check(&self, id: &HealthCheckId) -> Result<Option<HealthCheck>, ReadError> {
        self.health_check_row(id)
    }

    fn health_check_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<HealthCheckId>, ReadError> {
        self.health_check_of_reference(account, reference)
    }

    fn health_check_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::health_check_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn health_checks_created_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, ReadError> {
        self.creations_since(account, since)
    }

    fn is_child_health_check(&self, id: &HealthCheckId) -> Result<bool, ReadError> {
        self.has_parent(id)
    }

    fn probe_rights(&self, account: &AccountId) -> Result<ProbeRights, ReadError> {
        let account = Self::account(self, account)?;
        Ok(account.map_or(ProbeRights::Public, |account| account.probe_rights()))
    }

    fn free_health_slot(&self) -> Result<HealthSlot, ReadError> {
        self.next_health_slot()
    }

    fn health_switch(&self, id: &HealthCheckId) -> Result<Option<HealthSwitch>, ReadError> {
        self.stored(Table::HealthSwitches, &layout::health_check(id))
    }

    fn cidr_collection(&self, id: &CidrCollectionId) -> Result<Option<CidrCollection>, ReadError> {
        self.stored(Table::CidrCollections, &layout::cidr_collection(id))
    }

    fn cidr_collection_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<CidrCollection>, ReadError> {
        let key = layout::in_account(account, name);
        self.indexed_cidr_collection(Table::CidrCollectionNames, &key)
    }

    fn cidr_collection_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<CidrCollection>, ReadError> {
        let key = layout::in_account(account, reference);
        self.indexed_cidr_collection(Table::CidrCollectionReferences, &key)
    }

    fn cidr_collection_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::cidr_collection_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn cidr_block_count(&self, id: &CidrCollectionId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::cidr_block_counter(id))?;
        Ok(count.unwrap_or(0))
    }

    fn cidr_location_of(
        &self,
        id: &CidrCollectionId,
        block: &CidrBlock,
    ) -> Result<Option<CidrLocation>, ReadError> {
        let row = self.get(Table::CidrBlocks, &layout::cidr_block(id, block))?;
        row.map(|name| cidr::location_of(&name).ok_or_else(|| ReadError::broken(Table::CidrBlocks)))
            .transpose()
    }

    fn resource(
        &self,
        account: &AccountId,
        name: &ResourceName,
    ) -> Result<Option<Resource>, ReadError> {
        self.stored(Table::Resources, &layout::resource(account, name))
    }

    fn resource_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::resource_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn own_regions(&self) -> Result<Vec<OwnRegion>, ReadError> {
        self.region_rows()
    }

    fn cidr_location_exists(&self, id: &CidrCollectionId, name: &str) -> Result<bool, ReadError> {
        // Whatever else a set may say, a zero would end the name in the key.
        let Ok(location) = CidrLocation::new(name) else {
            return Ok(false);
        };
        let found = self.cidr_blocks_at(id, &location, None, 1)?;
        Ok(!found.is_empty())
    }

    fn cidr_set_count(&self, id: &CidrCollectionId) -> Result<u64, ReadError> {
        self.cidr_sets(id)
    }

    fn traffic_policy(
        &self,
        id: &TrafficPolicyId,
        version: u32,
    ) -> Result<Option<TrafficPolicy>, ReadError> {
        let key = layout::traffic_policy_version(id, version);
        self.stored(Table::TrafficPolicyVersions, &key)
    }

    fn traffic_policy_summary(
        &self,
        id: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicySummary>, ReadError> {
        self.traffic_policy_whole(id)
    }

    fn traffic_policy_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<TrafficPolicyId>, ReadError> {
        self.traffic_policy_of_name(account, name)
    }

    fn traffic_policy_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::traffic_policy_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn traffic_policy_instance(
        &self,
        id: &TrafficPolicyInstanceId,
    ) -> Result<Option<TrafficPolicyInstance>, ReadError> {
        let key = layout::traffic_policy_instance(id);
        self.stored(Table::TrafficPolicyInstances, &key)
    }

    fn traffic_policy_instance_at(
        &self,
        zone: &ZoneId,
        name: &Name,
        rtype: RecordType,
    ) -> Result<Option<TrafficPolicyInstance>, ReadError> {
        let name = Some((name, Some(rtype)));
        let place = InstancePlace { zone, name }.key(&[]);
        let Some(id) = self.get(Table::ZoneInstances, &place)? else {
            return Ok(None);
        };
        self.stored(Table::TrafficPolicyInstances, &id)
    }

    fn traffic_policy_instance_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let counter = layout::traffic_policy_instance_counter(account);
        Ok(self.number(Table::Counters, &counter)?.unwrap_or(0))
    }

    fn deleted_traffic_policies(
        &self,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<(TrafficPolicyId, u32)>, ReadError> {
        self.deleted_versions(account, limit)
    }

    fn external_alias_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        self.external_aliases_of(account)
    }

    fn has_traffic_policy_instance(
        &self,
        policy: &TrafficPolicyId,
        version: u32,
    ) -> Result<bool, ReadError> {
        let of = InstancesOf::Policy(policy, version);
        Ok(!self.traffic_policy_instances(of, None, 1)?.is_empty())
    }

    fn protection(&self, key: &ProtectionKey) -> Result<Option<Protection>, ReadError> {
        self.stored(Table::Protections, &layout::protection(key))
    }

    fn protection_count(&self, zone: &ZoneId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::protection_counter(zone))?;
        Ok(count.unwrap_or(0))
    }

    fn tags(&self, resource: &TaggedResource) -> Result<Vec<Tag>, ReadError> {
        let set: Option<TagSet> = self.stored(Table::Tags, &layout::tags(resource))?;
        Ok(set.map_or_else(Vec::new, |set| set.tags))
    }

    fn name_servers(&self) -> Result<Vec<NameServer>, ReadError> {
        let mut servers: Vec<NameServer> =
            self.scan_stored(Table::NameServers, b"", b"", usize::MAX)?;
        servers.sort_by_key(|server| server.ordinal);
        Ok(servers)
    }

    fn delegation_sets(&self) -> Result<Vec<ReusableDelegationSet>, ReadError> {
        self.scan_stored(Table::DelegationSets, b"", b"", usize::MAX)
    }

    fn delegation_set_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<DelegationSetId>, ReadError> {
        let key = layout::in_account(account, reference);
        let row = self.get(Table::DelegationSetReferences, &key)?;
        let id = row.map(|bytes| {
            let text = String::from_utf8(bytes).ok();
            let id = text.and_then(|text| DelegationSetId::new(&text).ok());
            id.ok_or_else(|| ReadError::broken(Table::DelegationSetReferences))
        });
        id.transpose()
    }

    fn delegation_set_count(&self, account: &AccountId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::delegation_set_counter(account))?;
        Ok(count.unwrap_or(0))
    }

    fn delegation_set_zone_count(&self, id: &DelegationSetId) -> Result<u64, ReadError> {
        let count = self.number(Table::Counters, &layout::delegation_set_zone_counter(id))?;
        Ok(count.unwrap_or(0))
    }

    fn query_logging_of(&self, zone: &ZoneId) -> Result<Option<QueryLoggingConfig>, ReadError> {
        let Some(id) = self.get(Table::ZoneQueryLogging, &layout::zone(zone))? else {
            return Ok(None);
        };
        let config = self.stored(Table::QueryLoggingConfigs, &id)?;
        let config = config.ok_or_else(|| ReadError::broken(Table::ZoneQueryLogging))?;
        Ok(Some(config))
    }
    fn vpc(&self, id: &VpcId) -> Result<Option<Vpc>, ReadError> {
        self.stored(Table::Vpcs, &layout::vpc(id))
    }

    fn vpcs(&self) -> Result<Vec<Vpc>, ReadError> {
        self.scan_stored(Table::Vpcs, b"", b"", usize::MAX)
    }

    fn zones_of_vpc(&self, id: &VpcId) -> Result<Vec<Zone>, ReadError> {
        self.zones_of_vpc_from(id, None, usize::MAX)
    }

    fn vpc_authorizations(&self, zone: &ZoneId) -> Result<Vec<VpcAuthorization>, ReadError> {
        self.vpc_authorizations_from(zone, None, usize::MAX)
    }

    fn limit(&self, account: &AccountId, quota: Quota) -> Result<u64, ReadError> {
        let own = self.number(Table::Quotas, &layout::quota(account, quota))?;
        Ok(own.unwrap_or_else(|| quota.default_limit()))
    }
}
