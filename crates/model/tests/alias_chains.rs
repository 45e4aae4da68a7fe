//! Chains of aliases: how long they may be, from whichever end they grow, and what looking costs.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_dns::RecordType::{self, A, Aaaa};
use meridian_model::{
    Action, AliasTarget, BatchRefusal, Draft, DraftAlias, DraftChange, Effect, FollowedAliases,
    NewZone, PlanError, RecordSet, SetData, SetKey, Zone, ZoneId, plan_batch, plan_create_zone,
    plan_imported_alias,
};
use proptest::prelude::*;

/// Zones of one account.
struct Bench {
    state: Memory,
    zones: Vec<Zone>,
}

impl Bench {
    fn new() -> Self {
        let mut state = Memory::with_pool(16);
        let mut zones = Vec::new();
        for (place, name) in ["z.test", "other.test", "third.test"]
            .into_iter()
            .enumerate()
        {
            let new = NewZone {
                name: name.to_owned(),
                caller_reference: name.to_owned(),
                comment: None,
                delegation_set: None,
                vpc: None,
            };
            let facts = &mut facts(u8::try_from(place).unwrap());
            let owner = account("111111111111", true);
            let (zone, effects) = plan_create_zone(&state, facts, &owner, new).unwrap();
            state.apply(effects);
            zones.push(zone);
        }
        Self { state, zones }
    }

    fn zone_of(&self, name: &str) -> &Zone {
        let ends = |zone: &&Zone| format!("{name}.").ends_with(&zone.name.to_string());
        self.zones.iter().find(ends).unwrap()
    }

    fn alias(&self, name: &str, target: &str) -> Draft {
        Draft {
            ttl: None,
            records: None,
            alias_target: Some(DraftAlias {
                hosted_zone_id: self.zone_of(target).id.clone(),
                dns_name: target.to_owned(),
                evaluate_target_health: false,
            }),
            ..Draft::simple(name, A, 0, &[])
        }
    }

    /// `name=target` is an alias, a name alone an address, and with `-` before it deleted.
    fn change(&self, text: &str) -> DraftChange {
        let (action, text) = match text.strip_prefix('-') {
            Some(text) => (Action::Delete, text),
            None => (Action::Upsert, text),
        };
        let set = match text.split_once('=') {
            Some((name, target)) => self.alias(name, target),
            None => address(text, A),
        };
        DraftChange { action, set }
    }

    /// Changes sets of the zone of the first name, or gives what is said against it.
    fn send(&mut self, changes: &[DraftChange]) -> Vec<String> {
        let zone = self.zone_of(&changes[0].set.name).clone();
        match plan_batch(&self.state, &zone, changes) {
            Ok(effects) => {
                self.state.apply(effects);
                Vec::new()
            }
            Err(PlanError::Refused(BatchRefusal::InvalidChangeBatch(messages))) => messages,
            Err(other) => panic!("{other:?}"),
        }
    }

    fn write(&mut self, texts: &[&str]) -> Vec<String> {
        let changes: Vec<_> = texts.iter().map(|text| self.change(text)).collect();
        self.send(&changes)
    }

    fn fine(&mut self, texts: &[&str]) {
        assert_eq!(self.write(texts), [""; 0], "{texts:?}");
    }

    /// An address and so many aliases one above the other, the first of which is a1, in the zone.
    fn chain(&mut self, links: usize, zone: &str) {
        let mut changes = vec![self.change(&format!("a0.{zone}"))];
        for link in 1..=links {
            let text = format!("a{link}.{zone}=a{}.{zone}", link - 1);
            changes.push(self.change(&text));
        }
        assert_eq!(self.send(&changes), [""; 0]);
    }
}

fn address(name: &str, rtype: RecordType) -> Draft {
    let value = if rtype == A {
        "192.0.2.1"
    } else {
        "2001:db8::1"
    };
    Draft::simple(name, rtype, 60, &[value])
}

const TOO_LONG: &str = "that makes a chain of more than 16 aliases";

#[test]
fn a_chain_does_not_grow_beyond_sixteen_at_its_end() {
    let mut bench = Bench::new();
    bench.chain(15, "z.test");
    bench.fine(&["y0.z.test", "y1.z.test=y0.z.test"]);
    // Exactly sixteen.
    bench.fine(&["a0.z.test=y0.z.test"]);
    let id = bench.zone_of("z.test").id.clone();
    assert_eq!(
        bench.write(&["a0.z.test=y1.z.test"]),
        [format!(
            "Tried to create an alias that targets y1.z.test., type A in zone {id}, but {TOO_LONG}, \
             counting those that lead to a0.z.test."
        )]
    );
    bench.fine(&["w.z.test"]);
    assert!(bench.write(&["y0.z.test=w.z.test"])[0].contains(TOO_LONG));
    // One less above is one more below.
    bench.fine(&["a15.z.test"]);
    bench.fine(&["y0.z.test=w.z.test"]);
    assert!(bench.write(&["a15.z.test=a14.z.test"])[0].ends_with(TOO_LONG));
}

