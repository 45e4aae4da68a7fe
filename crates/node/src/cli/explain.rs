//! `meridian explain`.

use std::net::IpAddr;

use clap::Args;
use domain::base::iana::Rtype;
use meridian_dns::Name;

use super::ClientArguments;
use crate::admin::{Command, ExplainCommand};

/// What resolvers tell of their clients' addresses (RFC 7871 section 11.1).
const TOLD_V4: u8 = 24;
const TOLD_V6: u8 = 56;

#[derive(Args)]
pub(super) struct ExplainArguments {
    /// The name asked for.
    #[arg(value_parser = name)]
    name: Name,
    /// The type asked for, as in AAAA or TYPE65.
    #[arg(value_name = "TYPE", value_parser = rtype, default_value = "A")]
    rtype: Rtype,
    /// Whom the answer is for. With a length, or with --resolver, a resolver tells this network (of
    /// an address alone its /24 or /56); else the client asks by itself.
    #[arg(long = "client", value_name = "ADDRESS[/LENGTH]", value_parser = network)]
    #[arg(required_unless_present_any = ["resolver", "at"])]
    asker: Option<(IpAddr, Option<u8>)>,
    /// Who sends the query (default: the client).
    #[arg(long, value_name = "ADDRESS")]
    resolver: Option<IpAddr>,
    /// Suppose that a health check is up or down; may be given several times.
    #[arg(long, value_name = "ID=up|down", value_parser = health)]
    health: Vec<(String, bool)>,
    /// Suppose that the client is in this region, wherever its address is.
    #[arg(long, value_name = "REGION")]
    at: Option<String>,
    /// The address of the name server that is asked (default: one that has the zone).
    #[arg(long, value_name = "ADDRESS")]
    view: Option<IpAddr>,
    #[command(flatten)]
    client: ClientArguments,
}

impl ExplainArguments {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let subnet = self.asker.and_then(|(address, bits)| {
            let told = if address.is_ipv4() { TOLD_V4 } else { TOLD_V6 };
            let bits = bits.or_else(|| self.resolver.map(|_| told));
            bits.map(|bits| (address, bits))
        });
        let question = ExplainCommand {
            name: self.name.to_string(),
            rtype: self.rtype.to_int(),
            source: self
                .resolver
                .or_else(|| self.asker.map(|(address, _)| address)),
            subnet,
            view: self.view,
            at: self.at,
            health: self.health,
        };
        (Command::Explain(question), self.client)
    }
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}

fn rtype(text: &str) -> Result<Rtype, String> {
    let rtype = text.to_ascii_uppercase().parse();
    rtype.map_err(|_| "not a type, such as A or TYPE65".to_owned())
}

fn network(text: &str) -> Result<(IpAddr, Option<u8>), String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| "not an address".to_owned())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map(str::parse::<u8>).transpose();
    match bits {
        Ok(bits) if bits.is_none_or(|bits| bits <= most) => Ok((address, bits)),
        _ => Err(format!("the length is 0 to {most}")),
    }
}

fn health(text: &str) -> Result<(String, bool), String> {
    match text.rsplit_once('=') {
        Some((id, "up")) if !id.is_empty() => Ok((id.to_owned(), true)),
        Some((id, "down")) if !id.is_empty() => Ok((id.to_owned(), false)),
        _ => Err("not ID=up or ID=down".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_suppositions_are_read() {
        let four: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(network("192.0.2.1"), Ok((four, None)));
        assert_eq!(network("192.0.2.1/0"), Ok((four, Some(0))));
        assert!(network("2001:db8::/128").is_ok());
        for wrong in ["192.0.2.1/33", "192.0.2.1/", "2001:db8::/129", "x/8", ""] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
        assert_eq!(health("a=b=up"), Ok(("a=b".to_owned(), true)));
        for wrong in ["=up", "a", "a=UP", "a="] {
            assert!(health(wrong).is_err(), "{wrong}");
        }
        assert_eq!(rtype("type65"), Ok(Rtype::HTTPS));
        assert!(rtype("nothing").is_err());
    }
}
