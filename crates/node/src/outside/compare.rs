//! Whether two sides answer alike: the same questions to both, and what differs.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::ask::{Record, Recursion, Reply, ask};

/// Questions that are on their way at the same time.
const AT_ONCE: usize = 16;

/// A name and a type to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Question {
    /// As a user writes it.
    pub(crate) name: String,
    /// As in `AAAA`.
    pub(crate) rtype: String,
}

/// Two sides, and what is to be overlooked.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The one that is looked at.
    pub(crate) ours: SocketAddr,
    /// Those it is held against.
    pub(crate) theirs: Vec<SocketAddr>,
    /// Whether times to live may differ.
    pub(crate) ttl: Ttl,
}

/// Whether times to live are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ttl {
    Compared,
    Ignored,
}

/// Answers that differ.
#[derive(Debug)]
pub(crate) struct Difference {
    question: Question,
    server: SocketAddr,
    ours: Side,
    theirs: Side,
}

/// What one side said: a reply's lines, or why there is none.
type Side = Result<Vec<String>, String>;

impl Comparison {
    /// Asks everything; `asked` hears of each question that is done. In the order of the questions.
    pub(crate) fn run(&self, questions: &[Question], asked: impl Fn() + Sync) -> Vec<Difference> {
        let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..questions.len()).collect());
        let found: Mutex<Vec<(usize, Difference)>> = Mutex::default();
        let lock_next = || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.pop_front()
        };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(questions.len()) {
                scope.spawn(|| {
                    while let Some(number) = lock_next() {
                        let differences = self.differences(&questions[number]);
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.extend(differences.into_iter().map(|each| (number, each)));
                        drop(found);
                        asked();
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, each)| each).collect()
    }

    fn differences(&self, question: &Question) -> Vec<Difference> {
        let ours = self.side(self.ours, question);
        let against = |server: &SocketAddr| {
            let theirs = self.side(*server, question);
            (ours != theirs).then(|| Difference {
                question: question.clone(),
                server: *server,
                ours: ours.clone(),
                theirs,
            })
        };
        self.theirs.iter().filter_map(against).collect()
    }

    fn side(&self, server: SocketAddr, question: &Question) -> Side {
        ask(server, &question.name, &question.rtype, Recursion::Not)
            .map(|reply| self.lines(&reply))
            .map_err(|error| format!("{error:#}"))
    }

    /// What of a reply has to be the same: its code, its answer, and where it leads elsewhere the
    /// servers it names. Order means nothing, nor what is added for convenience; of an SOA the
    /// serial is each side's own.
    fn lines(&self, reply: &Reply) -> Vec<String> {
        let mut lines = vec![reply.rcode.clone()];
        let referral = reply.answer.is_empty() && !reply.authoritative;
        let records = if referral {
            &reply.authority
        } else {
            &reply.answer
        };
        let mut shown: Vec<String> = records.iter().map(|record| self.line(record)).collect();
        shown.sort();
        lines.extend(shown);
        lines
    }

    fn line(&self, record: &Record) -> String {
        let mut record = record.clone();
        if self.ttl == Ttl::Ignored {
            record.ttl = 0;
        }
        if record.rtype == "SOA" {
            let mut words: Vec<&str> = record.data.split(' ').collect();
            if let Some(serial) = words.get_mut(2) {
                *serial = "*";
            }
            record.data = words.join(" ");
        }
        record.to_string()
    }
}

impl Difference {
    /// For `--json`.
    pub(crate) fn to_json(&self) -> Value {
        let side = |side: &Side| match side {
            Ok(lines) => json!({ "rcode": lines.first(), "records": lines.get(1..) }),
            Err(error) => json!({ "error": error }),
        };
        json!({
            "name": self.question.name,
            "type": self.question.rtype,
            "server": self.server.to_string(),
            "ours": side(&self.ours),
            "theirs": side(&self.theirs),
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question { name, rtype } = &self.question;
        write!(f, "{name} {rtype} at {}", self.server)?;
        // What both say is left out.
        match (&self.ours, &self.theirs) {
            (Ok(ours), Ok(theirs)) => {
                for line in ours.iter().filter(|line| !theirs.contains(line)) {
                    write!(f, "\n  ours   {line}")?;
                }
                for line in theirs.iter().filter(|line| !ours.contains(line)) {
                    write!(f, "\n  theirs {line}")?;
                }
                Ok(())
            }
            (ours, theirs) => {
                for (who, side) in [("ours  ", ours), ("theirs", theirs)] {
                    match side {
                        Ok(lines) => write!(f, "\n  {who} {}", lines.join("; "))?,
                        Err(error) => write!(f, "\n  {who} {error}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(ttl: Ttl) -> Comparison {
        Comparison {
            ours: ([127, 0, 0, 1], 53).into(),
            theirs: vec![],
            ttl,
        }
    }

    fn record(rtype: &str, ttl: u32, data: &str) -> Record {
        Record {
            owner: "a.test.".to_owned(),
            rtype: rtype.to_owned(),
            data: data.to_owned(),
            ttl,
        }
    }

    fn reply(answer: Vec<Record>) -> Reply {
        Reply {
            rcode: "NOERROR".to_owned(),
            authoritative: true,
            answer,
            authority: vec![record("NS", 1, "ns.test.")],
            additional: vec![],
        }
    }

    #[test]
    fn order_and_serials_mean_nothing_and_ttls_what_is_wanted() {
        let (one, two) = (record("A", 60, "192.0.2.1"), record("A", 60, "192.0.2.2"));
        let exact = comparison(Ttl::Compared);
        assert_eq!(
            exact.lines(&reply(vec![one.clone(), two.clone()])),
            exact.lines(&reply(vec![two, one.clone()])),
        );
        let longer = reply(vec![record("A", 61, "192.0.2.1")]);
        let short = reply(vec![one]);
        assert_ne!(exact.lines(&short), exact.lines(&longer));
        let loose = comparison(Ttl::Ignored);
        assert_eq!(loose.lines(&short), loose.lines(&longer));
        let soa = |serial| reply(vec![record("SOA", 1, &format!("m. r. {serial} 1 2 3 4"))]);
        assert_eq!(exact.lines(&soa(1)), exact.lines(&soa(2)));
    }

    #[test]
    fn a_referral_is_the_servers_it_names() {
        let exact = comparison(Ttl::Compared);
        let mut away = reply(vec![]);
        assert_eq!(exact.lines(&away), ["NOERROR"]);
        away.authoritative = false;
        assert_eq!(exact.lines(&away), ["NOERROR", "a.test. 1 NS ns.test."]);
    }
}
