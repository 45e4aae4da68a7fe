//! `meridian delegation`.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};

use super::{ClientArguments, No};
use crate::admin::{self, Command};
use crate::outside::{Checked, Delegation, Port};
use crate::terminal;

/// Where name servers and resolvers listen.
const DNS_PORT: u16 = 53;

#[derive(Subcommand)]
pub(super) enum DelegationVerb {
    /// Look at a zone as the world does: what its parent says, and whether its servers answer.
    ///
    /// Exits with 4 when there are problems.
    Check(CheckArguments),
}

#[derive(Args)]
pub(super) struct CheckArguments {
    /// The zone's id or name.
    zone: String,
    /// Ask this resolver (default: the first one in /etc/resolv.conf).
    #[arg(long, value_name = "ADDR[:PORT]")]
    resolver: Option<String>,
    /// Ask name servers at this port.
    #[arg(long, default_value_t = DNS_PORT)]
    port: u16,
    #[command(flatten)]
    client: ClientArguments,
}

impl DelegationVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self::Check(arguments) = self;
        let client = arguments.client.client()?;
        let resolver = match &arguments.resolver {
            Some(text) => server(text, DNS_PORT)?,
            None => systems_resolver()?,
        };
        let zone = admin::ask(
            &client,
            &Command::ZoneShow {
                zone: arguments.zone,
            },
        )?;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let servers = zone["name_servers"].as_array();
        let delegation = Delegation {
            zone: text(&zone["name"]).ok_or_else(|| anyhow!("the server shows no zone"))?,
            servers: servers.into_iter().flatten().filter_map(text).collect(),
            resolver,
            port: Port(arguments.port),
        };
        let checked = delegation.check()?;
        let mut out = terminal::out();
        if client.json {
            writeln!(out, "{:#}", serde_json::to_value(&checked)?)?;
        } else {
            show(&mut out, &checked)?;
        }
        if checked.problems() > 0 {
            return Err(No.into());
        }
        Ok(())
    }
}

fn show(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    writeln!(out, "{}, below {}", checked.zone, checked.parent)?;
    for finding in &checked.findings {
        writeln!(out, "{:8} {}", finding.level, finding.text)?;
    }
    match checked.problems() {
        0 => writeln!(out, "resolvers find this zone"),
        1 => writeln!(out, "1 problem"),
        many => writeln!(out, "{many} problems"),
    }
}

/// An address as users write it: with a port, or without.
pub(super) fn server(text: &str, port: u16) -> Result<SocketAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr = bare
        .parse()
        .with_context(|| format!("'{text}' is no address: ADDR or ADDR:PORT is wanted"))?;
    Ok((address, port).into())
}

fn systems_resolver() -> Result<SocketAddr> {
    const FILE: &str = "/etc/resolv.conf";
    let text = fs::read_to_string(FILE)
        .with_context(|| format!("cannot read {FILE}; name a resolver with --resolver"))?;
    let mut words = text.lines().map(str::split_whitespace);
    let found = words.find_map(|mut line| match line.next() {
        Some("nameserver") => line.next()?.parse::<IpAddr>().ok(),
        _ => None,
    });
    let found = found.ok_or_else(|| anyhow!("{FILE} names no resolver; use --resolver"))?;
    Ok((found, DNS_PORT).into())
}
