//! The command line: what there is to say, and who is told. Each verb has a file of its own.

mod account;
mod agent;
mod backup;
mod change;
mod config;
mod delegation;
mod explain;
mod geo;
mod health;
mod import;
mod journal;
mod key;
mod latency;
mod nameserver;
mod policy;
mod policy_document;
mod quota;
mod record;
mod region;
mod replace;
mod resource;
mod serve;
mod target;
mod tls;
mod user;
mod verify;
mod vpc;
mod zone;
mod zone_history;

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::account::AccountVerb;
use self::agent::AgentArguments;
use self::backup::{BackupArguments, RestoreArguments};
use self::change::ChangeVerb;
use self::config::ConfigVerb;
use self::delegation::DelegationVerb;
use self::explain::ExplainArguments;
use self::geo::GeoVerb;
use self::health::HealthVerb;
use self::import::ImportVerb;
use self::journal::JournalVerb;
use self::key::KeyVerb;
use self::latency::LatencyVerb;
use self::nameserver::NameserverVerb;
use self::policy::PolicyVerb;
use self::policy_document::PolicyDocumentVerb;
use self::quota::QuotaVerb;
use self::record::RecordVerb;
use self::region::RegionVerb;
use self::replace::ReplaceArguments;
use self::resource::ResourceVerb;
use self::serve::ServeArguments;
use self::target::TargetVerb;
use self::tls::TlsVerb;
use self::user::UserVerb;
use self::verify::VerifyArguments;
use self::vpc::VpcVerb;
use self::zone::ZoneVerb;
use crate::admin::{self, Client, Command};
use crate::config::Config;
use crate::replace::Predecessor;
use crate::terminal;

/// A Route 53 that you run yourself.
#[derive(Parser)]
#[command(name = "meridian", version, max_term_width = 100)]
#[command(
    after_help = "The environment variable MERIDIAN_LOG says what is logged, as in `debug` or \
                        `meridian_api=debug,info`."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start the server.
    Serve(ServeArguments),
    /// Show what the server is and how far it has got.
    Status(ClientArguments),
    /// Accounts: the tenants of this server.
    #[command(subcommand)]
    Account(AccountVerb),
    /// Users of an account and what they may do.
    #[command(subcommand)]
    User(UserVerb),
    /// Access keys.
    #[command(subcommand)]
    Key(KeyVerb),
    /// What users may do: policies as in IAM.
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Documents of traffic policies: what is routed where.
    #[command(subcommand)]
    PolicyDocument(PolicyDocumentVerb),
    /// The pool of name servers that zones are delegated to.
    #[command(subcommand)]
    Nameserver(NameserverVerb),
    /// Regions of your own, which latency records may name beside those of AWS.
    #[command(subcommand)]
    Region(RegionVerb),
    /// Hosts and addresses that record sets point to: their regions, and their health.
    #[command(subcommand)]
    Resource(ResourceVerb),
    /// VPCs: networks of clients that see private zones.
    #[command(subcommand)]
    Vpc(VpcVerb),
    /// Health checks: their states, and switches by hand.
    #[command(subcommand)]
    Health(HealthVerb),
    /// External alias targets: what resolvers say of them.
    #[command(subcommand)]
    Target(TargetVerb),
    /// Who is where: the places of clients, as routing goes by them.
    #[command(subcommand)]
    Geo(GeoVerb),
    /// How fast regions are for whom: measurements, and the map that is built of them.
    #[command(subcommand)]
    Latency(LatencyVerb),
    /// Limits of an account.
    #[command(subcommand)]
    Quota(QuotaVerb),
    /// Zones of all accounts.
    #[command(subcommand)]
    Zone(ZoneVerb),
    /// Record sets, in few words.
    #[command(subcommand)]
    Record(RecordVerb),
    /// Move in from another service.
    #[command(subcommand)]
    Import(ImportVerb),
    /// Say what a query is answered, and why.
    ///
    /// Answered by the code that answers packets, out of what packets are answered from; nothing is
    /// sent and nothing counted. What --health and --at suppose is for this answer alone.
    Explain(ExplainArguments),
    /// Submitted changes.
    #[command(subcommand)]
    Change(ChangeVerb),
    /// The journal of all changes.
    #[command(subcommand)]
    Journal(JournalVerb),
    /// Write all there is into one file, while the server goes on.
    ///
    /// The file holds the journal and the vault, both as of one entry; secrets in it are sealed
    /// under the key in vault.key, which is not in it unless asked for: keep a copy of that file
    /// elsewhere.
    Backup(BackupArguments),
    /// Make a data directory of a backup, in a new epoch. Needs no server.
    ///
    /// The directory must be empty. Nothing is in its place before all of the backup is checked.
    Restore(RestoreArguments),
    /// Replace the running server by a new process, without losing a query or a change.
    ///
    /// The new process takes the command line, directory and configuration file of the running one,
    /// and its open sockets. Queries are answered all the time; changes wait for a moment. If it
    /// fails before it serves, the running server goes on as before and this command says why.
    Replace(ReplaceArguments),
    /// The configuration file.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// A certificate authority of your own, for the API over TLS.
    #[command(subcommand)]
    Tls(TlsVerb),
    /// How the world finds a zone.
    #[command(subcommand)]
    Delegation(DelegationVerb),
    /// Hold this server's answers against those of others.
    Verify(VerifyArguments),
    /// Measure how long it takes from here to sites, and say so to a server.
    Agent(AgentArguments),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// How a command finds the server, and how it prints.
