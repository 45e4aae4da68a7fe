//! What creating, commenting and deleting traffic policies does and refuses.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_model::{
    AccountId, Coordinates, Effect, NewPolicyVersion, OwnRegion, PlanError, Quota, Region, State,
    TrafficPolicy, TrafficPolicyInstance, TrafficPolicyRefusal, ZoneId,
    plan_comment_traffic_policy, plan_create_traffic_policy, plan_create_traffic_policy_version,
    plan_delete_traffic_policy,
};

const DOCUMENT: &str = r#"{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A",
    "StartEndpoint": "e", "Endpoints": {"e": {"Type": "value", "Value": "192.0.2.1"}}}"#;

type Planned = Result<Vec<Effect>, PlanError<TrafficPolicyRefusal, std::convert::Infallible>>;

fn owner() -> AccountId {
    account("111111111111", false).id
}

fn version(document: &str, comment: Option<&str>) -> NewPolicyVersion {
    NewPolicyVersion {
        document: document.to_owned(),
        comment: comment.map(str::to_owned),
    }
}

fn create(state: &Memory, seed: u8, name: &str) -> Planned {
    let first = version(DOCUMENT, Some("c"));
    plan_create_traffic_policy(state, &mut facts(seed), &owner(), (name, &first))
}

fn next(state: &Memory, policy: &TrafficPolicy) -> Planned {
    let whole = state.traffic_policy_summary(&policy.id).unwrap().unwrap();
    plan_create_traffic_policy_version(state, &whole, &version(DOCUMENT, Some("")))
}

fn put(planned: Planned) -> TrafficPolicy {
    match planned.unwrap().as_slice() {
        [Effect::PutTrafficPolicy(policy)] => policy.clone(),
        other => panic!("one version is put, not {other:?}"),
    }
}

fn refusal(planned: Planned) -> TrafficPolicyRefusal {
    match planned {
        Err(PlanError::Refused(refusal)) => refusal,
        other => panic!("this is refused: {other:?}"),
    }
}

fn with_policy() -> (Memory, TrafficPolicy) {
    let mut state = Memory::with_pool(0);
    let policy = put(create(&state, 1, "web"));
    state.apply(vec![Effect::PutTrafficPolicy(policy.clone())]);
    (state, policy)
}

#[test]
fn versions_are_counted_on_and_numbers_used_once() {
    let (mut state, policy) = with_policy();
    assert_eq!((policy.version, policy.comment.as_deref()), (1, Some("c")));
    let second = put(next(&state, &policy));
    assert_eq!((second.version, &second.comment), (2, &None));
    assert_eq!((&second.id, &second.name), (&policy.id, &policy.name));
    state.apply(vec![Effect::PutTrafficPolicy(second.clone())]);
    state.apply(plan_delete_traffic_policy(&state, &second).unwrap());
    assert_eq!(put(next(&state, &policy)).version, 3);
    let deleted = state.traffic_policy(&second.id, 2).unwrap().unwrap();
    assert_eq!(
        deleted,
        TrafficPolicy {
            deleted: true,
            ..second
        }
    );
    let thousandth = TrafficPolicy {
        version: 1000,
        ..policy.clone()
    };
    state.apply(vec![Effect::PutTrafficPolicy(thousandth)]);
    assert_eq!(
        refusal(next(&state, &policy)),
        TrafficPolicyRefusal::TooManyVersions
    );
}

#[test]
fn names_are_taken_and_policies_counted_until_the_last_version_goes() {
    let (mut state, policy) = with_policy();
    assert_eq!(
        refusal(create(&state, 2, "web")),
        TrafficPolicyRefusal::NameTaken
    );
    state.apply(vec![Effect::PutQuota {
        account: owner(),
        quota: Quota::TrafficPoliciesByOwner,
        limit: 1,
    }]);
    assert_eq!(
        refusal(create(&state, 2, "other")),
        TrafficPolicyRefusal::TooMany
    );
    state.apply(plan_delete_traffic_policy(&state, &policy).unwrap());
    assert_eq!(put(create(&state, 2, "web")).version, 1);
}

#[test]
fn what_has_an_instance_is_not_deleted() {
    let (mut state, policy) = with_policy();
    let instance = TrafficPolicyInstance {
        id: facts(9).traffic_policy_instance_id(),
        account: policy.account.clone(),
        zone: ZoneId::new("Z1").unwrap(),
        name: Name::root(),
        rtype: policy.rtype,
        ttl: 60,
        policy: policy.id.clone(),
        version: policy.version,
        change: facts(9).change_id(),
        names: 0,
    };
    state.apply(vec![Effect::PutTrafficPolicyInstance(instance)]);
    assert_eq!(
        refusal(plan_delete_traffic_policy(&state, &policy)),
        TrafficPolicyRefusal::InUse
    );
}

#[test]
fn documents_of_deleted_versions_stay_for_ever() {
    let mut state = Memory::with_pool(0);
    let mut made = Vec::new();
    for number in 0..u8::try_from(TrafficPolicy::DELETED_KEPT).unwrap() + 3 {
        let first = version(DOCUMENT, None);
        let name = format!("policy {number}");
        let facts = &mut facts(number);
        let effects = plan_create_traffic_policy(&state, facts, &owner(), (&name, &first));
        let policy = put(effects);
        state.apply(vec![Effect::PutTrafficPolicy(policy.clone())]);
        let effects = plan_delete_traffic_policy(&state, &policy).unwrap();
        assert_eq!(effects.len(), if number < 100 { 1 } else { 2 }, "{number}");
        state.apply(effects);
        made.push(policy);
    }
    let is_there = |policy: &TrafficPolicy| {
        let found = state.traffic_policy(&policy.id, policy.version).unwrap();
        found.is_some()
    };
    let there: Vec<bool> = made.iter().map(is_there).collect();
    assert_eq!(there[..3], [false; 3]);
    assert_eq!(there[3..], [true; 100]);
}

#[test]
fn comments_change_and_go() {
    let (_, policy) = with_policy();
    for (text, comment) in [("new", Some("new".to_owned())), ("", None)] {
        let changed = put(Ok(plan_comment_traffic_policy(policy.clone(), text)));
        assert_eq!(
            changed,
            TrafficPolicy {
                comment,
                ..policy.clone()
            }
        );
    }
}

#[test]
fn documents_name_regions_that_there_are() {
    let text = r#"{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A", "StartRule": "r",
        "Endpoints": {"e": {"Type": "value", "Value": "192.0.2.1"}},
        "Rules": {"r": {"RuleType": "latency",
            "Regions": [{"EndpointReference": "e", "Region": "here-1"}]}}}"#;
    let mut state = Memory::with_pool(0);
    let plan = |state: &Memory| {
        let first = version(text, None);
        plan_create_traffic_policy(state, &mut facts(1), &owner(), ("web", &first))
    };
    let TrafficPolicyRefusal::InvalidDocument(faults) = refusal(plan(&state)) else {
        panic!("the document is at fault");
    };
    assert_eq!(
        faults[0].to_string(),
        "Rules.r.Regions[0].Region: there is no region 'here-1'"
    );
    state.apply(vec![Effect::PutRegion(OwnRegion {
        name: Region::possible("here-1").unwrap(),
        at: Coordinates {
            latitude: "1".to_owned(),
            longitude: "1".to_owned(),
        },
    })]);
    assert_eq!(put(plan(&state)).version, 1);
}
