//! Properties of the tables over random chains: nothing depends on portions, crashes or luck.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use meridian_dns::Name;
use meridian_model::{
    AccountId, CidrBlock, CidrCollection, CidrCollectionId, CidrLocation, DelegationSetId, Effect,
    Generation, HealthCheck, HealthCheckId, HealthSlot, HealthSwitch, LogGroupArn, OwnRegion,
    QueryLoggingConfig, Quota, RecordSet, Region, Resource, ReusableDelegationSet, Routing,
    RoutingControl, SetData, SetKey, State, Timestamp, TrafficPolicy, TrafficPolicyId,
    TrafficPolicyInstance, TrafficPolicyInstanceId, TrafficPolicySummary, UnseenState, Vpc,
    VpcAuthorization, VpcId, Zone, ZoneId,
};
use proptest::prelude::*;

use super::*;
use crate::testing;

mod expected;
mod files;

use expected::Expected;

fn options(durability: Durability) -> Options {
    Options {
        cache_bytes: 1024 * 1024,
        durability,
    }
}

fn open(path: &Path) -> Tables {
    Tables::open(path, options(Durability::Batched)).unwrap()
}

/// The digest kept, which must be that of the rows.
fn digest(tables: &Tables) -> Digest {
    let kept = tables.read().unwrap().digest();
    assert_eq!(tables.recompute_digest().unwrap(), kept);
    kept
}

fn all_sets(state: &Snapshot, generation: Generation) -> Vec<RecordSet> {
    let mut sets = Vec::new();
    state
        .each_set(generation, |set| {
            sets.push(set);
            ControlFlow::Continue(())
        })
        .unwrap();
    sets
}

type Order = (String, &'static str, Vec<u8>);

/// The order that Route 53 documents, said another way than by row keys.
fn order(key: &SetKey) -> Order {
    let identifier = key.set_identifier.clone().unwrap_or_default();
    (
        key.name.sort_key(),
        key.rtype.as_str(),
        identifier.into_bytes(),
    )
}

/// Of zones that have one configuration at a time, as plans see to.
fn query_logging_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        (testing::query_logging_config_id(), testing::account_id()).prop_map(|(id, account)| {
            let zone = format!("Z{id}");
            Effect::PutQueryLoggingConfig(QueryLoggingConfig {
                zone: ZoneId::new(&zone).unwrap(),
                log_group: LogGroupArn::stored(id.to_string()),
                id,
                account,
            })
        }),
        testing::query_logging_config_id().prop_map(Effect::DeleteQueryLoggingConfig),
    ]
}