#[test]
fn a_chain_does_not_grow_at_its_end_in_another_zone() {
    let mut bench = Bench::new();
    bench.fine(&["x.other.test"]);
    bench.chain(15, "z.test");
    bench.fine(&["a0.z.test=x.other.test"]);
    bench.fine(&["y.third.test"]);
    let said = bench.write(&["x.other.test=y.third.test"]);
    assert!(
        said[0].contains("targets y.third.test., type A")
            && said[0].ends_with("16 aliases, counting those that lead to x.other.test."),
        "{said:?}"
    );
    // Of another type nothing leads there, nor to another name.
    let mut six = bench.alias("x.other.test", "y.third.test");
    six.rtype = Aaaa;
    let changes = [address("y.third.test", Aaaa), six].map(|set| DraftChange {
        action: Action::Upsert,
        set,
    });
    assert_eq!(bench.send(&changes[..1]), [""; 0]);
    assert_eq!(bench.send(&changes[1..]), [""; 0]);
    bench.fine(&["w.other.test=y.third.test"]);
}

#[test]
fn an_end_that_was_deleted_does_not_come_back_as_an_alias() {
    let mut bench = Bench::new();
    bench.chain(16, "z.test");
    bench.fine(&["y.z.test", "-a0.z.test"]);
    assert!(bench.write(&["a0.z.test=y.z.test"])[0].contains(TOO_LONG));
    bench.fine(&["a0.z.test"]);
    let both = ["-a0.z.test", "a0.z.test=y.z.test"];
    assert!(bench.write(&both)[0].contains(TOO_LONG));
    // Unless a link goes with it, or leads elsewhere.
    let mut apart = Bench::new();
    apart.state = bench.state.clone();
    apart.zones = bench.zones.clone();
    apart.fine(&["-a8.z.test=a7.z.test", "a0.z.test=y.z.test"]);
    bench.fine(&["a8.z.test=y.z.test", "a0.z.test=y.z.test"]);
}

#[test]
fn a_batch_that_writes_both_ends_is_told_once() {
    let mut bench = Bench::new();
    bench.chain(14, "z.test");
    bench.fine(&["y.z.test"]);
    let ends = [
        "a15.z.test=a14.z.test",
        "a16.z.test=a15.z.test",
        "a0.z.test=y.z.test",
    ];
    let said = bench.write(&ends);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("targets a15.z.test.") && said[0].ends_with(TOO_LONG));
    bench.fine(&ends[1..][1..]);
    bench.fine(&ends[..1]);
    // A whole chain at once, from either end.
    let mut links: Vec<String> = (1..18)
        .map(|n| format!("b{n}.z.test=b{}.z.test", n - 1))
        .collect();
    links.push("b0.z.test".to_owned());
    for _ in 0..2 {
        let said = bench.write(&links.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("targets b16.z.test."));
        links.reverse();
    }
}

#[test]
fn what_is_written_again_is_not_told_a_second_time_from_below() {
    let mut bench = Bench::new();
    bench.chain(16, "z.test");
    bench.fine(&["y.z.test"]);
    let mut again: Vec<String> = (1..=16)
        .map(|n| format!("a{n}.z.test=a{}.z.test", n - 1))
        .collect();
    again.push("a0.z.test=y.z.test".to_owned());
    let said = bench.write(&again.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("targets a15.z.test.") && said[0].ends_with(TOO_LONG));
}

#[test]
fn of_an_imported_chain_that_is_too_long_only_its_beginning_is_left_out() {
    let mut bench = Bench::new();
    let zone = bench.zone_of("z.test").clone();
    let generation = zone.generation;
    let mut keys = Vec::new();
    for link in 1..=20 {
        let name = Name::parse(&format!("a{link}.z.test")).unwrap();
        let mut set = RecordSet::simple(name, A, 60, vec!["192.0.2.1".to_owned()]);
        set.data = SetData::Alias(AliasTarget {
            zone: zone.id.clone(),
            name: Name::parse(&format!("a{}.z.test", link - 1)).unwrap(),
            evaluate_target_health: false,
        });
        keys.push(set.key.clone());
        bench.state.apply(vec![Effect::PutSet { generation, set }]);
    }
    bench.fine(&["a0.z.test"]);
    let refused = |imported: &[SetKey]| -> Vec<String> {
        let mut followed = FollowedAliases::of(imported);
        let told = |key| plan_imported_alias(&bench.state, &zone, key, &mut followed).unwrap();
        imported.iter().flat_map(told).collect()
    };
    let told = refused(&keys);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.iter().all(|text| text.ends_with(TOO_LONG)));
    // Of those that stay in a zone only what is led to can be left out.
    let told = refused(&keys[..3]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("counting those that lead to a3.z.test."));
}

