//! `meridian quota`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum QuotaVerb {
    /// Set a limit, such as MAX_RRSETS_BY_ZONE.
    Set {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// MAX_HOSTED_ZONES_BY_OWNER or MAX_RRSETS_BY_ZONE.
        quota: String,
        /// The most there may be.
        limit: u64,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl QuotaVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self::Set {
            account,
            quota,
            limit,
            client,
        } = self;
        let command = Command::QuotaSet {
            account,
            quota,
            limit,
        };
        (command, client)
    }
}
