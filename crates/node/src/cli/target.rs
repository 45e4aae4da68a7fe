//! `meridian target`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum TargetVerb {
    /// Show all external alias targets, and what is known of each.
    List(ClientArguments),
    /// Show one: its records, who said so, how long ago, and what went wrong since.
    Show {
        /// The host name.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl TargetVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::List(client) => (Command::TargetList, client),
            Self::Show { name, client } => (Command::TargetShow { name }, client),
        }
    }
}
