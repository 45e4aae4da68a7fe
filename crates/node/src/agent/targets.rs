//! What an agent measures: the sites in a file, which is read for each round, or those that its
//! server names.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use axum::body::Body;
use hyper::Request;
use hyper::header::{HOST, USER_AGENT};
use serde::Deserialize;
use tokio::time;

use super::Plan;
use super::http::Open;
use crate::beacon::post::SITES_PATH;
use crate::config::{Site, check_url, is_region};
use crate::move_in::Endpoint;

/// The most sites.
const MAX_SITES: usize = 255;
/// How long the server may take to name them.
const PATIENCE: Duration = Duration::from_secs(10);

/// A site, ready to be connected to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) region: String,
    pub(super) url: String,
    pub(super) endpoint: Arc<Endpoint>,
}

/// Where sites are named, and those that were last.
pub(super) struct Targets {
    named: Named,
    ca: Option<PathBuf>,
    last: Vec<Target>,
}

enum Named {
    InFile(PathBuf),
    ByServer(Endpoint),
}

#[derive(Deserialize)]
struct Listed {
    sites: Vec<Site>,
}

impl Targets {
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let named = match (&plan.targets, &plan.server) {
            (Some(file), _) => Named::InFile(file.clone()),
            (None, Some((url, _))) => Named::ByServer(Endpoint::read(url, plan.ca.as_deref())?),
            (None, None) => bail!("name a server, or a file of sites"),
        };
        Ok(Self {
            named,
            ca: plan.ca.clone(),
            last: Vec::new(),
        })
    }

    /// Those of now; those of before if the server does not say.
    pub(super) async fn list(&mut self) -> Result<Vec<Target>> {
        let sites = match &self.named {
            Named::InFile(file) => in_file(file)?,
            Named::ByServer(server) => match by_server(server).await {
                Ok(sites) => sites,
                Err(error) if self.last.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "measuring the sites of before: {error:#}");
                    return Ok(self.last.clone());
                }
            },
        };
        ensure!(!sites.is_empty(), "there are no sites to be measured");
        let ca = self.ca.as_deref();
        let target = |site: Site| {
            Ok(Target {
                endpoint: Arc::new(Endpoint::read_any(&site.url, ca)?),
                region: site.region,
                url: site.url,
            })
        };
        self.last = sites.into_iter().map(target).collect::<Result<_>>()?;
        Ok(self.last.clone())
    }
}

async fn by_server(server: &Endpoint) -> Result<Vec<Site>> {
    let asked = async {
        let request = Request::get(SITES_PATH)
            .header(HOST, &server.authority)
            .header(USER_AGENT, super::post::USER)
            .body(Body::empty())?;
        let (status, body) = Open::connect(server).await?.ask(request).await?;
        ensure!(status == 200, "it answers with HTTP status {status}");
        let listed: Listed = serde_json::from_slice(&body)?;
        checked(listed.sites)
    };
    let asked = time::timeout(PATIENCE, asked).await;
    let asked = asked.unwrap_or_else(|_| Err(anyhow!("it took longer than {PATIENCE:?}")));
    let authority = &server.authority;
    asked.with_context(|| format!("{authority} does not say what is to be measured"))
}

fn in_file(file: &Path) -> Result<Vec<Site>> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    read(&text).with_context(|| format!("in {shown}"))
}

/// Lines of a region and a URL. Empty ones and comments are passed over.
fn read(text: &str) -> Result<Vec<Site>> {
    let mut sites = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(region), Some(url), None) => sites.push(Site {
                region: region.to_owned(),
                url: url.to_owned(),
            }),
            _ => bail!("line {number}: a region and a URL are wanted, not '{line}'"),
        }
    }
    checked(sites)
}

fn checked(sites: Vec<Site>) -> Result<Vec<Site>> {
    let count = sites.len();
    ensure!(count <= MAX_SITES, "{count} sites, the most is {MAX_SITES}");
    for site in &sites {
        let region = &site.region;
        ensure!(is_region(region), "'{region}' is no name of a region");
        check_url(&site.url)?;
    }
    Ok(sites)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_region_and_a_url_on_each_line() {
        let sites =
            read("# ours\neu-west-1 https://a.example\n\n b  http://b:81 # near\n").unwrap();
        let shown: Vec<_> = sites
            .iter()
            .map(|site| (&*site.region, &*site.url))
            .collect();
        assert_eq!(
            shown,
            [("eu-west-1", "https://a.example"), ("b", "http://b:81")]
        );
        for (text, part) in [
            ("a https://a\nb\n", "line 2"),
            ("a https://a x\n", "line 1"),
            ("A https://a\n", "'A' is no name"),
            ("a https://a/p.gif\n", "has more than"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
