//! `meridian import`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::move_in::{self, HealthChecks, MoveIn, Origin};

#[derive(Subcommand)]
pub(super) enum ImportVerb {
    /// Copy zones from Route 53, or from another server with its API. Nothing is changed there.
    ///
    /// All that is to be copied is read first; then zones are made one by one, each whole or not at
    /// all. Zones that were copied before are passed over, so that the command can be repeated. What
    /// cannot be copied is in the report, and the exit code is 3 then.
    Route53(Box<Route53Arguments>),
}

#[derive(Args)]
pub(super) struct Route53Arguments {
    /// Copy only this zone, by id or name; may be given several times.
    #[arg(long, value_name = "ID_OR_NAME")]
    zone: Vec<String>,
    /// The account that gets the zones, by name or id (default: the operator's).
    #[arg(long)]
    account: Option<String>,
    /// Where the API is; http only for this machine.
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://route53.amazonaws.com"
    )]
    endpoint: String,
    /// The region that requests are signed for.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// The profile in the credentials file of AWS's tools (default: what AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY say, else AWS_PROFILE, else `default`).
    #[arg(long)]
    profile: Option<String>,
    /// The certificate authorities to trust, in PEM (default: AWS_CA_BUNDLE, SSL_CERT_FILE, or the
    /// system's).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Send at most so many requests in a second; Route 53 takes 5 from an account.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Copy record sets with a health check that cannot be copied without it. They count as healthy
    /// then.
    #[arg(long)]
    drop_health_checks: bool,
    /// Leave out record sets that are refused, instead of their whole zone.
    #[arg(long)]
    skip_invalid: bool,
    /// Copy zones with more record sets than the account may have in one.
    #[arg(long)]
    beyond_quota: bool,
    /// Read and check everything, and write nothing but the report.
    #[arg(long)]
    dry_run: bool,
    /// Write the report to this file too: JSON if its name ends in .json, else text.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Keep the old and new ids in this file. What is in it counts as copied.
    #[arg(long, value_name = "FILE")]
    id_map: Option<PathBuf>,
    /// Write Terraform's import blocks for zones and record sets to this file.
    #[arg(long, value_name = "FILE")]
    terraform: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
}

impl ImportVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self::Route53(arguments) = self;
        let arguments = *arguments;
        let client = arguments.client.client()?;
        let move_in = MoveIn {
            origin: Origin {
                endpoint: arguments.endpoint,
                region: arguments.region,
                profile: arguments.profile,
                ca: arguments.ca,
                rate: arguments.rate,
            },
            zones: arguments.zone,
            account: arguments.account,
            health_checks: if arguments.drop_health_checks {
                HealthChecks::Dropped
            } else {
                HealthChecks::LeftOut
            },
            skip_invalid: arguments.skip_invalid,
            beyond_quota: arguments.beyond_quota,
            dry_run: arguments.dry_run,
            report: arguments.report,
            id_map: arguments.id_map,
            terraform: arguments.terraform,
        };
        move_in::run(&client, move_in)
    }
}
