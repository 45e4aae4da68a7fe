//! Which metrics there are, and where their values come from. docs/METRICS.md lists them all.

mod beacon;
mod checks;
mod latency;
mod targets;
mod text;
mod webhooks;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use meridian_answer::{World, WorldSize};
use meridian_server::{
    AnswerCounts, Certificate, Counts, Live, PerProtocol, Protocol, StreamCounts,
};

use crate::beacon::BeaconCounts;
use crate::condition::{Condition, Readiness};
use crate::http::Clients;
use crate::panics;
use crate::taps::Written;

pub(crate) use text::Format;
use text::{Kind, Page};

/// What metrics are made from.
pub(crate) struct Metrics {
    live: Arc<Live>,
    condition: Arc<Condition>,
    /// How many zones are shown by name.
    top_zones: usize,
    /// How many health checks are.
    top_checks: usize,
    /// What is shown to clients, by the section that configures it.
    certificates: Vec<(&'static str, Arc<Certificate>)>,
    /// Who is connected to the API.
    clients: Arc<Clients>,
    /// What the beacon has done, where there is one.
    beacon: Option<Arc<BeaconCounts>>,
    /// Sizes of the World as it was then: they take a walk through all of it.
    size: Mutex<(Weak<World>, WorldSize)>,
}

impl Metrics {
    pub(crate) fn new(live: Arc<Live>, condition: Arc<Condition>, top_zones: usize) -> Self {
        Self {
            live,
            condition,
            top_zones,
            top_checks: 0,
            certificates: Vec::new(),
            clients: Arc::default(),
            beacon: None,
            size: Mutex::default(),
        }
    }

    /// The same with so many health checks by name.
    pub(crate) fn with_checks(self, top_checks: usize) -> Self {
        Self { top_checks, ..self }
    }

    /// The same with the certificate of a section of the configuration, if it has one.
    pub(crate) fn with_certificate(
        mut self,
        section: &'static str,
        certificate: Option<&Arc<Certificate>>,
    ) -> Self {
        let shown = certificate.map(|certificate| (section, Arc::clone(certificate)));
        self.certificates.extend(shown);
        self
    }

    /// The same with the connections of the API, where there is one.
    pub(crate) fn with_clients(self, clients: Arc<Clients>) -> Self {
        Self { clients, ..self }
    }

    /// The same with what the beacon does, where there is one.
    pub(crate) fn with_beacon(self, beacon: Option<Arc<BeaconCounts>>) -> Self {
        Self { beacon, ..self }
    }

    /// All of them. Walks through all zones, and after a change through all names.
    pub(crate) fn page(&self, format: Format, readiness: Readiness) -> String {
        let mut page = Page::new(format);
        self.process(&mut page, readiness);
        if let Some(counters) = self.condition.counters() {
            let counts = counters.counts();
            let shown = Shown {
                protocols: counters.protocols(),
                counts: &counts,
            };
            shown.queries(&mut page);
            shown.datagrams(&mut page);
            shown.connections(&mut page);
        }
        // A reference of our own instead of a guard, which would be held for too long.
        let world = Arc::clone(&self.live.load());
        self.world(&mut page, &world);
        self.zones(&mut page, &world);
        self.health(&mut page);
        checks::write(&mut page, self.condition.board(), self.top_checks);
        webhooks::write(&mut page, &self.condition.webhooks());
        self.journal(&mut page);
        self.api(&mut page);
        self.logs(&mut page);
        self.audit(&mut page);
        self.geo(&mut page);
        if let Some(counts) = &self.beacon {
            beacon::write(&mut page, counts);
        }
        latency::write(&mut page, self.condition.latency());
        targets::write(&mut page, self.condition.targets());
        self.certificates(&mut page);
        page.finish()
    }

