//! `meridian tls`: certificates of one's own, made without a server.

use std::io::Write;
use std::net::IpAddr;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::ClientArguments;
use crate::admin::Client;
use crate::authority::{Authority, Existing, Hosts, Made};
use crate::terminal;

/// Where the API is put in what is shown.
const PORT: u16 = 5381;

#[derive(Subcommand)]
pub(super) enum TlsVerb {
    /// Make a certificate authority of your own, and a certificate for this server.
    ///
    /// Both are kept in the folder tls of the data directory. The certificate is good for the names
    /// and addresses given, and for localhost.
    Init {
        #[command(flatten)]
        hosts: HostArguments,
        /// Replace an authority that is there: clients that trust it will not trust the new one.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Make a new certificate of the same authority, for the same names unless told otherwise.
    ///
    /// A running server shows it within a minute, and at once when it is sent SIGHUP.
    Renew {
        #[command(flatten)]
        hosts: HostArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Args)]
pub(super) struct HostArguments {
    /// A name that clients reach the server by; may be given several times.
    #[arg(long, value_name = "HOST")]
    name: Vec<String>,
    /// An address that they reach it by; may be given several times.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
}

impl TlsVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        match self {
            Self::Init {
                hosts,
                force,
                client,
            } => {
                let client = client.client()?;
                let existing = if force {
                    Existing::Replace
                } else {
                    Existing::Keep
                };
                let made = Authority::of(&client.data_dir).init(&hosts.hosts()?, existing)?;
                tell(&client, &made, &advice(&made))
            }
            Self::Renew { hosts, client } => {
                let client = client.client()?;
                let hosts = hosts.any().then(|| hosts.hosts()).transpose()?;
                let made = Authority::of(&client.data_dir).renew(hosts)?;
                tell(&client, &made, "")
            }
        }
    }
}

impl HostArguments {
    fn any(&self) -> bool {
        !self.name.is_empty() || !self.address.is_empty()
    }

    fn hosts(&self) -> Result<Hosts> {
        Hosts::new(&self.name, &self.address)
    }
}

fn tell(client: &Client, made: &Made, advice: &str) -> Result<()> {
    let mut out = terminal::out();
    if client.json {
        writeln!(out, "{}", serde_json::to_string_pretty(made)?)?;
        return Ok(());
    }
    writeln!(
        out,
        "{}: a certificate for {}, good until {}",
        made.certificate.display(),
        made.names.join(", "),
        made.until
    )?;
    write!(out, "{advice}")?;
    Ok(())
}

/// What to do with all that.
fn advice(made: &Made) -> String {
    let (authority, certificate, key) = (
        made.authority.display(),
        made.certificate.display(),
        made.key.display(),
    );
    let host = made.names.first().map_or("localhost", String::as_str);
    // An address of IPv6 stands in brackets.
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    format!(
        "\nThe server shows it with these lines in meridian.toml (then `meridian replace`):\n\n\
         \u{20}   [api.tls]\n\
         \u{20}   certificate = \"{certificate}\"\n\
         \u{20}   key = \"{key}\"\n\
         \u{20}   listen = [\"0.0.0.0:{PORT}\"]\n\n\
         Clients trust it with a copy of {authority}:\n\n\
         \u{20}   export AWS_CA_BUNDLE=/path/to/ca.pem\n\
         \u{20}   aws --endpoint-url https://{host}:{PORT} route53 list-hosted-zones\n\n\
         boto3 takes AWS_CA_BUNDLE too, or verify=\"/path/to/ca.pem\" when a client is made. Give nobody\n\
         ca-key.pem: whoever has it can pass for this server. `meridian tls renew` makes a new certificate\n\
         before this one ends; clients need nothing new for that.\n"
    )
}
