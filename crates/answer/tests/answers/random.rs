//! Random zones and queries, small enough to collide in every way.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use meridian_dns::{Name, RecordType};
use meridian_model::ProbeRights;

use crate::scenario::{Ask, Edns, Policy, Set, Zone};

/// Names of a few labels out of few.
fn name() -> impl Strategy<Value = String> {
    let label = prop_oneof![4 => "[ab]", 2 => Just("*".to_owned())];
    let apex = prop_oneof![1 => Just(""), 8 => Just("z"), 2 => Just("a.z"), 2 => Just("*.z")];
    let depth = prop_oneof![6 => 0..4usize, 1 => 4..9usize];
    (depth.prop_flat_map(move |n| vec(label.clone(), n)), apex).prop_map(|(mut labels, apex)| {
        labels.extend((!apex.is_empty()).then(|| apex.to_owned()));
        if labels.is_empty() {
            ".".to_owned()
        } else {
            labels.join(".")
        }
    })
}

/// The sets of one name: a CNAME alone, or a choice of others, each simple or of a policy.
fn sets() -> impl Strategy<Value = Vec<(RecordType, u32, Vec<String>, bool)>> {
    use RecordType::{A, Aaaa, Cname, Ds, Ns, Txt};
    let ttl = || 0..3600u32;
    let simple = || prop::bool::weighted(0.05);
    let v4 = (1..4u8).prop_map(|n| (1..=n).map(|i| format!("192.0.2.{i}")).collect());
    let v6 = Just(vec!["2001:db8::1".to_owned()]);
    let txt = vec("[a-z]{1,40}", 1..3).prop_map(|mut texts| {
        texts.sort();
        texts.dedup();
        texts.into_iter().map(|t| format!("\"{t}\"")).collect()
    });
    let ds = Just(vec![format!("1 13 2 {}", "ab".repeat(32))]);
    let servers = btree_map(name(), Just(()), 1..3)
        .prop_map(|names| names.into_keys().collect::<Vec<String>>());
    let other = prop_oneof![
        4 => (Just(A), ttl(), v4, simple()),
        1 => (Just(Aaaa), ttl(), v6, simple()),
        2 => (Just(Txt), ttl(), txt, simple()),
        1 => (Just(Ds), ttl(), ds, Just(false)),
        3 => (Just(Ns), ttl(), servers, Just(false)),
    ];
    let others = vec(other, 1..4).prop_map(|mut sets| {
        sets.sort_by_key(|set| set.0);
        sets.dedup_by_key(|set| set.0);
        sets
    });
    let cname = (ttl(), name(), simple())
        .prop_map(|(ttl, target, policy)| vec![(Cname, ttl, vec![target], policy)]);
    prop_oneof![4 => others, 2 => cname]
}

/// A zone; some have so many names that they are paged.
fn zone() -> impl Strategy<Value = Zone> {
    let views = prop_oneof![1 => Just(vec![0]), 1 => Just(vec![1]), 3 => Just(vec![0, 1])];
    let apex = prop_oneof![
        1 => Just("."), 8 => Just("z"), 3 => Just("a.z"), 1 => Just("*.z"), 1 => Just("b.a.z"),
        1 => Just("a.a.a.a.z"),
    ];
    let bulk = prop_oneof![7 => Just(0..0), 1 => Just(0..400)];
    let soa = (prop::bool::weighted(0.9), 0..3600u32, 0..3600u32);
    let names = vec((name(), sets()), 0..14);
    (apex, views, bulk, soa, names).prop_map(|(apex, views, bulk, soa, names)| {
        let apex = Name::parse(apex).unwrap();
        let mut zone = Zone {
            apex: apex.clone(),
            views,
            vpcs: None,
            rights: ProbeRights::Everything,
            sets: Vec::new(),
        };
        let set = |name: Name, rtype, ttl, values, policy: bool| Set {
            policy: Policy::parse(if policy { "weight=1 id=x" } else { "" }).unwrap(),
            ..Set::simple(name, rtype, ttl, values)
        };
        if soa.0 {
            let text = format!("ns.z admin.z 1 2 3 4 {}", soa.2);
            zone.sets
                .push(set(apex.clone(), RecordType::Soa, soa.1, vec![text], false));
        }
        for (name, sets) in names {
            let name = Name::parse(&name).unwrap();
            let alone = name == apex && sets.iter().any(|s| s.0 == RecordType::Cname);
            if alone
                || !name.is_within(&apex)
                || zone.sets.iter().any(|s| s.name == name && name != apex)
            {
                continue;
            }
            for (rtype, ttl, values, policy) in sets {
                if !zone.sets.iter().any(|s| s.name == name && s.rtype == rtype) {
                    zone.sets
                        .push(set(name.clone(), rtype, ttl, values, policy));
                }
            }
        }
        for i in bulk {
            let owner = Name::parse(&format!("h{i}.b{}.{apex}", i % 7).replace("..", ".")).unwrap();
            let text = vec![format!("\"{}\"", "x".repeat(60))];
            zone.sets.push(set(owner, RecordType::Txt, 60, text, false));
        }
        zone
    })
}

pub(crate) fn zones() -> impl Strategy<Value = Vec<Zone>> {
    vec(zone(), 1..6)
}

/// Queries over TCP, where everything fits, with a view each.
pub(crate) fn queries() -> impl Strategy<Value = Vec<(u8, Ask)>> {
    let qtype = prop_oneof![
        4 => Just(1u16), 1 => Just(28), 2 => Just(2), 1 => Just(5), 1 => Just(6), 2 => Just(16),
        3 => Just(43), 1 => Just(255), 1 => Just(65_280), 1 => Just(15),
    ];
    let bulk = (0..410u32, 0..8u32, "z|a\\.z").prop_map(|(i, b, apex)| format!("h{i}.b{b}.{apex}"));
    let name = prop_oneof![9 => name(), 1 => bulk];
    let query = (0..2u8, name, qtype, any::<u64>(), any::<bool>()).prop_map(
        |(view, name, qtype, capitals, edns)| {
            let text: String = name
                .char_indices()
                .map(|(i, c)| {
                    if capitals >> (i % 64) & 1 == 1 {
                        c.to_ascii_uppercase()
                    } else {
                        c
                    }
                })
                .collect();
            let edns = edns.then(Edns::default);
            let name = Name::parse(&text).unwrap();
            (
                view,
                Ask {
                    name,
                    qtype,
                    class: 1,
                    opcode: 0,
                    client: std::net::IpAddr::from([127, 0, 0, 1]),
                    tcp: true,
                    edns,
                },
            )
        },
    );
    vec(query, 1..64)
}
