//! `meridian user`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::admin::{Command, policy};

#[derive(Subcommand)]
pub(super) enum UserVerb {
    /// Make a user. Without a policy it may do nothing.
    Create {
        #[command(flatten)]
        who: UserArguments,
        #[command(flatten)]
        policies: PolicyArguments,
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
    /// Show a user with its policies and keys.
    Show {
        #[command(flatten)]
        who: UserArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Delete a user with its access keys and their secrets.
    Delete {
        #[command(flatten)]
        who: UserArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Attach policies to a user. One takes the place of another of its name.
    Attach {
        #[command(flatten)]
        who: UserArguments,
        #[command(flatten)]
        policies: PolicyArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Take policies from a user.
    Detach {
        #[command(flatten)]
        who: UserArguments,
        /// A policy's name, as `meridian user show` has it; may be given several times.
        #[arg(long, required = true)]
        policy: Vec<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Args)]
pub(super) struct UserArguments {
    /// The user's name, unique in the account.
    name: String,
    /// The account's name or id.
    #[arg(long)]
    account: String,
}

#[derive(Args)]
pub(super) struct PolicyArguments {
    /// A ready-made policy: admin, read-only, zone-editor=ZONEID[,ZONEID…] or
    /// acme=ZONEID[,ZONEID…]; may be given several times.
    #[arg(long)]
    policy: Vec<String>,
    /// A file with an IAM policy in JSON, whose name without `.json` is the policy's; may be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    policy_file: Vec<PathBuf>,
}

impl UserVerb {
    pub(super) fn command(self) -> Result<(Command, ClientArguments)> {
        Ok(match self {
            Self::Create {
                who: UserArguments { name, account },
                policies,
                client,
            } => {
                let policies = policy::sources(&policies.policy, &policies.policy_file)?;
                let command = Command::UserCreate {
                    account,
                    name,
                    policies,
                };
                (command, client)
            }
            Self::List { account, client } => (Command::UserList { account }, client),
            Self::Show {
                who: UserArguments { name, account },
                client,
            } => (Command::UserShow { account, name }, client),
            Self::Delete {
                who: UserArguments { name, account },
                client,
            } => (Command::UserDelete { account, name }, client),
            Self::Attach {
                who: UserArguments { name, account },
                policies,
                client,
            } => {
                let policies = policy::sources(&policies.policy, &policies.policy_file)?;
                ensure!(
                    !policies.is_empty(),
                    "name a policy with --policy or --policy-file"
                );
                let command = Command::UserAttach {
                    account,
                    name,
                    policies,
                };
                (command, client)
            }
            Self::Detach {
                who: UserArguments { name, account },
                policy: policies,
                client,
            } => {
                let command = Command::UserDetach {
                    account,
                    name,
                    policies,
                };
                (command, client)
            }
        })
    }
}
