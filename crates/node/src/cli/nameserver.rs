//! `meridian nameserver`.

use std::net::IpAddr;

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum NameserverVerb {
    /// Show the pool.
    List(ClientArguments),
    /// Add a name to the pool. Names are dealt to zones in fours: a fifth waits for an eighth.
    Add {
        /// A domain name.
        name: String,
        /// Where it is reached; may be given several times.
        #[arg(long, required = true)]
        address: Vec<IpAddr>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Move a name of the pool to other addresses.
    Set {
        /// A name of the pool.
        name: String,
        /// Where it is reached; may be given several times.
        #[arg(long, required = true)]
        address: Vec<IpAddr>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Take a name that no zone uses out of the pool.
    Remove {
        /// A name of the pool.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl NameserverVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::List(client) => (Command::NameserverList, client),
            Self::Add {
                name,
                address,
                client,
            } => (Command::NameserverAdd { name, address }, client),
            Self::Set {
                name,
                address,
                client,
            } => (Command::NameserverSet { name, address }, client),
            Self::Remove { name, client } => (Command::NameserverRemove { name }, client),
        }
    }
}
