//! Regions of the operator's own: adding and removing them, and record sets that name them.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_model::{
    Action, BatchRefusal, Coordinates, Draft, DraftChange, Effect, NewZone, OwnRegion, PlanError,
    Region, RegionRefusal, State, plan_add_region, plan_batch, plan_create_zone,
    plan_remove_region,
};

fn at(latitude: &str, longitude: &str) -> Coordinates {
    Coordinates {
        latitude: latitude.to_owned(),
        longitude: longitude.to_owned(),
    }
}

fn add(memory: &mut Memory, name: &str) -> Result<(), RegionRefusal> {
    match plan_add_region(memory, name, at("50.1", "-8.65")) {
        Ok(effects) => {
            memory.apply(effects);
            Ok(())
        }
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

#[test]
fn regions_are_added_moved_and_removed() {
    let mut memory = Memory::default();
    add(&mut memory, "home").unwrap();
    let moved = plan_add_region(&memory, "home", at("51", "9")).unwrap();
    memory.apply(moved);
    let home = memory.own_regions().unwrap();
    assert_eq!(home.len(), 1);
    assert_eq!(home[0].degrees(), Some((51.0, 9.0)));
    let gone = plan_remove_region(&memory, "home").unwrap();
    assert_eq!(gone, [Effect::DeleteRegion(Region::stored("home"))]);
    memory.apply(gone);
    let unknown = PlanError::Refused(RegionRefusal::Unknown("home".to_owned()));
    assert_eq!(plan_remove_region(&memory, "home"), Err(unknown));
}

#[test]
fn what_cannot_be_a_region_is_refused() {
    let mut memory = Memory::default();
    for name in ["", "Home", "my home", &"a".repeat(65)] {
        let bad = RegionRefusal::BadName(name.to_owned());
        assert_eq!(add(&mut memory, name), Err(bad));
    }
    for name in ["eu-west-1", "us-east-1-atl-1"] {
        let taken = RegionRefusal::Taken(name.to_owned());
        assert_eq!(add(&mut memory, name), Err(taken));
    }
    for (latitude, longitude) in [("91", "0"), ("0", "181"), ("x", "0"), ("0.123", "0")] {
        let refused = plan_add_region(&memory, "home", at(latitude, longitude));
        assert_eq!(refused, Err(PlanError::Refused(RegionRefusal::Nowhere)));
    }
    for number in 0..OwnRegion::MAX {
        add(&mut memory, &format!("home-{number}")).unwrap();
    }
    assert_eq!(add(&mut memory, "one-more"), Err(RegionRefusal::TooMany));
    assert_eq!(add(&mut memory, "home-7"), Ok(()), "it is only moved");
}

#[test]
fn record_sets_name_regions_that_there_are() {
    let mut memory = Memory::with_pool(4);
    let new = NewZone {
        name: "example.com".to_owned(),
        caller_reference: "r".to_owned(),
        comment: None,
        delegation_set: None,
        vpc: None,
    };
    let owner = account("111111111111", true);
    let (zone, effects) = plan_create_zone(&memory, &mut facts(1), &owner, new).unwrap();
    memory.apply(effects);
    let change = |action, region: &str| {
        let set = Draft {
            set_identifier: Some("one".to_owned()),
            region: Region::possible(region),
            ..Draft::simple("www.example.com", "A".parse().unwrap(), 60, &["192.0.2.1"])
        };
        DraftChange { action, set }
    };
    let create = change(Action::Create, "home");
    let refused = plan_batch(&memory, &zone, std::slice::from_ref(&create)).unwrap_err();
    let PlanError::Refused(BatchRefusal::InvalidInput(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains("Value 'home' is not facet-valid"), "{text}");
    assert!(
        text.contains("enumeration '[us-east-1, us-east-2, "),
        "{text}"
    );
    add(&mut memory, "home").unwrap();
    let effects = plan_batch(&memory, &zone, &[create]).unwrap();
    memory.apply(effects);
    let gone = plan_remove_region(&memory, "home").unwrap();
    memory.apply(gone);
    let delete = change(Action::Delete, "home");
    assert!(
        plan_batch(&memory, &zone, &[delete]).is_ok(),
        "it can be taken away"
    );
}
