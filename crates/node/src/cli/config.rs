//! `meridian config`: what there is to do with the file when no server runs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::config::Config;
use crate::terminal::{self, Form};

#[derive(Args)]
pub(super) struct ConfigArguments {
    /// Read this file instead of ./meridian.toml, which need not exist.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(super) enum ConfigVerb {
    /// Check the file and say what a real set-up would want different.
    Check {
        #[command(flatten)]
        config: ConfigArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl ConfigVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self::Check { config, json } = self;
        check(&config, Form::of(json))
    }
}

fn check(arguments: &ConfigArguments, form: Form) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    config.check()?;
    let warnings = config.warnings();
    let mut out = terminal::out();
    if form == Form::Json {
        let checked = json!({ "valid": true, "warnings": warnings });
        writeln!(out, "{checked:#}")?;
        return Ok(());
    }
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "the configuration is valid")?;
    Ok(())
}
