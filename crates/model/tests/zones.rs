//! Which zones may be made, and on which name servers.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_model::{
    Account, CreateZoneRefusal, Effect, Facts, Generation, NameServerRefusal, NewZone, PlanError,
    Timestamp, Zone, plan_create_zone, plan_delete_name_server, plan_put_name_server,
};

fn new(name: &str, reference: &str) -> NewZone {
    NewZone {
        name: name.to_owned(),
        caller_reference: reference.to_owned(),
        comment: Some(String::new()),
        delegation_set: None,
        vpc: None,
    }
}

fn make(state: &mut Memory, owner: &Account, name: &str) -> Result<Zone, CreateZoneRefusal> {
    let reference = format!("{name}-{}", owner.id);
    match plan_create_zone(state, &mut facts(3), owner, new(name, &reference)) {
        Ok((mut zone, effects)) => {
            // Facts are the same for each zone of a test, so its id is made unique here.
            zone.id = meridian_model::ZoneId::new(&format!(
                "Z{}{}",
                owner.id,
                name.to_uppercase().replace('.', "0").replace('-', "1")
            ))
            .unwrap();
            state.apply(effects);
            state.apply(vec![Effect::PutZone(zone.clone())]);
            Ok(zone)
        }
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

#[test]
fn top_level_names_are_the_operators() {
    let mut state = Memory::with_pool(4);
    let (operator, tenant) = (
        account("111111111111", true),
        account("222222222222", false),
    );
    for name in [".", "test"] {
        let refusal = make(&mut state, &tenant, name).unwrap_err();
        assert!(
            matches!(refusal, CreateZoneRefusal::InvalidDomainName(_)),
            "{refusal:?}"
        );
        plan_create_zone(&state, &mut facts(1), &operator, new(name, name)).unwrap();
    }
    for bad in ["", "a..b", "*.a.test", "a b.test"] {
        let refusal = make(&mut state, &operator, bad).unwrap_err();
        assert!(
            matches!(refusal, CreateZoneRefusal::InvalidDomainName(_)),
            "{bad}: {refusal:?}"
        );
    }
}

#[test]
fn a_clock_that_goes_back_does_not_make_the_newer_zone_the_older() {
    let mut state = Memory::with_pool(4);
    let owner = account("222222222222", false);
    let plan = |state: &Memory, reference, now| {
        let facts = &mut Facts::new(Timestamp(now), [1; 32]);
        plan_create_zone(state, facts, &owner, new("a.test", reference)).unwrap()
    };
    let (first, effects) = plan(&state, "first", 1000);
    state.apply(effects);
    let (second, _) = plan(&state, "second", 500);
    let age = |zone: &Zone| (zone.created_at, zone.generation);
    assert!(age(&first) < age(&second));
    let (later, _) = plan(&state, "later", 2000);
    assert_eq!(later.created_at, Timestamp(2000));
}

#[test]
fn a_reference_is_used_once() {
    let mut state = Memory::with_pool(4);
    let owner = account("111111111111", true);
    make(&mut state, &owner, "a.test").unwrap();
    assert_eq!(
        make(&mut state, &owner, "a.test"),
        Err(CreateZoneRefusal::AlreadyExists)
    );
}

#[test]
fn accounts_never_share_an_address_with_a_related_zone() {
    let (a, b) = (
        account("111111111111", false),
        account("222222222222", false),
    );
    let mut state = Memory::with_pool(4);
    make(&mut state, &a, "site.test").unwrap();
    make(&mut state, &a, "site.test").unwrap_err();
    for name in ["site.test", "sub.site.test"] {
        let refusal = make(&mut state, &b, name).unwrap_err();
        assert!(matches!(
            refusal,
            CreateZoneRefusal::DelegationSetNotAvailable(_)
        ));
    }
    make(&mut state, &b, "other.test").unwrap();
    make(&mut state, &a, "sub.site.test").unwrap();

    let mut state = Memory::with_pool(8);
    let first = make(&mut state, &a, "deep.site.test").unwrap();
    let above = make(&mut state, &b, "site.test").unwrap();
    let servers = &first.delegation_set.name_servers;
    assert!(
        above
            .delegation_set
            .name_servers
            .iter()
            .all(|name| !servers.contains(name))
    );
}

#[test]
fn moving_a_name_server_cannot_bring_them_together_either() {
    let (a, b) = (
        account("111111111111", true),
        account("222222222222", false),
    );
    let mut state = Memory::with_pool(8);
    let first = make(&mut state, &a, "site.test").unwrap();
    let second = make(&mut state, &b, "site.test").unwrap();
    let (mine, theirs) = (
        &first.delegation_set.name_servers[0],
        &second.delegation_set.name_servers[0],
    );
    let pool = meridian_model::State::name_servers(&state).unwrap();
    let address = |name: &Name| pool.iter().find(|s| s.name == *name).unwrap().addresses[0];
    let refusal = plan_put_name_server(&state, &a.id, mine, &[address(theirs)]).unwrap_err();
    assert!(matches!(
        refusal,
        PlanError::Refused(NameServerRefusal::Shadowing(..))
    ));
    plan_put_name_server(&state, &a.id, mine, &[[198, 51, 100, 1].into()]).unwrap();
    let refusal = plan_delete_name_server(&state, mine).unwrap_err();
    assert!(matches!(
        refusal,
        PlanError::Refused(NameServerRefusal::InUse(1, _))
    ));
}

#[test]
fn the_pools_addresses_follow_in_the_zone_that_names_it() {
    let operator = account("111111111111", true);
    let mut state = Memory::with_pool(4);
    make(&mut state, &operator, "pool.test").unwrap();
    let name = Name::parse("ns-1.pool.test").unwrap();
    let addresses = [
        "192.0.2.77".parse().unwrap(),
        "2001:db8::1".parse().unwrap(),
    ];
    let effects = plan_put_name_server(&state, &operator.id, &name, &addresses).unwrap();
    assert_eq!(effects.len(), 3);
}

#[test]
fn the_pools_addresses_follow_in_the_zone_that_answers_not_in_a_shadowed_one() {
    let operator = account("111111111111", true);
    let mut state = Memory::with_pool(4);
    for (reference, id, now) in [("first", "ZZ", 1000), ("second", "ZA", 2000)] {
        let facts = &mut Facts::new(Timestamp(now), [1; 32]);
        let new = new("pool.test", reference);
        let (mut zone, effects) = plan_create_zone(&state, facts, &operator, new).unwrap();
        state.apply(effects[1..].to_vec());
        zone.id = meridian_model::ZoneId::new(id).unwrap();
        state.apply(vec![Effect::PutZone(zone)]);
    }
    let name = Name::parse("ns-1.pool.test").unwrap();
    let address = "192.0.2.77".parse().unwrap();
    let effects = plan_put_name_server(&state, &operator.id, &name, &[address]).unwrap();
    assert!(matches!(
        &effects[1],
        Effect::PutSet { generation, .. } if *generation == Generation(1)
    ));
}
