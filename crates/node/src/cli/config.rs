//! `meridian config`: what there is to do with the file when no server runs.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::config::Config;

#[derive(Args)]
pub(super) struct ConfigArguments {
    /// Read this file instead of ./meridian.toml, which need not exist.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(super) enum ConfigVerb {
    /// Check the file and say what a real set-up would want different.
    Check(ConfigArguments),
}

impl ConfigVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self::Check(arguments) = self;
        check(&arguments)
    }
}

fn check(arguments: &ConfigArguments) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    config.check()?;
    let mut out = io::stdout().lock();
    for warning in config.warnings() {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "the configuration is valid")?;
    Ok(())
}