    fn process(&self, page: &mut Page, readiness: Readiness) {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.family(
            "meridian_build_info",
            Kind::Gauge,
            "Always 1; which version runs.",
        )
        .sample(&version, 1);
        let started = self
            .condition
            .started
            .duration_since(SystemTime::UNIX_EPOCH);
        page.family(
            "process_start_time_seconds",
            Kind::Gauge,
            "When the process started, in seconds since 1970.",
        )
        .sample(&[], started.unwrap_or_default().as_secs_f64());
        let changes = readiness.clone().for_changes();
        let queries = readiness.for_queries();
        page.family("meridian_ready", Kind::Gauge, "Whether /readyz says so.")
            .sample(&[], u8::from(queries.is_ready()));
        page.family(
            "meridian_ready_for_changes",
            Kind::Gauge,
            "Whether /readyz/changes says so.",
        )
        .sample(&[], u8::from(changes.is_ready()));
        page.family(
            "meridian_notes",
            Kind::Gauge,
            "How many things /readyz tells of that are not as they should be.",
        )
        .sample(&[], queries.notes.len());
        page.family(
            "meridian_panics_total",
            Kind::Counter,
            "Faults of this program, in all of it.",
        )
        .sample(&[], panics::seen());
    }

    fn world(&self, page: &mut Page, world: &Arc<World>) {
        let size = self.size_of(world);
        let mut gauge = |name, help, value: usize| {
            page.family(name, Kind::Gauge, help).sample(&[], value);
        };
        gauge("meridian_zones", "Zones that are answered for.", size.zones);
        gauge(
            "meridian_names",
            "Names that own record sets or lie above such.",
            size.names,
        );
        gauge(
            "meridian_record_sets",
            "Types at names; the sets of a routing policy count as one.",
            size.sets,
        );
        gauge(
            "meridian_world_bytes",
            "Memory of all zones that are answered for.",
            size.bytes,
        );
        gauge(
            "meridian_failed_zones",
            "Zones that keep older data because the newest cannot be answered.",
            self.condition.progress().failed_zones,
        );
    }

    fn health(&self, page: &mut Page) {
        let counts = self.condition.health();
        let mut family = page.family(
            "meridian_health_checks",
            Kind::Gauge,
            "Health checks by the state that answers go by.",
        );
        for (state, count) in [("healthy", counts.healthy), ("unhealthy", counts.unhealthy)] {
            family.sample(&[("state", state)], count);
        }
        let mut family = page.family(
            "meridian_health_checks_by_hand",
            Kind::Gauge,
            "Health checks whose state somebody has said.",
        );
        for (layer, count) in [
            ("switch", counts.switched),
            ("break_glass", counts.break_glass),
        ] {
            family.sample(&[("layer", layer)], count);
        }
    }

    fn size_of(&self, world: &Arc<World>) -> WorldSize {
        let mut known = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        // A weak reference keeps the address from being used again, not the zones.
        if !std::ptr::eq(known.0.as_ptr(), Arc::as_ptr(world)) {
            *known = (Arc::downgrade(world), world.size());
        }
        known.1
    }

    fn zones(&self, page: &mut Page, world: &World) {
        let busiest: Vec<_> = world
            .busiest(self.top_zones)
            .into_iter()
            .map(|zone| {
                let id = self.condition.zone(zone.generation);
                let id = id.map_or_else(String::new, |id| id.to_string());
                (zone.apex.to_string(), id, zone)
            })
            .collect();
        let mut family = page.family(
            "meridian_zone_queries_total",
            Kind::Counter,
            "Queries for the zones that are asked most.",
        );
        for (apex, id, zone) in &busiest {
            family.sample(&[("zone", apex), ("zone_id", id)], zone.queries);
        }
        let mut family = page.family(
            "meridian_zone_nxdomain_total",
            Kind::Counter,
            "Queries of those that were answered NXDOMAIN.",
        );
        for (apex, id, zone) in &busiest {
            family.sample(&[("zone", apex), ("zone_id", id)], zone.nxdomain);
        }
    }

    fn journal(&self, page: &mut Page) {
        let progress = self.condition.progress();
        let mut family = page.family(
            "meridian_journal_head",
            Kind::Gauge,
            "The number of the journal's last entry.",
        );
        if let Some(head) = progress.head {
            family.sample(&[], head.seq.0);
        }
        let mut family = page.family(
            "meridian_journal_epoch",
            Kind::Gauge,
            "How often the journal was restored.",
        );
        if let Some(head) = progress.head {
            family.sample(&[], head.epoch);
        }
        let mut family = page.family(
            "meridian_served_entry",
            Kind::Gauge,
            "The number of the last entry that is answered from.",
        );
        if let Some(applied) = progress.applied {
            family.sample(&[], applied.0);
        }
    }

