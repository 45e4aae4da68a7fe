//! `meridian account`.

use clap::Subcommand;

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
    /// Delete an account that nothing is in: no hosted zones, delegation sets, users or access keys.
    Delete {
        /// The account's name or id.
        account: String,
        #[command(flatten)]
        client: ClientArguments,
    },
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
            Self::Delete { account, client } => (Command::AccountDelete { account }, client),
        }
    }
}
