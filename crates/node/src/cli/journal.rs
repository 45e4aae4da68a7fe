//! `meridian journal`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum JournalVerb {
    /// Check the whole chain, and that the tables are what it leads to.
    Verify(ClientArguments),
}

impl JournalVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self::Verify(client) = self;
        (Command::JournalVerify, client)
    }
}
