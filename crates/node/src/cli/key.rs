//! `meridian key`.

use clap::Subcommand;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum KeyVerb {
    /// Make an access key, and print it in the format of an AWS credentials file.
    Create {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// A user of the account; without one the key may do everything in the account.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show access keys, without their secrets, and when each was last used.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Make the second key beside this one, to change over to, and say how to finish.
    Rotate {
        /// The id of the key that is in use.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Stop accepting an access key.
    Deactivate {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Accept an access key again.
    Activate {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Delete an access key and its secret.
    Delete {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl KeyVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Create {
                account,
                user,
                client,
            } => (Command::KeyCreate { account, user }, client),
            Self::List { account, client } => (Command::KeyList { account }, client),
            Self::Rotate { id, client } => (Command::KeyRotate { id }, client),
            Self::Deactivate { id, client } => (Command::KeyDeactivate { id }, client),
            Self::Activate { id, client } => (Command::KeyActivate { id }, client),
            Self::Delete { id, client } => (Command::KeyDelete { id }, client),
        }
    }
}
