//! `meridian latency`.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use meridian_atlas::LatencyMap;
use meridian_latency::import::Format;

use super::ClientArguments;
use crate::admin::{self, Client, Command, render_latency};
use crate::latency::reading::{Source, digest, stream};
use crate::latency::{Folder, compared, read_map};
use crate::terminal::{self, Form};
use crate::visible;

#[derive(Subcommand)]
pub(super) enum LatencyVerb {
    /// Take measurements out of a file. Each row becomes a sample, or is told with its line.
    ///
    /// What cannot be true is refused and counted: faster than light in fibre. Exit code 3: some
    /// rows were wrong, the others are taken. A file that was imported before is told of, and not
    /// counted again.
    Import(SourceArguments),
    /// Show how fast regions are for an address, where each number comes from, and how old it is.
    Show {
        /// The address.
        address: IpAddr,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show who goes where, by country and region.
    Map {
        /// A region on offer; may be given several times. All of the map, if none is named.
        #[arg(long = "region", value_name = "REGION")]
        regions: Vec<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show who goes elsewhere by another map. Needs no server.
    ///
    /// A map is a file, the number of a build that is kept in the data directory, `current` or
    /// `waiting`.
    Diff {
        /// The earlier one.
        old: String,
        /// The later one.
        new: String,
        /// A region on offer; may be given several times. All that either map has, if none is named.
        #[arg(long = "region", value_name = "REGION")]
        regions: Vec<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Hold the map against what is true of some clients, beside plain distance.
    Score(ScoreArguments),
    /// Show the map in use, what there is to build from, and what the last build found.
    Status(ClientArguments),
    /// Build a map now.
    Build(ClientArguments),
    /// Take the map that waits because it would move many clients.
    Accept(ClientArguments),
}

#[derive(Args)]
pub(super) struct SourceArguments {
    /// The file; `-` is standard input.
    file: PathBuf,
    #[command(flatten)]
    form: FormArguments,
    /// Count the file once more if it was imported before.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    client: ClientArguments,
}

#[derive(Args)]
pub(super) struct ScoreArguments {
    /// A file of measurements that the map is not made of; the least of each network and region
    /// counts.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    #[command(flatten)]
    form: FormArguments,
    /// How many regions are on offer at a time, drawn of those that were measured; 0: all.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    offered: usize,
    #[command(flatten)]
    client: ClientArguments,
}

/// How a file of measurements is written, and what is needed to understand it.
#[derive(Args)]
struct FormArguments {
    /// How the file is written; as it looks, if not told.
    #[arg(long)]
    format: Option<FileFormat>,
    /// For a matrix: a file of `site,prefix`, the networks at each site.
    #[arg(long, value_name = "FILE")]
    prefixes: Option<PathBuf>,
    /// For RIPE Atlas: a file of `address,region`, where pings were sent to.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// For M-Lab: a file of `site,region` or `site,latitude,longitude`.
    #[arg(long, value_name = "FILE")]
    sites: Option<PathBuf>,
}

impl FormArguments {
    fn source(self, file: PathBuf) -> Source {
        Source {
            file,
            format: self.format.map(FileFormat::format),
            prefixes: self.prefixes,
            targets: self.targets,
            sites: self.sites,
        }
    }
}

/// How files are written.
#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    /// `prefix,region,rtt_ms,count[,ts]`
    Csv,
    /// The same fields in an object on each line
    Ndjson,
    /// `from,to,ms` between regions
    Matrix,
    /// Results of pings by RIPE Atlas
    RipeAtlas,
    /// Rows of M-Lab's NDT
    MLab,
}

impl FileFormat {
    fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Ndjson => Format::Ndjson,
            Self::Matrix => Format::Matrix,
            Self::RipeAtlas => Format::RipeAtlas,
            Self::MLab => Format::MLab,
        }
    }
}

impl LatencyVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let (command, client) = match self {
            Self::Import(arguments) => return arguments.run(),
            Self::Score(arguments) => return arguments.run(),
            Self::Diff {
                old,
                new,
                regions,
                client,
            } => return diff(&client.client()?, (&old, &new), &regions),
            Self::Show { address, client } => (Command::LatencyShow { address }, client),
            Self::Map { regions, client } => (Command::LatencyMap { regions }, client),
            Self::Status(client) => (Command::LatencyStatus, client),
            Self::Build(client) => (Command::LatencyBuild, client),
            Self::Accept(client) => (Command::LatencyAccept, client),
        };
        admin::call(&client.client()?, &command)
    }
}

impl SourceArguments {
    fn run(self) -> Result<()> {
        let source = self.form.source(self.file);
        let client = self.client.client()?;
        let command = Command::LatencyImport {
            digest: digest(&source)?.map(|digest| digest.as_str().to_owned()),
            again: self.again,
        };
        let outcome = stream(&client, &command, &source)?;
        outcome.tell(&client, |result| {
            Ok(render_latency::imported(&mut terminal::out(), result)?)
        })
    }
}

impl ScoreArguments {
    fn run(self) -> Result<()> {
        let source = self.form.source(self.truth);
        let client = self.client.client()?;
        let offered = self.offered;
        let outcome = stream(&client, &Command::LatencyScore { offered }, &source)?;
        outcome.tell(&client, |result| {
            Ok(render_latency::scored(&mut terminal::out(), result)?)
        })
    }
}

fn diff(client: &Client, (old, new): (&str, &str), regions: &[String]) -> Result<()> {
    let [old, new] = [
        map_of(&client.data_dir, old)?,
        map_of(&client.data_dir, new)?,
    ];
    let told = compared(&old, &new, regions)?;
    let mut out = terminal::out();
    match client.form() {
        Form::Json => writeln!(out, "{}", visible::json(&format!("{told:#}")))?,
        Form::Text => render_latency::moves(&mut out, &told)?,
    }
    Ok(())
}

/// The map that is meant.
fn map_of(data_dir: &Path, text: &str) -> Result<LatencyMap> {
    let folder = Folder::of(data_dir);
    match text {
        "waiting" if !folder.waiting().exists() => bail!("no latency map waits"),
        "waiting" => read_map(&folder.waiting()),
        "current" => {
            let newest = folder.newest();
            newest.with_context(|| format!("there is no latency map in {}", data_dir.display()))
        }
        text => match text.parse() {
            Ok(build) if !Path::new(text).exists() => read_map(&folder.map(build)),
            _ => read_map(Path::new(text)),
        },
    }
}