#[test]
fn other_sets_of_the_name_that_is_written_lead_where_they_led() {
    let mut bench = Bench::new();
    let weighted = |mut set: Draft, id: &str| {
        (set.set_identifier, set.weight) = (Some(id.to_owned()), Some(1));
        let action = Action::Upsert;
        DraftChange { action, set }
    };
    bench.chain(14, "z.test");
    bench.fine(&["y.z.test", "w.z.test", "v.z.test=w.z.test"]);
    // Of the two that are at the top, one leads to the chain.
    let two = [
        weighted(bench.alias("top.z.test", "a14.z.test"), "a"),
        weighted(bench.alias("top.z.test", "y.z.test"), "b"),
    ];
    assert_eq!(bench.send(&two), [""; 0]);
    let end = bench.change("a0.z.test=v.z.test");
    let harmless = weighted(bench.alias("top.z.test", "w.z.test"), "b");
    let said = bench.send(&[harmless, end.clone()]);
    assert!(
        said[0].ends_with("counting those that lead to a0.z.test."),
        "{said:?}"
    );
    let helpful = weighted(bench.alias("top.z.test", "w.z.test"), "a");
    assert_eq!(bench.send(&[helpful, end]), [""; 0]);
}

#[test]
fn a_thousand_aliases_to_one_name_do_not_keep_it_from_being_one() {
    let mut bench = Bench::new();
    bench.fine(&["hub.z.test", "y.z.test"]);
    let spokes: Vec<_> = (0..1000)
        .map(|n| DraftChange {
            action: Action::Create,
            ..bench.change(&format!("s{n}.other.test=hub.z.test"))
        })
        .collect();
    assert_eq!(bench.send(&spokes), [""; 0]);
    bench.fine(&["hub.z.test=y.z.test"]);
    // The last of them is the first of a chain.
    bench.chain(13, "third.test");
    bench.fine(&["a0.third.test=s999.other.test"]);
    bench.fine(&["w.z.test"]);
    assert!(bench.write(&["y.z.test=w.z.test"])[0].contains(TOO_LONG));
    bench.fine(&["hub.z.test=w.z.test"]);
}

#[test]
fn of_aliases_to_one_name_beyond_those_that_are_looked_at_the_rest_may_be_too_far() {
    const LOOKED_AT: usize = 32_768;
    let mut bench = Bench::new();
    bench.fine(&["hub.z.test", "y.z.test"]);
    let zone = bench.zone_of("z.test").clone();
    let generation = zone.generation;
    let spokes = (0..=LOOKED_AT).map(|n| {
        let name = Name::parse(&format!("s{n}.z.test")).unwrap();
        let mut set = RecordSet::simple(name, A, 60, vec!["192.0.2.1".to_owned()]);
        set.data = SetData::Alias(AliasTarget {
            zone: zone.id.clone(),
            name: Name::parse("hub.z.test").unwrap(),
            evaluate_target_health: false,
        });
        Effect::PutSet { generation, set }
    });
    let spokes = spokes.collect();
    bench.state.apply(spokes);
    bench.chain(14, "third.test");
    for (spoke, is_seen) in [(LOOKED_AT - 1, true), (LOOKED_AT, false)] {
        bench.fine(&[&format!("a0.third.test=s{spoke}.z.test")]);
        let said = bench.write(&["hub.z.test=y.z.test"]);
        assert_eq!(!said.is_empty(), is_seen, "{said:?}");
    }
}

/// How much a batch of these looks at. It is written when nothing is against it.
fn cost(bench: &mut Bench, sets: Vec<Draft>) -> usize {
    let create = |set| DraftChange {
        action: Action::Create,
        set,
    };
    let changes: Vec<_> = sets.into_iter().map(create).collect();
    bench.state.looked.set(0);
    assert_eq!(bench.send(&changes), [""; 0]);
    bench.state.looked.get()
}

