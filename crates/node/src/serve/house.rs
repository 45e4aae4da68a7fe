//! A server that runs: until it is told to end, or a new process has taken its place.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::{Extension, Router};
use meridian_api::{ApiConfig, Scheme};
use meridian_console::ConsoleConfig;
use meridian_control::Transport;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time;

use crate::admin::{self, Progress, Replacement};
use crate::audit::{AuditLog, ConsoleAudit};
use crate::checkers::EventLog;
use crate::condition::Condition;
use crate::config::Config;
use crate::http::serve_router;
use crate::notify;
use crate::replace::Successor;
use crate::store::Files;
use crate::webhooks::Webhooks;

use super::control_plane::ControlPlane;
use super::dns::Dns;
use super::doors::Doors;
use super::measuring::Measuring;
use super::signals::Signals;
use super::{Runtimes, load, monitor};

/// How long health checks in progress may take once another process has taken over.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause before the files are tried again that cannot be opened after a failed replacement.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// All that stays while control planes come and go.
pub(super) struct House<'a> {
    pub(super) config: &'a Config,
    pub(super) runtimes: Runtimes,
    pub(super) doors: Doors,
    pub(super) dns: Dns,
    pub(super) signals: Signals,
    pub(super) audit: AuditLog,
    /// Writes until the end.
    pub(super) _events: Option<EventLog>,
    /// They tell until the end.
    pub(super) _webhooks: Option<Webhooks>,
}

/// Why the API and the admin socket are shut.
enum Event {
    End,
    HandOver(Swap),
}

/// A replacement under way.
struct Swap {
    successor: Successor,
    progress: Progress,
    /// Since when changes wait.
    waiting: Instant,
}

/// How handing over went.
enum Outcome {
    /// The successor serves.
    Replaced,
    /// It does not; this process goes on.
    Kept(Box<ControlPlane>),
    /// A signal came in the midst of it.
    End,
}

