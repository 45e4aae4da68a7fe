//! Whether the world finds a zone: what its parent says of it, and whether the servers it names
//! answer for it. Route 53 has no such operation; most of what goes wrong with a new zone is here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};
use serde::Serialize;

use super::ask::{Port, Recursion, Reply, ask, data, normal};

/// The most servers of a zone that are looked at, and the most addresses of each.
const MAX_SERVERS: usize = 13;
const MAX_ADDRESSES: usize = 8;

/// A zone, and who is asked about it.
#[derive(Debug)]
pub(crate) struct Delegation {
    /// The zone's name.
    pub(crate) zone: String,
    /// Its name servers, as this server has dealt them out.
    pub(crate) servers: Vec<String>,
    /// A resolver that sees the world as everybody does.
    pub(crate) resolver: SocketAddr,
    /// Where name servers are asked.
    pub(crate) port: Port,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Checked {
    /// The zone.
    pub(crate) zone: String,
    /// The zone above it.
    pub(crate) parent: String,
    /// In the order of looking.
    pub(crate) findings: Vec<Finding>,
}

/// One thing that is as it should be, or is not.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Ok,
    /// It works, and could go wrong.
    Warning,
    /// Some or all resolvers do not find the zone.
    Problem,
}

impl Checked {
    /// How many problems there are.
    pub(crate) fn problems(&self) -> usize {
        let bad = |finding: &&Finding| finding.level == Level::Problem;
        self.findings.iter().filter(bad).count()
    }

