//! `meridian replace`.

use std::env;
use std::path::{self, PathBuf};

use anyhow::Result;
use clap::Args;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Args)]
pub(super) struct ReplaceArguments {
    /// The program to run (default: the one that this command is).
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
}

impl ReplaceArguments {
    pub(super) fn command(self) -> Result<(Command, ClientArguments)> {
        let binary = match self.binary {
            Some(binary) => path::absolute(binary)?,
            None => env::current_exe()?,
        };
        Ok((Command::Replace { binary }, self.client))
    }
}
