//! `meridian user`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use super::ClientArguments;
use crate::admin::{self, Command};

#[derive(Subcommand)]
pub(super) enum UserVerb {
    /// Make a user. Without a policy it may do nothing.
    Create {
        /// A name, unique in the account.
        name: String,
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// A ready-made policy: admin, read-only, zone-editor=ZONEID[,ZONEID…], acme=ZONEID[,ZONEID…];
        /// may be given several times.
        #[arg(long)]
        policy: Vec<String>,
        /// A file with an IAM policy in JSON; may be given several times.
        #[arg(long, value_name = "FILE")]
        policy_file: Vec<PathBuf>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show users.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl UserVerb {
    pub(super) fn command(self) -> Result<(Command, ClientArguments)> {
        Ok(match self {
            Self::Create {
                name,
                account,
                policy,
                policy_file,
                client,
            } => {
                let policies = admin::policies(&policy, &policy_file)?;
                let command = Command::UserCreate {
                    account,
                    name,
                    policies,
                };
                (command, client)
            }
            Self::List { account, client } => (Command::UserList { account }, client),
        })
    }
}
