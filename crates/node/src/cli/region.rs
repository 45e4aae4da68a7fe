//! `meridian region`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum RegionVerb {
    /// Show the regions of your own. Those of AWS are there without being listed.
    List(ClientArguments),
    /// Add a region, or put the one of this name somewhere else.
    Add {
        /// Small letters, digits and hyphens, 64 at most; no name of AWS's.
        name: String,
        /// Degrees north, with two decimals at most.
        #[arg(long, allow_negative_numbers = true)]
        latitude: String,
        /// Degrees east, with two decimals at most.
        #[arg(long, allow_negative_numbers = true)]
        longitude: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Forget a region. Record sets that name it stay, and are answered as if it were nowhere.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl RegionVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::List(client) => (Command::RegionList, client),
            Self::Add {
                name,
                latitude,
                longitude,
                client,
            } => {
                let command = Command::RegionAdd {
                    name,
                    latitude,
                    longitude,
                };
                (command, client)
            }
            Self::Remove { name, client } => (Command::RegionRemove { name }, client),
        }
    }
}
