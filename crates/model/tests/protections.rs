//! Which protections can be made, and what they hold back.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::RecordType::{self, A, Txt};
use meridian_model::{
    Action, BatchRefusal, Draft, DraftChange, Effect, NewZone, PlanError, ProtectionDraft,
    ProtectionRefusal, Quota, Zone, ZoneNotEmpty, plan_batch, plan_create_protections,
    plan_create_zone, plan_delete_protections, plan_delete_zone,
};

struct Bench {
    state: Memory,
    zone: Zone,
}

fn draft(name: &str, rtype: RecordType) -> ProtectionDraft {
    ProtectionDraft {
        name: name.to_owned(),
        rtype,
        comment: Some(format!("why {name}")).filter(|_| rtype == A),
    }
}

fn refusal<T>(
    planned: Result<T, PlanError<ProtectionRefusal, std::convert::Infallible>>,
) -> ProtectionRefusal {
    match planned {
        Err(PlanError::Refused(refusal)) => refusal,
        Err(PlanError::State(never)) => match never {},
        Ok(_) => panic!("not refused"),
    }
}

/// Code and name of each entry that is refused.
fn entries(refusal: &ProtectionRefusal) -> Vec<(&str, &str)> {
    match refusal {
        ProtectionRefusal::InvalidBatch(problems) | ProtectionRefusal::AlreadyExist(problems) => {
            problems
                .iter()
                .map(|problem| (problem.code.as_str(), problem.name.as_str()))
                .collect()
        }
        other => panic!("{other:?}"),
    }
}

impl Bench {
    fn new() -> Self {
        let mut state = Memory::with_pool(4);
        let new = NewZone {
            vpc: None,
            name: "z.test".to_owned(),
            caller_reference: "r".to_owned(),
            comment: None,
            delegation_set: None,
        };
        let owner = account("111111111111", true);
        let (zone, effects) = plan_create_zone(&state, &mut facts(1), &owner, new).unwrap();
        state.apply(effects);
        Self { state, zone }
    }

    fn protect(&mut self, drafts: &[ProtectionDraft]) {
        let effects = plan_create_protections(&self.state, &self.zone, drafts).unwrap();
        assert_eq!(effects.len(), drafts.len());
        self.state.apply(effects);
    }

    fn refused(&self, drafts: &[ProtectionDraft]) -> ProtectionRefusal {
        refusal(plan_create_protections(&self.state, &self.zone, drafts))
    }

    fn batch(&self, changes: &[(Action, &str, RecordType)]) -> Result<Vec<Effect>, Vec<String>> {
        let change = |(action, name, rtype): &(Action, &str, RecordType)| DraftChange {
            action: *action,
            set: Draft::simple(name, *rtype, 60, &["192.0.2.1"]),
        };
        let changes: Vec<DraftChange> = changes.iter().map(change).collect();
        plan_batch(&self.state, &self.zone, &changes).map_err(|error| match error {
            PlanError::Refused(BatchRefusal::InvalidChangeBatch(texts)) => texts,
            other => panic!("{other:?}"),
        })
    }
}

#[test]
fn what_cannot_be_is_told_before_what_is_there() {
    let mut bench = Bench::new();
    bench.protect(&[draft("a.z.test", A), draft("a.z.test", Txt)]);
    let mixed = bench.refused(&[
        draft("A.Z.test.", A),
        draft("b.z.test", A),
        draft("out.test", A),
        draft("a..z.test", A),
        draft("B.z.test", A),
    ]);
    let invalid = ["out.test", "a..z.test", "B.z.test"].map(|name| ("InvalidInput", name));
    assert_eq!(entries(&mixed), invalid);
    let some = bench.refused(&[draft("A.z.test", A), draft("b.z.test", A)]);
    assert!(matches!(some, ProtectionRefusal::InvalidBatch(_)));
    let exists = ("ProtectionAlreadyExists", "A.z.test");
    assert_eq!(entries(&some), [exists]);
    let all = bench.refused(&[draft("A.z.test", A)]);
    assert!(matches!(all, ProtectionRefusal::AlreadyExist(_)));
    assert_eq!(entries(&all), [exists]);
}

