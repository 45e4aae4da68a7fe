//! Host names elsewhere that aliases point to, and what has been found out about them: the table that
//! answers come from. Finding it out is the business of whoever hands the table in; on the way of a
//! query nothing is resolved and nobody is waited for.

pub(crate) mod entry;
mod needed;
mod resources;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use meridian_dns::{Name, RecordType};
use meridian_model::{AccountId, EXTERNAL, Network, ProbeRights};

use crate::hash::HashKey;
use crate::health::Key;
use crate::image::hash_of;
use crate::keyed::Keyed;
use crate::node::Set;
use crate::route::group::External;

use entry::Entry;
pub use needed::{Need, NeedChanges, NeedCounts, NeededTargets};
pub use resources::ResourceChecks;

/// A host name elsewhere with one type, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalTarget {
    /// The name, in any case.
    pub name: Name,
    /// The type.
    pub rtype: RecordType,
    /// What aliases to it are answered with.
    pub state: ExternalState,
    /// How that came about.
    pub facts: ExternalFacts,
}

/// What aliases to a host name elsewhere are answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalState {
    /// Records. The only state that is healthy.
    Answers {
        /// What whoever lies in none of the subnets is told.
        records: ExternalRecords,
        /// What is told to clients in these networks; in the longest that holds all of a client's.
        for_subnets: Vec<(Network, ExternalRecords)>,
    },
    /// The name exists, without records of the type.
    Nothing,
    /// There is no such name, for longer than that is believed to be a mistake.
    NoSuchName,
    /// It has not been resolved yet, or not for so long that what was known is too old.
    Unknown,
}

/// Records as they are told under the names of aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalRecords {
    /// How long clients may remember them, in seconds: what is left of the target's own time.
    pub ttl_s: u32,
    /// What is not data of the type, is there twice or does not fit into a message is left out.
    pub records: Vec<ExternalRecord>,
}

/// A record of a host name elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalRecord {
    /// Its data in wire form, names in it uncompressed.
    pub data: Vec<u8>,
    /// The right to the addresses in it: to zones of accounts with less it is not there.
    pub needs: ProbeRights,
}

/// The rights of accounts to addresses; those that are not among them have the least.
pub type EgressRights = HashMap<AccountId, ProbeRights>;

/// How what is known of a host name came about; only for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalFacts {
    /// When it was last resolved, in seconds since 1970-01-01 UTC.
    pub resolved_at_s: Option<u64>,
    /// Who said so.
    pub source: Option<Arc<str>>,
    /// Why a later attempt failed, if one did.
    pub last_error: Option<Arc<str>>,
}

/// What is known of host names elsewhere. What is not in it has not been resolved. Cloning copies one
/// pointer.
#[derive(Debug, Clone)]
pub struct ExternalTargets(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    entries: Keyed<Entry>,
    step: Option<Step>,
}

/// How a table differs from another in what matters to health.
#[derive(Debug)]
struct Step {
    before: Weak<Table>,
    flipped: Vec<Key>,
}

/// What an alias to a host name elsewhere has for a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outside<'a> {
    /// These records, for whoever shares so many leading bits of the client's address.
    Records(Set<'a>, u8),
    /// There is nothing.
    Nothing,
    /// Nobody knows.
    Unknown,
    /// There are records, at addresses that the alias's account has no right to.
    Withheld,
}

impl ExternalTargets {
    /// Nothing is known of anything.
    pub fn none() -> Self {
        Self(Arc::default())
    }

    /// These are known, for a World with this key. Of several with one name and type the last counts.
    pub fn of(key: HashKey, targets: impl IntoIterator<Item = ExternalTarget>) -> Self {
        Self(Arc::new(Table {
            entries: entries(key, targets),
            step: None,
        }))
    }

