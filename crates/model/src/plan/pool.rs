//! Which name servers a zone gets, and what may be done to the pool.
//!
//! A name's ordinal puts it into one of four stripes and gives it a place there, for ever. A zone
//! gets one name of each stripe, the fourth decided by the other three: its place is their
//! exclusive or. So any two different sets share at most two names, however the pool has grown or
//! shrunk between them. Zones take the possible sets in turn: one is used twice only when all were
//! used, or conflicts leave no other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};

use super::PlanError;
use crate::effect::Effect;
use crate::id::{AccountId, DelegationSetId, Generation};
use crate::name_server::NameServer;
use crate::record_set::RecordSet;
use crate::state::State;
use crate::zone::Zone;

/// How many name servers a zone has.
const STRIPES: usize = 4;
/// The most sets that are looked at for one zone.
const MAX_SETS: usize = 65_536;
/// How far apart the sets of zones made one after the other are: a prime larger than
/// [`MAX_SETS`], so that neighbours look unrelated.
const STEP: u64 = 1_000_003;
/// TTL of the pool's own addresses, in seconds.
const ADDRESS_TTL: u32 = 3600;

/// The zones of other accounts that may never be answered on one address with a zone `name` of
/// this account: those of the same name, above and below it.
pub(super) fn related_elsewhere<S: State>(
    state: &S,
    name: &Name,
    account: &AccountId,
) -> Result<Vec<Zone>, S::Error> {
    let mut related = state.zones_below(name)?;
    let mut above = Some(name.clone());
    // At most 128 turns: a name has no more labels.
    while let Some(ancestor) = above {
        related.extend(state.zones_named(&ancestor)?);
        above = ancestor.parent();
    }
    // Private zones are not answered at addresses of the pool.
    related.retain(|zone| zone.account != *account && !zone.private);
    Ok(related)
}

/// All addresses of the name servers of these zones.
pub(super) fn addresses_of(pool: &[NameServer], zones: &[Zone]) -> BTreeSet<IpAddr> {
    let names = zones
        .iter()
        .flat_map(|zone| &zone.delegation_set.name_servers);
    addresses_at(pool, names)
}

/// All addresses of these name servers.
pub(super) fn addresses_at<'n>(
    pool: &[NameServer],
    names: impl IntoIterator<Item = &'n Name>,
) -> BTreeSet<IpAddr> {
    let names: BTreeSet<&[u8]> = names.into_iter().map(Name::as_wire).collect();
    pool.iter()
        .filter(|server| names.contains(server.name.as_wire()))
        .flat_map(|server| server.addresses.iter().copied())
        .collect()
}

/// Four names of the pool (fewer when it has fewer), none with an address in `taken`. Zones of
/// different numbers get different sets as long as there are any.
pub(super) fn choose(
    pool: &[NameServer],
    taken: &BTreeSet<IpAddr>,
    number: Generation,
) -> Option<Vec<Name>> {
    let free = |server: &NameServer| !server.addresses.iter().any(|a| taken.contains(a));
    if pool.is_empty() {
        return None;
    }
    if pool.len() < STRIPES {
        return pool
            .iter()
            .all(free)
            .then(|| pool.iter().map(|server| server.name.clone()).collect());
    }
    let stripes = Stripes::new(pool);
    let sets = stripes.sets();
    // A step that has no factor in common with the number of sets meets all of them.
    let turn = u128::from(number.0) * u128::from(STEP) % (sets.len().max(1) as u128);
    let (before, after) = sets.split_at(usize::try_from(turn).unwrap_or_default());
    let mut in_turn = after.iter().chain(before).map(|set| stripes.members(*set));
    let found = in_turn.find(|members| members.iter().all(|server| free(server)))?;
    Some(found.map(|server| server.name.clone()).into())
}

/// The pool by stripe and place.
struct Stripes<'a>([BTreeMap<u32, &'a NameServer>; STRIPES]);

/// Places in the four stripes.
type Places = [u32; STRIPES];

impl<'a> Stripes<'a> {
    fn new(pool: &'a [NameServer]) -> Self {
        let mut stripes = [const { BTreeMap::new() }; STRIPES];
        for server in pool {
            let (place, stripe) = (server.ordinal / 4, server.ordinal % 4);
            stripes[stripe as usize].insert(place, server);
        }
        Self(stripes)
    }

