//! The data plane alone: what a node does whose journal or vault cannot be used. It answers from its
//! tables, probes endpoints, asks for external alias targets, and takes the commands that need no journal, break-glass among them.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;

use anyhow::Result;
use meridian_log::{Journal, LocalJournal, Tables};
use meridian_server::Live;
use tokio::sync::{mpsc, watch};

use crate::admin::{self, Host, Office};
use crate::alarms::Alarms;
use crate::audit::AuditLog;
use crate::beacon::Agents;
use crate::break_glass::BreakGlassFile;
use crate::checkers::{Checkers, EventLog};
use crate::condition::Condition;
use crate::config::Config;
use crate::feed::Feed;
use crate::geo;
use crate::latency;
use crate::notify;
use crate::taps::Taps;
use crate::targets::Resolution;
use crate::webhooks::Webhooks;

use super::dns::Dns;
use super::signals::{HangUp, Signals};
use super::{Runtimes, doors, hash_key, monitor, restore, server_config};

/// Runs until it is told to stop.
pub(super) fn run(
    config: &Config,
    runtimes: &Runtimes,
    tables: &Arc<Tables>,
    (why, hang_up): (&str, HangUp),
) -> Result<()> {
    let never_read: Arc<dyn Journal> = Arc::new(LocalJournal::in_memory()?);
    let condition = Arc::<Condition>::default();
    condition.journal_missing(why.to_owned());
    let places = geo::start(&config.geo, &condition)?;
    let map = latency::start(&config.data_dir, &condition)?;
    let (tables, told) = (Arc::clone(tables), Arc::clone(&condition));
    let feed = Feed::new(
        never_read,
        Arc::clone(&tables),
        told,
        config.views(),
        hash_key(),
    );
    let break_glass = Arc::new(BreakGlassFile::open(&config.data_dir));
    let mut feed = feed.heeding(Arc::clone(&break_glass));
    restore(config, &tables, &condition)?;
    feed.load()?;
    places.wait()?;
    map.wait()?;
    feed.take_atlas();
    let live = Arc::new(Live::new(feed.world()));
    let metrics = runtimes.control.block_on(doors::metrics(config))?;
    let taps = Taps::start(config, &condition)?;
    let _events = EventLog::start(config, &condition)?;
    let _webhooks = Webhooks::start(config, &condition)?;
    let config_of_dns = server_config(config, runtimes, &feed, &taps)?;
    let known = (live, condition, taps);
    let mut dns = Dns::start(config_of_dns, Vec::new(), known, &runtimes.dns)?;
    dns.begin_quic()?;
    let answering = Arc::clone(dns.live());
    let thread = thread::Builder::new().name("feed".to_owned());
    thread.spawn(move || feed.run_without_journal(&answering))?;
    // Whether endpoints live is to be known without a journal, too.
    let checkers = Checkers::start(config, dns.condition())?;
    let targets = Resolution::start(config, dns.condition(), dns.live())?;
    let alarms = Alarms::start(config, dns.condition(), runtimes.control.handle())?;
    let desk = Desk::open(config, &dns, (tables, break_glass), why);
    let monitor = monitor(config, &dns, runtimes.keeper.as_ref(), None, None);
    let (end, ended) = watch::channel(());
    runtimes.control.block_on(async {
        // Whoever has heard that this process is ready may tell it to end.
        let mut signals = Signals::listen(Arc::clone(dns.condition()), hang_up)?;
        tokio::spawn(monitor.serve(metrics, ended.clone()));
        let audit = match desk {
            Some(desk) => Some(desk.serve(ended)?),
            None => None,
        };
        notify::ready();
        signals.end().await;
        dns.condition().stopping();
        drop(end);
        admin::remove_socket(&config.data_dir);
        dns.stop().await;
        drop((checkers, alarms, targets, audit));
        Ok(())
    })
}

/// The admin socket, and who writes down what comes in.
struct Desk {
    listener: UnixListener,
    host: Host,
    audit: AuditLog,
}

impl Desk {
    /// Opens it. DNS matters more: where that does not work all else goes on.
    fn open(
        config: &Config,
        dns: &Dns,
        (tables, break_glass): (Arc<Tables>, Arc<BreakGlassFile>),
        why: &str,
    ) -> Option<Self> {
        let condition = dns.condition();
        let opened = AuditLog::start(config, condition)
            .and_then(|audit| Ok((audit, admin::listen(&config.data_dir)?)));
        let (audit, listener) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(%error, "no commands are taken: {error:#}");
                return None;
            }
        };
        let host = Host {
            office: Office::Shut(why.into()),
            tables,
            live: Arc::clone(dns.live()),
            audit: audit.taker(),
            geo: Arc::clone(condition.geo()),
            latency: Arc::clone(condition.latency()),
            targets: Arc::clone(condition.targets()),
            workshop: None,
            listens: config.listens(),
            break_glass,
            board: Arc::clone(condition.board()),
            certificates: config.health.certificates(),
            webhooks: condition.webhooks(),
            agents: Arc::new(Agents::of(&config.data_dir)),
        };
        Some(Self {
            listener,
            host,
            audit,
        })
    }

    /// Takes commands until the sender of `ended` is dropped.
    fn serve(self, ended: watch::Receiver<()>) -> Result<AuditLog> {
        let listener = tokio::net::UnixListener::from_std(self.listener)?;
        // Nobody is replaced here: such commands are refused before.
        let (replacing, _) = mpsc::channel(1);
        tokio::spawn(admin::serve(listener, self.host, replacing, ended));
        Ok(self.audit)
    }
}
