//! The commands as they go over the socket.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transfer::JsonSet;

/// The longest line, in bytes: a change batch is the largest thing in one.
pub(super) const MAX_LINE: u64 = 2 * 1024 * 1024;

/// A command. The tag is its name on the command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Command {
    Status,
    AccountCreate {
        name: String,
    },
    AgentAdd {
        name: String,
        region: Option<String>,
    },
    AgentList,
    AgentRemove {
        name: String,
    },
    AccountList,
    AccountShow {
        account: String,
    },
    AccountRename {
        account: String,
        name: String,
    },
    AccountSet {
        account: String,
        /// What it may have probed.
        probes: String,
    },
    AccountDelete {
        account: String,
    },
    UserCreate {
        account: String,
        name: String,
        policies: Vec<PolicySource>,
    },
    UserList {
        account: Option<String>,
    },
    UserShow {
        account: String,
        name: String,
    },
    UserDelete {
        account: String,
        name: String,
    },
    UserAttach {
        account: String,
        name: String,
        policies: Vec<PolicySource>,
    },
    UserDetach {
        account: String,
        name: String,
        policies: Vec<String>,
    },
    PolicyShow {
        account: String,
        user: String,
        name: String,
    },
    PolicyTest {
        account: String,
        user: String,
        question: Question,
    },
    KeyCreate {
        account: String,
        user: Option<String>,
    },
    KeyList {
        account: Option<String>,
    },
    KeyRotate {
        id: String,
    },
    KeyDeactivate {
        id: String,
    },
    KeyActivate {
        id: String,
    },
    KeyDelete {
        id: String,
    },
    NameserverList,
    NameserverAdd {
        name: String,
        address: Vec<IpAddr>,
    },
    NameserverSet {
        name: String,
        address: Vec<IpAddr>,
    },
    NameserverRemove {
        name: String,
    },
    RegionList,
    RegionAdd {
        name: String,
        /// Degrees, as they were written.
        latitude: String,
        longitude: String,
    },
    RegionRemove {
        name: String,
    },
    RecordAdd(Box<RecordAddCommand>),
    /// A page; the first set of the next one comes with it.
    RecordList {
        zone: String,
        account: Option<String>,
        name: Option<String>,
        from: Option<Value>,
    },
    RecordRemove(RecordRemoveCommand),
    ResourceList {
        account: Option<String>,
    },
    ResourceShow {
        account: Option<String>,
        name: String,
    },
    ResourceAdd {
        account: Option<String>,
        name: String,
        region: Option<String>,
        health_check: Option<String>,
    },
    ResourceRemove {
        account: Option<String>,
        name: String,
    },
    VpcCreate {
        id: Option<String>,
        region: String,
        account: String,
        network: Vec<String>,
    },
    VpcSet {
        id: String,
        network: Vec<String>,
    },
    VpcList {
        account: Option<String>,
    },
    VpcShow {
        id: String,
    },
    VpcDelete {
        id: String,
    },
    HealthList {
        account: Option<String>,
        /// The first id of a page; from the beginning if there is none.
        from: Option<String>,
    },
    HealthShow {
        id: String,
    },
    HealthWatch {
        /// All that is known, once a second, instead of each flip.
        screen: bool,
    },
    HealthForce {
        id: String,
        state: String,
        reason: String,
        /// How long it holds, if it is for this node alone.
        break_glass_ms: Option<u64>,
    },
    HealthRelease {
        id: String,
        break_glass: bool,
    },
    HealthWebhookTest {
        /// That of this name; absent, all.
        name: Option<String>,
    },
    HealthControlList,
    HealthControlTurn {
        arn: String,
        state: String,
    },
    HealthSet {
        id: String,
        interval_s: u8,
    },
    QuotaList {
        account: String,
    },
    QuotaSet {
        account: String,
        quota: String,
        limit: u64,
    },
    TargetList,
    TargetShow {
        name: String,
    },
    GeoStatus,
    GeoLookup {
        address: IpAddr,
    },
    LatencyStatus,
    LatencyShow {
        address: IpAddr,
    },
    /// Who goes where when these regions are on offer, all if there are none.
    LatencyMap {
        regions: Vec<String>,
    },
    /// To be built now.
    LatencyBuild,
    LatencyAccept,
    /// Samples follow on the connection, unless the file that they are from was imported before.
    LatencyImport {
        /// What the file is known by; nothing where it can be read only once.
        digest: Option<String>,
        /// It counts once more.
        again: bool,
    },
    /// The same; they are compared with the map, so many regions on offer at a time.
    LatencyScore {
        offered: usize,
    },
    JournalVerify,
    JournalFinalize,
    ZoneList {
        account: Option<String>,
        name: Option<String>,
    },
    ZoneShow {
        zone: String,
    },
    /// A zone's id and name alone.
    ZoneFind {
        zone: String,
        account: Option<String>,
    },
    /// Sets follow on the connection.
    ZoneImport(ImportCommand),
    /// Sets come before the result.
    ZoneExport {
        zone: String,
    },
    ZoneHistory {
        zone: String,
        limit: u32,
    },
    ZoneDiff {
        zone: String,
        from: u64,
        to: Option<u64>,
    },
    ZoneRestore {
        zone: String,
        to: u64,
        dry_run: bool,
    },
    /// A reusable set of this reference, which is made unless it is there.
    DelegationSetProvide {
        account: String,
        caller_reference: String,
    },
    /// A health check of this reference, which is made unless it is there.
    HealthCheckProvide {
        account: String,
        caller_reference: String,
        /// `HealthCheckConfig` as the API has it.
        config: String,
        /// Keys and values.
        tags: Vec<(String, String)>,
    },
    /// Why a query is answered as it is.
    Explain(ExplainCommand),
    ChangeShow {
        id: String,
    },
    /// What a change would make of answers.
    ChangePreview {
        zone: String,
        changes: Vec<PlannedChange>,
    },
    /// To be written by this process.
    Backup {
        path: PathBuf,
        with_key: bool,
    },
    /// To be replaced by a process of this program.
    Replace {
        binary: PathBuf,
    },
}