impl House<'_> {
    /// Serves until the end, or until another process has taken over.
    pub(super) fn run(mut self, mut control_plane: ControlPlane) -> Result<()> {
        let control = self.runtimes.control.handle().clone();
        let (end, ended) = watch::channel(());
        let metrics = control.block_on(async { self.doors.metrics() })?;
        let latency = self.dns.condition().latency();
        let measuring = Measuring::start(self.config, &self.doors, self.dns.live(), latency)?;
        let monitor = monitor(
            self.config,
            &self.dns,
            self.runtimes.keeper.as_ref(),
            Some(&self.doors),
            measuring.as_ref(),
        );
        let health = control.spawn(monitor.serve(metrics, ended));
        loop {
            match control.block_on(self.serve(&control_plane))? {
                Event::End => {
                    self.stop(&control);
                    let flushed = control_plane.end();
                    tracing::info!("stopped");
                    return flushed;
                }
                Event::HandOver(swap) => match self.hand_over(&control, control_plane, swap) {
                    Outcome::Replaced => {
                        drop(end);
                        // What takes longer than this is cut off.
                        let _ =
                            control.block_on(async { time::timeout(HEALTH_TIMEOUT, health).await });
                        return Ok(());
                    }
                    Outcome::Kept(kept) => control_plane = *kept,
                    Outcome::End => {
                        self.stop(&control);
                        return Ok(());
                    }
                },
            }
        }
    }

    fn stop(&mut self, control: &Handle) {
        admin::remove_socket(&self.config.data_dir);
        control.block_on(self.dns.stop());
    }

    /// Keeps the API and the admin socket open until something else is to be done.
    async fn serve(&mut self, control_plane: &ControlPlane) -> Result<Event> {
        let (end, ended) = watch::channel(());
        let (asking, mut asked) = mpsc::channel(1);
        let admin = admin::serve(
            self.doors.admin()?,
            control_plane.host(self.config, self.audit.taker()),
            asking,
            ended.clone(),
        );
        let admin = tokio::spawn(admin);
        let router = self.router(control_plane);
        let mut apis = Vec::new();
        for (scheme, entrance) in self.doors.api()? {
            let address = entrance.listener.local_addr()?;
            let url = format!("{}://{address}", scheme.as_str());
            let console = match self.config.api.console {
                true => format!(", and the console: {url}/console/"),
                false => String::new(),
            };
            tracing::info!(%address, "the API is open: {url}{console}");
            let router = router.clone().layer(Extension(scheme));
            apis.push(tokio::spawn(serve_router(entrance, router, ended.clone())));
        }
        notify::ready();
        let mut event = self.until_told(&mut asked).await;
        match &mut event {
            Event::End => {
                self.dns.condition().stopping();
                tracing::info!("stopping");
                notify::stopping();
            }
            Event::HandOver(swap) => {
                // So that less is left to be written while changes wait.
                control_plane.flush().await;
                swap.waiting = Instant::now();
            }
        }
        drop(end);
        for api in apis {
            api.await.context("the API ended by a panic")?;
        }
        admin.await.context("the admin socket ended by a panic")?;
        if let Event::HandOver(swap) = &mut event {
            swap.progress.step("changes wait").await;
        }
        Ok(event)
    }

    /// The API, and the console beside it where there is one.
    fn router(&self, control_plane: &ControlPlane) -> Router {
        let control = control_plane.control();
        let config = ApiConfig {
            audit: Some(self.audit.taker()),
            ..ApiConfig::default()
        };
        let api = meridian_api::router(Arc::clone(control), config);
        let api = counted(api, Arc::clone(self.dns.condition()));
        let router = if self.config.api.console {
            let config = ConsoleConfig {
                witness: Some(Arc::new(ConsoleAudit(self.audit.taker()))),
                ..ConsoleConfig::default()
            };
            let console = meridian_console::router(Arc::clone(control), config);
            meridian_console::in_front_of(with_transport(console).merge(api))
        } else {
            api
        };
        let proxies = self.config.api.trusted_proxies.clone();
        let trusts = move |address| proxies.iter().any(|proxy| proxy.contains(address));
        meridian_api::behind_proxies(router, Arc::new(trusts))
    }

    /// Waits for a signal to end, or a successor that is ready.
    async fn until_told(&mut self, asked: &mut mpsc::Receiver<Replacement>) -> Event {
        loop {
            let Replacement { binary, progress } = tokio::select! {
                () = self.signals.end() => return Event::End,
                Some(asked) = asked.recv() => asked,
            };
            // A signal drops the launch and with it the new process.
            let launched = tokio::select! {
                () = self.signals.end() => None,
                launched = launch(&self.dns, &self.doors, self.config, binary) => Some(launched),
            };
            match launched {
                None => return Event::End,
                Some(Ok(successor)) => {
                    return Event::HandOver(Swap::new(successor, progress).await);
                }
                Some(Err(error)) => refuse(progress, error).await,
            }
        }
    }

    /// Hands everything over to a successor that has the sockets, or goes on as before.
    fn hand_over(
        &mut self,
        control: &Handle,
        control_plane: ControlPlane,
        mut swap: Swap,
    ) -> Outcome {
        match control_plane.close() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.go_on(control, swap, error),
            Err(busy) => {
                let Swap {
                    successor,
                    progress,
                    ..
                } = swap;
                drop(successor);
                control.block_on(refuse(progress, busy.error));
                return Outcome::Kept(Box::new(busy.control_plane));
            }
        }
        let passed = control.block_on(async {
            // The signals first: nothing is decided for good while one is heard.
            tokio::select! {
                biased;
                () = self.signals.end() => None,
                passed = swap.pass(&mut self.dns) => Some(passed),
            }
        });
        match passed {
            Some(Ok(())) => {
                notify::replaced_by(swap.successor.pid());
                control.block_on(swap.finish());
                Outcome::Replaced
            }
            Some(Err(error)) => self.go_on(control, swap, error),
            None => Outcome::End,
        }
    }

    /// Ends the successor and takes up everything again.
    fn go_on(&mut self, control: &Handle, swap: Swap, error: Error) -> Outcome {
        let Swap {
            successor,
            progress,
            ..
        } = swap;
        drop(successor);
        // Answering comes first, from what was known; then the files.
        if let Err(error) = self.dns.resume() {
            tracing::error!(%error, "DNS is not answered again: {error:#}");
        }
        loop {
            match self.reopen() {
                Ok(control_plane) => {
                    control.block_on(refuse(progress, error));
                    return Outcome::Kept(Box::new(control_plane));
                }
                Err(error) => {
                    tracing::error!(%error, "answering from memory; the files do not open: {error:#}");
                }
            }
            let ended = control
                .block_on(async { time::timeout(REOPEN_PAUSE, pin!(self.signals.end())).await });
            if ended.is_ok() {
                return Outcome::End;
            }
        }
    }

    /// A control plane over the files as they are now: the successor may have gone on with them.
    fn reopen(&self) -> Result<ControlPlane> {
        let files = Files::open(self.config)?;
        let feed = load(self.config, &files, self.dns.condition())?;
        self.dns.live().publish(feed.world());
        let control = self.runtimes.control.handle();
        ControlPlane::start(self.config, files, feed, (self.dns.live(), control))
    }
}