    fn logs(&self, page: &mut Page) {
        let mut family = page.family(
            "meridian_log_records_total",
            Kind::Counter,
            "Queries chosen for a log: written, failed, or left out to keep a limit.",
        );
        let logs = self.condition.logs();
        for name in ["query_log", "zone_query_logs", "dnstap"] {
            let log = logs.iter().find(|log| log.name == name);
            let counts = log.map(|log| log.tap.counts()).unwrap_or_default();
            let read = |cell: fn(&Written) -> &AtomicU64| {
                log.map_or(0, |log| cell(&log.written).load(Ordering::Relaxed))
            };
            for (outcome, count) in [
                ("written", read(|written| &written.records)),
                ("failed", read(|written| &written.failed)),
                ("over_rate", counts.over_rate),
                ("queue_full", counts.queue_full),
            ] {
                family.sample(&[("log", name), ("outcome", outcome)], count);
            }
        }
    }

    fn audit(&self, page: &mut Page) {
        let written = self.condition.audit();
        let mut family = page.family(
            "meridian_audit_lines_total",
            Kind::Counter,
            "Lines of the audit log: written, of changes and lost, or of reads and left out.",
        );
        for (outcome, cell) in [
            ("written", &written.lines),
            ("lost", &written.lost),
            ("left_out", &written.left_out),
        ] {
            family.sample(&[("outcome", outcome)], cell.load(Ordering::Relaxed));
        }
        page.family(
            "meridian_audit_waits",
            Kind::Gauge,
            "Whether the audit log cannot be written at present.",
        )
        .sample(&[], u8::from(written.failure().is_some()));
    }

    fn geo(&self, page: &mut Page) {
        let now = self.condition.geo().now();
        let size = now.atlas.size();
        page.family(
            "meridian_geo_ranges",
            Kind::Gauge,
            "Ranges that addresses are looked up in, those of which nothing is known among them.",
        )
        .sample(&[("family", "ipv4")], size.v4)
        .sample(&[("family", "ipv6")], size.v6);
        page.family(
            "meridian_geo_bytes",
            Kind::Gauge,
            "Memory of what addresses are looked up in.",
        )
        .sample(&[], size.bytes);
        let mut family = page.family(
            "meridian_geo_source_made_seconds",
            Kind::Gauge,
            "When the data of a source were made, in seconds since 1970.",
        );
        for source in now.atlas.sources() {
            if let Some(made) = source.made {
                family.sample(&[("source", &source.name)], made);
            }
        }
        page.family(
            "meridian_geo_loads_total",
            Kind::Counter,
            "How often the files of addresses were read: all of them, or not.",
        )
        .sample(&[("outcome", "whole")], now.whole)
        .sample(&[("outcome", "failed")], now.failures);
    }

    fn certificates(&self, page: &mut Page) {
        let mut family = page.family(
            "meridian_certificate_end_seconds",
            Kind::Gauge,
            "When the certificate ends that clients are shown, in seconds since 1970.",
        );
        for (section, certificate) in &self.certificates {
            let since_1970 = |end: SystemTime| end.duration_since(SystemTime::UNIX_EPOCH).ok();
            if let Some(end) = certificate.ends_at().and_then(since_1970) {
                family.sample(&[("section", section)], end.as_secs());
            }
        }
    }

    fn api(&self, page: &mut Page) {
        let mut family = page.family(
            "meridian_api_requests_total",
            Kind::Counter,
            "Requests to the API by the status of their answers.",
        );
        for (status, count) in self.condition.api_answers() {
            family.sample(&[("status", &status.to_string())], count);
        }
        let (open, refused) = self.clients.counts();
        page.family(
            "meridian_api_connections",
            Kind::Gauge,
            "Open connections to the API.",
        )
        .sample(&[], open);
        page.family(
            "meridian_api_connections_refused_total",
            Kind::Counter,
            "Connections to the API that were closed at once, since their clients had enough.",
        )
        .sample(&[], refused);
    }
}

/// The counts of the server, for the protocols that it has.
struct Shown<'c> {
    protocols: Vec<Protocol>,
    counts: &'c Counts,
}