    /// The same as [`of`](Self::of), to come after these in a World. What that means to the health of
    /// aliases is worked out here, which looks at all of both, so that the World need not.
    #[must_use]
    pub fn followed_by(
        &self,
        key: HashKey,
        targets: impl IntoIterator<Item = ExternalTarget>,
    ) -> Self {
        let entries = entries(key, targets);
        let step = Step {
            before: Arc::downgrade(&self.0),
            flipped: differences(&self.0.entries, &entries),
        };
        Self(Arc::new(Table {
            entries,
            step: Some(step),
        }))
    }

    /// Whether both are the same table, not only the same in content.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether no World and nobody else has it: to let go of it is to free it, which takes time.
    pub fn is_only(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// What an alias of a zone with these rights has for a client of whose address so many bits are
    /// known. The rights are asked for only where they make a difference.
    #[inline]
    pub(crate) fn find(
        &self,
        external: &External<'_>,
        (address, bits): (IpAddr, u8),
        rights: impl FnOnce() -> ProbeRights,
    ) -> Outside<'_> {
        match self.entry(external) {
            Some(entry) => entry.find((address, bits), rights),
            None => Outside::Unknown,
        }
    }

    /// Whether there are records for zones with these rights, which is all that health asks for.
    pub(crate) fn has_records(&self, external: &External<'_>, rights: ProbeRights) -> bool {
        let entry = self.entry(external);
        entry.is_some_and(|entry| entry.has_records(rights))
    }

    #[inline]
    pub(crate) fn entry(&self, external: &External<'_>) -> Option<&Entry> {
        let entry = self.0.entries.get(&external.key)?;
        // Keys are hashes, and one set of records must not stand for another name's.
        entry.is_of(external.name).then_some(entry)
    }

    /// Those of which the two say different things about health.
    pub(crate) fn differences(&self, other: &Self) -> Vec<Key> {
        if self.is_same(other) {
            return Vec::new();
        }
        match &other.0.step {
            Some(step) if Weak::ptr_eq(&step.before, &Arc::downgrade(&self.0)) => {
                step.flipped.clone()
            }
            _ => differences(&self.0.entries, &other.0.entries),
        }
    }
}

fn entries(key: HashKey, targets: impl IntoIterator<Item = ExternalTarget>) -> Keyed<Entry> {
    let entry = |target: ExternalTarget| (target_key(key, &target), Entry::of(target));
    targets.into_iter().map(entry).collect()
}

fn differences(before: &Keyed<Entry>, after: &Keyed<Entry>) -> Vec<Key> {
    let has = |table: &Keyed<Entry>, key: &Key| {
        let entry = table.get(key);
        ProbeRights::ALL.map(|rights| entry.is_some_and(|entry| entry.has_records(rights)))
    };
    let new = after.keys().filter(|key| !before.contains_key(key));
    let differs = |key: &&Key| has(before, key) != has(after, key);
    before.keys().chain(new).filter(differs).copied().collect()
}

/// The key under which a host name is looked for: the same whatever service's zone an alias names.
pub(crate) fn key_of(key: HashKey, name: &Name, rtype: RecordType) -> Key {
    Key::of_target(key, EXTERNAL, hash_of(key, name), rtype)
}

