//! Checkers at work: what they say in their tables and show on their desks. Where no endpoint is
//! needed, time is moved by hand: a forbidden address fails at once, and a resolver that says
//! nothing is a probe that takes its time.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use meridian_health::{
    Assigned, Assignment, CapLimits, Caps, Cast, Certificate, Checker, CheckerKey, CheckerName,
    Conduct, Counter, Desk, Duty, Guard, Identity, Prober, Register, Resolver, Rules, Surroundings,
    Target, Timeouts, Tls, Unable, Votes, Worker,
};
use meridian_model::{
    AccountId, CheckerRegion, Endpoint, Health, HealthCheck, HealthCheckConfig, HealthCheckId,
    HealthSlot, HealthSubject, ProbeRights, Protocol, Seq, Timestamp,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_rustls::rustls::RootCertStore;

const NAME: &str = "checker-1";

/// A disk that may be full.
#[derive(Clone, Default)]
struct Here {
    is_full: Arc<AtomicBool>,
    drawn: u64,
}

impl Surroundings for Here {
    fn now(&mut self) -> Timestamp {
        Timestamp(1_800_000_000_000)
    }

    fn entropy(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    fn keep(&mut self, _number: u64) -> bool {
        !self.is_full.load(Ordering::SeqCst)
    }
}

/// A checker at work, and who counts its votes.
struct Scene {
    assigned: watch::Sender<Arc<Assigned>>,
    desk: Arc<Desk>,
    here: Here,
    votes: Votes,
    began: Instant,
    heard: u64,
}

fn prober(caps: CapLimits, resolvers: &[SocketAddr]) -> Prober {
    Prober {
        guard: Guard::default(),
        caps: Caps::new(caps),
        resolver: Resolver::new(resolvers, Duration::from_secs(2)),
        tls: Tls::new(RootCertStore::empty()).unwrap(),
        timeouts: Timeouts::default(),
        contact: None,
    }
}

impl Scene {
    fn new(prober: Prober, here: Here) -> Self {
        let key = CheckerKey::from_seed(&[1; 32]).unwrap();
        let name = CheckerName::new(NAME).unwrap();
        let register = Register::new(vec![
            Checker {
                name: name.clone(),
                region: CheckerRegion::stored("eu-west-1"),
                key: key.public(),
            },
            Checker {
                name: CheckerName::new("checker-2").unwrap(),
                region: CheckerRegion::stored("us-east-1"),
                key: CheckerKey::from_seed(&[2; 32]).unwrap().public(),
            },
        ])
        .unwrap();
        let identity = Identity {
            name,
            key,
            counter: Counter::resume(0, 7),
        };
        let votes = Votes::new(Rules::ROUTE_53, register.clone());
        let register = Arc::new(register);
        let (worker, desk) = Worker::new(identity, register, Arc::new(prober), here.clone());
        let (assigned, given) = watch::channel(Arc::default());
        tokio::spawn(worker.run(given));
        Self {
            assigned,
            desk,
            here,
            votes,
            began: Instant::now(),
            heard: 0,
        }
    }

    fn assign(&mut self, checks: &[Arc<Assignment>]) {
        self.assign_beside(checks, &[]);
    }

    /// The others are disabled.
    fn assign_beside(&mut self, checks: &[Arc<Assignment>], others: &[Arc<Assignment>]) {
        for check in checks.iter().chain(others) {
            self.votes.put(&as_check(check)).unwrap();
        }
        let probed = checks.iter().map(|check| Duty::Probe(Arc::clone(check)));
        let probed = checks.iter().map(|check| check.slot.slot).zip(probed);
        let others = others.iter().map(|other| {
            let duty = Duty::Know(other.slot, other.target.id.clone());
            (other.slot.slot, duty)
        });
        let assigned = Assigned {
            checks: probed.chain(others).collect(),
            known_through: Seq(9),
        };
        self.assigned.send_replace(Arc::new(assigned));
    }

    /// What the newest table says.
    fn cast(&mut self, slot: HealthSlot) -> Cast {
        let table = self.desk.tables().borrow().clone();
        if let Ok(received) = self.votes.take(&table, self.began.elapsed()) {
            assert_eq!(received.issue.known_through, Seq(9));
            self.heard += 1;
        }
        let shown = self.votes.show(slot).unwrap();
        let mut voters = shown.voters.iter();
        let voter = voters.find(|voter| voter.checker.name.as_str() == NAME);
        voter.unwrap().cast
    }

    /// Waits until the table says this; a limit in time keeps a mistake from lasting for ever.
    async fn until(&mut self, slot: HealthSlot, cast: Cast, limit: Duration) {
        let began = Instant::now();
        while self.cast(slot) != cast {
            assert!(began.elapsed() < limit, "{:?}", self.cast(slot));
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn assignment(slot: u32, address: Option<SocketAddr>) -> Assignment {
    let id = format!("{slot:08x}-0000-4000-8000-000000000000");
    Assignment {
        slot: HealthSlot {
            slot,
            incarnation: 1,
        },
        rights: ProbeRights::Everything,
        target: Target {
            account: AccountId::new("123456789012").unwrap(),
            id: HealthCheckId::new(&id).unwrap(),
            endpoint: Endpoint {
                protocol: Protocol::Tcp,
                ip_address: address.map(|address| address.ip()),
                domain_name: address.is_none().then(|| "www.example.com".to_owned()),
                port: address.map_or(80, |address| address.port()),
                path: None,
                search_string: None,
                request_interval_s: 10,
                failure_threshold: 3,
                measure_latency: false,
                enable_sni: false,
                regions: Vec::new(),
            },
            certificate: Certificate::Any,
        },
    }
}

/// One that fails at once, without a socket.
fn forbidden(slot: u32) -> Assignment {
    Assignment {
        rights: ProbeRights::Public,
        ..assignment(slot, Some("127.0.0.1:1".parse().unwrap()))
    }
}

fn as_check(assignment: &Assignment) -> HealthCheck {
    let config = HealthCheckConfig {
        inverted: false,
        disabled: false,
        subject: HealthSubject::Endpoint(assignment.target.endpoint.clone()),
    };
    HealthCheck {
        id: assignment.target.id.clone(),
        account: assignment.target.account.clone(),
        caller_reference: "r".to_owned(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: assignment.slot,
    }
}

/// Somebody who never replies.
fn silent_resolver() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

const UP: Cast = Cast::Voted(Health::Healthy);
const DOWN: Cast = Cast::Voted(Health::Unhealthy);

#[tokio::test]
async fn an_endpoint_goes_and_comes_back() {
    let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut check = assignment(5, Some(address));
    check.target.endpoint.request_interval_s = 1;
    check.target.endpoint.failure_threshold = 1;
    let slot = check.slot;
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    scene.assign(&[Arc::new(check)]);
    // An interval, the pause between tables, and a busy machine.
    let limit = Duration::from_secs(5);
    scene.until(slot, UP, limit).await;
    let seen = scene.desk.observations(slot).unwrap();
    assert_eq!(
        seen.last.observation.status(),
        "Success: TCP connection established"
    );
    assert_eq!(seen.last_failure, None);
    drop(listener);
    scene.until(slot, DOWN, limit).await;
    let seen = scene.desk.observations(slot).unwrap();
    assert_eq!(seen.last_failure, Some(seen.last));
    let text = "Failure: Connection refused";
    assert_eq!(seen.last.observation.status(), text);
    listener = TcpListener::bind(address).await.unwrap();
    scene.until(slot, UP, limit).await;
    let seen = scene.desk.observations(slot).unwrap();
    assert_eq!(seen.last_failure.unwrap().observation.status(), text);
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn probes_are_spread_and_minds_turn_after_the_threshold() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let checks: Vec<_> = (0..1000).map(|slot| Arc::new(forbidden(slot))).collect();
    scene.assign(&checks);
    let mut probed = 0;
    for second in 0..35 {
        sleep(Duration::from_secs(1)).await;
        let workload = scene.desk.workload();
        let fresh = workload.probed - probed;
        probed = workload.probed;
        // A tenth of them each second, give or take.
        assert!(fresh < 200, "{fresh} in second {second}");
        let said = checks
            .iter()
            .filter(|check| scene.cast(check.slot) != Cast::Undecided);
        let said = said.count();
        // Three results are two intervals, each up to a twentieth shorter.
        assert!(said == 0 || second >= 18, "{said} after {second} s");
    }
    assert!(checks.iter().all(|check| scene.cast(check.slot) == DOWN));
    // One table for each second, and more only for news.
    assert!(scene.heard >= 30, "{}", scene.heard);
    let workload = scene.desk.workload();
    assert_eq!((workload.checks, workload.unable), (1000, 0));
    assert_eq!(workload.conduct, Conduct::Votes);
    let seen = scene.desk.observations(checks[0].slot).unwrap();
    assert_eq!(
        seen.last.observation.status(),
        "Failure: Not probed: a loopback address"
    );
}

/// The answer would be right of another endpoint.
#[tokio::test(start_paused = true)]
async fn what_is_found_of_a_check_that_changed_meanwhile_is_dropped() {
    let (_socket, address) = silent_resolver();
    let mut scene = Scene::new(prober(CapLimits::default(), &[address]), Here::default());
    let check = assignment(0, None);
    let slot = check.slot;
    scene.assign(&[Arc::new(check.clone())]);
    let under_way = |scene: &Scene| scene.desk.workload().under_way;
    while under_way(&scene) == 0 {
        sleep(Duration::from_millis(200)).await;
    }
    let mut changed = check.clone();
    changed.target.endpoint.port = 81;
    scene.assign(&[Arc::new(changed.clone())]);
    while under_way(&scene) > 0 {
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(scene.desk.observations(slot), None);
    assert_eq!(scene.desk.workload().probed, 0);
    // The same again is no change, though it is another list.
    while under_way(&scene) == 0 {
        sleep(Duration::from_millis(200)).await;
    }
    scene.assign(&[Arc::new(changed)]);
    sleep(Duration::from_secs(6)).await;
    let seen = scene.desk.observations(slot).unwrap();
    let text = "Failure: DNS resolution failed: no reply";
    assert_eq!(seen.last.observation.status(), text);
}

#[tokio::test(start_paused = true)]
async fn of_checks_that_are_gone_nothing_is_left() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let mut check = forbidden(3);
    check.target.endpoint.failure_threshold = 1;
    let slot = check.slot;
    scene.assign(&[Arc::new(check.clone())]);
    scene.until(slot, DOWN, Duration::from_secs(20)).await;
    // Another check in its place.
    check.slot.incarnation = 2;
    check.target.id = HealthCheckId::new("ffffffff-0000-4000-8000-000000000000").unwrap();
    check.target.endpoint.failure_threshold = 10;
    scene.assign(&[Arc::new(check.clone())]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.desk.observations(slot), None);
    assert_eq!(scene.cast(check.slot), Cast::Undecided);
    scene.assign(&[]);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(scene.desk.observations(check.slot), None);
    assert_eq!(scene.desk.workload().checks, 0);
}

#[tokio::test(start_paused = true)]
async fn checks_of_other_regions_are_left_to_others() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let regions = ["us-east-1", "eu-west-1", "sa-east-1"];
    let checks: Vec<_> = regions
        .iter()
        .zip(0..)
        .map(|(region, slot)| {
            let mut check = forbidden(slot);
            check.target.endpoint.regions = vec![CheckerRegion::stored(region)];
            Arc::new(check)
        })
        .collect();
    scene.assign(&checks);
    sleep(Duration::from_secs(15)).await;
    let seen = checks
        .iter()
        .map(|check| scene.desk.observations(check.slot));
    let seen: Vec<bool> = seen.map(|seen| seen.is_some()).collect();
    // Nobody stands in the third, so everybody looks after it.
    assert_eq!(seen, [false, true, true]);
}

/// A line of a table counts where the same checks are known, and those that nobody probes, or others
/// do, are among them.
#[tokio::test(start_paused = true)]
async fn votes_count_beside_checks_that_are_not_probed() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let quick = |slot| {
        let mut check = forbidden(slot);
        check.target.endpoint.failure_threshold = 1;
        check
    };
    let mut elsewhere = quick(2);
    elsewhere.target.endpoint.regions = vec![CheckerRegion::stored("us-east-1")];
    let [first, second, elsewhere] = [quick(0), quick(1), elsewhere].map(Arc::new);
    let probed = [Arc::clone(&second), Arc::clone(&elsewhere)];
    scene.assign_beside(&probed, &[Arc::clone(&first)]);
    let limit = Duration::from_secs(20);
    scene.until(second.slot, DOWN, limit).await;
    assert_eq!(scene.cast(first.slot), Cast::Undecided);
    // The one is enabled, the other disabled.
    let probed = [Arc::clone(&first), elsewhere];
    scene.assign_beside(&probed, &[Arc::clone(&second)]);
    scene.until(first.slot, DOWN, limit).await;
    assert_eq!(scene.cast(second.slot), Cast::Undecided);
    assert_eq!(scene.desk.observations(second.slot), None);
}

#[tokio::test(start_paused = true)]
async fn one_that_ran_late_does_not_stand_by_what_it_found() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let mut check = forbidden(0);
    check.target.endpoint.failure_threshold = 1;
    let slot = check.slot;
    scene.assign(&[Arc::new(check)]);
    scene.until(slot, DOWN, Duration::from_secs(20)).await;
    advance(Duration::from_secs(3)).await;
    scene
        .until(slot, Cast::Withheld, Duration::from_secs(2))
        .await;
    assert_eq!(scene.desk.workload().conduct, Conduct::Withholds);
    assert!(scene.desk.workload().lateness > Duration::from_secs(1));
    // It is on time again for a while.
    scene.until(slot, DOWN, Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn what_this_machine_cannot_do_is_no_result() {
    let mut scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let mut check = forbidden(0);
    check.target.endpoint.failure_threshold = 1;
    let slot = check.slot;
    scene.assign(&[Arc::new(check.clone())]);
    scene.until(slot, DOWN, Duration::from_secs(20)).await;
    // Nobody can be asked for the name.
    check.target.endpoint.ip_address = None;
    check.target.endpoint.domain_name = Some("www.example.com".to_owned());
    scene.assign(&[Arc::new(check)]);
    scene
        .until(slot, Cast::Withheld, Duration::from_secs(20))
        .await;
    let workload = scene.desk.workload();
    assert_eq!(workload.last_unable, Some(Unable::NoResolver));
    let seen = scene.desk.observations(slot).unwrap();
    assert_eq!(seen.last_failure, Some(seen.last));
}

#[tokio::test(start_paused = true)]
async fn no_more_at_once_than_there_is_room_for() {
    let (_socket, address) = silent_resolver();
    let limits = CapLimits::of(2);
    let mut scene = Scene::new(prober(limits, &[address]), Here::default());
    let checks: Vec<_> = (0..10)
        .map(|slot| Arc::new(assignment(slot, None)))
        .collect();
    scene.assign(&checks);
    let mut most = 0;
    for _ in 0..150 {
        sleep(Duration::from_millis(200)).await;
        let workload = scene.desk.workload();
        most = most.max(workload.under_way);
        assert!(workload.under_way <= 2);
    }
    let workload = scene.desk.workload();
    assert_eq!((most, workload.put_off), (2, 0));
    // Thirty seconds, four for each, two at a time; and it is not the loop that is late.
    assert!(workload.probed >= 12, "{}", workload.probed);
    assert!(workload.overdue > Duration::from_secs(1));
    assert_eq!(workload.conduct, Conduct::Votes);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_takes_too_much_is_put_off() {
    let (_socket, address) = silent_resolver();
    let limits = CapLimits {
        per_account: 1,
        ..CapLimits::default()
    };
    let mut scene = Scene::new(prober(limits, &[address]), Here::default());
    let mut checks: Vec<_> = (0..10).map(|slot| assignment(slot, None)).collect();
    checks[9].target.account = AccountId::new("999999999999").unwrap();
    let checks: Vec<_> = checks.into_iter().map(Arc::new).collect();
    scene.assign(&checks);
    sleep(Duration::from_secs(20)).await;
    assert!(scene.desk.workload().put_off > 0);
    assert!(scene.desk.observations(checks[9].slot).is_some());
}

/// Two tables of one number would be refused, and the second believed by nobody.
#[tokio::test(start_paused = true)]
async fn without_a_disk_there_are_no_numbers_and_so_no_tables() {
    let here = Here::default();
    here.is_full.store(true, Ordering::SeqCst);
    let scene = Scene::new(prober(CapLimits::default(), &[]), here);
    sleep(Duration::from_secs(5)).await;
    assert!(scene.desk.tables().borrow().is_empty());
    assert!(scene.desk.workload().is_silent);
    scene.here.is_full.store(false, Ordering::SeqCst);
    sleep(Duration::from_secs(2)).await;
    assert!(!scene.desk.tables().borrow().is_empty());
    assert!(!scene.desk.workload().is_silent);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_assigns_any_more() {
    let scene = Scene::new(prober(CapLimits::default(), &[]), Here::default());
    let mut tables = scene.desk.tables();
    sleep(Duration::from_secs(1)).await;
    drop(scene.assigned);
    drop(scene.desk);
    let ended = async { while tables.changed().await.is_ok() {} };
    timeout(Duration::from_secs(2), ended).await.unwrap();
}
