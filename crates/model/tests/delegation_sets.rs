//! Which reusable delegation sets may be made, and which zones may have them.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_model::{
    Account, CreateDelegationSetRefusal, CreateZoneRefusal, DelegationSetInUse, Effect,
    NameServerRefusal, NewDelegationSet, NewZone, PlanError, Quota, ReusableDelegationSet, Zone,
    plan_create_delegation_set, plan_create_zone, plan_delete_delegation_set,
    plan_delete_name_server,
};

fn refused<T, R>(planned: Result<T, PlanError<R, std::convert::Infallible>>) -> Result<T, R> {
    planned.map_err(|error| match error {
        PlanError::Refused(refusal) => refusal,
        PlanError::State(never) => match never {},
    })
}

fn make_set(
    state: &mut Memory,
    owner: &Account,
    seed: u8,
    zone: Option<Zone>,
) -> Result<ReusableDelegationSet, CreateDelegationSetRefusal> {
    let new = NewDelegationSet {
        caller_reference: seed.to_string(),
        zone,
    };
    let planned = plan_create_delegation_set(state, &mut facts(seed), &owner.id, new);
    let effects = refused(planned)?;
    state.apply(effects.clone());
    match effects.into_iter().next() {
        Some(Effect::PutDelegationSet(set)) => Ok(set),
        other => panic!("the set comes first: {other:?}"),
    }
}

fn make_zone(
    state: &mut Memory,
    owner: &Account,
    (seed, name): (u8, &str),
    set: Option<&ReusableDelegationSet>,
) -> Result<Zone, CreateZoneRefusal> {
    let new = NewZone {
        name: name.to_owned(),
        caller_reference: seed.to_string(),
        comment: None,
        delegation_set: set.cloned(),
        vpc: None,
    };
    let (zone, effects) = refused(plan_create_zone(state, &mut facts(seed), owner, new))?;
    state.apply(effects);
    Ok(zone)
}

fn limit(state: &mut Memory, owner: &Account, quota: Quota, limit: u64) {
    let account = owner.id.clone();
    state.apply(vec![Effect::PutQuota {
        account,
        quota,
        limit,
    }]);
}

#[test]
fn sets_and_zones_take_the_pools_sets_in_turn() {
    let mut state = Memory::with_pool(16);
    let owner = account("111111111111", false);
    let first = make_set(&mut state, &owner, 1, None).unwrap();
    let zone = make_zone(&mut state, &owner, (1, "a.test"), None).unwrap();
    let second = make_set(&mut state, &owner, 2, None).unwrap();
    assert_ne!(first.name_servers, zone.delegation_set.name_servers);
    assert_ne!(first.name_servers, second.name_servers);
    assert_ne!(second.name_servers, zone.delegation_set.name_servers);
}

#[test]
fn a_zones_own_set_becomes_the_reusable_one() {
    let mut state = Memory::with_pool(8);
    let owner = account("111111111111", false);
    let zone = make_zone(&mut state, &owner, (1, "a.test"), None).unwrap();
    let set = make_set(&mut state, &owner, 1, Some(zone.clone())).unwrap();
    assert_eq!(set.name_servers, zone.delegation_set.name_servers);
    let marked = meridian_model::State::zone(&state, &zone.id)
        .unwrap()
        .unwrap();
    assert_eq!(marked.delegation_set, set.delegation_set());
    assert_eq!(
        make_set(&mut state, &owner, 2, Some(marked.clone())),
        Err(CreateDelegationSetRefusal::AlreadyReusable)
    );
    let other = make_zone(&mut state, &owner, (2, "b.test"), Some(&set)).unwrap();
    assert_eq!(other.delegation_set, marked.delegation_set);
    let mut private = zone;
    private.private = true;
    assert_eq!(
        make_set(&mut state, &owner, 3, Some(private)),
        Err(CreateDelegationSetRefusal::PrivateZone)
    );
}

#[test]
fn references_are_used_up_and_limits_kept_to() {
    let mut state = Memory::with_pool(4);
    let owner = account("111111111111", false);
    let set = make_set(&mut state, &owner, 1, None).unwrap();
    let effects = plan_delete_delegation_set(&state, &set).unwrap();
    state.apply(effects);
    assert_eq!(
        make_set(&mut state, &owner, 1, None),
        Err(CreateDelegationSetRefusal::AlreadyCreated)
    );
    limit(&mut state, &owner, Quota::ReusableDelegationSetsByOwner, 1);
    limit(&mut state, &owner, Quota::ZonesByReusableDelegationSet, 1);
    let set = make_set(&mut state, &owner, 2, None).unwrap();
    assert_eq!(
        make_set(&mut state, &owner, 3, None),
        Err(CreateDelegationSetRefusal::TooMany)
    );
    make_zone(&mut state, &owner, (1, "a.test"), Some(&set)).unwrap();
    assert_eq!(
        make_zone(&mut state, &owner, (2, "b.test"), Some(&set)),
        Err(CreateZoneRefusal::TooManyOfDelegationSet)
    );
    let in_use = plan_delete_delegation_set(&state, &set).unwrap_err();
    assert_eq!(in_use, PlanError::Refused(DelegationSetInUse));
    let mut empty = Memory::default();
    assert_eq!(
        make_set(&mut empty, &owner, 4, None),
        Err(CreateDelegationSetRefusal::NotAvailable)
    );
}

#[test]
fn a_set_is_refused_where_a_related_zone_of_another_account_is_answered() {
    let (mine, theirs) = (
        account("111111111111", false),
        account("222222222222", false),
    );
    let mut state = Memory::with_pool(4);
    make_zone(&mut state, &theirs, (1, "site.test"), None).unwrap();
    let set = make_set(&mut state, &mine, 2, None).unwrap();
    for name in ["site.test", "sub.site.test", "test.", "."] {
        let operator = Account {
            operator: true,
            ..mine.clone()
        };
        let refusal = make_zone(&mut state, &operator, (3, name), Some(&set)).unwrap_err();
        assert!(
            matches!(&refusal, CreateZoneRefusal::ConflictingDomainExists(_, id) if *id == set.id),
            "{name}: {refusal:?}"
        );
    }
    for (seed, name) in [(4, "other.test"), (5, "other.test"), (6, "sub.other.test")] {
        make_zone(&mut state, &mine, (seed, name), Some(&set)).unwrap();
    }
}

#[test]
fn a_name_of_a_reusable_set_stays_in_the_pool() {
    let mut state = Memory::with_pool(4);
    let owner = account("111111111111", false);
    let set = make_set(&mut state, &owner, 1, None).unwrap();
    let refusal = plan_delete_name_server(&state, &set.name_servers[0]).unwrap_err();
    assert!(matches!(
        refusal,
        PlanError::Refused(NameServerRefusal::InDelegationSet(1, ..))
    ));
}
