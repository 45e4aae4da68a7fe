//! A zone's queries are logged to one place at a time, and as long as there is the zone.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_model::{
    AlreadyLogged, Effect, LogGroupArn, NewZone, PlanError, State, plan_create_query_logging,
    plan_create_zone, plan_delete_zone,
};

#[test]
fn a_zone_has_one_configuration_which_goes_with_it() {
    let mut state = Memory::with_pool(4);
    let owner = account("111111111111", false);
    let new = NewZone {
        vpc: None,
        name: "a.test".to_owned(),
        caller_reference: "r".to_owned(),
        comment: None,
        delegation_set: None,
    };
    let (zone, effects) = plan_create_zone(&state, &mut facts(1), &owner, new).unwrap();
    state.apply(effects);
    let without = plan_delete_zone(&state, &zone).unwrap();
    let group = LogGroupArn::parse("arn:aws:logs:us-east-1:111111111111:log-group:a").unwrap();
    let create = |state: &Memory, seed| {
        plan_create_query_logging(state, &mut facts(seed), &zone, group.clone())
    };
    let effects = create(&state, 1).unwrap();
    state.apply(effects);
    assert_eq!(create(&state, 2), Err(PlanError::Refused(AlreadyLogged)));
    let id = state.query_logging_of(&zone.id).unwrap().unwrap().id;
    let with = plan_delete_zone(&state, &zone).unwrap();
    assert_eq!(with.len(), without.len() + 1);
    let gone = Effect::DeleteQueryLoggingConfig(id);
    assert!(with.contains(&gone));
    state.apply(vec![gone]);
    create(&state, 3).unwrap();
}
