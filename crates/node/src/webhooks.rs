//! Webhooks: servers elsewhere are told of each health check whose state became the other one. What
//! is told is `checkers::told`'s; here is how: in order for each check, tried again for a while,
//! and in bounded memory.
//!
//! They have a thread of their own: nobody who flips, answers or probes waits for them.

mod hook;
mod queue;
mod signature;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use meridian_control::{Environment, SystemEnvironment};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout_at};

use crate::checkers::{self, Board, Flips, flip, time};
use crate::condition::Condition;
use crate::config::Config;

pub(crate) use hook::Hook;
use queue::{Message, Queue, pause};

/// How long what is left is told when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Messages that are made before others of the thread have their turn.
const BATCH: usize = 100;

/// All of them. Dropped, they tell what is left for a moment, and end.
pub(crate) struct Webhooks {
    ended: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Webhooks {
    /// Listens from now on, if anybody is to be told.
    pub(crate) fn start(config: &Config, condition: &Condition) -> Result<Option<Self>> {
        if config.webhooks.is_empty() {
            return Ok(None);
        }
        let guard = checkers::guard(config);
        let hooks = config.webhooks.iter();
        let hooks = hooks.map(|webhook| Hook::of(webhook, &guard).map(Arc::new));
        let hooks: Vec<Arc<Hook>> = hooks.collect::<Result<_>>()?;
        condition.webhooks_are(hooks.clone());
        let teller = Teller {
            board: Arc::clone(condition.board()),
            hooks,
            ids: Ids::default(),
        };
        let flips = condition.board().listen();
        let (end, ended) = watch::channel(());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("webhooks".to_owned());
        Ok(Some(Self {
            ended: Some(end),
            thread: Some(thread.spawn(move || run(&runtime, teller, flips, ended))?),
        }))
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        drop(self.ended.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if ended.is_some_and(|ended| ended.is_err()) {
            tracing::error!("webhooks ended by a panic");
        }
    }
}

/// Tells a webhook that it would be told, once, and how that went.
pub(crate) async fn test(hook: &Hook) -> Result<Value> {
    let message = Message {
        id: Ids::default().next(),
        body: body("test", &now(), &json!({ "webhook": hook.name })),
        since: Instant::now(),
    };
    let began = Instant::now();
    let posted = hook.post(&message).await;
    let status = posted.map_err(|error| anyhow!("{}: {error:#}", hook.name))?;
    Ok(json!({
        "webhook": hook.name,
        "status": status,
        "took_ms": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

fn now() -> String {
    time(SystemEnvironment::new().now())
}

/// In the form that Standard Webhooks recommends.
fn body(kind: &str, at: &str, data: &Value) -> Vec<u8> {
    let body = json!({ "type": kind, "timestamp": at, "data": data });
    body.to_string().into_bytes()
}

/// Numbers for messages, behind what tells this process from all others.
struct Ids {
    process: u64,
    last: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            process: chance(),
            last: 0,
        }
    }
}

impl Ids {
    fn next(&mut self) -> String {
        self.last += 1;
        format!("msg_{:016x}_{}", self.process, self.last)
    }
}

fn chance() -> u64 {
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = SystemEnvironment::new().entropy();
    u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
}

/// The thread, until the sender of `ended` is dropped and a moment more.
fn run(
    runtime: &Runtime,
    mut teller: Teller,
    flips: Receiver<Arc<Flips>>,
    ended: watch::Receiver<()>,
) {
    runtime.block_on(async {
        let mut lanes = JoinSet::new();
        // Theirs comes once everything is in their queues.
        let (end, lanes_ended) = watch::channel(());
        for hook in &teller.hooks {
            for lane in 0..hook.lanes.len() {
                lanes.spawn(tell_all(Arc::clone(hook), lane, lanes_ended.clone()));
            }
        }
        teller.listen(flips, ended).await;
        drop(end);
        let give_up = Instant::now() + LAST_WORDS;
        // Who is not through by then is cut off.
        while let Ok(Some(_)) = timeout_at(give_up, lanes.join_next()).await {}
        drop(lanes);
        for hook in &teller.hooks {
            let left = hook.fared().waiting;
            if left > 0 {
                let name = &hook.name;
                tracing::warn!(webhook = name, left, "{left} flips are not told to {name}");
            }
        }
    });
}

/// Makes messages of flips.
struct Teller {
    board: Arc<Board>,
    hooks: Vec<Arc<Hook>>,
    ids: Ids,
}

impl Teller {
    async fn listen(&mut self, mut flips: Receiver<Arc<Flips>>, mut ended: watch::Receiver<()>) {
        loop {
            let told = tokio::select! {
                // What was told before the end comes first.
                biased;
                told = flips.recv() => told,
                _ = ended.changed() => return,
            };
            match told {
                Ok(flips) => self.hand_out(&flips).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "webhooks lack flips of {missed} moments");
                    self.hooks.iter().for_each(|hook| hook.note_dropped(missed));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn hand_out(&mut self, flips: &Flips) {
        let since = Instant::now();
        for (index, (check, now)) in flips.each().enumerate() {
            let wanting = || self.hooks.iter().filter(|hook| hook.wants(check));
            if wanting().next().is_none() {
                continue;
            }
            let data = flip(&self.board, flips.at, &flips.state, (check, now));
            let message = Arc::new(Message {
                id: self.ids.next(),
                body: body("health_check.flipped", &time(flips.at), &data),
                since,
            });
            for hook in self.hooks.iter().filter(|hook| hook.wants(check)) {
                if hook.lane(check).push(Arc::clone(&message)) {
                    hook.note_dropped(1);
                }
            }
            if index % BATCH == BATCH - 1 {
                yield_now().await;
            }
        }
    }
}

/// Tells what comes into one of a webhook's queues, one after another. After the end each is tried
/// once more.
async fn tell_all(hook: Arc<Hook>, lane: usize, mut ended: watch::Receiver<()>) {
    let Some(queue) = hook.lanes.get(lane) else {
        return;
    };
    let mut failures = 0;
    loop {
        let message = tokio::select! {
            biased;
            message = queue.next() => message,
            _ = ended.changed() => return,
        };
        tell(&hook, &message, &mut failures, &mut ended).await;
        if ended.has_changed().is_err() {
            return tell_rest(&hook, queue).await;
        }
    }
}

/// Tells one message as often as it takes, or as may be.
async fn tell(hook: &Hook, message: &Message, failures: &mut u32, ended: &mut watch::Receiver<()>) {
    for attempt in 1..=hook.attempts {
        match hook.post(message).await {
            Ok(_) => {
                *failures = 0;
                return hook.note_sent();
            }
            Err(error) => hook.note_failure(&error),
        }
        *failures = failures.saturating_add(1);
        let wait = pause(*failures, chance());
        let is_last = attempt == hook.attempts || ended.has_changed().is_err();
        if is_last || message.since.elapsed() + wait > hook.give_up_after {
            break;
        }
        tokio::select! {
            () = sleep(wait) => {}
            _ = ended.changed() => {}
        }
        hook.note_retry();
    }
    hook.note_dropped(1);
}

/// Tells each message that is left once.
async fn tell_rest(hook: &Hook, queue: &Queue) {
    while let Some(message) = queue.take() {
        match hook.post(&message).await {
            Ok(_) => hook.note_sent(),
            Err(error) => {
                hook.note_failure(&error);
                hook.note_dropped(1);
            }
        }
    }
}
