//! What of a zone may change while it is there, and what earlier versions may be handed of it.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_model::AcceleratedRecovery::{Disabled, Enabled};
use meridian_model::{
    Effect, NewZone, NotPublic, Quota, State, Zone, plan_create_zone, plan_zone_comment,
    plan_zone_features,
};

fn made(state: &mut Memory) -> Zone {
    let new = NewZone {
        vpc: None,
        name: "a.test".to_owned(),
        caller_reference: "r".to_owned(),
        comment: Some("first".to_owned()),
        delegation_set: None,
    };
    let owner = account("111111111111", true);
    let (zone, effects) = plan_create_zone(state, &mut facts(1), &owner, new).unwrap();
    state.apply(effects);
    zone
}

#[test]
fn a_comment_is_replaced_and_an_empty_one_is_none() {
    let mut state = Memory::with_pool(4);
    let zone = made(&mut state);
    for (comment, expected) in [
        (Some("other"), Some("other")),
        (Some(""), None),
        (None, None),
    ] {
        state.apply(plan_zone_comment(zone.clone(), comment.map(str::to_owned)));
        let now = state.zone(&zone.id).unwrap().unwrap();
        assert_eq!(now.comment.as_deref(), expected);
        assert_eq!(
            Zone {
                comment: zone.comment.clone(),
                ..now
            },
            zone
        );
    }
}

#[test]
fn a_feature_is_switched_and_says_so_to_those_who_know_it() {
    let mut state = Memory::with_pool(4);
    let mut zone = made(&mut state);
    assert_eq!(zone.accelerated_recovery, Disabled);
    // What is asked for, what it comes to, and the level of the effect if there is one.
    for (wanted, expected, level) in [
        (None, Disabled, None),
        (Some(Disabled), Disabled, None),
        (Some(Enabled), Enabled, Some(2)),
        (None, Enabled, None),
        (Some(Enabled), Enabled, None),
        (Some(Disabled), Disabled, Some(1)),
    ] {
        let effects = plan_zone_features(zone, wanted).unwrap();
        assert_eq!(effects.first().map(Effect::level), level, "{wanted:?}");
        state.apply(effects);
        zone = state
            .zones_named(&Name::parse("a.test").unwrap())
            .unwrap()
            .remove(0);
        assert_eq!(zone.accelerated_recovery, expected, "{wanted:?}");
    }
    zone.private = true;
    assert_eq!(plan_zone_features(zone, Some(Enabled)), Err(NotPublic));
}

#[test]
fn quotas_that_came_later_are_of_a_later_level() {
    let account = account("111111111111", true).id;
    let level = |quota| {
        let account = account.clone();
        Effect::PutQuota {
            account,
            quota,
            limit: 1,
        }
        .level()
    };
    assert_eq!(level(Quota::HostedZonesByOwner), 1);
    assert_eq!(level(Quota::RecordSetsByZone), 1);
    let later = |quota: &Quota| level(*quota) >= 2;
    assert_eq!(
        Quota::ALL.iter().copied().filter(later).count(),
        Quota::ALL.len() - 2
    );
}
