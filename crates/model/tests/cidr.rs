//! What creating, changing and deleting CIDR collections does and refuses.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use std::collections::BTreeMap;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_model::{
    AccountId, ChangeCidrRefusal, CidrAction, CidrBlock, CidrChange, CidrCollection,
    CidrCollectionInUse, CidrLocation, CreateCidrRefusal, Effect, Generation, NewCidrCollection,
    PlanError, Quota, RecordSet, Routing, SetData, SetKey, State, plan_change_cidr_collection,
    plan_create_cidr_collection, plan_delete_cidr_collection,
};
use proptest::prelude::*;

fn owner() -> AccountId {
    account("111111111111", false).id
}

fn create(
    state: &Memory,
    seed: u8,
    (name, reference): (&str, &str),
) -> Result<CidrCollection, CreateCidrRefusal> {
    let new = NewCidrCollection {
        name: name.to_owned(),
        caller_reference: reference.to_owned(),
    };
    match plan_create_cidr_collection(state, &mut facts(seed), &owner(), new) {
        Ok(effects) => match effects.as_slice() {
            [Effect::PutCidrCollection(collection)] => Ok(collection.clone()),
            other => panic!("one collection is put, not {other:?}"),
        },
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

fn with_collection() -> (Memory, CidrCollection) {
    let mut state = Memory::with_pool(0);
    let collection = create(&state, 1, ("offices", "r")).unwrap();
    state.apply(vec![Effect::PutCidrCollection(collection.clone())]);
    (state, collection)
}

fn change(location: &str, action: CidrAction, blocks: &[&str]) -> CidrChange {
    CidrChange {
        location: CidrLocation::new(location).unwrap(),
        action,
        blocks: blocks.iter().copied().map(str::to_owned).collect(),
    }
}

fn plan(
    state: &Memory,
    collection: &CidrCollection,
    version: Option<u64>,
    changes: &[CidrChange],
) -> Result<Vec<Effect>, ChangeCidrRefusal> {
    match plan_change_cidr_collection(state, collection, version, changes) {
        Ok(effects) => Ok(effects),
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

/// Carries changes out and returns the collection as it is then.
fn changed(
    state: &mut Memory,
    collection: &CidrCollection,
    changes: &[CidrChange],
) -> CidrCollection {
    state.apply(plan(state, collection, None, changes).unwrap());
    state.cidr_collection(&collection.id).unwrap().unwrap()
}

use CidrAction::{DeleteIfExists, Put};

#[test]
fn a_repeated_request_gets_the_collection_it_made() {
    let (mut state, collection) = with_collection();
    assert_eq!(collection.version, 1);
    let newer = changed(
        &mut state,
        &collection,
        &[change("a", Put, &["10.0.0.0/8"])],
    );
    assert_eq!(create(&state, 2, ("offices", "r")), Ok(newer));
    assert_eq!(
        create(&state, 2, ("offices", "s")),
        Err(CreateCidrRefusal::NameTaken)
    );
    assert_eq!(
        create(&state, 2, ("others", "r")),
        Err(CreateCidrRefusal::ReferenceUsed)
    );
}

#[test]
fn an_account_has_as_many_collections_as_its_limit_says() {
    let (mut state, collection) = with_collection();
    let limit = |limit| Effect::PutQuota {
        account: owner(),
        quota: Quota::CidrCollectionsByOwner,
        limit,
    };
    state.apply(vec![limit(1)]);
    assert_eq!(
        create(&state, 2, ("second", "s")),
        Err(CreateCidrRefusal::TooMany)
    );
    assert_eq!(create(&state, 2, ("offices", "r")), Ok(collection));
    state.apply(vec![limit(2)]);
    create(&state, 2, ("second", "s")).unwrap();
}

#[test]
fn a_change_writes_what_it_changes_and_raises_the_version() {
    let (mut state, collection) = with_collection();
    let puts = [
        change("north", Put, &["10.0.0.0/8", "10.1.0.0/16"]),
        change("south", Put, &["2001:DB8::/32"]),
    ];
    let second = changed(&mut state, &collection, &puts);
    assert_eq!(second.version, 2);
    let moved = [
        // The other way round would be as good.
        change("south", Put, &["10.1.2.3/16", "2001:db8::/32"]),
        change("north", DeleteIfExists, &["10.1.0.0/16", "192.0.2.0/24"]),
    ];
    let effects = plan(&state, &second, Some(2), &moved).unwrap();
    let [
        Effect::PutCidrCollection(third),
        Effect::DeleteCidrBlocks(gone),
        Effect::PutCidrBlocks(come),
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(third.version, 3);
    assert_eq!(gone.location.as_str(), "north");
    assert_eq!(come.location.as_str(), "south");
    let block: CidrBlock = "10.1.0.0/16".parse().unwrap();
    assert_eq!((&gone.blocks, &come.blocks), (&vec![block], &vec![block]));
    assert!(effects.iter().all(|effect| effect.level() == 3));
}

#[test]
fn a_change_that_changes_nothing_is_a_version_too() {
    let (mut state, collection) = with_collection();
    let absent = [change("north", DeleteIfExists, &["10.0.0.0/8"])];
    let effects = plan(&state, &collection, Some(1), &absent).unwrap();
    assert!(matches!(
        effects.as_slice(),
        [Effect::PutCidrCollection(it)] if it.version == 2
    ));
    state.apply(effects);
    assert_eq!(state.cidr_block_count(&collection.id), Ok(0));
}

#[test]
fn another_version_than_the_current_one_is_refused() {
    let (state, collection) = with_collection();
    for version in [0, 2] {
        assert_eq!(
            plan(&state, &collection, Some(version), &[]),
            Err(ChangeCidrRefusal::VersionMismatch { current: 1 })
        );
    }
}

#[test]
fn no_block_is_at_two_locations_but_one_may_lie_in_another() {
    let (mut state, collection) = with_collection();
    let collection = changed(
        &mut state,
        &collection,
        &[
            change("north", Put, &["10.0.0.0/8"]),
            change("south", Put, &["10.1.0.0/16"]),
        ],
    );
    let taken = [change("south", Put, &["10.0.0.0/8", "10.9.0.0/16"])];
    let Err(ChangeCidrRefusal::InUse(blocks)) = plan(&state, &collection, None, &taken) else {
        panic!("the block is at north");
    };
    let [(block, locations)] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    assert_eq!(block.to_string(), "10.0.0.0/8");
    assert_eq!(
        locations.each_ref().map(CidrLocation::as_str),
        ["north", "south"]
    );
    let both = [
        change("x", Put, &["192.0.2.0/24"]),
        change("y", Put, &["192.0.2.0/24"]),
    ];
    let refused = plan(&state, &collection, None, &both);
    assert!(matches!(refused, Err(ChangeCidrRefusal::InUse(_))));
}

#[test]
fn all_that_is_no_block_is_named_at_once() {
    let (mut state, collection) = with_collection();
    let wrong = [
        change("a", Put, &["10.0.0.0/25", "10.0.0.0/8"]),
        change("b", DeleteIfExists, &["::/0"]),
    ];
    assert_eq!(
        plan(&state, &collection, None, &wrong),
        Err(ChangeCidrRefusal::NotBlocks(vec![
            "10.0.0.0/25".to_owned(),
            "::/0".to_owned()
        ]))
    );
    let many: Vec<String> = (0..=1000)
        .map(|i| format!("10.{}.{}.0/24", i / 256, i % 256))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let in_two = [
        change("a", Put, &many[..600]),
        change("b", DeleteIfExists, &many[600..]),
    ];
    assert_eq!(
        plan(&state, &collection, None, &in_two),
        Err(ChangeCidrRefusal::TooManyInRequest { most: 1000 })
    );
    state.apply(vec![Effect::PutQuota {
        account: owner(),
        quota: Quota::CidrBlocksByChange,
        limit: 1001,
    }]);
    plan(&state, &collection, None, &in_two).unwrap();
}

#[test]
fn a_full_collection_takes_changes_that_do_not_grow_it() {
    let (mut state, collection) = with_collection();
    state.apply(vec![Effect::PutQuota {
        account: owner(),
        quota: Quota::CidrBlocksByCollection,
        limit: 2,
    }]);
    let two = [change("a", Put, &["10.0.0.0/8", "11.0.0.0/8"])];
    let collection = changed(&mut state, &collection, &two);
    let third = [change("a", Put, &["12.0.0.0/8"])];
    assert_eq!(
        plan(&state, &collection, None, &third),
        Err(ChangeCidrRefusal::TooMany)
    );
    let exchange = [
        change("a", Put, &["12.0.0.0/8"]),
        change("a", DeleteIfExists, &["10.0.0.0/8"]),
    ];
    let collection = changed(&mut state, &collection, &exchange);
    assert_eq!(state.cidr_block_count(&collection.id), Ok(2));
}

#[test]
fn a_collection_goes_when_it_is_empty_and_no_set_names_it() {
    let (mut state, collection) = with_collection();
    let refusal = |state: &Memory| match plan_delete_cidr_collection(state, &collection) {
        Err(PlanError::Refused(refusal)) => Some(refusal),
        Err(PlanError::State(never)) => match never {},
        Ok(effects) => {
            assert_eq!(
                effects,
                [Effect::DeleteCidrCollection(collection.id.clone())]
            );
            None
        }
    };
    assert_eq!(refusal(&state), None);
    changed(
        &mut state,
        &collection,
        &[change("a", Put, &["10.0.0.0/8"])],
    );
    assert_eq!(refusal(&state), Some(CidrCollectionInUse::NotEmpty));
    let gone = [change("a", DeleteIfExists, &["10.0.0.0/8"])];
    changed(&mut state, &collection, &gone);
    state.apply(vec![Effect::PutSet {
        generation: Generation(1),
        set: RecordSet {
            key: SetKey {
                name: Name::parse("a.test").unwrap(),
                rtype: meridian_dns::RecordType::A,
                set_identifier: Some("x".to_owned()),
            },
            routing: Routing::Cidr {
                collection_id: collection.id.to_string(),
                location: "*".to_owned(),
            },
            data: SetData::Records {
                ttl: 60,
                values: vec!["192.0.2.1".to_owned()],
            },
            health_check_id: None,
            traffic_policy_instance_id: None,
        },
    }]);
    assert_eq!(refusal(&state), Some(CidrCollectionInUse::RecordSets));
}

fn changes() -> impl Strategy<Value = Vec<CidrChange>> {
    let block = prop::sample::select(vec!["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "::/1"]);
    let change = (
        prop::sample::select(vec!["a", "b"]),
        prop::sample::select(vec![Put, DeleteIfExists]),
        prop::collection::vec(block, 1..4),
    )
        .prop_map(|(location, action, blocks)| change(location, action, &blocks));
    prop::collection::vec(change, 1..5)
}

proptest! {
    /// Against a model that keeps, for each block, the locations it is at.
    #[test]
    fn changes_are_played_in_order_and_judged_at_the_end(batches in prop::collection::vec(changes(), 1..6)) {
        let (mut state, mut collection) = with_collection();
        let mut expected: BTreeMap<(CidrBlock, String), ()> = BTreeMap::new();
        for batch in batches {
            let mut after = expected.clone();
            for change in &batch {
                for text in &change.blocks {
                    let key = (text.parse().unwrap(), change.location.to_string());
                    match change.action {
                        Put => after.insert(key, ()),
                        DeleteIfExists => after.remove(&key),
                    };
                }
            }
            let blocks: Vec<CidrBlock> = after.keys().map(|(block, _)| *block).collect();
            let doubled = blocks.windows(2).any(|pair| pair[0] == pair[1]);
            let outcome = plan(&state, &collection, Some(collection.version), &batch);
            prop_assert_eq!(outcome.is_err(), doubled, "{:?}", outcome);
            if let Ok(effects) = outcome {
                state.apply(effects);
                collection = state.cidr_collection(&collection.id).unwrap().unwrap();
                expected = after;
            }
            prop_assert_eq!(state.cidr_block_count(&collection.id).unwrap(), expected.len() as u64);
            for (block, location) in expected.keys() {
                let at = state.cidr_location_of(&collection.id, block).unwrap();
                prop_assert_eq!(at.as_ref().map(CidrLocation::as_str), Some(location.as_str()));
            }
        }
    }
}
