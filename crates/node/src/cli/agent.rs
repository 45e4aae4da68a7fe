//! `meridian agent`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::admin::Command;
use crate::agent::{self, Plan, Task};

/// Without a verb: measure how long round trips from this machine to sites take, again and again.
///
/// Of each site a small image is fetched a few times over one connection; what counts is the
/// shortest round trip that the kernel saw. What is measured is posted to a server that has a
/// beacon, signed with the key that `meridian agent add` printed there.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct AgentArguments {
    #[command(subcommand)]
    verb: Option<AgentVerb>,
    #[command(flatten)]
    work: Option<WorkArguments>,
}

#[derive(Subcommand)]
enum AgentVerb {
    /// Have this server take what an agent measures; prints the agent's secret key, this once.
    Add {
        /// What it is called.
        name: String,
        /// The region of the site that it is at: what it measures is then from site to site. Without
        /// it, it stands for the clients of the network that it posts from.
        #[arg(long)]
        region: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show agents.
    List(ClientArguments),
    /// Take nothing more from an agent.
    Remove {
        /// What it is called.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Args)]
struct WorkArguments {
    /// What this agent is called at the server.
    #[arg(long, value_name = "NAME")]
    site: String,
    /// The region that it is at, if the server was told one.
    #[arg(long)]
    region: Option<String>,
    /// The server's beacon, as in `https://beacon.example.com`: it says what is to be measured, and
    /// takes what was. Without it nothing is posted.
    #[arg(
        long,
        value_name = "URL",
        requires = "key",
        required_unless_present = "targets"
    )]
    server: Option<String>,
    /// The file with the agent's secret key.
    #[arg(long, value_name = "FILE", requires = "server")]
    key: Option<PathBuf>,
    /// Measure the sites in this file instead of those that the server names: a region and a URL on
    /// each line.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Certificate authorities that servers are judged by, in PEM (default: the system's).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Seconds from one round to the next, on average.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(5..=86_400))]
    interval: u32,
    /// Measure and post once; fail if anything does.
    #[arg(long)]
    once: bool,
    /// Print a document of JSON for each round.
    #[arg(long)]
    json: bool,
}

impl AgentArguments {
    /// Does it, or says which command does.
    pub(super) fn command(self) -> Result<Option<(Command, ClientArguments)>> {
        let command = match self.verb {
            None => {
                let work = self.work.context("what is to be done?")?;
                return agent::run(work.plan()).map(|()| None);
            }
            Some(AgentVerb::Add {
                name,
                region,
                client,
            }) => (Command::AgentAdd { name, region }, client),
            Some(AgentVerb::List(client)) => (Command::AgentList, client),
            Some(AgentVerb::Remove { name, client }) => (Command::AgentRemove { name }, client),
        };
        Ok(Some(command))
    }
}

impl WorkArguments {
    fn plan(self) -> Plan {
        Plan {
            name: self.site,
            region: self.region,
            server: self.server.zip(self.key),
            targets: self.targets,
            ca: self.ca,
            task: match self.once {
                true => Task::Once,
                false => Task::Every(Duration::from_secs(self.interval.into())),
            },
            form: crate::terminal::Form::of(self.json),
        }
    }
}
