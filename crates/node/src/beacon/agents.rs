//! Agents that are believed: their names and public keys in a file, which admin commands change
//! while the beacon goes by it. An agent's secret key is nowhere but with the agent.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use meridian_control::{Environment, SystemEnvironment};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::post::{self, From};
use crate::config::is_region;
use crate::whole_file;

/// The most agents.
const MAX_AGENTS: usize = 1000;
/// The longest file that is read.
const MAX_FILE: u64 = 1024 * 1024;
const FORMAT: u32 = 1;
/// How far an agent's clock may be off, in ms.
pub(crate) const MAX_SKEW_MS: u64 = 300_000;

/// The agents of this machine.
#[derive(Debug)]
pub(crate) struct Agents {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Posts are taken that were signed after this, in ms since 1970: those before may have been
    /// taken by a process before.
    since_ms: u64,
    /// The state of the file that was read.
    stamp: Option<Stamp>,
    agents: BTreeMap<String, Agent>,
    /// When the last post of each was signed, in ms since 1970.
    heard_ms: BTreeMap<String, u64>,
}

type Stamp = (u64, u64, i64, i64);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    pub(crate) name: String,
    /// Where it is, if it measures from site to site.
    pub(crate) region: Option<String>,
    /// In base64 for URLs.
    pub(crate) public_key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    agents: Vec<Agent>,
}

impl Agents {
    /// Those of the server that has this directory.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("agents.json"),
            known: Mutex::new(Known {
                since_ms: now_ms(),
                ..Known::default()
            }),
        }
    }

    /// All of them, in the order of their names.
    pub(crate) fn list(&self) -> Result<Vec<Agent>> {
        Ok(self.known()?.agents.values().cloned().collect())
    }

    /// A new agent; returns its secret key, which is kept nowhere.
    pub(crate) fn add(&self, name: &str, region: Option<&str>) -> Result<String> {
        ensure!(
            post::is_name(name),
            "'{name}' is no name of an agent: 1 to 64 letters, digits, '-', '_' and '.'"
        );
        if let Some(region) = region {
            ensure!(is_region(region), "'{region}' is no name of a region");
        }
        let mut known = self.known()?;
        ensure!(
            !known.agents.contains_key(name),
            "there is an agent {name} already; `meridian agent remove {name}` forgets it"
        );
        ensure!(
            known.agents.len() < MAX_AGENTS,
            "there are {MAX_AGENTS} agents already, as many as there may be"
        );
        let secret = SystemEnvironment::new().entropy();
        let agent = Agent {
            name: name.to_owned(),
            region: region.map(str::to_owned),
            public_key: BASE64.encode(key_pair(&secret)?.public_key()),
        };
        known.agents.insert(name.to_owned(), agent);
        self.write(&mut known)?;
        Ok(BASE64.encode(secret))
    }

    /// Forgets an agent.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let mut known = self.known()?;
        let removed = known.agents.remove(name);
        ensure!(removed.is_some(), "there is no agent {name}");
        self.write(&mut known)
    }

    /// The agent that has signed this post, if it is one and has not sent this before.
    pub(super) fn verify(&self, from: From<'_>, body: &[u8], signature: &str) -> Option<Agent> {
        let mut known = match self.known() {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%error, "no agent is believed: {error:#}");
                return None;
            }
        };
        let agent = known.agents.get(from.name)?.clone();
        let public = BASE64.decode(&agent.public_key).ok()?;
        let signature = BASE64.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ED25519, public);
        key.verify(&from.signed(body), &signature).ok()?;
        if !known.takes(from, now_ms()) {
            return None;
        }
        known.heard_ms.insert(from.name.to_owned(), from.at_ms);
        Some(agent)
    }

    /// What the file says now.
    fn known(&self) -> Result<MutexGuard<'_, Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.path);
        if known.stamp != stamp {
            let shown = self.path.display();
            let agents = read(&self.path).with_context(|| format!("cannot read {shown}"))?;
            // Who has another key now may begin anew.
            let before = std::mem::replace(&mut known.agents, agents);
            let Known {
                agents, heard_ms, ..
            } = &mut *known;
            heard_ms.retain(|name, _| agents.get(name) == before.get(name));
            known.stamp = stamp;
        }
        Ok(known)
    }

    fn write(&self, known: &mut Known) -> Result<()> {
        let stored = Stored {
            format: FORMAT,
            agents: known.agents.values().cloned().collect(),
        };
        // Read again next time, also if it cannot be written.
        known.stamp = None;
        whole_file::replace(&self.path, &serde_json::to_vec_pretty(&stored)?)
    }
}

