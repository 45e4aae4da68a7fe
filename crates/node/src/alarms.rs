//! Alarms at work: Prometheus is asked for the values of metrics, and what they say is left on the
//! board for the health checks that go by them. Which values are an alarm is `meridian_health`'s.

mod answer;
mod ask;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use meridian_health::{AlarmRule, AlarmState};
use meridian_model::{Health, HealthCheck, HealthSlot, HealthSubject};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use self::answer::Times;
use self::ask::Question;
use crate::checkers::Board;
use crate::condition::Condition;
use crate::config::Alarm;

/// Questions that are under way at the same time.
const TOGETHER: usize = 16;
/// How soon what was found is on the board.
const PACE: Duration = Duration::from_millis(250);

/// All alarms of this machine.
struct Alarms {
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

/// Begins to ask for all alarms that are set up. Ends with the runtime.
pub(crate) fn start(alarms: &[Alarm], condition: &Condition, runtime: &Handle) -> Result<()> {
    if alarms.is_empty() {
        return Ok(());
    }
    let watched = watched(alarms)?;
    let keys = watched.iter().map(|watched| watched.key.clone());
    let alarms = Arc::new(Alarms {
        states: keys.map(|key| (key, Mutex::default())).collect(),
        revision: AtomicU64::new(0),
        asking: Semaphore::new(TOGETHER),
        began: Instant::now(),
    });
    for watched in watched {
        runtime.spawn(watch(Arc::clone(&alarms), watched));
    }
    runtime.spawn(tell(alarms, Arc::clone(condition.board())));
    Ok(())
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
async fn watch(alarms: Arc<Alarms>, watched: Watched) {
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

/// Has the board say what alarms say, as soon as they or the checks are others.
async fn tell(alarms: Arc<Alarms>, board: Arc<Board>) {
    let mut told = None;
    let mut checks = Arc::default();
    loop {
        let revision = alarms.revision.load(Ordering::Acquire);
        let known = Arc::clone(&board.state().checks);
        if told != Some(revision) || !Arc::ptr_eq(&known, &checks) {
            board.post_alarms(alarms.votes(&known));
            (told, checks) = (Some(revision), known);
        }
        sleep(PACE).await;
    }
}

impl Alarms {
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
    fn votes(&self, checks: &[HealthCheck]) -> HashMap<HealthSlot, Health> {
        let vote = |check: &HealthCheck| match &check.config.subject {
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
