//! `meridian resource`.

use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum ResourceVerb {
    /// Register a host or an address, instead of what was registered under its name.
    ///
    /// `meridian record add` takes the region of latency records from here, and aliases to the host
    /// that evaluate their target's health go by the health check.
    Add {
        /// A host name or an address.
        name: String,
        /// Its region (default: the one that its name tells, as those of AWS's services do).
        #[arg(long)]
        region: Option<String>,
        /// The health check that says whether it works; one of the account's.
        #[arg(long, value_name = "ID")]
        health_check: Option<String>,
        #[command(flatten)]
        owner: OwnerArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show what is registered.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show a resource, and the state of its health check.
    Show {
        /// A host name or an address.
        name: String,
        #[command(flatten)]
        owner: OwnerArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Forget a resource. Record sets that point to it stay as they are.
    Remove {
        /// A host name or an address.
        name: String,
        #[command(flatten)]
        owner: OwnerArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
}

/// Whose resource it is.
#[derive(Args)]
pub(super) struct OwnerArguments {
    /// The account whose record sets it is for, by name or id (default: the operator's).
    #[arg(long)]
    account: Option<String>,
}

impl ResourceVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Add {
                name,
                region,
                health_check,
                owner: OwnerArguments { account },
                client,
            } => {
                let command = Command::ResourceAdd {
                    account,
                    name,
                    region,
                    health_check,
                };
                (command, client)
            }
            Self::List { account, client } => (Command::ResourceList { account }, client),
            Self::Show {
                name,
                owner: OwnerArguments { account },
                client,
            } => (Command::ResourceShow { account, name }, client),
            Self::Remove {
                name,
                owner: OwnerArguments { account },
                client,
            } => (Command::ResourceRemove { account, name }, client),
        }
    }
}
