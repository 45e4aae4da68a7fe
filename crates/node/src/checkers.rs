//! Checkers at work in this process: which there are, what they are told, and what becomes of what
//! they find. How an endpoint is probed and how votes are counted is `meridian_health`'s.
//!
//! They have a runtime and threads of their own: neither DNS nor the control plane waits for them.

mod board;
mod checks;
mod count;
mod events;
mod keeping;
mod last;
mod marks;
mod observations;
mod reports;
mod told;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use meridian_control::{Environment, SystemEnvironment};
use meridian_health::{
    Assigned, Assignment, CapLimits, Caps, Certificate, Checker, CheckerKey, Counter, Desk, Duty,
    Guard, Identity, Places, Prober, Register, Resolver, Surroundings, Target, Timeouts, Tls,
    Worker,
};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{HealthCheck, HealthSubject, Timestamp};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{self, Instant};

use crate::condition::Condition;
use crate::config::Config;
use crate::descriptors;
use crate::trust::system_and;

pub(crate) use board::{Board, Findings, Flips, Member, State};
pub(crate) use checks::Checks;
pub(crate) use events::EventLog;
pub(crate) use marks::Marks;
pub(crate) use observations::Observed;
pub(crate) use told::{flip, observed, reason, row, time, votes};

use count::{Count, Tally};
use keeping::Keeping;
use last::LastFile;
use reports::Keeper;

/// How often votes are counted, and it is looked which checks there are.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether there is reason to do so earlier.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a resolver may take for each reply.
const RESOLVER_PATIENCE: Duration = Duration::from_secs(1);

/// The checkers of this process. Dropped, they end, and what they found is on the disk.
pub(crate) struct Checkers {
    ended: Option<watch::Sender<()>>,
    counting: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    reports: Option<Keeper>,
}

/// Puts on the board what was known when a process had this directory last, of the checks that
/// there are.
pub(crate) fn restore(
    config: &Config,
    snapshot: &Snapshot,
    board: &Board,
) -> Result<(), ReadError> {
    let checks = snapshot.health_checks()?;
    reports::restore(&config.data_dir, &checks, board);
    if let Some(known) = LastFile::of(&config.data_dir).read() {
        let tally = Tally::restore(checks, &known, config.health.guardrails());
        tally.post(board);
        *board.tally() = tally;
    }
    Ok(())
}

/// What a checker of this process asks of it.
struct Process;

impl Surroundings for Process {
    fn now(&mut self) -> Timestamp {
        SystemEnvironment::new().now()
    }

    fn entropy(&mut self) -> u64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = SystemEnvironment::new().entropy();
        u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }

    /// The keys of these checkers are this process's own: their tables are numbered as long as it
    /// lives.
    fn keep(&mut self, _: u64) -> bool {
        true
    }
}