impl Swap {
    async fn new(successor: Successor, mut progress: Progress) -> Self {
        let (pid, version) = (successor.pid(), successor.version());
        let started = format!("process {pid}, version {version}, has the sockets");
        progress.step(&started).await;
        Self {
            successor,
            progress,
            waiting: Instant::now(),
        }
    }

    /// The steps from the closed files to the successor that serves.
    async fn pass(&mut self, dns: &mut Dns) -> Result<()> {
        self.progress.step("the files are closed").await;
        self.successor.take_files().await?;
        self.progress.step("the new process answers DNS").await;
        dns.stop().await;
        self.progress.step("the old process does not").await;
        self.successor.take_over().await
    }

    async fn finish(mut self) {
        let waited_ms = u64::try_from(self.waiting.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.step("the new process serves").await;
        let result = json!({
            "pid": self.successor.pid(),
            "version": self.successor.version(),
            "changes_waited_ms": waited_ms,
        });
        self.progress.finish(Ok(result)).await;
        tracing::info!(
            pid = self.successor.pid(),
            waited_ms,
            "replaced by process {}; changes waited {waited_ms} ms",
            self.successor.pid()
        );
    }
}

/// A successor that has the sockets; nothing has changed here yet.
async fn launch(dns: &Dns, doors: &Doors, config: &Config, binary: PathBuf) -> Result<Successor> {
    let mut sockets = doors.sockets()?;
    sockets.extend(dns.sockets()?);
    Successor::launch(&binary, &config.data_dir, &sockets).await
}

/// Tells the console what is known of how a request came, in control's word for it.
fn with_transport(router: Router) -> Router {
    router.layer(middleware::map_request(async |mut request: Request| {
        let transport = match request.extensions().get::<Scheme>() {
            Some(Scheme::Https) => Transport::Tls,
            Some(Scheme::Http) | None => Transport::Plain,
        };
        request.extensions_mut().insert(transport);
        request
    }))
}

/// Counts what the API answers.
fn counted(router: Router, condition: Arc<Condition>) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let condition = Arc::clone(&condition);
        async move {
            let response = next.run(request).await;
            condition.api_answered(response.status().as_u16());
            response
        }
    }))
}

/// Says that nothing has come of it.
async fn refuse(progress: Progress, error: Error) {
    tracing::error!(%error, "not replaced: {error:#}");
    let error = error.context("not replaced; the server goes on as before");
    progress.finish(Err(error)).await;
}
