//! Start, wire, stop.
//!
//! DNS has a runtime and threads of its own: nothing the control plane does can starve it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use meridian_answer::HashKey;
use meridian_api::{ApiConfig, Scheme};
use meridian_control::{Acks, Control, Environment, FirstStart, SystemEnvironment};
use meridian_log::{Journal, LocalJournal, Tables, Vault};
use meridian_model::{AccountId, Seq};
use meridian_server::{Bound, Live, Server};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::admin;
use crate::config::Config;
use crate::credentials;
use crate::feed::Feed;
use crate::identity;
use crate::logging;
use crate::monitor;
use crate::store;
use crate::views::Views;

/// Runs the server until it is told to stop.
pub(crate) fn run(config: &Config) -> Result<()> {
    logging::start();
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let data_dir = &config.data_dir;
    store::prepare(data_dir)?;
    let tables = store::open_tables(data_dir, config.storage.cache_mib)?;
    let intent = store::open_journal(data_dir).and_then(|journal| {
        let vault = store::open_vault(data_dir, &*journal)?;
        Ok((journal, vault))
    });
    match intent {
        Ok((journal, vault)) => run_whole(config, journal, &tables, vault),
        Err(error) if tables.head().seq > Seq(0) => {
            tracing::error!(
                %error,
                "answering DNS only, from the tables; no API and no admin socket until this is \
                 mended and the server started again: {error:#}"
            );
            run_answers(config, &tables)
        }
        Err(error) => Err(error),
    }
}

/// Both planes.
fn run_whole(
    config: &Config,
    journal: Arc<dyn Journal>,
    tables: &Arc<Tables>,
    vault: Arc<Vault>,
) -> Result<()> {
    let started = Instant::now();
    let acks = Arc::new(Acks::default());
    let views = Views::new(&config.dns.listen);
    let (log, state) = (Arc::clone(&journal), Arc::clone(tables));
    let mut feed = Feed::new(log, state, Arc::clone(&acks), views, hash_key());
    feed.catch_up()?;
    feed.load()?;
    let live = Arc::new(Live::new(feed.world()));
    let control_runtime = runtime("control", 2)?;
    let dns_runtime = runtime("dns-tcp", 1)?;
    // Ports are taken before anything is written down: a second server here changes nothing.
    let api = control_runtime.block_on(bind(config.api.listen, "the API", "--api"))?;
    let metrics =
        control_runtime.block_on(bind(config.metrics.listen, "health checks", "--metrics"))?;
    let server = start_dns(config, &feed, &live, &dns_runtime)?;

    let control = Arc::new(Control::new(
        Arc::clone(&journal),
        Arc::clone(tables),
        vault,
        acks,
        Box::new(SystemEnvironment::new()),
    ));
    let stop = Arc::new(AtomicBool::new(false));
    let follower = {
        let (live, stop) = (Arc::clone(&live), Arc::clone(&stop));
        thread::Builder::new()
            .name("feed".to_owned())
            .spawn(move || feed.run(&live, &stop))?
    };
    let first = first_start(&control, config)?;
    tracing::info!(
        data_dir = %config.data_dir.display(),
        took_ms = started.elapsed().as_millis(),
        "answering DNS on {}",
        list(server.addresses()),
    );
    if first.is_some() {
        welcome(config);
    }
    warn_of_idle_addresses(&control, config)?;
    let service = Service {
        config,
        host: admin::Host {
            control,
            journal,
            tables: Arc::clone(tables),
            live,
        },
    };
    let outcome = control_runtime.block_on(service.serve(api, metrics));

    dns_runtime.block_on(server.stop());
    stop.store(true, Ordering::Relaxed);
    if follower.join().is_err() {
        tracing::error!("the feed ended by a panic");
    }
    tables
        .flush()
        .context("the tables were not flushed; they are replayed at next start")?;
    tracing::info!("stopped");
    outcome
}

/// The data plane alone: what a node does whose journal or vault cannot be used.
fn run_answers(config: &Config, tables: &Arc<Tables>) -> Result<()> {
    let never_read: Arc<dyn Journal> = Arc::new(LocalJournal::in_memory()?);
    let acks = Arc::new(Acks::default());
    let views = Views::new(&config.dns.listen);
    let mut feed = Feed::new(never_read, Arc::clone(tables), acks, views, hash_key());
    feed.load()?;
    let live = Arc::new(Live::new(feed.world()));
    let runtime = runtime("dns-tcp", 1)?;
    let metrics = runtime.block_on(bind(config.metrics.listen, "health checks", "--metrics"))?;
    let server = start_dns(config, &feed, &live, &runtime)?;
    runtime.spawn(monitor::serve(metrics));
    runtime.block_on(wait_for_end())?;
    runtime.block_on(server.stop());
    Ok(())
}