    fn note(&mut self, level: Level, text: impl Into<String>) {
        let text = text.into();
        self.findings.push(Finding { level, text });
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// What the parent says of the zone.
#[derive(Debug, Default, PartialEq, Eq)]
struct Referral {
    servers: BTreeSet<String>,
    /// The addresses that come along, by server.
    glue: BTreeMap<String, BTreeSet<String>>,
}

impl Delegation {
    /// Looks at everything.
    ///
    /// # Errors
    /// When the resolver does not answer, or knows no zone above this one: then nothing can be
    /// said.
    pub(crate) fn check(&self) -> Result<Checked> {
        let zone = normal(&self.zone);
        let mut checked = Checked {
            parent: self.parent(&zone)?,
            zone,
            ..Checked::default()
        };
        let ours: BTreeSet<String> = self.servers.iter().map(|name| normal(name)).collect();
        let named = self.check_parent(&mut checked, &ours)?;
        for server in ours.union(&named.servers).take(2 * MAX_SERVERS) {
            self.check_server(&mut checked, server, &named);
        }
        Ok(checked)
    }

    /// The zone above: the nearest name above that has an SOA.
    fn parent(&self, zone: &str) -> Result<String> {
        let mut name = zone;
        // A name has 127 labels at most.
        while name != "." {
            name = match name.split_once('.') {
                Some((_, rest)) if !rest.is_empty() => rest,
                _ => ".",
            };
            let reply = ask(self.resolver, name, "SOA", Recursion::Wanted)?;
            if !reply.data(name, "SOA").is_empty() {
                return Ok(name.to_owned());
            }
        }
        bail!(
            "the resolver {} knows no zone above {zone}; name another one with --resolver",
            self.resolver
        )
    }

    /// What the parent's servers say, all of them, and whether it is what it should be.
    fn check_parent(&self, checked: &mut Checked, ours: &BTreeSet<String>) -> Result<Referral> {
        let parent = checked.parent.clone();
        let reply = ask(self.resolver, &parent, "NS", Recursion::Wanted)?;
        let mut said: Vec<(SocketAddr, Referral)> = Vec::new();
        for name in reply.data(&parent, "NS").iter().take(MAX_SERVERS) {
            for address in self.addresses(name) {
                match ask(address, &checked.zone, "NS", Recursion::Not) {
                    Ok(reply) => {
                        self.check_signing(checked, address);
                        said.push((address, referral(&reply, &checked.zone)));
                    }
                    Err(error) => checked.note(
                        Level::Warning,
                        format!("{name}, a server of {parent}, was not heard: {error:#}"),
                    ),
                }
            }
        }
        let Some((_, first)) = said.first() else {
            bail!("no server of {parent} answers");
        };
        for (address, other) in &said {
            if other.servers != first.servers {
                checked.note(
                    Level::Warning,
                    format!("the servers of {parent} disagree; {address} says otherwise"),
                );
            }
        }
        let (_, named) = said.swap_remove(0);
        self.check_names(checked, ours, &named);
        Ok(named)
    }

    fn check_names(&self, checked: &mut Checked, ours: &BTreeSet<String>, named: &Referral) {
        let (zone, parent) = (checked.zone.clone(), checked.parent.clone());
        if named.servers.is_empty() {
            checked.note(
                Level::Problem,
                format!(
                    "{parent} does not delegate {zone}: enter its name servers there ({})",
                    self.servers.join(", ")
                ),
            );
            return;
        }
        let (missing, strange) = (
            list(ours.difference(&named.servers)),
            list(named.servers.difference(ours)),
        );
        match (missing.is_empty(), strange.is_empty()) {
            (true, true) => checked.note(
                Level::Ok,
                format!("{parent} names the {} servers of {zone}", ours.len()),
            ),
            (missed, expected) => {
                if !missed {
                    checked.note(Level::Warning, format!("{parent} does not name {missing}"));
                }
                if !expected {
                    let text = format!("{parent} names {strange}: no server of this zone");
                    checked.note(Level::Problem, text);
                }
            }
        }
    }

    /// A DS record promises signatures that this server does not make.
    fn check_signing(&self, checked: &mut Checked, parent: SocketAddr) {
        let text = format!(
            "{} has a DS record, and the zone is not signed: validating resolvers refuse its \
             answers; have the DS record removed",
            checked.parent
        );
        let told = checked.findings.iter().any(|finding| finding.text == text);
        let reply = ask(parent, &checked.zone, "DS", Recursion::Not);
        if reply.is_ok_and(|reply| !reply.data(&checked.zone, "DS").is_empty()) && !told {
            checked.note(Level::Problem, text);
        }
    }

    /// Whether a server is found, and speaks for the zone at each of its addresses.
    fn check_server(&self, checked: &mut Checked, server: &str, named: &Referral) {
        let zone = checked.zone.clone();
        let inside = server == zone || server.ends_with(&format!(".{zone}"));
        let glue = named.glue.get(server).cloned().unwrap_or_default();
        if inside && named.servers.contains(server) && glue.is_empty() {
            checked.note(
                Level::Problem,
                format!(
                    "{server} lies in the zone, and {} gives no address for it (glue)",
                    checked.parent
                ),
            );
        }
        let mut addresses = self.addresses(server);
        let resolved: BTreeSet<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
        if !glue.is_empty() && !resolved.is_empty() && !glue.is_subset(&resolved) {
            let text = format!(
                "{server}: {} gives {} as its address, the zone {}",
                checked.parent,
                list(glue.iter()),
                list(resolved.iter())
            );
            checked.note(Level::Problem, text);
        }
        if addresses.is_empty() {
            let glued = glue.iter().filter_map(|text| text.parse::<IpAddr>().ok());
            addresses = glued.map(|ip| (ip, self.port.0).into()).collect();
        }
        if addresses.is_empty() {
            checked.note(Level::Problem, format!("{server} has no address"));
        }
        for address in addresses {
            match self.speaks(address, &zone) {
                Ok(servers) if servers == named.servers || named.servers.is_empty() => {
                    let text = format!("{server} ({}) answers for {zone}", address.ip());
                    checked.note(Level::Ok, text);
                }
                Ok(servers) => checked.note(
                    Level::Warning,
                    format!(
                        "{server} ({}) says that the zone's servers are {}, {} says otherwise",
                        address.ip(),
                        list(servers.iter()),
                        checked.parent
                    ),
                ),
                Err(why) => checked.note(
                    Level::Problem,
                    format!("{server} ({}) is lame: {why}", address.ip()),
                ),
            }
        }
    }

    /// The NS records that a server has for the zone it speaks for, or why it does not.
    fn speaks(&self, server: SocketAddr, zone: &str) -> Result<BTreeSet<String>, String> {
        let asked = |rtype| ask(server, zone, rtype, Recursion::Not).map_err(|e| format!("{e:#}"));
        let soa = asked("SOA")?;
        if soa.rcode != "NOERROR" || soa.data(zone, "SOA").is_empty() {
            return Err(format!("asked for the SOA it says {}", soa.rcode));
        }
        if !soa.authoritative {
            return Err("its answer is not authoritative".to_owned());
        }
        Ok(asked("NS")?.data(zone, "NS").into_iter().collect())
    }

    /// The addresses of a server, as the resolver knows them.
    fn addresses(&self, server: &str) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for rtype in ["A", "AAAA"] {
            let Ok(reply) = ask(self.resolver, server, rtype, Recursion::Wanted) else {
                continue;
            };
            let addresses = reply.answer.iter().filter(|record| record.rtype == rtype);
            found.extend(addresses.filter_map(|record| record.data.parse::<IpAddr>().ok()));
        }
        found.truncate(MAX_ADDRESSES);
        found
            .into_iter()
            .map(|ip| (ip, self.port.0).into())
            .collect()
    }
}

fn referral(reply: &Reply, zone: &str) -> Referral {
    // A server that has both zones answers itself.
    let section = if reply.authoritative {
        &reply.answer
    } else {
        &reply.authority
    };
    let servers: BTreeSet<String> = data(section, zone, "NS").into_iter().collect();
    let mut glue: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in &reply.additional {
        if servers.contains(&record.owner) && matches!(record.rtype.as_str(), "A" | "AAAA") {
            let addresses = glue.entry(record.owner.clone()).or_default();
            addresses.insert(record.data.clone());
        }
    }
    Referral { servers, glue }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
