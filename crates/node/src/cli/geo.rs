//! `meridian geo`.

use std::net::IpAddr;

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum GeoVerb {
    /// Show where an address is, who says so, and how far around it the same holds.
    Lookup {
        /// The address.
        address: IpAddr,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show what addresses are looked up in, whose data it is and how old.
    Status(ClientArguments),
}

impl GeoVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Lookup { address, client } => (Command::GeoLookup { address }, client),
            Self::Status(client) => (Command::GeoStatus, client),
        }
    }
}