/// A policy to be attached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum PolicySource {
    /// As in `zone-editor=ZONEID`.
    ReadyMade(String),
    /// A document with its name.
    Document { name: String, document: String },
}

/// What is imported, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportCommand {
    pub(crate) zone: Option<String>,
    pub(crate) create: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) replace: bool,
    pub(crate) merge: bool,
    pub(crate) take_apex: bool,
    pub(crate) skip_invalid: bool,
    pub(crate) beyond_quota: bool,
    pub(crate) dry_run: bool,
    /// Of a new zone, as is all that follows.
    pub(crate) comment: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) caller_reference: Option<String>,
    pub(crate) delegation_set: Option<String>,
}

/// Record sets to be written, in the words of the command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordAddCommand {
    pub(crate) zone: String,
    pub(crate) account: Option<String>,
    pub(crate) name: String,
    pub(crate) types: Vec<String>,
    pub(crate) values: Vec<String>,
    pub(crate) ttl: u32,
    /// Instead of values.
    pub(crate) alias: Option<AliasWords>,
    pub(crate) policy: PolicyWords,
    pub(crate) set_identifier: Option<String>,
    pub(crate) health_check: Option<String>,
    pub(crate) replace: bool,
}

/// Where an alias points.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AliasWords {
    pub(crate) name: String,
    pub(crate) zone: Option<String>,
    pub(crate) ignore_health: bool,
}

/// By what record sets are chosen; one of them at most, with what belongs to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyWords {
    pub(crate) latency: bool,
    pub(crate) region: Option<String>,
    pub(crate) weight: Option<u8>,
    pub(crate) failover: Option<String>,
    pub(crate) multivalue: bool,
    pub(crate) continent: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) subdivision: Option<String>,
    pub(crate) geoproximity: bool,
    pub(crate) near: Option<String>,
    pub(crate) bias: Option<i8>,
    pub(crate) cidr_collection: Option<String>,
    pub(crate) cidr_location: Option<String>,
}

/// Record sets to be taken away.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordRemoveCommand {
    pub(crate) zone: String,
    pub(crate) account: Option<String>,
    pub(crate) name: String,
    pub(crate) rtype: Option<String>,
    pub(crate) set_identifier: Option<String>,
    pub(crate) all: bool,
}

/// `Change`, an element of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PlannedChange {
    pub(crate) action: ActionWord,
    #[serde(rename = "ResourceRecordSet")]
    pub(crate) set: JsonSet,
}

/// `ChangeAction`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ActionWord {
    Create,
    Delete,
    Upsert,
}

/// A query, and what is supposed for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainCommand {
    pub(crate) name: String,
    /// By its number.
    pub(crate) rtype: u16,
    /// Who sends it.
    pub(crate) source: Option<IpAddr>,
    /// The client subnet that it tells.
    pub(crate) subnet: Option<(IpAddr, u8)>,
    /// The address it is sent to.
    pub(crate) view: Option<IpAddr>,
    /// The region that the client is supposed to be in.
    pub(crate) at: Option<String>,
    /// Health checks that are supposed to be up (`true`) or down.
    pub(crate) health: Vec<(String, bool)>,
}

/// What policies are asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Each `KEY=VALUE`.
    pub(crate) context: Vec<String>,
}

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// How far it has got; not the last line.
    Progress(Value),
    Result(Value),
    Error {
        message: String,
    },
}
