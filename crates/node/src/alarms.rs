//! Alarms at work: Prometheus is asked for the values of metrics, and what they say is left on the
//! board for the health checks that go by them, and on the disk for the next process. Which values
//! are an alarm is `meridian_health`'s.

mod answer;
mod ask;
mod kept;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use meridian_health::{AlarmRule, AlarmState};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{Health, HealthCheck, HealthSlot, HealthSubject};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::sleep;

use self::answer::Times;
use self::ask::Question;
use self::kept::{KeptFile, States};
use crate::checkers::{Board, Checks};
use crate::condition::Condition;
use crate::config::{Alarm, Config};

/// Questions that are under way at the same time.
const TOGETHER: usize = 16;
/// How soon what was found is on the board.
const PACE: Duration = Duration::from_millis(250);

/// Alarms that are asked for. Dropped, that ends.
pub(crate) struct Alarms {
    tasks: Vec<AbortHandle>,
}

/// What is known of all alarms of this machine.
struct Shared {
    /// By region and name.
    states: HashMap<(String, String), Mutex<AlarmState>>,
    /// Another one whenever an alarm may say something else.
    revision: AtomicU64,
    asking: Semaphore,
    began: Instant,
}

/// One of them.
struct Watched {
    key: (String, String),
    rule: AlarmRule,
    period: Duration,
    question: Question,
    /// How long to wait after the beginning of a period, so that not all ask at once.
    offset: Duration,
}

/// Puts on the board what alarms said when a process had this directory last, of the checks that
/// there are.
pub(crate) fn restore(
    config: &Config,
    snapshot: &Snapshot,
    board: &Board,
) -> Result<(), ReadError> {
    if !config.alarms.is_empty() {
        let shared = Shared::of(&config.alarms, &KeptFile::of(&config.data_dir));
        board.post_alarms(shared.votes(&snapshot.health_checks()?.into_iter().collect()));
    }
    Ok(())
}

