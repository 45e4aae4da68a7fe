//! `meridian zone`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum ZoneVerb {
    /// Show zones of all accounts.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        /// Only those called like this; `*` stands for any characters.
        #[arg(long, value_name = "PATTERN")]
        name: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show a zone.
    Show {
        /// Its id or name.
        zone: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl ZoneVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::List {
                account,
                name,
                client,
            } => (Command::ZoneList { account, name }, client),
            Self::Show { zone, client } => (Command::ZoneShow { zone }, client),
        }
    }
}