fn set_effects() -> impl Strategy<Value = Vec<Effect>> {
    let generation = Generation(1);
    let effect = prop_oneof![
        testing::record_set().prop_map(move |set| Effect::PutSet { generation, set }),
        testing::set_key().prop_map(move |key| Effect::DeleteSet { generation, key }),
    ];
    prop::collection::vec(effect, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn portions_do_not_matter(chain in testing::chain(24), cuts in prop::collection::vec(1..6usize, 24)) {
        let (whole, parts) = (Tables::in_memory().unwrap(), Tables::in_memory().unwrap());
        whole.apply(&chain).unwrap();
        let mut rest = chain.as_slice();
        for cut in cuts {
            let (portion, after) = rest.split_at(cut.min(rest.len()));
            parts.apply(portion).unwrap();
            rest = after;
        }
        parts.apply(rest).unwrap();
        prop_assert_eq!(whole.head(), parts.head());
        prop_assert_eq!(digest(&whole), digest(&parts));
    }

    #[test]
    fn sets_lie_in_route_53s_order_and_counts_are_right(chain in testing::chain(24)) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        for (generation, sets) in &expected.sets {
            let sorted: Vec<_> = sets.values().cloned().collect();
            prop_assert_eq!(&all_sets(&state, *generation), &sorted);
            let listed: Vec<_> = sorted.iter().filter(|set| !set.is_hidden()).cloned().collect();
            prop_assert_eq!(state.set_count(*generation).unwrap(), listed.len() as u64);
            prop_assert_eq!(state.listed_sets_from(*generation, None, 99).unwrap(), listed);
            for (index, set) in sorted.iter().enumerate() {
                let at: Vec<_> = sorted.iter().filter(|s| s.key.name == set.key.name).cloned().collect();
                prop_assert_eq!(state.sets_at(*generation, &set.key.name).unwrap(), at);
                let start = SetStart {
                    name: &set.key.name,
                    rtype: Some(set.key.rtype),
                    identifier: set.key.set_identifier.as_deref(),
                };
                let page = state.sets_from(*generation, Some(start), 2).unwrap();
                let end = sorted.len().min(index + 2);
                prop_assert_eq!(page.as_slice(), &sorted[index..end]);
            }
        }
    }

    #[test]
    fn zones_are_indexed_as_they_are(chain in testing::chain(24), name in testing::name()) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let mut all = Vec::new();
        state.each_zone(|zone| { all.push(zone); ControlFlow::Continue(()) }).unwrap();
        prop_assert!(all.iter().eq(expected.zones.values()));
        prop_assert_eq!(state.next_generation().ok(), expected.highest.checked_add(1).map(Generation));
        for zone in expected.zones.values() {
            let owned: Vec<_> = all.iter().filter(|z| z.account == zone.account).cloned().collect();
            prop_assert_eq!(state.zone_count(&zone.account).unwrap(), owned.len() as u64);
            prop_assert_eq!(state.zones_of(&zone.account, None, 99).unwrap(), owned.clone());
            let mut by_name = owned;
            by_name.sort_by_key(|z| (z.name.sort_key(), z.id.clone()));
            prop_assert_eq!(state.zones_of_by_name(&zone.account, None, 99).unwrap(), by_name);
        }
        let mut named: Vec<_> = all.iter().filter(|z| z.name == name).cloned().collect();
        named.sort_by_key(|z| z.id.clone());
        prop_assert_eq!(state.zones_named(&name).unwrap(), named);
        let below = state.zones_below(&name).unwrap();
        let is_below = |z: &&Zone| z.name != name && z.name.is_within(&name);
        prop_assert_eq!(below.len(), all.iter().filter(is_below).count());
        prop_assert!(below.iter().all(|z| is_below(&z)));
    }

    #[test]
    fn vpcs_and_what_they_see_are_as_the_effects_left_them(
        chain in testing::chain(24), id in testing::vpc_id(), zone in testing::zone_id(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        prop_assert_eq!(state.vpcs().unwrap(), expected.vpcs.values().cloned().collect::<Vec<_>>());
        prop_assert_eq!(state.vpc(&id).unwrap(), expected.vpcs.get(&id).cloned());
        let seen = expected.zones.values().filter(|zone| zone.is_seen_by(&id));
        let seen: Vec<_> = seen.cloned().collect();
        prop_assert_eq!(&state.zones_of_vpc(&id).unwrap(), &seen);
        let later: Vec<_> = seen.into_iter().filter(|other| other.id >= zone).collect();
        prop_assert_eq!(state.zones_of_vpc_from(&id, Some(&zone), 9).unwrap(), later);
        let of_zone = expected.authorizations.values().filter(|one| one.zone == zone);
        let of_zone: Vec<_> = of_zone.cloned().collect();
        prop_assert_eq!(&state.vpc_authorizations(&zone).unwrap(), &of_zone);
        let one = of_zone.iter().find(|one| one.vpc.id == id).cloned();
        prop_assert_eq!(state.vpc_authorization(&zone, &id).unwrap(), one);
        let later: Vec<_> = of_zone.into_iter().filter(|one| one.vpc.id >= id).collect();
        prop_assert_eq!(state.vpc_authorizations_from(&zone, Some(&id), 9).unwrap(), later);
    }

    #[test]
    fn delegation_sets_and_their_zones_are_indexed_as_they_are(
        chain in testing::chain(24), account in testing::account_id(), id in testing::delegation_set_id(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let all: Vec<_> = expected.delegation_sets.values().cloned().collect();
        prop_assert_eq!(&state.delegation_sets().unwrap(), &all);
        let owned: Vec<_> = all.into_iter().filter(|set| set.account == account).collect();
        prop_assert_eq!(state.delegation_set_count(&account).unwrap(), owned.len() as u64);
        let from = |from| state.delegation_sets_of(&account, from, 9).unwrap();
        prop_assert_eq!(&from(None), &owned);
        let later: Vec<_> = owned.into_iter().filter(|set| set.id >= id).collect();
        prop_assert_eq!(from(Some(&id)), later);
        let has = |zone: &&Zone| zone.delegation_set.id.as_ref() == Some(&id);
        let zones: Vec<_> = expected.zones.values().filter(has).cloned().collect();
        prop_assert_eq!(state.delegation_set_zone_count(&id).unwrap(), zones.len() as u64);
        prop_assert_eq!(state.zones_of_delegation_set(&id, None, 9).unwrap(), zones);
    }

    #[test]
    fn health_checks_are_indexed_as_they_are_and_places_are_given_again(
        chain in testing::chain(24), account in testing::account_id(), id in testing::health_check_id(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let all: Vec<_> = expected.health_checks.values().cloned().collect();
        prop_assert_eq!(&state.health_checks().unwrap(), &all);
        let mut tagged = Vec::new();
        state.each_tag_set(meridian_model::TaggedKind::HealthCheck, |set| tagged.push(set)).unwrap();
        for set in &tagged {
            prop_assert_eq!(set.resource.kind, meridian_model::TaggedKind::HealthCheck);
            prop_assert_eq!(state.tags(&set.resource).unwrap(), set.tags.clone());
        }
        prop_assert!(tagged.is_sorted_by(|a, b| a.resource.id < b.resource.id));
        let found = expected.health_checks.get(&id);
        prop_assert_eq!(state.health_check(&id).unwrap(), found.cloned());
        prop_assert_eq!(state.health_slot(id.as_str()).unwrap(), found.map(|check| check.slot));
        let own = found.is_some_and(|check| check.account == account);
        prop_assert_eq!(state.health_check_exists(&account, id.as_str()).unwrap(), own);
        let is_child = all.iter().any(|check| check.config.children().contains(&id));
        prop_assert_eq!(state.is_child_health_check(&id).unwrap(), is_child);
        let owned: Vec<_> = all.into_iter().filter(|check| check.account == account).collect();
        prop_assert_eq!(state.health_check_count(&account).unwrap(), owned.len() as u64);
        // By the hours that began since.
        let hour = |time: Timestamp| time.0.div_euclid(3_600_000);
        let since = Timestamp(chain.last().map_or(0, |entry| entry.time.0) - 86_400_000);
        let made = expected.health_creations.iter();
        let made = made.filter(|(owner, at)| *owner == account && hour(*at) * 3_600_000 >= since.0);
        let counted = state.health_checks_created_since(&account, since).unwrap();
        prop_assert_eq!(counted, made.count() as u64);
        let later: Vec<_> = owned.into_iter().filter(|check| check.id >= id).collect();
        prop_assert_eq!(state.health_checks_of(&account, Some(&id), 9).unwrap(), later);
        for ((account, reference), id) in &expected.health_references {
            let found = state.health_check_by_reference(account, reference).unwrap();
            prop_assert_eq!(found.as_ref(), Some(id));
        }
        let switches: Vec<_> = expected.health_switches.values().cloned().collect();
        prop_assert_eq!(state.health_switches().unwrap(), switches);
        let controls: Vec<_> = expected.routing_controls.values().cloned().collect();
        prop_assert_eq!(state.routing_controls().unwrap(), controls);
        let regions: Vec<_> = expected.regions.values().cloned().collect();
        prop_assert_eq!(state.own_regions().unwrap(), regions);
        let switch = expected.health_switches.get(&id).cloned();
        prop_assert_eq!(state.health_switch(&id).unwrap(), switch);
        prop_assert_eq!(state.free_health_slot().ok(), expected.next_slot());
    }

    #[test]
    fn resources_are_found_as_the_effects_left_them(
        chain in testing::chain(24), account in testing::account_id(),
        name in testing::resource_name(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain).resources;
        let all: Vec<_> = expected.values().cloned().collect();
        prop_assert_eq!(&state.resources().unwrap(), &all);
        let own: Vec<_> = all.into_iter().filter(|it| it.account == account).collect();
        prop_assert_eq!(state.resource_count(&account).unwrap(), own.len() as u64);
        prop_assert_eq!(&state.resources_of(&account).unwrap(), &own);
        let one = expected.get(&(account.clone(), name.to_string())).cloned();
        prop_assert_eq!(state.resource(&account, &name).unwrap(), one);
    }

    #[test]
    fn traffic_policies_are_found_as_the_effects_left_them(
        chain in testing::chain(24), account in testing::account_id(),
        id in testing::traffic_policy_id(), version in 1..4u32,
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let stored = expected.policies.get(&(id.clone(), version)).cloned();
        prop_assert_eq!(state.traffic_policy(&id, version).unwrap(), stored);
        let whole = expected.policy(&id);
        prop_assert_eq!(&state.traffic_policy_summary(&id).unwrap(), &whole);
        let live = expected.policies.values().filter(|it| it.id == id && !it.deleted);
        let live: Vec<_> = live.filter(|it| it.version >= version).cloned().collect();
        for (most, length) in [((2, usize::MAX), 2), ((9, 0), 1)] {
            let page = live.iter().take(length).cloned().collect();
            let next = live.get(length).map(|it| it.version);
            let paged = state.traffic_policy_versions(&id, version, most).unwrap();
            prop_assert_eq!(paged, (page, next));
        }
        let name = format!("name of {id}");
        let own = whole.filter(|whole| whole.account == account);
        let named = state.traffic_policy_named(&account, &name).unwrap();
        prop_assert_eq!(named, own.map(|own| own.id));
        // Several may come with one entry: then their ids decide.
        let mut all: Vec<_> = expected.policy_order.iter().filter_map(|id| expected.policy(id)).collect();
        all.retain(|whole| whole.account == account);
        prop_assert_eq!(state.traffic_policy_count(&account).unwrap(), all.len() as u64);
        let listed = state.traffic_policies_of(&account, None, 9).unwrap();
        for from in 0..listed.len() {
            let rest = state.traffic_policies_of(&account, Some(&listed[from].id), 9).unwrap();
            prop_assert_eq!(&rest[..], &listed[from..]);
        }
        let by_id = |list: Vec<TrafficPolicySummary>| -> BTreeMap<_, _> {
            list.into_iter().map(|whole| (whole.id.clone(), whole)).collect()
        };
        prop_assert_eq!(by_id(listed), by_id(all));
        let mut deleted = state.deleted_traffic_policies(&account, usize::MAX).unwrap();
        deleted.sort();
        let gone = expected.policies.iter().filter(|(_, it)| it.deleted && it.account == account);
        prop_assert_eq!(deleted, gone.map(|(key, _)| key.clone()).collect::<Vec<_>>());
    }

    #[test]
    fn cidr_collections_are_found_as_the_effects_left_them(
        chain in testing::chain(24), account in testing::account_id(),
        id in testing::cidr_collection_id(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let all: Vec<_> = expected.collections.values().cloned().collect();
        prop_assert_eq!(&state.cidr_collections().unwrap(), &all);
        let mut own: Vec<_> = all.into_iter().filter(|it| it.account == account).collect();
        own.sort_by_key(|it| it.name.clone());
        prop_assert_eq!(state.cidr_collection_count(&account).unwrap(), own.len() as u64);
        prop_assert_eq!(&state.cidr_collections_of(&account, None, 9).unwrap(), &own);
        let (name, reference) = (format!("name of {id}"), format!("reference of {id}"));
        let one = own.iter().find(|it| it.id == id);
        let named = state.cidr_collection_named(&account, &name).unwrap();
        prop_assert_eq!(named.as_ref(), one);
        let by_reference = state.cidr_collection_by_reference(&account, &reference).unwrap();
        prop_assert_eq!(by_reference.as_ref(), one);
        own.retain(|it| it.name >= name);
        prop_assert_eq!(state.cidr_collections_of(&account, Some(&name), 9).unwrap(), own);
        let names = |set: &&RecordSet| matches!(
            &set.routing,
            Routing::Cidr { collection_id, .. } if collection_id == id.as_str()
        );
        let counts = |generation: &Generation| {
            let unseen = state.unseen_generation(*generation).unwrap();
            unseen.is_none_or(|unseen| unseen.state == UnseenState::Draft)
        };
        let sets = expected.sets.iter().filter(|(generation, _)| counts(generation));
        let sets = sets.flat_map(|(_, sets)| sets.values()).filter(names).count();
        prop_assert_eq!(state.cidr_set_count(&id).unwrap(), sets as u64);
    }

    #[test]
    fn cidr_blocks_are_where_the_effects_left_them(
        chain in testing::chain(24), id in testing::cidr_collection_id(),
        location in testing::cidr_location(), block in testing::cidr_block(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let expected = Expected::of(&chain);
        let blocks = expected.blocks.iter().filter(|((of, _), _)| *of == id);
        let mut blocks: Vec<_> = blocks.map(|((_, block), at)| (*block, at.clone())).collect();
        prop_assert_eq!(&state.cidr_blocks(&id).unwrap(), &blocks);
        prop_assert_eq!(state.cidr_block_count(&id).unwrap(), blocks.len() as u64);
        let at = blocks.iter().find(|(it, _)| *it == block).map(|(_, at)| at.clone());
        prop_assert_eq!(state.cidr_location_of(&id, &block).unwrap(), at);
        blocks.sort_by_key(|(block, at)| (at.clone(), *block));
        let mut blocks: Vec<_> = blocks.into_iter().map(|(block, at)| (at, block)).collect();
        let mut locations: Vec<_> = blocks.iter().map(|(at, _)| at.clone()).collect();
        locations.dedup();
        prop_assert_eq!(&state.cidr_locations(&id, None, 9).unwrap(), &locations);
        let known = state.cidr_location_exists(&id, location.as_str()).unwrap();
        prop_assert_eq!(known, locations.contains(&location));
        locations.retain(|it| *it >= location);
        locations.truncate(1);
        prop_assert_eq!(state.cidr_locations(&id, Some(&location), 1).unwrap(), locations);
        blocks.retain(|(at, it)| (at, it) >= (&location, &block));
        let from = state.cidr_blocks_by_location(&id, Some((&location, &block)), 9);
        prop_assert_eq!(&from.unwrap(), &blocks);
        blocks.retain(|(at, _)| *at == location);
        prop_assert_eq!(state.cidr_blocks_at(&id, &location, Some(&block), 9).unwrap(), blocks);
    }

    #[test]
    fn aliases_are_found_as_a_scan_of_all_sets_finds_them(chain in testing::chain(24)) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let index = || {
            let mut rows = Vec::new();
            let push = |key: &[u8], _: &[u8]| {
                rows.push(key.to_vec());
                Ok(ControlFlow::Continue(()))
            };
            tables.read().unwrap().scan(Table::AliasSources, b"", b"", push).unwrap();
            rows
        };
        let sets = Expected::of(&chain).sets;
        let sets = sets.iter().flat_map(|(of, sets)| sets.values().map(|set| (*of, set)));
        let aliases: Vec<_> = sets.filter_map(|(of, set)| match &set.data {
            SetData::Alias(to) if !set.is_external_alias() => Some((of, &set.key, to)),
            _ => None,
        }).collect();
        let mut rows: Vec<_> = aliases.iter().map(|(of, key, to)| layout::alias_source(to, *of, key)).collect();
        rows.sort();
        prop_assert_eq!(&index(), &rows);

        let state = tables.read().unwrap();
        let own = testing::simple_zone("Z1", Generation(1));
        for (_, key, to) in &aliases {
            let target = (&to.zone, &to.name, key.rtype);
            let mut found = Vec::new();
            for (of, key, other) in &aliases {
                let zone = if *of == own.generation { Some(own.clone()) } else {
                    let zone = state.zone_at(*of).unwrap();
                    zone.filter(|zone| zone.id != own.id && zone.account == own.account)
                };
                if let Some(zone) = zone && (&other.zone, &other.name, key.rtype) == target {
                    found.push((zone.id, order(key)));
                }
            }
            found.sort();
            let listed = state.aliases_to(target, &own, 99).unwrap().into_iter();
            let mut listed: Vec<_> = listed.map(|(zone, key)| (zone, order(&key))).collect();
            listed.sort();
            prop_assert_eq!(listed, found);
        }

        let transaction = tables.store.begin_write().unwrap();
        alias_sources::find_all(&transaction).unwrap();
        transaction.commit().unwrap();
        prop_assert_eq!(index(), rows);
    }

    #[test]
    fn names_have_as_many_labels_in_common_as_a_scan_finds(
        chain in testing::chain(24), generation in testing::generation(), name in testing::name(),
    ) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let common = |other: &Name| {
            let (mut a, mut b): (Vec<_>, Vec<_>) = (name.labels().collect(), other.labels().collect());
            a.reverse();
            b.reverse();
            a.iter().zip(&b).take_while(|(a, b)| a == b).count()
        };
        let expected = Expected::of(&chain);
        let sets = expected.sets.get(&generation).into_iter().flat_map(BTreeMap::values);
        let most = sets.map(|set| common(&set.key.name)).max().unwrap_or(0);
        prop_assert_eq!(State::labels_in_common(&state, generation, &name).unwrap(), most);
        let most = expected.zones.values().map(|zone| common(&zone.name)).max().unwrap_or(0);
        prop_assert_eq!(state.zone_labels_in_common(&name).unwrap(), most);
    }

    #[test]
    fn query_logging_is_found_by_account_and_zone(
        effects in prop::collection::vec(query_logging_effect(), 0..12),
        account in testing::account_id(), id in testing::query_logging_config_id(),
    ) {
        let tables = Tables::in_memory().unwrap();
        let (entry, _) = Entry::after(Head::EMPTY, Timestamp(1), vec![testing::commit_of(effects)]);
        tables.apply(std::slice::from_ref(&entry)).unwrap();
        let state = tables.read().unwrap();
        let mut logging = Expected::of(&[entry]).logging;
        for zone in ["Z1", "Z2", "Z22"].map(|id| ZoneId::new(id).unwrap()) {
            let config = logging.iter().rfind(|config| config.zone == zone).cloned();
            prop_assert_eq!(state.logged_zones().unwrap().contains(&zone), config.is_some());
            prop_assert_eq!(state.query_logging_of(&zone).unwrap(), config);
        }
        logging.sort_by_key(|config| config.id.clone());
        let found = logging.iter().find(|config| config.id == id).cloned();
        prop_assert_eq!(state.query_logging_config(&id).unwrap(), found);
        logging.retain(|config| config.account == account && config.id >= id);
        let page = state.query_logging_configs_of(&account, Some(&id), 9).unwrap();
        prop_assert_eq!(page, logging);
    }

    #[test]
    fn instances_are_found_by_account_zone_and_policy(chain in testing::chain(24)) {
        let tables = Tables::in_memory().unwrap();
        tables.apply(&chain).unwrap();
        let state = tables.read().unwrap();
        let mut all: Vec<_> = Expected::of(&chain).instances.into_values().collect();
        let order = |one: &TrafficPolicyInstance| {
            (one.zone.clone(), one.name.sort_key(), one.rtype.as_str())
        };
        all.sort_by_key(order);
        for instance in &all {
            let TrafficPolicyInstance { id, account, zone, policy, version, .. } = instance;
            let by_id = state.traffic_policy_instance(id).unwrap();
            prop_assert_eq!(by_id.as_ref(), Some(instance));
            let at = state.traffic_policy_instance_at(zone, &instance.name, instance.rtype);
            let at = at.unwrap();
            prop_assert_eq!(at.as_ref(), Some(instance));
            let start = InstanceStart { zone, name: Some((&instance.name, Some(instance.rtype))) };
            let lists = [
                InstancesOf::Account(account),
                InstancesOf::Zone(zone),
                InstancesOf::Policy(policy, *version),
            ];
            for of in lists {
                let is_own = |one: &&TrafficPolicyInstance| match of {
                    InstancesOf::Account(account) => one.account == *account,
                    InstancesOf::Zone(zone) => one.zone == *zone,
                    InstancesOf::Policy(policy, version) => {
                        (&one.policy, one.version) == (policy, version)
                    }
                };
                let own: Vec<_> = all.iter().filter(is_own).cloned().collect();
                prop_assert_eq!(&state.traffic_policy_instances(of, None, 99).unwrap(), &own);
                let rest: Vec<_> = own.into_iter().filter(|one| order(one) >= order(instance)).collect();
                let page = state.traffic_policy_instances(of, Some(start), 2).unwrap();
                prop_assert_eq!(page.as_slice(), &rest[..rest.len().min(2)]);
            }
            let count = all.iter().filter(|one| one.account == *account).count();
            prop_assert_eq!(state.traffic_policy_instance_count(account).unwrap(), count as u64);
            prop_assert!(state.has_traffic_policy_instance(policy, *version).unwrap());
        }
    }

    #[test]
    fn history_leads_back_to_every_earlier_version(commits in prop::collection::vec(set_effects(), 1..9)) {
        let tables = Tables::in_memory().unwrap();
        let mut head = Head::EMPTY;
        let mut versions = Vec::new();
        let create = vec![Effect::PutZone(testing::simple_zone("Z1", Generation(1)))];
        for effects in std::iter::once(create).chain(commits) {
            let (entry, _) = Entry::after(head, Timestamp(1), vec![testing::commit_of(effects)]);
            head = tables.apply(&[entry]).unwrap().head;
            versions.push(all_sets(&tables.read().unwrap(), Generation(1)));
        }
        let state = tables.read().unwrap();
        let zone = ZoneId::new("Z1").unwrap();
        let newest = versions.last().cloned().unwrap_or_default();
        let mut sets: BTreeMap<_, _> = newest.into_iter().map(|set| (order(&set.key), set)).collect();
        let mut rows = state.history(&zone, Seq(0), usize::MAX).unwrap();
        for (index, version) in versions.iter().enumerate().rev() {
            prop_assert!(sets.values().eq(version));
            let seq = Seq(index as u64 + 1);
            while let Some(row) = rows.pop_if(|row| row.seq == seq) {
                for (key, before) in row.before {
                    match before {
                        Some(set) => sets.insert(order(&key), set),
                        None => sets.remove(&order(&key)),
                    };
                }
            }
        }
        prop_assert!(rows.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_crash_costs_only_what_is_replayed(chain in testing::chain(24), at: prop::sample::Index) {
        let directory = tempfile::tempdir().unwrap();
        let (path, crashed) = (directory.path().join("a.redb"), directory.path().join("b.redb"));
        let tables = open(&path);
        let at = at.index(chain.len());
        for entry in &chain[..at] {
            tables.apply(std::slice::from_ref(entry)).unwrap();
        }
        // What a killed process leaves: the file as it is, nothing flushed or closed.
        std::fs::copy(&path, &crashed).unwrap();
        tables.apply(&chain[at..]).unwrap();
        let reopened = open(&crashed);
        let from = usize::try_from(reopened.head().seq.0).unwrap();
        prop_assert!(from <= at);
        digest(&reopened);
        reopened.apply(&chain[from..]).unwrap();
        prop_assert_eq!(digest(&reopened), digest(&tables));

        // Closing flushes: nothing has to be replayed then.
        drop(tables);
        prop_assert_eq!(open(&path).head(), reopened.head());
    }
}
