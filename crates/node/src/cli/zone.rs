//! `meridian zone`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};

use super::ClientArguments;
use super::zone_history::{DiffArguments, HistoryArguments, RestoreZoneArguments};
use crate::admin::{self, Command, ImportCommand};
use crate::transfer::{self, Format, Import};

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
    /// Read a zone from a file and publish it at once: all of it, or nothing.
    Import(Box<ImportArguments>),
    /// Show who changed a zone, when and how.
    ///
    /// Versions are kept for 90 days, and at least the ten newest.
    History(HistoryArguments),
    /// Show what is different between two versions of a zone.
    Diff(DiffArguments),
    /// Make a zone's record sets what they were, by one change: all of it, or nothing.
    Restore(RestoreZoneArguments),
    /// Write a zone to a file.
    Export {
        /// Its id or name.
        zone: String,
        /// A master file, or JSON with everything.
        #[arg(long, value_enum)]
        format: Format,
        /// Write to this file instead of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Args)]
#[command(group(ArgGroup::new("target").required(true).args(["zone", "create"])))]
pub(super) struct ImportArguments {
    /// A master file, or JSON as `zone export` writes it.
    file: PathBuf,
    /// Import into this zone, by id or name.
    #[arg(long)]
    zone: Option<String>,
    /// Import into a new zone of this name.
    #[arg(long, value_name = "NAME")]
    create: Option<String>,
    /// The zone's account, by name or id (default for a new zone: the operator's).
    #[arg(long)]
    account: Option<String>,
    /// What the file is (default: json if its name ends so, else bind).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Remove the record sets that the zone has.
    #[arg(long, conflicts_with_all = ["merge", "create"])]
    replace: bool,
    /// Keep the record sets that the zone has, unless the file has one of the same name and type.
    #[arg(long, conflicts_with = "create")]
    merge: bool,
    /// Take NS and SOA of the apex from the file instead of keeping the zone's own.
    #[arg(long)]
    take_apex: bool,
    /// Leave out record sets that are refused, and import the rest.
    #[arg(long)]
    skip_invalid: bool,
    /// Import more record sets than the account may have in a zone.
    #[arg(long)]
    beyond_quota: bool,
    /// Check everything and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    client: ClientArguments,
}

impl ImportArguments {
    fn run(self) -> Result<()> {
        let import = Import {
            file: self.file,
            format: self.format,
            skip_invalid: self.skip_invalid,
            command: ImportCommand {
                zone: self.zone,
                create: self.create,
                account: self.account,
                replace: self.replace,
                merge: self.merge,
                take_apex: self.take_apex,
                skip_invalid: self.skip_invalid,
                beyond_quota: self.beyond_quota,
                dry_run: self.dry_run,
                ..ImportCommand::default()
            },
        };
        transfer::import(&self.client.client()?, import)
    }
}

impl ZoneVerb {
    /// Does it. Imports and exports take more than a command and its answer.
    pub(super) fn run(self) -> Result<()> {
        let (command, client) = match self {
            Self::Import(arguments) => return arguments.run(),
            Self::Export {
                zone,
                format,
                output,
                client,
            } => return transfer::export(&client.client()?, zone, format, output.as_deref()),
            Self::List {
                account,
                name,
                client,
            } => (Command::ZoneList { account, name }, client),
            Self::History(arguments) => arguments.command(),
            Self::Diff(arguments) => arguments.command(),
            Self::Restore(arguments) => arguments.command(),
            Self::Show { zone, client } => (Command::ZoneShow { zone }, client),
        };
        admin::call(&client.client()?, &command)
    }
}
