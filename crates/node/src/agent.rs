//! An agent: a process at a site, or in a network of clients, that measures how long round trips to
//! sites take, and posts that to a server. What the server makes of it is the beacon's.

mod http;
mod measure;
mod post;
mod round;
mod targets;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use meridian_control::{Environment, SystemEnvironment};
use tokio::runtime::Builder;
use tokio::time::{self, Instant};

use crate::beacon::post::is_name;
use crate::config::is_region;
use crate::terminal::{Form, Unread};
use crate::transfer::Told;

use post::{Outbox, Poster};
use round::Round;
use targets::Targets;

/// How much sooner or later than planned a round begins, in percent: agents that were started
/// together are not to come together.
const JITTER_PERCENT: u64 = 20;

/// What an agent does.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What it is called at the server.
    pub(crate) name: String,
    /// Where it is, if it measures from site to site.
    pub(crate) region: Option<String>,
    /// The server, and the file with the key that posts are signed with.
    pub(crate) server: Option<(String, PathBuf)>,
    /// The file of sites, instead of the server's.
    pub(crate) targets: Option<PathBuf>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) task: Task,
    pub(crate) form: Form,
}

/// How often.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    Once,
    Every(Duration),
}

/// Measures until the process is ended, or once.
pub(crate) fn run(plan: Plan) -> Result<()> {
    ensure!(
        is_name(&plan.name),
        "'{}' is no name of an agent",
        plan.name
    );
    if let Some(region) = &plan.region {
        ensure!(is_region(region), "'{region}' is no name of a region");
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work(plan))
}

async fn work(plan: Plan) -> Result<()> {
    let mut targets = Targets::new(&plan)?;
    let mut poster = Poster::new(&plan)?;
    let mut outbox = Outbox::default();
    // Ends with the process, or after the first round.
    loop {
        let began = Instant::now();
        let mut round = match targets.list().await {
            Ok(sites) => Round::measure(&sites, plan.region.as_deref()).await,
            Err(error) => Round::failed(error),
        };
        if let Some(poster) = &mut poster {
            outbox.put(round.round_trips());
            match plan.task {
                Task::Once => poster.insist(&mut outbox).await,
                Task::Every(_) => poster.try_now(&mut outbox).await,
            }
            round.note_posting(poster, &outbox);
        }
        // What is posted somebody reads, and the exit code says what became of one round.
        let is_of_use = poster.is_some() || matches!(plan.task, Task::Once);
        match round.print(plan.form) {
            Err(error) if is_of_use && Unread::is_why(&error) => {}
            printed => printed?,
        }
        match plan.task {
            Task::Once => return round.verdict().map_err(|why| Told(why).into()),
            Task::Every(interval) => time::sleep_until(began + jittered(interval)).await,
        }
    }
}

/// About as long.
fn jittered(interval: Duration) -> Duration {
    let [chance, ..] = SystemEnvironment::new().entropy();
    let percent = 100 - JITTER_PERCENT / 2 + JITTER_PERCENT * u64::from(chance) / 255;
    interval * u32::try_from(percent).unwrap_or(100) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_at_about_the_interval() {
        let interval = Duration::from_secs(100);
        let times: Vec<_> = (0..200).map(|_| jittered(interval)).collect();
        assert!(
            times
                .iter()
                .all(|time| (90..=110).contains(&time.as_secs()))
        );
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
