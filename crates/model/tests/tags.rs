//! What ChangeTagsForResource does to a resource's tags.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_model::{
    Effect, NewZone, PlanError, Quota, State, Tag, TagChange, TagRefusal, TaggedKind,
    TaggedResource, plan_change_tags, plan_create_zone, plan_delete_zone,
};

fn resource() -> TaggedResource {
    TaggedResource {
        kind: TaggedKind::HostedZone,
        id: "Z1".to_owned(),
    }
}

fn change(put: &[(&str, &str)], remove: &[&str]) -> TagChange {
    TagChange {
        put: put
            .iter()
            .map(|(key, value)| Tag {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        remove: remove.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn plan(state: &Memory, change: &TagChange) -> Result<Vec<Effect>, String> {
    let owner = account("111111111111", false).id;
    plan_change_tags(state, &owner, &resource(), change).map_err(|error| match error {
        PlanError::Refused(TagRefusal(text)) => text,
        PlanError::State(never) => match never {},
    })
}

fn tags(state: &Memory) -> Vec<(String, String)> {
    let tags = state.tags(&resource()).unwrap();
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    expected.iter().map(own).collect()
}

#[test]
fn tags_are_put_replaced_and_removed_in_the_order_of_their_keys() {
    let mut state = Memory::default();
    for (put, remove, expected) in [
        (
            &[("b", "1"), ("a", "")] as &[_],
            &[] as &[_],
            &[("a", ""), ("b", "1")] as &[_],
        ),
        (
            &[("b", "2"), ("B", "3")],
            &["a", "gone"],
            &[("B", "3"), ("b", "2")],
        ),
        (&[], &["b", "B"], &[]),
    ] {
        let effects = plan(&state, &change(put, remove)).unwrap();
        assert_eq!(effects.len(), 1);
        state.apply(effects);
        assert_eq!(tags(&state), pairs(expected));
    }
    assert_eq!(plan(&state, &change(&[], &["gone"])), Ok(vec![]));
}

#[test]
fn what_cannot_be_is_refused() {
    let state = Memory::default();
    let keys: Vec<String> = (0..11).map(|i| i.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let many: Vec<(&str, &str)> = keys.iter().map(|key| (*key, "")).collect();
    for (change, text) in [
        (change(&[], &[]), "At least one"),
        (change(&many, &[]), "AddTags has 11 members"),
        (change(&[], &keys), "RemoveTagKeys has 11 members"),
        (change(&[("", "x")], &[]), "cannot be empty"),
        (change(&[], &[""]), "cannot be empty"),
        (change(&[("aWs:x", "x")], &[]), "reserved"),
        (change(&[], &["aws:"]), "reserved"),
        (change(&[("a", "1"), ("a", "1")], &[]), "twice"),
        (change(&[("a", "1")], &["a"]), "twice"),
    ] {
        let refusal = plan(&state, &change).unwrap_err();
        assert!(refusal.contains(text), "{refusal}");
    }
    plan(&state, &change(&many[..10], &["gone"])).unwrap();
    plan(&state, &change(&[("aws", "1"), ("äws:", "")], &[])).unwrap();
}

#[test]
fn the_limit_holds_back_what_is_added_and_nothing_else() {
    let mut state = Memory::default();
    let put = [("a", "1"), ("b", "1"), ("c", "1")];
    state.apply(plan(&state, &change(&put, &[])).unwrap());
    state.apply(vec![Effect::PutQuota {
        account: account("111111111111", false).id,
        quota: Quota::TagsByResource,
        limit: 2,
    }]);
    let refusal = plan(&state, &change(&[("d", "1")], &[])).unwrap_err();
    assert_eq!(refusal, "The hostedzone Z1 cannot have more than 2 tags.");
    for change in [
        change(&[("a", "2")], &[]),
        change(&[], &["a"]),
        change(&[("d", "1")], &["a"]),
    ] {
        plan(&state, &change).unwrap();
    }
}

#[test]
fn tags_go_with_their_zone() {
    let mut state = Memory::with_pool(4);
    let owner = account("111111111111", true);
    let new = NewZone {
        delegation_set: None,
        vpc: None,
        name: "a.test".to_owned(),
        caller_reference: "r".to_owned(),
        comment: None,
    };
    let (zone, effects) = plan_create_zone(&state, &mut facts(1), &owner, new).unwrap();
    state.apply(effects);
    let untagged = plan_delete_zone(&state, &zone).unwrap();
    let of_zone = TaggedResource {
        kind: TaggedKind::HostedZone,
        id: zone.id.to_string(),
    };
    let put = change(&[("a", "1")], &[]);
    state.apply(plan_change_tags(&state, &owner.id, &of_zone, &put).unwrap());
    let tagged = plan_delete_zone(&state, &zone).unwrap();
    assert_eq!(tagged.len(), untagged.len() + 1);
    state.apply(tagged);
    assert_eq!(state.tags(&of_zone).unwrap(), []);
}
