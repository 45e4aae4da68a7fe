//! One round of measuring, and what is told of it.

use std::io::{self, Write};
use std::time::SystemTime;

use anyhow::{Error, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::measure;
use super::post::{Outbox, Poster};
use super::targets::Target;
use crate::beacon::post::RoundTrip;
use crate::terminal::{self, Form};
use crate::visible;

/// How many sites are measured at the same time.
const AT_ONCE: usize = 8;

/// What came of it.
pub(super) struct Round {
    at_s: u64,
    results: Vec<Measurement>,
    /// Why nothing was measured.
    failure: Option<String>,
    posting: Option<Posting>,
}

struct Measurement {
    target: Target,
    /// In microseconds.
    outcome: Result<u32, String>,
}

struct Posting {
    posted: usize,
    waiting: usize,
    failure: Option<String>,
}

impl Round {
    /// Measures all sites but that of this region.
    pub(super) async fn measure(sites: &[Target], here: Option<&str>) -> Self {
        let mut round = Self::new();
        let mut others = sites.iter().filter(|site| Some(&*site.region) != here);
        let mut under_way = JoinSet::new();
        // Each turn ends one, or begins one of the others.
        loop {
            while under_way.len() < AT_ONCE {
                let Some(target) = others.next().cloned() else {
                    break;
                };
                under_way.spawn(async move {
                    let outcome = measure::round_trip(&target.endpoint).await;
                    let outcome = outcome.map_err(|error| format!("{error:#}"));
                    Measurement { target, outcome }
                });
            }
            match under_way.join_next().await {
                Some(Ok(measured)) => round.results.push(measured),
                Some(Err(error)) => round.failure = Some(error.to_string()),
                None => break,
            }
        }
        round
            .results
            .sort_by(|one, other| one.target.region.cmp(&other.target.region));
        round
    }

    /// Nothing was measured.
    pub(super) fn failed(error: Error) -> Self {
        let failure = format!("{error:#}");
        drop(error);
        Self {
            failure: Some(failure),
            ..Self::new()
        }
    }

    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            at_s: now.unwrap_or_default().as_secs(),
            results: Vec::new(),
            failure: None,
            posting: None,
        }
    }

    /// What there is to be posted.
    pub(super) fn round_trips(&self) -> impl Iterator<Item = RoundTrip> {
        self.results.iter().filter_map(|measured| {
            Some(RoundTrip {
                to: measured.target.region.clone(),
                at_s: self.at_s,
                rtt_us: *measured.outcome.as_ref().ok()?,
            })
        })
    }

    pub(super) fn note_posting(&mut self, poster: &Poster, outbox: &Outbox) {
        self.posting = Some(Posting {
            posted: poster.posted,
            waiting: outbox.len(),
            failure: poster.failure.clone(),
        });
    }

    /// Tells of it on standard output.
    pub(super) fn print(&self, form: Form) -> Result<()> {
        let mut out = terminal::out();
        match form {
            Form::Json => writeln!(out, "{}", visible::json(&self.to_json().to_string()))?,
            Form::Text => self.write(&mut out)?,
        }
        Ok(out.flush()?)
    }

    fn to_json(&self) -> Value {
        let result = |measured: &Measurement| {
            let rtt_us = measured.outcome.as_ref().ok();
            json!({
                "region": measured.target.region,
                "url": measured.target.url,
                "rtt_ms": rtt_us.map(|us| f64::from(*us) / 1000.0),
                "error": measured.outcome.as_ref().err(),
            })
        };
        let posting = self.posting.as_ref();
        let failures = [
            &self.failure,
            posting.map_or(&None, |posting| &posting.failure),
        ];
        json!({
            "at": self.at_s,
            "results": self.results.iter().map(result).collect::<Vec<_>>(),
            "posted": posting.map(|posting| posting.posted),
            "waiting": posting.map(|posting| posting.waiting),
            "error": failures.into_iter().flatten().next(),
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for Measurement { target, outcome } in &self.results {
            let (region, url) = (&target.region, &target.url);
            match outcome {
                Ok(us) => writeln!(out, "{region:20} {:9.3} ms  {url}", f64::from(*us) / 1000.0)?,
                Err(why) => writeln!(
                    out,
                    "{region:20} failed        {url}: {}",
                    visible::text(why)
                )?,
            }
        }
        match &self.posting {
            Some(posting) => writeln!(
                out,
                "{} posted, {} waiting",
                posting.posted, posting.waiting
            ),
            None => Ok(()),
        }
    }

    /// Whether all was measured and posted, or what was not.
    pub(super) fn verdict(&self) -> Result<(), String> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let failed = self
            .results
            .iter()
            .filter(|measured| measured.outcome.is_err());
        let failed = failed.count();
        if failed > 0 {
            let all = self.results.len();
            return Err(format!("{failed} of {all} sites could not be measured"));
        }
        match &self.posting {
            Some(posting) if posting.waiting > 0 || posting.failure.is_some() => {
                let failure = posting.failure.clone();
                Err(failure.unwrap_or_else(|| "not all was posted".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