impl Alarms {
    /// Begins to ask for all that are set up, from what was known last.
    pub(crate) fn start(config: &Config, condition: &Condition, runtime: &Handle) -> Result<Self> {
        let mut tasks = Vec::new();
        if config.alarms.is_empty() {
            return Ok(Self { tasks });
        }
        let file = KeptFile::of(&config.data_dir);
        let shared = Arc::new(Shared::of(&config.alarms, &file));
        for watched in watched(&config.alarms)? {
            let task = runtime.spawn(watch(Arc::clone(&shared), watched));
            tasks.push(task.abort_handle());
        }
        let task = runtime.spawn(tell(shared, file, Arc::clone(condition.board())));
        tasks.push(task.abort_handle());
        Ok(Self { tasks })
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn watched(alarms: &[Alarm]) -> Result<Vec<Watched>> {
    let spread = |index: usize, period: Duration| {
        let share = index as f64 / alarms.len() as f64;
        // A small part of the period: values are to be fresh.
        period.min(Duration::from_secs(10)).mul_f64(share / 2.0)
    };
    let one = |(index, alarm): (usize, &Alarm)| {
        let named = || format!("alarms: '{}' in {}", alarm.name, alarm.region);
        Ok(Watched {
            key: (alarm.region.clone(), alarm.name.clone()),
            rule: alarm.rule().with_context(named)?,
            period: alarm.period(),
            question: Question::of(alarm).with_context(named)?,
            offset: spread(index, alarm.period()),
        })
    };
    alarms.iter().enumerate().map(one).collect()
}

/// Asks at the beginning of each period.
async fn watch(alarms: Arc<Shared>, watched: Watched) {
    let (region, name) = &watched.key;
    let mut failing = false;
    loop {
        let outcome = alarms.ask(&watched).await;
        match &outcome {
            Ok(_) if failing => tracing::info!(region, name, "the alarm is told again"),
            Err(error) if !failing => {
                tracing::warn!(region, name, "the alarm cannot be told: {error:#}");
            }
            _ => {}
        }
        failing = outcome.is_err();
        alarms.note(&watched, outcome.ok());
        sleep(until_next(since_1970(), &watched)).await;
    }
}

/// From now to the next period, and the alarm's moment in it.
fn until_next(now: Duration, watched: &Watched) -> Duration {
    let period = watched.period.as_millis().max(1);
    let into = now.as_millis() % period;
    let left = u64::try_from(period - into).unwrap_or(1000);
    Duration::from_millis(left) + watched.offset
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Has the board say what alarms say, as soon as they or the checks are others. It is on the disk
/// before.
async fn tell(alarms: Arc<Shared>, file: KeptFile, board: Arc<Board>) {
    let file = Arc::new(file);
    let mut told = None;
    let mut checks = Checks::default();
    let mut kept = file.read();
    let mut failing = false;
    loop {
        let revision = alarms.revision.load(Ordering::Acquire);
        let known = board.state().checks.clone();
        if told != Some(revision) || !known.is_copy(&checks) {
            let states = alarms.states();
            if !says_the_same(&states, &kept) {
                let (file, written) = (Arc::clone(&file), states.clone());
                let outcome = spawn_blocking(move || file.write(&written)).await;
                match outcome {
                    Ok(Ok(())) => (kept, failing) = (states, false),
                    Ok(Err(error)) if !failing => {
                        failing = true;
                        tracing::warn!(%error, "the states of alarms are not kept: {error:#}");
                    }
                    _ => {}
                }
            }
            board.post_alarms(alarms.votes(&known));
            (told, checks) = (Some(revision), known);
        }
        sleep(PACE).await;
    }
}

/// Whether the same is known, whenever it was told.
fn says_the_same(some: &States, others: &States) -> bool {
    let same = |(key, state): (&(String, String), &AlarmState)| {
        let other = others.get(key);
        other.is_some_and(|other| (state.says(), state.said()) == (other.says(), other.said()))
    };
    some.len() == others.len() && some.iter().all(same)
}

impl Shared {
    /// Those that are set up, as far as they are known.
    fn of(alarms: &[Alarm], file: &KeptFile) -> Self {
        let known = file.read();
        let states = alarms.iter().map(|alarm| {
            let key = (alarm.region.clone(), alarm.name.clone());
            let state = known.get(&key).copied().unwrap_or_default();
            (key, Mutex::new(state))
        });
        Self {
            states: states.collect(),
            revision: AtomicU64::new(0),
            asking: Semaphore::new(TOGETHER),
            began: Instant::now(),
        }
    }

    fn states(&self) -> States {
        let states = self.states.iter();
        states
            .map(|(key, state)| (key.clone(), *lock(state)))
            .collect()
    }

    /// What the values of the last periods say.
    async fn ask(&self, watched: &Watched) -> Result<Option<Health>> {
        let _turn = self.asking.acquire().await?;
        let period = watched.period.as_secs();
        let times = Times::before(since_1970().as_secs(), period, watched.rule.range());
        let body = watched.question.ask(&times).await?;
        Ok(watched.rule.judge(&answer::read(&body, &times)?))
    }

    /// Takes note of what values say, if they could be read.
    fn note(&self, watched: &Watched, says: Option<Option<Health>>) {
        let Some(state) = self.states.get(&watched.key) else {
            return;
        };
        let now = self.began.elapsed();
        let periods = u32::try_from(watched.rule.range()).unwrap_or(u32::MAX);
        let mut state = lock(state);
        match says {
            Some(says) => state.told(says, now),
            None => state.untold(now, watched.period.saturating_mul(periods)),
        }
        self.revision.fetch_add(1, Ordering::Release);
    }

    /// What is voted on the checks that go by alarms.
    fn votes(&self, checks: &Checks) -> HashMap<HealthSlot, Health> {
        let vote = |check: &Arc<HealthCheck>| match &check.config.subject {
            HealthSubject::Metric {
                region,
                name,
                without_data,
            } => {
                let state = self.states.get(&(region.clone(), name.clone()))?;
                Some((check.slot, lock(state).vote(*without_data)?))
            }
            _ => None,
        };
        checks.iter().filter_map(vote).collect()
    }
}

fn lock(state: &Mutex<AlarmState>) -> MutexGuard<'_, AlarmState> {
    // It is a plain value.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