#[test]
fn requests_and_zones_have_limits() {
    let mut bench = Bench::new();
    let many: Vec<ProtectionDraft> = (0..101).map(|i| draft(&format!("{i}.z.test"), A)).collect();
    for wrong in [&many[..], &[]] {
        let refused = bench.refused(wrong);
        assert!(matches!(refused, ProtectionRefusal::InvalidInput(_)));
    }
    bench.state.apply(vec![Effect::PutQuota {
        account: bench.zone.account.clone(),
        quota: Quota::ProtectionsByZone,
        limit: 100,
    }]);
    bench.protect(&many[..100]);
    let refused = bench.refused(&many[100..]);
    assert_eq!(refused, ProtectionRefusal::LimitExceeded(100));
}

#[test]
fn protections_are_lifted_together_or_not_at_all() {
    let mut bench = Bench::new();
    bench.protect(&[draft("a.z.test", A), draft("b.z.test", A)]);
    let lift = |bench: &Bench, names: &[&str]| {
        let drafts: Vec<ProtectionDraft> = names.iter().map(|name| draft(name, A)).collect();
        plan_delete_protections(&bench.state, &bench.zone, &drafts)
    };
    let refused = refusal(lift(&bench, &["a.z.test", "c.z.test", "d.z.test"]));
    let missing = ["c.z.test", "d.z.test"].map(|name| ("ProtectionNotFound", name));
    assert_eq!(entries(&refused), missing);
    let refused = refusal(lift(&bench, &["a.z.test", "A.z.test", "c.z.test"]));
    assert_eq!(entries(&refused), [("InvalidInput", "A.z.test")]);
    let effects = lift(&bench, &["a.z.test", "B.z.test"]).unwrap();
    bench.state.apply(effects);
    bench.batch(&[(Action::Create, "a.z.test", A)]).unwrap();
}

#[test]
fn what_is_protected_stays_as_it_is() {
    let mut bench = Bench::new();
    let effects = bench
        .batch(&[
            (Action::Create, "a.z.test", A),
            (Action::Create, "b.z.test", A),
        ])
        .unwrap();
    bench.state.apply(effects);
    bench.protect(&[
        draft("a.z.test", A),
        draft("new.z.test", Txt),
        draft("z.test", A),
    ]);
    let protected = "Tried to change resource record set [name='a.z.test.', type='A'] but it is \
                     protected: why a.z.test";
    for action in [Action::Create, Action::Upsert, Action::Delete] {
        let texts = bench.batch(&[(action, "A.z.test", A)]).unwrap_err();
        assert_eq!(texts[0], protected, "{action:?}");
    }
    let texts = bench
        .batch(&[
            (Action::Delete, "a.z.test", A),
            (Action::Create, "a.z.test", A),
            (Action::Upsert, "b.z.test", A),
            (Action::Create, "new.z.test", Txt),
        ])
        .unwrap_err();
    let nothing_said = "Tried to change resource record set [name='new.z.test.', type='TXT'] but \
                        it is protected";
    assert_eq!(texts[..2], [protected, nothing_said]);
    bench
        .batch(&[
            (Action::Upsert, "b.z.test", A),
            (Action::Create, "x.z.test", A),
        ])
        .unwrap();
}

#[test]
fn a_zone_with_protections_stays() {
    let mut bench = Bench::new();
    bench.protect(&[draft("a.z.test", A)]);
    assert_eq!(
        plan_delete_zone(&bench.state, &bench.zone),
        Err(PlanError::Refused(ZoneNotEmpty::Protections))
    );
    let lifted = plan_delete_protections(&bench.state, &bench.zone, &[draft("a.z.test", A)]);
    bench.state.apply(lifted.unwrap());
    plan_delete_zone(&bench.state, &bench.zone).unwrap();
}