/// What runs on the control runtime.
struct Service<'a> {
    config: &'a Config,
    host: admin::Host,
}

impl Service<'_> {
    async fn serve(&self, api: TcpListener, metrics: TcpListener) -> Result<()> {
        let (end, ended) = watch::channel(());
        let mut over = ended.clone();
        let over = async move {
            // Both outcomes mean that the end has come.
            let _ = over.changed().await;
        };
        let socket = admin::listen(&self.config.data_dir)?;
        let admin = tokio::spawn(admin::serve(socket, self.host.clone(), ended));
        tokio::spawn(async {
            if let Err(error) = monitor::serve(metrics).await {
                tracing::error!(%error, "health is not served any more: {error}");
            }
        });
        let control: Arc<dyn meridian_api::Operations> = Arc::clone(&self.host.control) as _;
        let router = meridian_api::router(control, ApiConfig::new(Scheme::Http));
        let api = tokio::spawn(meridian_api::serve(api, router, over));
        wait_for_end().await?;
        tracing::info!("stopping");
        drop(end);
        api.await.context("the API ended by a panic")??;
        admin.await.context("the admin socket ended by a panic")?;
        admin::remove_socket(&self.config.data_dir);
        Ok(())
    }
}

fn runtime(name: &str, threads: usize) -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()?)
}

async fn bind(address: SocketAddr, what: &str, option: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address} for {what}; if another server has it, stop that one or \
             name another address with {option}"
        )
    })
}

fn start_dns(config: &Config, feed: &Feed, live: &Arc<Live>, runtime: &Runtime) -> Result<Server> {
    let identity = Arc::new(identity::load(config)?);
    let config = config.server(feed.views(), identity);
    let bound = Bound::bind(&config)?;
    Ok(Server::start(&config, bound, live, runtime.handle())?)
}

fn hash_key() -> HashKey {
    let entropy = SystemEnvironment::new().entropy();
    let (words, _) = entropy.as_chunks::<8>();
    HashKey([u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])])
}

fn first_start(control: &Control, config: &Config) -> Result<Option<AccountId>> {
    let first = FirstStart {
        domain: config.pool_domain()?,
        addresses: config.pool_addresses(),
    };
    let keep =
        |key: &_| credentials::write(&config.data_dir, key).map_err(|error| format!("{error:#}"));
    Ok(control.first_start(&first, keep)?)
}

/// An address that no name of the pool is at looks open and refuses everything.
fn warn_of_idle_addresses(control: &Control, config: &Config) -> Result<()> {
    let pool = control.name_servers()?;
    for address in config.dns_addresses() {
        if !address.is_unspecified() && !pool.iter().any(|name| name.addresses.contains(&address)) {
            tracing::warn!(
                %address,
                "no name server of the pool is at {address}, so every query there is refused: \
                 move one there with `meridian nameserver set`, or add one"
            );
        }
    }
    Ok(())
}

/// What to type next, for the one time that nobody knows it yet.
fn welcome(config: &Config) {
    let path = credentials::path(&config.data_dir);
    let path = fs::canonicalize(&path).unwrap_or(path);
    let Some(dns) = config.dns.listen.first() else {
        return;
    };
    tracing::info!(
        "first start: the operator's access key is in {path}. To try it:\n\n  \
         export AWS_SHARED_CREDENTIALS_FILE='{path}' AWS_DEFAULT_REGION=us-east-1\n  \
         aws --profile default --endpoint-url http://{api} route53 create-hosted-zone \\\n         \
         --name example.test --caller-reference first\n  \
         dig @{address} -p {port} example.test SOA\n",
        path = path.display(),
        api = config.api.listen,
        address = config
            .pool_addresses()
            .first()
            .copied()
            .unwrap_or_else(|| dns.ip()),
        port = dns.port(),
    );
}

fn list(addresses: &[SocketAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    texts.join(", ")
}

async fn wait_for_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    // Ends with a signal to end.
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => {
                tracing::info!("SIGHUP: there is nothing yet that can be loaded anew");
            }
        }
    }
}