fn target_key(key: HashKey, target: &ExternalTarget) -> Key {
    key_of(key, &target.name, target.rtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey([31, 32]);

    fn target(name: &str, state: ExternalState) -> ExternalTarget {
        ExternalTarget {
            name: Name::parse(name).unwrap(),
            rtype: RecordType::A,
            state,
            facts: ExternalFacts::default(),
        }
    }

    fn records(ttl_s: u32, last: &[u8]) -> ExternalRecords {
        let record = |last: &u8| ExternalRecord {
            data: vec![192, 0, 2, *last],
            needs: ProbeRights::Public,
        };
        let records = last.iter().map(record).collect();
        ExternalRecords { ttl_s, records }
    }

    fn answers(ttl_s: u32, last: &[u8]) -> ExternalState {
        ExternalState::Answers {
            records: records(ttl_s, last),
            for_subnets: Vec::new(),
        }
    }

    fn told(
        table: &ExternalTargets,
        name: &str,
        client: &str,
        bits: u8,
    ) -> Option<(u32, Vec<u8>, u8)> {
        told_with(ProbeRights::Public, table, name, (client, bits))
    }

    /// What a client is told: the TTL, the last bytes of the addresses, and the scope; nothing of
    /// what is withheld.
    fn told_with(
        rights: ProbeRights,
        table: &ExternalTargets,
        name: &str,
        (client, bits): (&str, u8),
    ) -> Option<(u32, Vec<u8>, u8)> {
        let name = Name::parse(name).unwrap().to_lowercase();
        let external = External {
            key: key_of(KEY, &name, RecordType::A),
            zone: EXTERNAL,
            name: name.as_wire(),
        };
        match table.find(&external, (client.parse().unwrap(), bits), || rights) {
            Outside::Records(set, scope) => {
                let last = set.rotated(0).map(|data| data[3]).collect();
                Some((set.ttl, last, scope))
            }
            Outside::Nothing => Some((0, Vec::new(), 0)),
            Outside::Unknown => None,
            Outside::Withheld => Some((u32::MAX, Vec::new(), 0)),
        }
    }

    #[test]
    fn a_name_is_found_in_any_case_and_only_what_is_data_is_told() {
        let mut strange = records(60, &[1, 2, 1]);
        strange.records.push(ExternalRecord {
            data: vec![1, 2, 3],
            needs: ProbeRights::Public,
        });
        let state = ExternalState::Answers {
            records: strange,
            for_subnets: Vec::new(),
        };
        let table = ExternalTargets::of(KEY, [target("CDN.test", state)]);
        assert_eq!(
            told(&table, "cdn.TEST", "10.0.0.1", 32),
            Some((60, vec![1, 2], 0))
        );
        assert_eq!(told(&table, "other.test", "10.0.0.1", 32), None);
        assert_eq!(
            told(&ExternalTargets::none(), "cdn.test", "10.0.0.1", 32),
            None
        );
    }

    #[test]
    fn states_are_records_nothing_or_unknown() {
        let table = ExternalTargets::of(
            KEY,
            [
                target("nothing.test", ExternalState::Nothing),
                target("gone.test", ExternalState::NoSuchName),
                target("unknown.test", ExternalState::Unknown),
                target("empty.test", answers(60, &[])),
            ],
        );
        let nothing = Some((0, Vec::new(), 0));
        for (name, right) in [
            ("nothing.test", nothing.clone()),
            ("gone.test", nothing.clone()),
            ("unknown.test", None),
            ("empty.test", nothing),
        ] {
            assert_eq!(told(&table, name, "10.0.0.1", 32), right, "{name}");
        }
    }

    #[test]
    fn clients_are_told_by_the_longest_subnet_and_never_for_too_many() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let state = ExternalState::Answers {
            records: records(60, &[1]),
            for_subnets: vec![
                (network("10.0.0.0/8"), records(30, &[2])),
                (network("10.1.0.0/16"), records(20, &[3])),
                (network("2001:db8::/32"), records(10, &[])),
            ],
        };
        let table = ExternalTargets::of(KEY, [target("cdn.test", state)]);
        for (client, bits, right) in [
            ("10.1.2.3", 24, (20, vec![3], 16)),
            ("10.2.2.3", 24, (30, vec![2], 15)),
            // A subnet that holds more than the client's own network is not told of.
            ("10.1.0.0", 15, (30, vec![2], 16)),
            // Whoever lies in none may yet have one to be asked for.
            ("192.0.2.1", 24, (60, vec![1], 24)),
            ("2001:db8::1", 48, (60, vec![1], 48)),
        ] {
            assert_eq!(
                told(&table, "cdn.test", client, bits),
                Some(right),
                "{client}/{bits}"
            );
        }
    }

    #[test]
    fn accounts_are_told_what_they_have_a_right_to() {
        use ProbeRights::{Everything, Private, Public};
        let needs = |all: &[(u8, ProbeRights)]| ExternalRecords {
            ttl_s: 60,
            records: all
                .iter()
                .map(|(last, needs)| ExternalRecord {
                    data: vec![192, 0, 2, *last],
                    needs: *needs,
                })
                .collect(),
        };
        let state = |all: &[(u8, ProbeRights)], own: &[(u8, ProbeRights)]| ExternalState::Answers {
            records: needs(all),
            for_subnets: vec![("10.0.0.0/8".parse().unwrap(), needs(own))],
        };
        let all = [(1, Public), (2, Private), (3, Everything)];
        let table = ExternalTargets::of(
            KEY,
            [
                target("mixed.test", state(&all, &[(4, Private)])),
                target("private.test", state(&all[1..2], &[(4, Public)])),
                target("own.test", state(&all[2..], &[(4, Everything)])),
            ],
        );
        let withheld = (u32::MAX, Vec::new());
        let some = |last: &[u8]| (60, last.to_vec());
        for (name, client, [public, private, everything]) in [
            (
                "mixed.test",
                "8.8.8.8",
                [some(&[1]), some(&[1, 2]), some(&[1, 2, 3])],
            ),
            // Where nothing of what a subnet is told is left, it is told what everybody is.
            (
                "mixed.test",
                "10.1.1.1",
                [some(&[1]), some(&[4]), some(&[4])],
            ),
            (
                "private.test",
                "8.8.8.8",
                [withheld.clone(), some(&[2]), some(&[2])],
            ),
            // And where nothing is left of that, there is nothing for anybody.
            (
                "private.test",
                "10.1.1.1",
                [withheld.clone(), some(&[4]), some(&[4])],
            ),
            (
                "own.test",
                "8.8.8.8",
                [withheld.clone(), withheld, some(&[3])],
            ),
        ] {
            for (rights, right) in [
                (Public, public),
                (Private, private),
                (Everything, everything),
            ] {
                let told = told_with(rights, &table, name, (client, 32));
                let told = told.map(|(ttl, last, _)| (ttl, last));
                assert_eq!(told, Some(right), "{name} {client} {rights:?}");
            }
        }
        // That it is healthy for some and not for others is a difference.
        let public = ExternalTargets::of(KEY, [target("own.test", state(&all[..1], &[]))]);
        let own = ExternalTargets::of(KEY, [target("own.test", state(&all[2..], &[]))]);
        let key = key_of(KEY, &Name::parse("own.test").unwrap(), RecordType::A);
        assert_eq!(public.differences(&own), [key]);
    }

    #[test]
    fn only_changes_of_health_are_differences() {
        let before = ExternalTargets::of(
            KEY,
            [
                target("same.test", answers(60, &[1])),
                target("goes.test", answers(60, &[1])),
                target("comes.test", ExternalState::Unknown),
                target("never.test", ExternalState::Unknown),
                target("dropped.test", answers(60, &[1])),
            ],
        );
        let after = ExternalTargets::of(
            KEY,
            [
                target("same.test", answers(30, &[2])),
                target("goes.test", ExternalState::NoSuchName),
                target("comes.test", answers(60, &[1])),
                target("never.test", ExternalState::Nothing),
                target("new.test", answers(60, &[1])),
            ],
        );
        let mut found = before.differences(&after);
        found.sort_unstable();
        let key = |name: &str| key_of(KEY, &Name::parse(name).unwrap(), RecordType::A);
        let mut right = ["goes.test", "comes.test", "dropped.test", "new.test"].map(key);
        right.sort_unstable();
        assert_eq!(found, right);
        assert_eq!(after.differences(&after.clone()), []);
        // Worked out beforehand they are the same, and those to any other table too.
        let next = before.followed_by(KEY, [target("same.test", answers(30, &[2]))]);
        let mut lost = before.differences(&next);
        lost.sort_unstable();
        let mut gone = ["goes.test", "dropped.test"].map(key);
        gone.sort_unstable();
        assert_eq!(lost, gone);
        assert_eq!(
            ExternalTargets::none().differences(&next),
            [key("same.test")]
        );
        assert_eq!(
            next.differences(&next.followed_by(KEY, [])),
            [key("same.test")]
        );
    }
}