#[test]
fn a_batch_of_a_thousand_aliases_looks_at_a_few_names_for_each() {
    let mut bench = Bench::new();
    let weighted = |mut set: Draft, number: usize| {
        (set.set_identifier, set.weight) = (Some(number.to_string()), Some(1));
        set
    };
    // A hundred sets at each of two names, one leading to the other, and a thousand to them.
    let group = (0..100).map(|n| weighted(address("end.z.test", A), n));
    cost(&mut bench, group.collect());
    let group = (0..100).map(|n| weighted(bench.alias("way.z.test", "end.z.test"), n));
    let group = group.collect();
    let looked = cost(&mut bench, group);
    assert!(looked < 1_000, "{looked}");
    let to_group = (0..1000).map(|n| bench.alias(&format!("{n}.z.test"), "way.z.test"));
    let to_group = to_group.collect();
    let looked = cost(&mut bench, to_group);
    assert!(looked < 5_000, "{looked}");
    // Chains of sixteen, from the top and from below.
    for (label, is_reversed) in [("up", false), ("down", true)] {
        let mut chains: Vec<Draft> = (0..992)
            .map(|n: usize| {
                let target = match n % 16 {
                    0 => "end.z.test".to_owned(),
                    _ => format!("{label}{}.z.test", n - 1),
                };
                bench.alias(&format!("{label}{n}.z.test"), &target)
            })
            .collect();
        if is_reversed {
            chains.reverse();
        }
        let looked = cost(&mut bench, chains);
        assert!(looked < 5_000, "{looked}");
    }
    // The longest names, with a label of its own for each above 110 others, and one for all of them.
    let labels = "a.".repeat(110);
    for own in [true, false] {
        let external = (0..1000).map(|n: usize| {
            let target = if own { n } else { 5 };
            let mut set = bench.alias(&format!("{labels}{own}{n}.z.test"), "end.z.test");
            let target = format!("{labels}t{target}.z.test");
            let elsewhere = ZoneId::new("ZEXTERNAL").unwrap();
            set.alias_target = Some(DraftAlias {
                hosted_zone_id: elsewhere,
                dns_name: target,
                evaluate_target_health: false,
            });
            set
        });
        let external = external.collect();
        let looked = cost(&mut bench, external);
        assert!(looked < 20_000, "{looked}");
    }
}

const NAMES: usize = 24;

fn name(number: usize) -> String {
    let zone = ["z.test", "other.test", "third.test"][number % 3];
    format!("n{number}.{zone}")
}

/// One of two sets of a name: an address, or an alias to a name of a lower number.
type Write = (usize, bool, Option<usize>);

fn batch() -> impl Strategy<Value = Vec<Write>> {
    let write = (
        1..NAMES,
        any::<bool>(),
        0..12usize,
        any::<prop::sample::Index>(),
    );
    let write = write.prop_map(|(number, first, kind, lower)| {
        let target = match kind {
            0 => None,
            1 => Some(lower.index(number)),
            _ => Some(number - 1),
        };
        (number, first, target)
    });
    prop::collection::vec(write, 1..12)
}

/// The longest chain, as whoever follows all ways finds it.
fn longest(links: &BTreeMap<(usize, bool), Option<usize>>) -> usize {
    let mut from = [0; NAMES];
    for number in 0..NAMES {
        let ways = [true, false].map(|first| links.get(&(number, first)).copied().flatten());
        let ways = ways.into_iter().flatten().map(|to| from[to] + 1);
        from[number] = ways.max().unwrap_or(0);
    }
    from.into_iter().max().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_batch_is_refused_just_when_a_chain_becomes_too_long(
        batches in prop::collection::vec((0..3usize, batch()), 30..60),
    ) {
        let mut bench = Bench::new();
        let mut links = BTreeMap::new();
        let (accepted, refused) = (Cell::new(0), Cell::new(0));
        let draft = |bench: &Bench, (number, first, target): Write| {
            let mut set = match target {
                Some(target) => bench.alias(&name(number), &name(target)),
                None => address(&name(number), A),
            };
            (set.set_identifier, set.weight) = (Some(first.to_string()), Some(1));
            DraftChange { action: Action::Upsert, set }
        };
        for number in 0..NAMES {
            let change = draft(&bench, (number, true, None));
            prop_assert_eq!(bench.send(&[change]), [""; 0]);
        }
        for (zone, mut batch) in batches {
            batch.retain(|(number, ..)| number % 3 == zone);
            let mut then = links.clone();
            // A batch touches a set once.
            let mut touched = BTreeSet::new();
            batch.retain(|(number, first, _)| touched.insert((*number, *first)));
            then.extend(batch.iter().map(|(number, first, target)| ((*number, *first), *target)));
            let changes: Vec<_> = batch.iter().map(|write| draft(&bench, *write)).collect();
            if changes.is_empty() {
                continue;
            }
            let said = bench.send(&changes);
            if longest(&then) > 16 {
                prop_assert!(!said.is_empty() && said.iter().all(|text| text.contains(TOO_LONG)), "{:?}", said);
                refused.set(refused.get() + 1);
            } else {
                prop_assert_eq!(said, [""; 0]);
                links = then;
                accepted.set(accepted.get() + 1);
            }
        }
        prop_assert!(accepted.get() > 0);
    }
}
