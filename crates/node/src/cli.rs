//! The command line: what there is to say, and who is told.

use std::env;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{self, PathBuf};

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::admin::{self, Client, Command};
use crate::config::Config;
use crate::replace::Predecessor;
use crate::serve;

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
    /// The pool of name servers that zones are delegated to.
    #[command(subcommand)]
    Nameserver(NameserverVerb),
    /// Limits of an account.
    #[command(subcommand)]
    Quota(QuotaVerb),
    /// The journal of all changes.
    #[command(subcommand)]
    Journal(JournalVerb),
    /// Replace the running server by a new process, without losing a query or a change.
    ///
    /// The new process takes the command line, directory and configuration file of the running one,
    /// and its open sockets. Queries are answered all the time; changes wait for a moment. If it
    /// fails before it serves, the running server goes on as before and this command says why.
    Replace(ReplaceArguments),
    /// The configuration file.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

#[derive(Args)]
struct ServeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Keep everything in this directory (default: ./meridian-data).
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Answer DNS on this address, UDP and TCP; may be given several times (default:
    /// 127.0.0.1:5300). At the first start the pool of name servers is made of these addresses;
    /// later it takes `meridian nameserver`.
    #[arg(long = "dns", value_name = "ADDR:PORT")]
    dns: Vec<SocketAddr>,
    /// Serve the Route 53 API on this address; plain HTTP is for loopback only (default:
    /// 127.0.0.1:5380).
    #[arg(long, value_name = "ADDR:PORT")]
    api: Option<SocketAddr>,
    /// Serve /metrics, /healthz and /readyz on this address (default: 127.0.0.1:5390).
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
}

