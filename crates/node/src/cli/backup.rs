//! `meridian backup` and `meridian restore`.

use std::path::{self, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::admin::{self, Command};
use crate::backup;
use crate::terminal::Form;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct BackupArguments {
    #[command(subcommand)]
    verb: Option<BackupVerb>,
    /// A file that does not exist yet, or a directory to make one in. The server writes it.
    #[arg(value_name = "FILE|DIR", required = true)]
    path: Option<PathBuf>,
    /// Put the vault's key into it too: whoever has the file then has all secrets.
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    client: ClientArguments,
}

#[derive(Subcommand)]
enum BackupVerb {
    /// Check a backup: that no byte is missing or changed, and that it leads to the state that was
    /// backed up. Needs no server.
    Verify {
        /// The backup.
        file: PathBuf,
        /// Where to replay it; as much room is needed as the tables take (default: the system's
        /// directory for temporary files).
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    /// The file with the vault's key, unless the key is in the backup.
    #[arg(long, value_name = "FILE")]
    vault_key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
}

impl BackupArguments {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        if let Some(BackupVerb::Verify {
            file,
            scratch,
            json,
        }) = self.verb
        {
            return backup::verify(&file, scratch.as_deref(), Form::of(json));
        }
        let command = Command::Backup {
            path: path::absolute(self.path.unwrap_or_default())?,
            with_key: self.with_key,
        };
        admin::call(&self.client.client()?, &command)
    }
}

impl RestoreArguments {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let client = self.client.client()?;
        let key = self.vault_key.as_deref();
        backup::restore(&self.file, &client.data_dir, key, client.form())
    }
}