impl Shown<'_> {
    fn each(&self) -> impl Iterator<Item = (&'static str, &AnswerCounts)> {
        let answers: &PerProtocol<AnswerCounts> = &self.counts.answers;
        let protocols = self.protocols.iter();
        protocols.map(|protocol| (protocol.as_str(), &answers[*protocol]))
    }

    fn queries(&self, page: &mut Page) {
        let mut family = page.family(
            "meridian_dns_queries_total",
            Kind::Counter,
            "Queries received, by type; `none` where no type could be read or nothing was answered.",
        );
        for (transport, counts) in self.each() {
            for (rtype, count) in counts.types() {
                family.sample(&[("transport", transport), ("type", rtype)], count);
            }
        }
        let mut family = page.family(
            "meridian_dns_responses_total",
            Kind::Counter,
            "Responses made, by response code, before the rate limit.",
        );
        for (transport, counts) in self.each() {
            for (rcode, count) in counts.rcodes() {
                family.sample(&[("transport", transport), ("rcode", rcode)], count);
            }
        }
        let mut family = page.family(
            "meridian_dns_truncated_responses_total",
            Kind::Counter,
            "Responses that did not fit and carry TC.",
        );
        for (transport, counts) in self.each() {
            family.sample(&[("transport", transport)], counts.truncated);
        }
        let mut family = page.family(
            "meridian_dns_valid_cookies_total",
            Kind::Counter,
            "Queries with a server cookie of ours.",
        );
        for (transport, counts) in self.each() {
            family.sample(&[("transport", transport)], counts.cookies);
        }
        let mut family = page.family(
            "meridian_dns_response_duration_seconds",
            Kind::Histogram,
            "From the receipt of a batch to the sending of its responses.",
        );
        for (transport, counts) in self.each() {
            let latency = &counts.latency;
            let whole = (latency.count(), latency.sum());
            family.histogram(&[("transport", transport)], latency.buckets(), whole);
        }
        page.family(
            "meridian_dns_panics_total",
            Kind::Counter,
            "Batches and connections lost to faults of this program.",
        )
        .sample(&[], self.counts.panics);
    }

    fn datagrams(&self, page: &mut Page) {
        let udp = &self.counts.udp;
        let mut family = page.family(
            "meridian_dns_dropped_queries_total",
            Kind::Counter,
            "Queries not answered: not worth an answer, from an impossible sender, or too long.",
        );
        for protocol in &self.protocols {
            let transport = ("transport", protocol.as_str());
            if *protocol == Protocol::Udp {
                family
                    .sample(&[transport, ("reason", "unanswerable")], udp.dropped)
                    .sample(&[transport, ("reason", "too_long")], udp.truncated);
            } else {
                let dropped = self.counts.streams[*protocol].dropped;
                family.sample(&[transport, ("reason", "unanswerable")], dropped);
            }
        }
        page.family(
            "meridian_dns_rate_limited_responses_total",
            Kind::Counter,
            "Responses over UDP held back by the rate limit: dropped, or slipped with TC.",
        )
        .sample(&[("action", "drop")], udp.limited)
        .sample(&[("action", "slip")], udp.slipped);
        page.family(
            "meridian_dns_udp_errors_total",
            Kind::Counter,
            "Responses that the system did not take, and failed receive calls.",
        )
        .sample(&[("direction", "send")], udp.send_errors)
        .sample(&[("direction", "receive")], udp.receive_errors);
    }

    fn connections(&self, page: &mut Page) {
        let streams = self.protocols.iter().filter(|p| **p != Protocol::Udp);
        let streams: Vec<_> = streams
            .map(|protocol| {
                let labels = [("transport", protocol.as_str())];
                (labels, &self.counts.streams[*protocol])
            })
            .collect();
        let mut family = page.family(
            "meridian_dns_open_connections",
            Kind::Gauge,
            "Connections that are open.",
        );
        for (labels, counts) in &streams {
            family.sample(labels, counts.open());
        }
        let mut counter = |name, help, value: fn(&StreamCounts) -> u64| {
            let mut family = page.family(name, Kind::Counter, help);
            for (labels, counts) in &streams {
                family.sample(labels, value(counts));
            }
        };
        counter(
            "meridian_dns_accepted_connections_total",
            "Connections taken.",
            |counts| counts.accepted,
        );
        counter(
            "meridian_dns_refused_connections_total",
            "Connections turned away at a limit.",
            |counts| counts.refused,
        );
        counter(
            "meridian_dns_evicted_connections_total",
            "Idle connections closed to make room for new ones.",
            |counts| counts.evicted,
        );
        counter(
            "meridian_dns_timeouts_total",
            "Handshakes, messages and replies that clients took too long with.",
            |counts| counts.too_slow,
        );
    }
}
