//! Every operation of the control plane as one function: authorize, plan, one append.
//!
//! Start with [`Control`]. No XML, no HTTP, no calls to agents.

mod caller;
mod control;
mod refusal;
mod request;

pub use caller::{Caller, Credential, Secret};
pub use control::Control;
pub use refusal::{Fault, OperationError, Refusal};
pub use request::{
    ChangeOutcome, ChangeRecordSets, ChangeStatus, CreateHostedZone, CreatedHostedZone, HostedZone,
    ListHostedZones, ListHostedZonesByName, ListRecordSets, RecordSetPage, Vpc, ZonePage,
    ZonesByNamePage,
};
