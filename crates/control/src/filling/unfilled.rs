//! Why an addition cannot be filled in, by cause. The texts are those of the command line; whoever asks
//! in another way has words of its own for what is left to be said there.

use std::net::IpAddr;

use meridian_dns::{Name, NameError, RecordType};
use meridian_log::ReadError;
use meridian_model::{PlanError, Region, ResourceRefusal};

use crate::admin::AdminError;
use crate::refusal::{Fault, OperationError};

/// Something is not said, and nothing tells it.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Unfilled {
    #[error("'{0}' is no name: {1}")]
    BadName(String, NameError),
    #[error("{name} does not lie in the zone {zone}")]
    OutsideZone { name: Name, zone: Name },
    #[error("values are of one type: say --type once, or not for addresses")]
    SeveralTypes,
    #[error("'{0}' is no address: say --type")]
    NoType(String),
    #[error("{0} is an address, and an alias leads to a name: say --value {0}")]
    AliasOfAddress(IpAddr),
    #[error("'{0}' is no name of a host, which is what an alias elsewhere leads to")]
    NoHost(String),
    #[error("say --set-identifier: it tells the sets of a name and type apart")]
    NoIdentifier,
    #[error("a record of type {0} has no region of its own: say --region")]
    NoRegionOfType(RecordType),
    #[error(
        "the values are in several regions, {} and {}: a record set has one, so write one for \
         each, or say --region", .0.as_str(), .1.as_str()
    )]
    SeveralRegions(Region, Region),
    #[error("there is no value")]
    NoValue,
    #[error(transparent)]
    Resource(#[from] ResourceRefusal),
    #[error("there is no zone '{0}'; `meridian zone list` shows all")]
    UnknownZone(String),
    #[error("several zones are called '{0}', name one by its id: {1}")]
    AmbiguousZone(String, String),
    /// What the asker may not see, or a fault.
    #[error(transparent)]
    Operation(#[from] OperationError),
}

impl From<ReadError> for Unfilled {
    fn from(error: ReadError) -> Self {
        Fault::storage(error).into()
    }
}

impl From<Fault> for Unfilled {
    fn from(fault: Fault) -> Self {
        Self::Operation(fault.into())
    }
}

impl From<PlanError<ResourceRefusal, ReadError>> for Unfilled {
    fn from(error: PlanError<ResourceRefusal, ReadError>) -> Self {
        match error {
            PlanError::Refused(refusal) => refusal.into(),
            PlanError::State(error) => error.into(),
        }
    }
}

/// From looking for zones.
impl From<AdminError> for Unfilled {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::UnknownZone(text) => Self::UnknownZone(text),
            AdminError::AmbiguousZone(text, ids) => Self::AmbiguousZone(text, ids),
            AdminError::Fault(fault) => fault.into(),
            other => Fault::Storage(other.to_string()).into(),
        }
    }
}

impl From<Unfilled> for AdminError {
    fn from(unfilled: Unfilled) -> Self {
        match unfilled {
            Unfilled::Resource(refusal) => refusal.into(),
            Unfilled::UnknownZone(text) => Self::UnknownZone(text),
            Unfilled::AmbiguousZone(text, ids) => Self::AmbiguousZone(text, ids),
            Unfilled::Operation(OperationError::Fault(fault)) => fault.into(),
            other => Self::Records(other.to_string()),
        }
    }
}