#[derive(Args, Clone)]
pub(crate) struct ClientArguments {
    /// The server's data directory (default: the one in ./meridian.toml, or ./meridian-data).
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Does what the command line says; as the successor of a running server if there is one.
pub(crate) fn run(arguments: Arguments, predecessor: Option<&Predecessor>) -> Result<()> {
    let (command, client) = match arguments.verb {
        Verb::Serve(arguments) => return crate::serve::run(&arguments.config()?, predecessor),
        Verb::Config(verb) => return verb.run(),
        Verb::Zone(verb) => return verb.run(),
        Verb::Record(verb) => return verb.run(),
        Verb::Change(verb) => return verb.run(),
        Verb::Health(verb) => return verb.run(),
        Verb::Import(verb) => return verb.run(),
        Verb::Latency(verb) => return verb.run(),
        Verb::Tls(verb) => return verb.run(),
        Verb::Backup(arguments) => return arguments.run(),
        Verb::Restore(arguments) => return arguments.run(),
        Verb::Delegation(verb) => return verb.run(),
        Verb::Verify(arguments) => return arguments.run(),
        Verb::Agent(arguments) => match arguments.command()? {
            None => return Ok(()),
            Some(command) => command,
        },
        Verb::Completions { shell } => return completions(shell),
        Verb::Status(client) => (Command::Status, client),
        Verb::Account(verb) => verb.command(),
        Verb::User(verb) => verb.command()?,
        Verb::Key(verb) => verb.command(),
        Verb::Policy(verb) => return verb.run(),
        Verb::PolicyDocument(verb) => return verb.run(),
        Verb::Nameserver(verb) => verb.command(),
        Verb::Region(verb) => verb.command(),
        Verb::Resource(verb) => verb.command(),
        Verb::Vpc(verb) => verb.command(),
        Verb::Target(verb) => verb.command(),
        Verb::Geo(verb) => verb.command(),
        Verb::Quota(verb) => verb.command(),
        Verb::Explain(arguments) => arguments.command(),
        Verb::Journal(verb) => verb.command(),
        Verb::Replace(arguments) => arguments.command()?,
    };
    admin::call(&client.client()?, &command)
}

/// A question was answered with no. The answer is printed already; only the exit code is left.
#[derive(Debug)]
pub(crate) struct No;

impl No {
    /// What the process ends with; docs/CLI.md has all codes.
    pub(crate) const EXIT_CODE: u8 = 4;
}

impl fmt::Display for No {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no")
    }
}

impl Error for No {}

impl ClientArguments {
    /// Where the server is, and how to print.
    fn client(self) -> Result<Client> {
        Ok(Client {
            data_dir: match self.data_dir {
                Some(data_dir) => data_dir,
                None => Config::read(None)?.data_dir,
            },
            json: self.json,
        })
    }
}

fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "meridian", &mut script);
    terminal::out().write_all(&script)?;
    Ok(())
}
