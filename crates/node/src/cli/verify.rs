//! `meridian verify`: the same questions to this server and to others.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::delegation::server;
use super::{ClientArguments, No};
use crate::admin::{self, Client, Command, Conversation};
use crate::outside::{Comparison, Difference, Question, Ttl};
use crate::terminal;
use crate::transfer::JsonSet;

/// Ask this server and others for everything in a zone, and show where they differ.
///
/// Compared are the code, the answer's records without their order, and the servers of referrals;
/// not the SOA's serial. Exits with 4 when something differs.
#[derive(Args)]
pub(super) struct VerifyArguments {
    /// The zone's id or name. Without it only the questions of --queries are asked.
    #[arg(required_unless_present = "queries")]
    zone: Option<String>,
    /// Hold against this server; may be given several times.
    #[arg(long, value_name = "ADDR[:PORT]", required = true)]
    against: Vec<String>,
    /// Where this server answers (default: the first address it listens on that shows the zone).
    #[arg(long, value_name = "ADDR[:PORT]")]
    at: Option<String>,
    /// Ask these too: a file with a name and a type on each line, as dnsperf reads it.
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Let times to live differ.
    #[arg(long)]
    ignore_ttl: bool,
    #[command(flatten)]
    client: ClientArguments,
}

impl VerifyArguments {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let client = self.client.clone().client()?;
        let mut questions = BTreeSet::new();
        let mut name_servers = Value::Null;
        if let Some(zone) = &self.zone {
            let found;
            (name_servers, found) = questions_of_zone(&client, zone)?;
            questions.extend(found);
        }
        if let Some(file) = &self.queries {
            let shown = file.display();
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
            let read = questions_of(&text).with_context(|| format!("in {shown}"))?;
            questions.extend(read);
        }
        let questions: Vec<Question> = questions.into_iter().collect();
        let comparison = Comparison {
            ours: self.ours(&client, &name_servers)?,
            theirs: self
                .against
                .iter()
                .map(|text| server(text, 53))
                .collect::<Result<_>>()?,
            ttl: if self.ignore_ttl {
                Ttl::Ignored
            } else {
                Ttl::Compared
            },
        };
        let found = run(&comparison, &questions);
        let mut out = terminal::out();
        if client.json {
            let shown: Vec<_> = found.iter().map(Difference::to_json).collect();
            let report = json!({ "questions": questions.len(), "differences": shown });
            writeln!(out, "{report:#}")?;
        } else {
            for difference in &found {
                writeln!(out, "{difference}")?;
            }
            let (asked, differ) = (questions.len(), found.len());
            writeln!(out, "{asked} questions asked, {differ} answers differ")?;
        }
        if !found.is_empty() {
            return Err(No.into());
        }
        Ok(())
    }

    fn ours(&self, client: &Client, name_servers: &Value) -> Result<SocketAddr> {
        if let Some(text) = &self.at {
            return server(text, 53);
        }
        let status = admin::ask(client, &Command::Status)?;
        let listens: Vec<SocketAddr> = serde_json::from_value(status["listens"]["dns"].clone())?;
        let shown = addresses(client, name_servers)?;
        for at in &listens {
            // Who listens on every address has those of the zone among them.
            let is_here = |ip: &&IpAddr| match at.ip().is_unspecified() {
                true => ip.is_ipv4() == at.is_ipv4(),
                false => **ip == at.ip(),
            };
            if let Some(ip) = shown.iter().find(is_here) {
                return Ok((*ip, at.port()).into());
            }
        }
        match listens.first() {
            Some(first) if !first.ip().is_unspecified() => Ok(*first),
            _ => bail!("no address of this server shows the zone; name one with --at"),
        }
    }
}

/// The addresses that the pool has of these name servers.
fn addresses(client: &Client, name_servers: &Value) -> Result<Vec<IpAddr>> {
    let pool = admin::ask(client, &Command::NameserverList)?;
    let names = name_servers.as_array().into_iter().flatten();
    let mut found = Vec::new();
    for name in names {
        let members = pool.as_array().into_iter().flatten();
        for member in members.filter(|member| member["name"] == *name) {
            found.extend(serde_json::from_value::<Vec<IpAddr>>(
                member["addresses"].clone(),
            )?);
        }
    }
    Ok(found)
}

/// Asks, and shows on a terminal how far it is.
fn run(comparison: &Comparison, questions: &[Question]) -> Vec<Difference> {
    let shown = io::stderr().is_terminal();
    let (done, all) = (AtomicUsize::new(0), questions.len());
    let found = comparison.run(questions, || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if shown && (done.is_multiple_of(100) || done == all) {
            let _ = write!(io::stderr(), "\r{done} of {all} questions");
        }
    });
    if shown {
        let _ = writeln!(io::stderr());
    }
    found
}

/// Every set of a zone, and a name that it does not have. Sets that answers depend on who asks for
/// are left out: two sides that are right may differ there. With them the zone's name servers.
fn questions_of_zone(client: &Client, zone: &str) -> Result<(Value, BTreeSet<Question>)> {
    let zone = zone.to_owned();
    let mut conversation = Conversation::open(client, &Command::ZoneExport { zone })?;
    let start = conversation.progress()?;
    let apex = start["zone"]["name"].as_str().unwrap_or_default();
    let mut questions = BTreeSet::new();
    questions.insert(Question {
        name: format!("is-not-there-{}.{apex}", std::process::id()),
        rtype: "A".to_owned(),
    });
    // Ends with the result.
    while let Err(portion) = conversation.answer()? {
        let sets: Vec<JsonSet> = serde_json::from_value(portion["sets"].clone())?;
        let plain = sets.into_iter().filter(|set| set.set_identifier.is_none());
        questions.extend(plain.map(|set| Question {
            name: set.name,
            rtype: set.rtype,
        }));
    }
    Ok((start["zone"]["name_servers"].clone(), questions))
}

/// Lines of a name and a type. Empty ones and comments are passed over.
fn questions_of(text: &str) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split([';', '#']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(name), Some(rtype), None) => questions.push(Question {
                name: name.to_owned(),
                rtype: rtype.to_uppercase(),
            }),
            _ => bail!("line {number}: a name and a type are wanted, not '{line}'"),
        }
    }
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_as_dnsperf_reads_them() {
        let read = questions_of("a.test A ; c\n\n# x\nb.test aaaa\n").unwrap();
        let shown: Vec<_> = read.iter().map(|q| (&*q.name, &*q.rtype)).collect();
        assert_eq!(shown, [("a.test", "A"), ("b.test", "AAAA")]);
        let error = questions_of("a.test A\nb.test\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2"), "{error}");
    }
}