impl Checkers {
    /// Starts those that are configured. What was known last is on the board already.
    pub(crate) fn start(config: &Config, condition: &Condition) -> Result<Self> {
        let board = condition.board();
        let mut checkers = Vec::new();
        let mut identities = Vec::new();
        for (name, region) in config.health.checkers()? {
            let key = CheckerKey::from_seed(&SystemEnvironment::new().entropy())?;
            let (counter, public) = (Counter::resume(0, 0), key.public());
            let identity = Identity {
                name: name.clone(),
                key,
                counter,
            };
            identities.push((identity, region.clone()));
            checkers.push(Checker {
                name,
                region,
                key: public,
            });
        }
        let register = Register::new(checkers)?;
        let (shared, prober) = (Arc::new(register.clone()), Arc::new(prober(config)?));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("checkers")
            .enable_all()
            .build()?;
        let (assign, assigned) = watch::channel(Arc::default());
        let mut members = Vec::new();
        for ((identity, region), address) in identities.into_iter().zip(config.health.addresses()) {
            let (shared, prober) = (Arc::clone(&shared), Arc::clone(&prober));
            let (worker, desk) = Worker::new(identity, shared, prober, Process);
            members.push(Member {
                desk,
                region,
                address: address.unwrap_or_else(|| usual_address(config)),
            });
            runtime.spawn(worker.run(assigned.clone()));
        }
        let desks = members.iter().map(|member| Arc::clone(&member.desk));
        let desks: Vec<_> = desks.collect();
        board.set_members(members);
        let rules = (config.health.rules(), config.health.guardrails(), register);
        let file = LastFile::of(&config.data_dir);
        let count = Count::begin(Arc::clone(board), Keeping::start(file)?, rules);
        let (end, ended) = watch::channel(());
        let certificates = config.health.certificates();
        let work = work(
            Arc::clone(board),
            count,
            (desks, assign),
            certificates,
            ended,
        );
        let handle = runtime.handle().clone();
        let counting = thread::Builder::new().name("votes".to_owned());
        Ok(Self {
            ended: Some(end),
            counting: Some(counting.spawn(move || handle.block_on(work))?),
            runtime: Some(runtime),
            reports: Some(Keeper::start(&config.data_dir, Arc::clone(board))?),
        })
    }
}

impl Drop for Checkers {
    fn drop(&mut self) {
        drop(self.ended.take());
        let counted = self.counting.take().map(JoinHandle::join);
        if counted.is_some_and(|counted| counted.is_err()) {
            tracing::error!("counting votes on health checks ended by a panic");
        }
        if let Some(runtime) = self.runtime.take() {
            // Probes under way are given up.
            runtime.shutdown_background();
        }
        drop(self.reports.take());
    }
}

