//! `meridian change`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum ChangeVerb {
    /// Show a change, and whether every name server of its zone serves it.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl ChangeVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self::Show { id, client } = self;
        (Command::ChangeShow { id }, client)
    }
}