    /// The sets that there are names for, at most [`MAX_SETS`].
    fn sets(&self) -> Vec<Places> {
        let [first, second, third, fourth] = &self.0;
        let mut sets = Vec::new();
        for (&a, &b, &c) in first.keys().flat_map(|a| {
            second
                .keys()
                .flat_map(move |b| third.keys().map(move |c| (a, b, c)))
        }) {
            let d = a ^ b ^ c;
            if fourth.contains_key(&d) {
                sets.push([a, b, c, d]);
                if sets.len() == MAX_SETS {
                    break;
                }
            }
        }
        sets
    }

    fn members(&self, places: Places) -> [&'a NameServer; STRIPES] {
        std::array::from_fn(|stripe| self.0[stripe][&places[stripe]])
    }
}

/// Why the pool is not changed; texts for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameServerRefusal {
    /// No address, or one that no client can reach.
    #[error("{0}")]
    Address(String),
    /// Zones of two accounts would be answered on one address.
    #[error("zones {0} and {1} belong to different accounts and would be answered on one address")]
    Shadowing(Name, Name),
    /// Zones use the name.
    #[error("zones use it: {1} and {others} more", others = .0 - 1)]
    InUse(usize, Name),
    /// Reusable delegation sets have the name; zones may be made with them at any time.
    #[error("reusable delegation sets have it: {1} of account {2} and {others} more", others = .0 - 1)]
    InDelegationSet(usize, DelegationSetId, AccountId),
    /// The pool has no such name.
    #[error("the pool has no name server {0}")]
    Unknown(Name),
}

/// Adds a name to the pool or moves one to other addresses; its address records in the zone of
/// this account that encloses the name follow.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_put_name_server<S: State>(
    state: &S,
    operator: &AccountId,
    name: &Name,
    addresses: &[IpAddr],
) -> Result<Vec<Effect>, PlanError<NameServerRefusal, S::Error>> {
    check_addresses(addresses).map_err(PlanError::Refused)?;
    let mut pool = state.name_servers()?;
    let server = NameServer {
        name: name.clone(),
        addresses: addresses.to_vec(),
        ordinal: pool.iter().find(|server| server.name == *name).map_or_else(
            || pool.iter().map(|s| s.ordinal + 1).max().unwrap_or(0),
            |s| s.ordinal,
        ),
    };
    pool.retain(|other| other.name != *name);
    pool.push(server.clone());
    check_shadowing(state, &pool, name)?;
    let mut effects = vec![Effect::PutNameServer(server)];
    effects.extend(address_records(state, operator, name, addresses)?);
    Ok(effects)
}

/// Takes a name that no zone and no reusable set uses out of the pool. Its address records stay.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_delete_name_server<S: State>(
    state: &S,
    name: &Name,
) -> Result<Vec<Effect>, PlanError<NameServerRefusal, S::Error>> {
    if !state
        .name_servers()?
        .iter()
        .any(|server| server.name == *name)
    {
        return Err(PlanError::Refused(NameServerRefusal::Unknown(name.clone())));
    }
    let users = zones_using(state, name)?;
    if let Some(zone) = users.first() {
        let refusal = NameServerRefusal::InUse(users.len(), zone.name.clone());
        return Err(PlanError::Refused(refusal));
    }
    let mut sets = state.delegation_sets()?;
    sets.retain(|set| set.name_servers.contains(name));
    if let Some(set) = sets.first() {
        let (id, account) = (set.id.clone(), set.account.clone());
        let refusal = NameServerRefusal::InDelegationSet(sets.len(), id, account);
        return Err(PlanError::Refused(refusal));
    }
    Ok(vec![Effect::DeleteNameServer(name.clone())])
}

fn check_addresses(addresses: &[IpAddr]) -> Result<(), NameServerRefusal> {
    if addresses.is_empty() {
        return Err(NameServerRefusal::Address(
            "give at least one address".to_owned(),
        ));
    }
    match addresses
        .iter()
        .find(|a| a.is_unspecified() || a.is_multicast())
    {
        Some(address) => Err(NameServerRefusal::Address(format!(
            "{address} is no address that a resolver can ask"
        ))),
        None => Ok(()),
    }
}

fn zones_using<S: State>(state: &S, name: &Name) -> Result<Vec<Zone>, S::Error> {
    let mut zones = state.zones_named(&Name::root())?;
    zones.extend(state.zones_below(&Name::root())?);
    zones.retain(|zone| !zone.private && zone.delegation_set.name_servers.contains(name));
    Ok(zones)
}

