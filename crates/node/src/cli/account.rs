//! `meridian account`.

use clap::{Subcommand, ValueEnum};
use meridian_model::ProbeRights;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum AccountVerb {
    /// Make an account. It holds no operator's rights.
    Create {
        /// A name, unique.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show all accounts.
    List(ClientArguments),
    /// Show an account and how much there is in it.
    Show {
        /// The account's name or id.
        account: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Give an account another name. Its id stays.
    Rename {
        /// The account's name or id.
        account: String,
        /// The new name, unique.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Give an account rights, or take them back. The operator's account holds every right.
    Set {
        /// The account's name or id.
        account: String,
        /// What its health checks may probe, and its aliases to host names elsewhere answer with: the
        /// public Internet alone, private networks too, or whatever there is, this machine and what
        /// is beside it included.
        #[arg(long)]
        probes: Probes,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Delete an account that nothing is in: no hosted zones, delegation sets, users or access keys.
    Delete {
        /// The account's name or id.
        account: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

/// What an account may have probed.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Probes {
    Public,
    Private,
    Everything,
}

impl AccountVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Create { name, client } => (Command::AccountCreate { name }, client),
            Self::List(client) => (Command::AccountList, client),
            Self::Show { account, client } => (Command::AccountShow { account }, client),
            Self::Rename {
                account,
                name,
                client,
            } => (Command::AccountRename { account, name }, client),
            Self::Set {
                account,
                probes,
                client,
            } => {
                let probes = match probes {
                    Probes::Public => ProbeRights::Public,
                    Probes::Private => ProbeRights::Private,
                    Probes::Everything => ProbeRights::Everything,
                };
                let probes = probes.as_str().to_owned();
                (Command::AccountSet { account, probes }, client)
            }
            Self::Delete { account, client } => (Command::AccountDelete { account }, client),
        }
    }
}