impl Known {
    /// Whether this was signed now and after all that was taken before.
    fn takes(&mut self, from: From<'_>, now_ms: u64) -> bool {
        // What was noted while the clock was ahead would refuse everything until then. From what
        // was signed before it was set right, nothing is taken.
        let latest = now_ms.saturating_add(MAX_SKEW_MS);
        self.since_ms = self.since_ms.min(now_ms);
        for heard_ms in self.heard_ms.values_mut().filter(|ms| **ms > latest) {
            *heard_ms = now_ms;
        }
        let before = self.heard_ms.get(from.name).copied();
        from.at_ms > before.unwrap_or(self.since_ms) && from.at_ms.abs_diff(now_ms) <= MAX_SKEW_MS
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Agent>> {
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    let stored: Stored = serde_json::from_str(&text)?;
    ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
    let agents = stored.agents.into_iter();
    Ok(agents.map(|agent| (agent.name.clone(), agent)).collect())
}

fn stamp(path: &Path) -> Option<Stamp> {
    let of = fs::metadata(path).ok()?;
    Some((of.ino(), of.len(), of.mtime(), of.mtime_nsec()))
}

/// The pair of an agent's keys.
pub(crate) fn key_pair(secret: &[u8]) -> Result<Ed25519KeyPair> {
    let pair = Ed25519KeyPair::from_seed_unchecked(secret);
    pair.ok().context("a secret key has 32 bytes")
}

fn now_ms() -> u64 {
    u64::try_from(SystemEnvironment::new().now().0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(secret: &str, from: From<'_>, body: &[u8]) -> String {
        let pair = key_pair(&BASE64.decode(secret).unwrap()).unwrap();
        BASE64.encode(pair.sign(&from.signed(body)))
    }

    #[test]
    fn a_post_is_believed_once_and_only_of_whom_has_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::of(folder.path());
        // What commands write is another's to read.
        let commands = Agents::of(folder.path());
        let secret = commands.add("a", Some("eu-west-1")).unwrap();
        let other = commands.add("b", None).unwrap();
        let from = From {
            name: "a",
            at_ms: now_ms() + 10,
        };
        let good = sign(&secret, from, b"body");
        let later = From {
            at_ms: from.at_ms + 1,
            ..from
        };
        for (from, body, signature) in [
            (from, &b"other"[..], good.clone()),
            (later, b"body", good.clone()),
            (From { name: "b", ..from }, b"body", good.clone()),
            (From { name: "c", ..from }, b"body", good.clone()),
            (from, b"body", sign(&other, from, b"body")),
            (from, b"body", String::new()),
        ] {
            assert_eq!(agents.verify(from, body, &signature), None, "{from:?}");
        }
        let agent = agents.verify(from, b"body", &good).unwrap();
        assert_eq!(agent.region.as_deref(), Some("eu-west-1"));
        assert_eq!(agents.verify(from, b"body", &good), None, "again");
        let good = sign(&secret, later, b"body");
        commands.remove("a").unwrap();
        assert_eq!(agents.verify(later, b"body", &good), None, "forgotten");
    }

    #[test]
    fn what_was_signed_too_early_or_late_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::of(folder.path());
        let secret = agents.add("a", None).unwrap();
        let now = now_ms();
        let since_ms = agents.known().unwrap().since_ms;
        for at_ms in [0, since_ms, now + MAX_SKEW_MS + 60_000, u64::MAX] {
            let from = From { name: "a", at_ms };
            let signature = sign(&secret, from, b"");
            assert_eq!(agents.verify(from, b"", &signature), None, "{at_ms}");
        }
    }

    /// A server that had started with a clock that was ahead believed no agent until then.
    #[test]
    fn agents_are_believed_again_when_a_clock_that_was_ahead_is_right() {
        const YEAR_MS: u64 = 365 * 86_400_000;
        let from = |at_ms| From { name: "a", at_ms };
        let ahead = now_ms() + YEAR_MS;
        let mut known = Known {
            since_ms: ahead,
            heard_ms: BTreeMap::from([("b".to_owned(), ahead)]),
            ..Known::default()
        };
        let now = now_ms();
        assert!(
            !known.takes(from(now - 1), now),
            "from before it was set right"
        );
        assert!(known.takes(from(now + 5), now + 6));
        let from_b = |at_ms| From { name: "b", at_ms };
        assert!(!known.takes(from_b(now), now + 6));
        assert!(known.takes(from_b(now + 7), now + 8));
        // That of the agent may be ahead, as far as it is believed at all.
        known.heard_ms.insert("a".to_owned(), now + MAX_SKEW_MS);
        assert!(!known.takes(from(now + 9), now + 9));
    }

    #[test]
    fn agents_are_kept_and_have_names_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::of(folder.path());
        assert_eq!(agents.list().unwrap(), []);
        let secret = agents.add("a", None).unwrap();
        let again = agents.add("a", None).unwrap_err().to_string();
        assert!(again.contains("already"), "{again}");
        for (name, region) in [("", None), ("a b", None), ("b", Some("Europe"))] {
            assert!(agents.add(name, region).is_err());
        }
        assert!(agents.remove("b").is_err());
        let text = fs::read_to_string(folder.path().join("agents.json")).unwrap();
        assert!(!text.contains(&secret));
        assert_eq!(Agents::of(folder.path()).list().unwrap().len(), 1);
    }
}