/// Tells checkers what there is and counts what they say, until the sender of `ended` is dropped.
async fn work(
    board: Arc<Board>,
    mut count: Count,
    (desks, assign): (Vec<Arc<Desk>>, watch::Sender<Arc<Assigned>>),
    certificates: Certificate,
    mut ended: watch::Receiver<()>,
) {
    let mut tables: Vec<_> = desks.iter().map(|desk| desk.tables()).collect();
    let mut assigned = Arc::<State>::default();
    let mut counted = Instant::now();
    loop {
        let state = board.state();
        let same = Arc::ptr_eq(&state.rights, &assigned.rights)
            && state.marks.is_copy(&assigned.marks)
            && state.checks.is_copy(&assigned.checks);
        if !same {
            let known = assign.borrow().checks.clone();
            let checks = duties((&state, &assigned), known, certificates);
            assign.send_replace(Arc::new(Assigned {
                checks,
                known_through: state.known_through,
            }));
        }
        let is_new = |table: &watch::Receiver<Arc<[u8]>>| table.has_changed().unwrap_or(false);
        if !same || tables.iter().any(is_new) || counted.elapsed() >= COUNT_EVERY {
            counted = Instant::now();
            let new = tables.iter_mut().filter(|table| is_new(table));
            let new: Vec<_> = new
                .map(|table| Arc::clone(&table.borrow_and_update()))
                .filter(|table| !table.is_empty())
                .collect();
            count.turn(&state.checks, &new);
        }
        assigned = state;
        tokio::select! {
            _ = ended.changed() => return,
            () = time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// What there is to do by this state, when that was to be done by the one before. What did not
/// change is the same as before. Where nothing else is said of certificates, this is so.
fn duties(
    (state, before): (&State, &State),
    mut assigned: Places<Duty>,
    certificates: Certificate,
) -> Places<Duty> {
    let changed = state.checks.differences(&before.checks);
    let changed = changed.filter_map(|(before, now)| Some(now.or(before)?.slot.slot));
    // Other rights may concern any check that is there; those that are gone are among the changed.
    let entitled = !Arc::ptr_eq(&state.rights, &before.rights);
    let entitled = entitled.then(|| state.checks.iter().map(|check| check.slot.slot));
    let changed = changed.chain(entitled.into_iter().flatten());
    let marked = state.marks.differences(&before.marks);
    let marked = marked.filter_map(|id| Some(state.checks.of(id.as_str())?.slot.slot));
    for slot in changed.chain(marked) {
        let check = state.checks.get(slot);
        match check.map(|check| duty(state, check, certificates)) {
            Some(new) if assigned.get(slot) == Some(&new) => {}
            Some(new) => {
                assigned.put(slot, new);
            }
            None => {
                assigned.take(slot);
            }
        }
    }
    assigned
}

fn duty(state: &State, check: &HealthCheck, certificates: Certificate) -> Duty {
    let endpoint = match &check.config.subject {
        HealthSubject::Endpoint(endpoint) if !check.config.disabled => endpoint,
        _ => return Duty::Know(check.slot, check.id.clone()),
    };
    Duty::Probe(Arc::new(Assignment {
        slot: check.slot,
        rights: state.rights(&check.account),
        target: Target {
            account: check.account.clone(),
            id: check.id.clone(),
            endpoint: endpoint.clone(),
            certificate: state.marks.certificate(&check.id).unwrap_or(certificates),
        },
    }))
}

/// The first address that DNS is answered at, for want of a better one.
fn usual_address(config: &Config) -> IpAddr {
    let mut addresses = config.dns_addresses().into_iter();
    let found = addresses.find(|address| !address.is_unspecified());
    found.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Which addresses may be connected to.
pub(crate) fn guard(config: &Config) -> Guard {
    let listens = config.listens();
    let listeners = [listens.dns, listens.api, vec![listens.metrics]].concat();
    Guard::new(&listeners, &config.dns_addresses())
}

/// What probes are made with.
fn prober(config: &Config) -> Result<Prober> {
    let resolvers = match config.health.resolvers.as_slice() {
        [] => {
            let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            Resolver::in_resolv_conf(&text)
        }
        resolvers => resolvers.to_vec(),
    };
    let roots = system_and(config.health.certificate_roots.as_deref())?;
    Ok(Prober {
        guard: guard(config),
        caps: Caps::new(CapLimits::of(config.health.probes(descriptors::most()))),
        resolver: Resolver::new(&resolvers, RESOLVER_PATIENCE),
        tls: Tls::new(roots).context("TLS for probes")?,
        timeouts: Timeouts::default(),
        contact: config.health.contact.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use meridian_model::{AccountId, HealthCheckConfig, HealthCheckId, HealthSlot};

    use super::*;

    /// Checkers went on with it, and their lines about the 63 checks beside it were of others than
    /// there are: not one of them was heard until somebody else had its place.
    #[test]
    fn a_check_that_goes_while_rights_change_is_known_no_more() {
        let config = HealthCheckConfig {
            inverted: false,
            disabled: false,
            subject: HealthSubject::RoutingControl(String::new()),
        };
        let check = |slot: u32| {
            let id = HealthCheckId::new(&format!("{slot:08x}-0000-4000-8000-000000000000"));
            Arc::new(HealthCheck {
                id: id.unwrap(),
                account: AccountId::new("111111111111").unwrap(),
                caller_reference: String::new(),
                version: 1,
                created_with: config.clone(),
                config: config.clone(),
                slot: HealthSlot {
                    slot,
                    incarnation: 1,
                },
            })
        };
        let mut before = State::default();
        before.checks.put(&check(1));
        before.checks.put(&check(2));
        let none = State::default();
        let known = duties((&before, &none), Places::default(), Certificate::Any);
        assert_eq!(known.len(), 2);
        let mut now = State {
            checks: before.checks.clone(),
            rights: Arc::new(HashMap::new()),
            ..State::default()
        };
        now.checks.take(2);
        let known = duties((&now, &before), known, Certificate::Any);
        let left: Vec<u32> = known.iter().map(|(slot, _)| slot).collect();
        assert_eq!(left, [1]);
    }
}
