//! `meridian journal`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum JournalVerb {
    /// Check the whole chain, and that the tables are what it leads to.
    Verify(ClientArguments),
    /// Let the journal take every kind of change that this version knows.
    ///
    /// A journal that an earlier version began takes only the kinds that the earlier version
    /// understands, so that it could be gone back to. After this command earlier versions refuse
    /// to open the journal, for good: run it when there is no more need to go back. `meridian
    /// status` shows the level that is finalized and the one understood.
    Finalize(ClientArguments),
}

impl JournalVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Verify(client) => (Command::JournalVerify, client),
            Self::Finalize(client) => (Command::JournalFinalize, client),
        }
    }
}
