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
}

impl AccountVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Create { name, client } => (Command::AccountCreate { name }, client),
            Self::List(client) => (Command::AccountList, client),
        }
    }
}
