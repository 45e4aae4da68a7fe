//! Settings of webhooks: servers that are told of health checks whose states become others.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meridian_model::ProbeRights;
use serde::Deserialize;

/// The most webhooks. Each has its own queue.
const MAX_WEBHOOKS: usize = 16;
/// The longest name.
const MAX_NAME: usize = 63;
/// The most checks and accounts that one names.
const MAX_NAMED: usize = 1000;
/// What a secret begins with, as Standard Webhooks has it.
const SECRET_PREFIX: &str = "whsec_";
/// How long secrets are, in bytes; by the same specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// One of `[[webhooks]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// What it is called in metrics and messages.
    pub(crate) name: String,
    /// Where flips are told. There may be a secret in it, so it is shown to nobody.
    pub(crate) url: String,
    /// The certificate authority of its certificate; absent, those of the system.
    pub(crate) ca: Option<PathBuf>,
    /// The secret that requests are signed with; absent, they are not.
    pub(crate) secret_file: Option<PathBuf>,
    /// Only flips of these checks, and of those of the accounts below; all if neither is there.
    #[serde(default)]
    pub(crate) checks: Vec<String>,
    #[serde(default)]
    pub(crate) accounts: Vec<String>,
    /// Which addresses the URL may lead to, as accounts have them probed.
    #[serde(default = "public")]
    reach: String,
    /// How long a request may take.
    #[serde(default = "five")]
    timeout_s: u64,
    /// How often a flip is told at most until it is taken.
    #[serde(default = "twenty")]
    pub(crate) attempts: u32,
    /// For how long it is tried.
    #[serde(default = "hour")]
    give_up_after_s: u64,
}

fn public() -> String {
    ProbeRights::Public.as_str().to_owned()
}

const fn five() -> u64 {
    5
}

const fn twenty() -> u32 {
    20
}

const fn hour() -> u64 {
    3600
}

impl Webhook {
    /// Which addresses it may lead to.
    pub(crate) fn reach(&self) -> Result<ProbeRights> {
        let mut all = ProbeRights::ALL.into_iter();
        let known = all.find(|rights| rights.as_str() == self.reach);
        known.ok_or_else(|| {
            let words = ProbeRights::ALL.map(ProbeRights::as_str).join(", ");
            anyhow!("reach is '{}'; there are {words}", self.reach)
        })
    }

    /// How long a request may take.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    /// For how long a flip is told.
    pub(crate) const fn give_up_after(&self) -> Duration {
        Duration::from_secs(self.give_up_after_s)
    }

    /// The secret, as the file has it now.
    pub(crate) fn secret(&self) -> Result<Option<Vec<u8>>> {
        let Some(path) = &self.secret_file else {
            return Ok(None);
        };
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let secret = secret(&text).with_context(|| {
            format!(
                "{shown} has no secret: it is {SECRET_PREFIX} and 24 to 64 random bytes in \
                 Base64, as of: echo {SECRET_PREFIX}$(head -c 32 /dev/urandom | base64)"
            )
        })?;
        Ok(Some(secret))
    }

    fn check(&self) -> Result<()> {
        let is_http = self.url.starts_with("http://") || self.url.starts_with("https://");
        ensure!(is_http, "url begins with neither http:// nor https://");
        self.reach()?;
        self.secret()?;
        for (key, named) in [("checks", &self.checks), ("accounts", &self.accounts)] {
            ensure!(
                named.len() <= MAX_NAMED,
                "{key} names {}; the most is {MAX_NAMED}",
                named.len()
            );
        }
        for (key, number, most) in [
            ("timeout_s", self.timeout_s, 60),
            ("attempts", self.attempts.into(), 100),
            ("give_up_after_s", self.give_up_after_s, 24 * 60 * 60),
        ] {
            ensure!(
                (1..=most).contains(&number),
                "{key} is {number}; 1 to {most}"
            );
        }
        Ok(())
    }
}

fn secret(text: &str) -> Option<Vec<u8>> {
    let coded = text.trim().strip_prefix(SECRET_PREFIX)?;
    let secret = STANDARD.decode(coded).ok()?;
    SECRET_BYTES.contains(&secret.len()).then_some(secret)
}

/// Whether there can be such webhooks.
pub(super) fn check(webhooks: &[Webhook]) -> Result<()> {
    ensure!(
        webhooks.len() <= MAX_WEBHOOKS,
        "there are {} webhooks; the most is {MAX_WEBHOOKS}",
        webhooks.len()
    );
    let mut seen = BTreeSet::new();
    for webhook in webhooks {
        let name = &webhook.name;
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(good),
            "webhooks: a name is 1 to {MAX_NAME} small letters, digits and hyphens, not '{name}'"
        );
        let checked = webhook.check();
        checked.with_context(|| format!("webhooks: '{name}'"))?;
        ensure!(seen.insert(name), "webhooks: '{name}' is there twice");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        webhooks: Vec<Webhook>,
    }

    fn checked(text: &str) -> String {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => return error.to_string(),
        };
        check(&file.webhooks).map_or_else(|error| format!("{error:#}"), |()| "good".to_owned())
    }

    const GOOD: &str = "[[webhooks]]\nname = 'pager'\nurl = 'https://hooks.example/?key=s'\n";

    #[test]
    fn webhooks_that_cannot_be_are_refused_by_name_and_not_by_url() {
        assert_eq!(checked(GOOD), "good");
        for (from, to, part) in [
            ("pager", "Pager!", "small letters"),
            ("https:", "ftp:", "'pager': url begins with neither"),
            ("'\n", "'\nreach = 'mars'\n", "public, private, everything"),
            ("'\n", "'\ntimeout_s = 0\n", "timeout_s is 0; 1 to 60"),
            ("'\n", "'\nattempts = 101\n", "attempts is 101; 1 to 100"),
            ("'\n", "'\ngive_up_after_s = 86401\n", "1 to 86400"),
            (
                "'\n",
                "'\nsecret_file = '/nowhere'\n",
                "cannot read /nowhere",
            ),
            ("'\n", "'\nsecret = 's'\n", "unknown field"),
        ] {
            let text = match from {
                "'\n" => format!("{}{to}", GOOD.trim_end_matches("'\n")),
                _ => GOOD.replace(from, to),
            };
            let said = checked(&text);
            assert!(said.contains(part), "{said}");
        }
        assert!(checked(&GOOD.repeat(2)).contains("'pager' is there twice"));
    }

    #[test]
    fn secrets_are_those_of_standard_webhooks() {
        let coded = STANDARD.encode([7; 24]);
        assert_eq!(secret(&format!("whsec_{coded}\n")), Some(vec![7; 24]));
        let short = STANDARD.encode([7; 23]);
        for text in [&coded, &format!("whsec_{short}"), "whsec_", "whsec_%"] {
            assert_eq!(secret(text), None, "{text}");
        }
    }
}