#[derive(Args)]
struct ConfigArguments {
    /// Read this file instead of ./meridian.toml, which need not exist.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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

#[derive(Args)]
struct ReplaceArguments {
    /// The program to run (default: the one that this command is).
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
}

#[derive(Subcommand)]
enum AccountVerb {
    /// Make an account. It holds no operator's rights.
    Create {
        /// A name, unique.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show all accounts.
    List(ClientArguments),
}

#[derive(Subcommand)]
enum UserVerb {
    /// Make a user. Without a policy it may do nothing.
    Create {
        /// A name, unique in the account.
        name: String,
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// A ready-made policy: admin, read-only; may be given several times.
        #[arg(long)]
        policy: Vec<String>,
        /// A file with an IAM policy in JSON; may be given several times.
        #[arg(long, value_name = "FILE")]
        policy_file: Vec<PathBuf>,
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
}

#[derive(Subcommand)]
enum KeyVerb {
    /// Make an access key, and print it in the format of an AWS credentials file.
    Create {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// A user of the account; without one the key may do everything in the account.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show access keys, without their secrets.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Stop accepting an access key.
    Deactivate {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Accept an access key again.
    Activate {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Delete an access key and its secret.
    Delete {
        /// The key's id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Subcommand)]
enum NameserverVerb {
    /// Show the pool.
    List(ClientArguments),
    /// Add a name to the pool. Names are dealt to zones in fours: a fifth waits for an eighth.
    Add {
        /// A domain name.
        name: String,
        /// Where it is reached; may be given several times.
        #[arg(long, required = true)]
        address: Vec<IpAddr>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Move a name of the pool to other addresses.
    Set {
        /// A name of the pool.
        name: String,
        /// Where it is reached; may be given several times.
        #[arg(long, required = true)]
        address: Vec<IpAddr>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Take a name that no zone uses out of the pool.
    Remove {
        /// A name of the pool.
        name: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Subcommand)]
enum QuotaVerb {
    /// Set a limit, such as MAX_RRSETS_BY_ZONE.
    Set {
        /// The account's name or id.
        #[arg(long)]
        account: String,
        /// MAX_HOSTED_ZONES_BY_OWNER or MAX_RRSETS_BY_ZONE.
        quota: String,
        /// The most there may be.
        limit: u64,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Subcommand)]
enum JournalVerb {
    /// Check the whole chain, and that the tables are what it leads to.
    Verify(ClientArguments),
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Check the file and say what a real set-up would want different.
    Check(ConfigArguments),
}

/// Does what the command line says; as the successor of a running server if there is one.
pub(crate) fn run(arguments: Arguments, predecessor: Option<&Predecessor>) -> Result<()> {
    let (command, client) = match arguments.verb {
        Verb::Serve(arguments) => return serve::run(&arguments.config()?, predecessor),
        Verb::Config(ConfigVerb::Check(arguments)) => return check_config(&arguments),
        Verb::Completions { shell } => return completions(shell),
        Verb::Status(client) => (Command::Status, client),
        Verb::Account(verb) => verb.command(),
        Verb::User(verb) => verb.command()?,
        Verb::Key(verb) => verb.command(),
        Verb::Nameserver(verb) => verb.command(),
        Verb::Quota(QuotaVerb::Set {
            account,
            quota,
            limit,
            client,
        }) => {
            let command = Command::QuotaSet {
                account,
                quota,
                limit,
            };
            (command, client)
        }
        Verb::Journal(JournalVerb::Verify(client)) => (Command::JournalVerify, client),
        Verb::Replace(ReplaceArguments { binary, client }) => {
            let binary = match binary {
                Some(binary) => path::absolute(binary)?,
                None => env::current_exe()?,
            };
            (Command::Replace { binary }, client)
        }
    };
    let client = Client {
        data_dir: match client.data_dir {
            Some(data_dir) => data_dir,
            None => Config::read(None)?.data_dir,
        },
        json: client.json,
    };
    admin::call(&client, &command)
}

impl ServeArguments {
    /// The file's configuration with what the command line says instead.
    fn config(self) -> Result<Config> {
        let mut config = Config::read(self.config.config.as_deref())?;
        if let Some(data_dir) = self.data_dir {
            config.data_dir = data_dir;
        }
        if !self.dns.is_empty() {
            config.dns.listen = self.dns;
        }
        if let Some(api) = self.api {
            config.api.listen = api;
        }
        if let Some(metrics) = self.metrics {
            config.metrics.listen = metrics;
        }
        config.check()?;
        Ok(config)
    }
}

impl AccountVerb {
    fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Create { name, client } => (Command::AccountCreate { name }, client),
            Self::List(client) => (Command::AccountList, client),
        }
    }
}

impl UserVerb {
    fn command(self) -> Result<(Command, ClientArguments)> {
        Ok(match self {
            Self::Create {
                name,
                account,
                policy,
                policy_file,
                client,
            } => {
                let policies = admin::policies(&policy, &policy_file)?;
                let command = Command::UserCreate {
                    account,
                    name,
                    policies,
                };
                (command, client)
            }
            Self::List { account, client } => (Command::UserList { account }, client),
        })
    }
}

impl KeyVerb {
    fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::Create {
                account,
                user,
                client,
            } => (Command::KeyCreate { account, user }, client),
            Self::List { account, client } => (Command::KeyList { account }, client),
            Self::Deactivate { id, client } => (Command::KeyDeactivate { id }, client),
            Self::Activate { id, client } => (Command::KeyActivate { id }, client),
            Self::Delete { id, client } => (Command::KeyDelete { id }, client),
        }
    }
}

impl NameserverVerb {
    fn command(self) -> (Command, ClientArguments) {
        match self {
            Self::List(client) => (Command::NameserverList, client),
            Self::Add {
                name,
                address,
                client,
            } => (Command::NameserverAdd { name, address }, client),
            Self::Set {
                name,
                address,
                client,
            } => (Command::NameserverSet { name, address }, client),
            Self::Remove { name, client } => (Command::NameserverRemove { name }, client),
        }
    }
}

fn check_config(arguments: &ConfigArguments) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    config.check()?;
    let mut out = io::stdout().lock();
    for warning in config.warnings() {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "the configuration is valid")?;
    Ok(())
}

fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "meridian", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}
