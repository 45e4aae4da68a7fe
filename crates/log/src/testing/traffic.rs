//! Traffic policies and their instances.

use super::*;

pub(crate) fn traffic_policy_id() -> impl Strategy<Value = TrafficPolicyId> {
    select(vec!["a", "b", "ab"]).prop_map(|id| TrafficPolicyId::new(id).expect("letters"))
}

/// Whose a policy is and what it is called goes by its id, as all versions have the same.
pub(super) fn traffic_policy() -> impl Strategy<Value = TrafficPolicy> {
    let rtype = select(RecordType::ALL.to_vec());
    let texts = (text(), option::of(text()));
    (
        traffic_policy_id(),
        1..4u32,
        rtype,
        texts,
        prop::bool::weighted(0.1),
    )
        .prop_map(|(id, version, rtype, (document, comment), deleted)| {
            let account = if id.as_str() == "b" {
                "222222222222"
            } else {
                "111111111111"
            };
            TrafficPolicy {
                account: AccountId::new(account).expect("digits"),
                version,
                name: format!("name of {id}"),
                id,
                rtype,
                document,
                comment,
                deleted,
            }
        })
}

pub(crate) fn traffic_policy_instance_id() -> impl Strategy<Value = TrafficPolicyInstanceId> {
    select(vec!["1", "2", "22"]).prop_map(|id| TrafficPolicyInstanceId::new(id).expect("digits"))
}

/// No two at one place, as no plan makes them: a name says whose it is.
pub(super) fn traffic_policy_instance() -> impl Strategy<Value = TrafficPolicyInstance> {
    let change = select(vec!["C1", "C2"]).prop_map(|id| ChangeId::new(id).expect("capitals"));
    let policy = select(vec!["a", "b"]).prop_map(|id| TrafficPolicyId::new(id).expect("letters"));
    let rtype = select(vec![RecordType::A, RecordType::Aaaa]);
    let owners = (traffic_policy_instance_id(), account_id(), zone_id());
    let numbers = (any::<u32>(), 1..3u32, any::<u32>());
    (owners, rtype, policy, change, numbers).prop_map(
        |((id, account, zone), rtype, policy, change, (ttl, version, names))| {
            TrafficPolicyInstance {
                name: Name::parse(&format!("{id}.test")).expect("a name"),
                id,
                account,
                zone,
                rtype,
                ttl,
                policy,
                version,
                change,
                names,
            }
        },
    )
}
