//! `meridian quota`.

use clap::{Subcommand, value_parser};

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum QuotaVerb {
    /// Set a limit, such as MAX_RRSETS_BY_ZONE.
    Set {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// What is limited, by the name that `quota list` shows.
        quota: String,
        /// The most there may be (the least, of those that begin with MIN); 1 at least.
        #[arg(value_parser = value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show all limits of an account, and how much of them it uses.
    ///
    /// Of what each zone may have, the zone is named that has most.
    List {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl QuotaVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Set {
                account,
                quota,
                limit,
                client,
            } => {
                let command = Command::QuotaSet {
                    account,
                    quota,
                    limit,
                };
                (command, client)
            }
            Self::List { account, client } => (Command::QuotaList { account }, client),
        }
    }
}
