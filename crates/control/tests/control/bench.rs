//! What tests work on: a control plane over a journal and tables in memory, and short ways to say
//! what they ask of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use meridian_control::{
    Acks, Caller, ChangeRecordSets, Control, CreateHostedZone, CreateTrafficPolicy,
    CreateTrafficPolicyInstance, Environment, FirstStart, ListRecordSets, NewPolicy,
    OperationError, PolicyVersion, ReadyMade, Transport,
};
use meridian_dns::{Name, RecordType};
use meridian_log::{Journal, LocalJournal, Tables, Vault};
use meridian_model::{
    AccountId, Action, Draft, DraftChange, NewPolicyVersion, Timestamp, TrafficPolicyInstance,
};

/// A document of one rule, which leads to two values.
const WEIGHTED: &str = r#"{"AWSPolicyFormatVersion":"2015-10-01","RecordType":"A",
    "StartRule":"spread","Endpoints":{"a":{"Type":"value","Value":"192.0.2.91"},
    "b":{"Type":"value","Value":"192.0.2.92"}},"Rules":{"spread":{"RuleType":"weighted","Items":[
    {"EndpointReference":"a","Weight":"1"},{"EndpointReference":"b","Weight":"1"}]}}}"#;

/// A clock moved by hand, and entropy that never repeats.
pub(crate) struct Hand {
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) drawn: AtomicU8,
}

impl Environment for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    fn entropy(&self) -> [u8; 32] {
        [self.drawn.fetch_add(1, Ordering::Relaxed); 32]
    }
}

pub(crate) struct Bench {
    pub(crate) control: Control,
    pub(crate) acks: Arc<Acks>,
    pub(crate) journal: Arc<LocalJournal>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) operator: AccountId,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) follower: Option<JoinHandle<()>>,
    pub(crate) directory: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Arc::new(LocalJournal::in_memory().unwrap());
        let tables = Arc::new(Tables::in_memory().unwrap());
        let vault = Arc::new(Vault::open(directory.path()).unwrap());
        let (acks, now) = (
            Arc::new(Acks::default()),
            Arc::new(AtomicI64::new(1_000_000)),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let follower = {
            let (journal, tables) = (Arc::clone(&journal), Arc::clone(&tables));
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    journal.wait(tables.head().seq, Duration::from_millis(20));
                    tables
                        .apply(&journal.read(tables.head().seq, 1000).unwrap())
                        .unwrap();
                }
            })
        };
        let hand = Hand {
            now: Arc::clone(&now),
            drawn: AtomicU8::new(1),
        };
        let control = Control::new(
            Arc::clone(&journal) as Arc<dyn Journal>,
            Arc::clone(&tables),
            Arc::clone(&vault),
            Arc::clone(&acks),
            Box::new(hand),
        );
        let first = FirstStart {
            domain: Name::parse("pool.test").unwrap(),
            addresses: vec![[127, 0, 0, 1].into()],
        };
        let operator = control.first_start(&first, |_| Ok(())).unwrap().unwrap();
        let follower = Some(follower);
        Self {
            control,
            acks,
            journal,
            tables,
            vault,
            now,
            operator,
            stop,
            follower,
            directory,
        }
    }

    pub(crate) fn account(&self, name: &str) -> AccountId {
        self.control.create_account(name).unwrap().id
    }

    pub(crate) fn zone(&self, caller: &Caller, name: &str) -> String {
        let made = self
            .control
            .create_hosted_zone(caller, &zone(name))
            .unwrap();
        made.zone.zone.id.to_string()
    }

    /// A traffic policy that spreads over two values by weight, at work under a name.
    pub(crate) fn instance(&self, caller: &Caller, id: &str, name: &str) -> TrafficPolicyInstance {
        let first = NewPolicyVersion {
            document: WEIGHTED.to_owned(),
            comment: None,
        };
        let name_of_policy = format!("policy of {name}");
        let policy = CreateTrafficPolicy {
            name: name_of_policy,
            first,
        };
        let policy = self.control.create_traffic_policy(caller, &policy).unwrap();
        let new = CreateTrafficPolicyInstance {
            hosted_zone_id: id.to_owned(),
            name: name.to_owned(),
            ttl: 60,
            policy: PolicyVersion {
                id: policy.id.to_string(),
                version: 1,
            },
        };
        let made = self.control.create_traffic_policy_instance(caller, &new);
        made.unwrap().instance
    }

    pub(crate) fn entries(&self) -> u64 {
        self.journal.head().unwrap().seq.0
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A test may have ended it before.
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}

pub(crate) fn caller(account: &AccountId) -> Caller {
    Caller {
        account: account.clone(),
        operator: false,
        user: None,
        access_key: meridian_model::AccessKeyId::new("AKIATEST").unwrap(),
        source: "192.0.2.1".to_owned(),
        transport: Transport::Plain,
        received_at: Timestamp(1_000_000),
        request_id: "request".to_owned(),
        retry: None,
    }
}

pub(crate) fn ready_made(text: &str) -> NewPolicy {
    NewPolicy::ReadyMade(ReadyMade::parse(text).unwrap())
}

pub(crate) fn zone(name: &str) -> CreateHostedZone {
    CreateHostedZone {
        name: name.to_owned(),
        caller_reference: format!("reference of {name}"),
        comment: None,
        private_zone: false,
        vpc: None,
        delegation_set_id: None,
    }
}

pub(crate) fn batch(id: &str, name: &str, value: &str) -> ChangeRecordSets {
    ChangeRecordSets {
        hosted_zone_id: id.to_owned(),
        comment: Some("why".to_owned()),
        changes: vec![DraftChange {
            action: Action::Upsert,
            set: Draft::simple(name, RecordType::A, 60, &[value]),
        }],
    }
}

pub(crate) fn records(id: &str) -> ListRecordSets {
    ListRecordSets {
        hosted_zone_id: id.to_owned(),
        max_items: 100,
        ..ListRecordSets::default()
    }
}

pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, OperationError>) -> &'static str {
    match outcome {
        Err(OperationError::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    }
}