fn check_shadowing<S: State>(
    state: &S,
    pool: &[NameServer],
    name: &Name,
) -> Result<(), PlanError<NameServerRefusal, S::Error>> {
    for zone in zones_using(state, name)? {
        let own = addresses_of(pool, std::slice::from_ref(&zone));
        for rival in related_elsewhere(state, &zone.name, &zone.account)? {
            let theirs = addresses_of(pool, std::slice::from_ref(&rival));
            if !own.is_disjoint(&theirs) {
                return Err(PlanError::Refused(NameServerRefusal::Shadowing(
                    zone.name, rival.name,
                )));
            }
        }
    }
    Ok(())
}

/// A and AAAA sets of the name in the closest zone of the operator that encloses it.
fn address_records<S: State>(
    state: &S,
    operator: &AccountId,
    name: &Name,
    addresses: &[IpAddr],
) -> Result<Vec<Effect>, S::Error> {
    let mut above = Some(name.clone());
    while let Some(apex) = above {
        let mut zones = state.zones_named(&apex)?;
        zones.retain(|zone| zone.account == *operator && !zone.private);
        // Of several zones of one name the oldest is the one that answers.
        let oldest = zones
            .into_iter()
            .min_by_key(|zone| (zone.created_at, zone.generation));
        if let Some(zone) = oldest {
            return address_sets(state, &zone, name, addresses);
        }
        above = apex.parent();
    }
    Ok(Vec::new())
}

fn address_sets<S: State>(
    state: &S,
    zone: &Zone,
    name: &Name,
    addresses: &[IpAddr],
) -> Result<Vec<Effect>, S::Error> {
    let generation = zone.generation;
    let present = state.sets_at(generation, name)?;
    let mut effects = Vec::new();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let values: Vec<String> = addresses
            .iter()
            .filter(|address| address.is_ipv4() == (rtype == RecordType::A))
            .map(IpAddr::to_string)
            .collect();
        let wanted = !values.is_empty();
        let set = RecordSet::simple(name.clone(), rtype, ADDRESS_TTL, values);
        if wanted {
            effects.push(Effect::PutSet { generation, set });
        } else if present.iter().any(|other| other.key == set.key) {
            let key = set.key;
            effects.push(Effect::DeleteSet { generation, key });
        }
    }
    Ok(effects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn pool(size: u8) -> Vec<NameServer> {
        (0..size)
            .map(|i| NameServer {
                name: Name::parse(&format!("ns-{i}.test")).unwrap(),
                addresses: vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, i))],
                ordinal: u32::from(i),
            })
            .collect()
    }

    #[test]
    fn different_sets_share_at_most_two_names() {
        let pool = pool(16);
        let none = BTreeSet::new();
        let sets: Vec<Vec<Name>> = (0..64)
            .map(|i| choose(&pool, &none, Generation(i)).unwrap())
            .collect();
        for (i, a) in sets.iter().enumerate() {
            assert_eq!(a.len(), 4);
            for b in &sets[..i] {
                let shared = a.iter().filter(|name| b.contains(name)).count();
                assert!(shared <= 2, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn sets_stay_apart_when_the_pool_grows_and_shrinks() {
        let none = BTreeSet::new();
        let mut sets = BTreeSet::new();
        for (size, gone) in [(12, None), (20, None), (20, Some(5)), (64, Some(6))] {
            let mut pool = pool(size);
            pool.retain(|server| Some(server.ordinal) != gone);
            sets.extend((0..50).map(|i| {
                let names = choose(&pool, &none, Generation(i)).unwrap();
                names
                    .iter()
                    .map(Name::to_string)
                    .collect::<BTreeSet<String>>()
            }));
        }
        for (i, a) in sets.iter().enumerate() {
            for b in sets.iter().take(i) {
                assert!(a.intersection(b).count() <= 2, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn taken_addresses_are_avoided_or_there_is_none() {
        let pool = pool(8);
        let taken: BTreeSet<IpAddr> = pool[..4].iter().flat_map(|s| s.addresses.clone()).collect();
        for seed in 0..10 {
            let set = choose(&pool, &taken, Generation(seed)).unwrap();
            assert!(
                set.iter()
                    .all(|name| pool[4..].iter().any(|s| s.name == *name))
            );
        }
        let all: BTreeSet<IpAddr> = pool[..5].iter().flat_map(|s| s.addresses.clone()).collect();
        assert_eq!(choose(&pool, &all, Generation(3)), None);
        assert_eq!(choose(&[], &taken, Generation(3)), None);
        assert_eq!(
            choose(&pool[..2], &BTreeSet::new(), Generation(3))
                .unwrap()
                .len(),
            2
        );
    }
}
