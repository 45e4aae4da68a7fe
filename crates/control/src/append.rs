//! What becomes of the commits that a group hands in: one entry of all that are independent of each
//! other. How they are handed in is the business of group.rs.
//!
//! Commits that share an entry were planned on the same state, each without the others. That is
//! as good as one after another if none of them changes what another one's plan looked at. Two
//! things see to it: only those get into one group who say that they look at no other zone's record
//! sets ([`Errand::Sets`](crate::turns::Errand)), and of a group only those get into one entry that
//! write nothing but record sets of zones of their own, and the change that tells of them. No plan
//! looks at changes; numbers of the account, rights, quotas and zones are written by nobody in such
//! an entry.

use meridian_log::{AppendError, Commit, RetryKey};
use meridian_model::{Effect, Generation, ZoneId};

use crate::control::{Control, check_behind, not_appended};
use crate::group::{Basis, Verdict};

impl Control {
    /// Appends commits that were planned on this basis, of which there is at least one; a verdict for
    /// each, in order. What cannot be written beside those before it is to be planned again.
    ///
    /// An entry that is too large, or of a level that is not finalized, is cut in two, and so on:
    /// whose fault it is, that one is refused alone, and the others pay with a few entries more.
    pub(crate) fn append(&self, basis: &Basis, commits: Vec<Commit>) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Again; commits.len()];
        let independent = independent(&commits);
        let together = (0..)
            .zip(commits)
            .filter(|(place, _)| independent.contains(place));
        let mut head = basis.snapshot.head();
        // The next one last.
        let mut portions: Vec<Vec<(usize, Commit)>> = vec![together.collect()];
        while let Some(portion) = portions.pop() {
            let spare = (portion.len() > 1).then(|| portion.clone());
            let (places, commits): (Vec<usize>, Vec<Commit>) = portion.into_iter().unzip();
            let appended = self.journal.append(head, commits, basis.now);
            let verdict = match (appended, spare) {
                (Ok(appended), _) => {
                    *self.last() = Some((appended, basis.now));
                    // The others' plans hold there too.
                    head = appended;
                    Verdict::Written
                }
                (Err(AppendError::Conflict { head: found }), _) => {
                    match check_behind(head, found) {
                        Ok(()) => Verdict::Again,
                        Err(fault) => Verdict::Failed(fault),
                    }
                }
                (
                    Err(AppendError::Level { .. } | AppendError::TooLarge { .. }),
                    Some(mut portion),
                ) => {
                    let rest = portion.split_off(portion.len() / 2);
                    portions.extend([rest, portion]);
                    continue;
                }
                (Err(error), _) => Verdict::Failed(not_appended(error)),
            };
            for place in places {
                verdicts[place] = verdict.clone();
            }
        }
        verdicts
    }
}

/// The places of those commits that can be written as one entry: the first, and each that is
/// independent of all taken before it.
fn independent(commits: &[Commit]) -> Vec<usize> {
    let mut taken: Vec<Option<Reach<'_>>> = Vec::new();
    let mut places = Vec::new();
    for (place, commit) in commits.iter().enumerate() {
        let reach = Reach::of(commit);
        let fits = |other: &Option<Reach<'_>>| match (&reach, other) {
            (Some(reach), Some(other)) => reach.is_beside(other),
            // What reaches further is written alone.
            _ => false,
        };
        if taken.iter().all(fits) {
            places.push(place);
            taken.push(reach);
        }
    }
    places
}

/// How far the commit of a change of one zone's record sets reaches.
struct Reach<'a> {
    zone: &'a ZoneId,
    /// None when nothing was different.
    generation: Option<Generation>,
    retry: Option<RetryKey>,
}

impl<'a> Reach<'a> {
    /// None for everything else.
    fn of(commit: &'a Commit) -> Option<Self> {
        let (mut zone, mut generation) = (None, None);
        for effect in &commit.effects {
            match effect {
                Effect::PutSet { generation: of, .. }
                | Effect::DeleteSet { generation: of, .. } => {
                    if *generation.get_or_insert(*of) != *of {
                        return None;
                    }
                }
                Effect::PutChange(change) if zone.is_none() => zone = change.zone.as_ref(),
                _ => return None,
            }
        }
        Some(Self {
            zone: zone?,
            generation,
            retry: commit.retry,
        })
    }

    /// Whether neither can tell if the other was written before it. The same request is one.
    fn is_beside(&self, other: &Self) -> bool {
        let differ = self.generation.is_none() || self.generation != other.generation;
        let repeats = self.retry.is_some() && self.retry == other.retry;
        self.zone != other.zone && differ && !repeats
    }
}

#[cfg(test)]
mod tests {
    use meridian_dns::{Name, RecordType};
    use meridian_model::{AccountId, Change, ChangeId, SetKey, Timestamp};

    use super::*;

    fn deletion(generation: u64) -> Effect {
        Effect::DeleteSet {
            generation: Generation(generation),
            key: SetKey {
                name: Name::parse("www.test").unwrap(),
                rtype: RecordType::A,
                set_identifier: None,
            },
        }
    }

    fn change(zone: &str) -> Effect {
        Effect::PutChange(Change {
            id: ChangeId::new("C1").unwrap(),
            account: AccountId::new("000000000001").unwrap(),
            zone: Some(ZoneId::new(zone).unwrap()),
            submitted_at: Timestamp(0),
            comment: None,
        })
    }

    fn commit(retry: Option<u8>, effects: Vec<Effect>) -> Commit {
        Commit {
            request_id: String::new(),
            account: None,
            principal: String::new(),
            source: String::new(),
            retry: retry.map(|byte| RetryKey([byte; 32])),
            effects,
        }
    }

    fn sets(zone: &str, generation: u64) -> Commit {
        commit(None, vec![deletion(generation), change(zone)])
    }

    #[test]
    fn what_touches_the_same_is_not_written_together() {
        let unchanged = |zone| commit(None, vec![change(zone)]);
        let cases = [
            (
                vec![sets("Z1", 1), sets("Z2", 2), sets("Z3", 3)],
                vec![0, 1, 2],
            ),
            (
                vec![sets("Z1", 1), sets("Z1", 1), sets("Z2", 2)],
                vec![0, 2],
            ),
            // Neither of these is what it should be: a zone has one generation, and no other has.
            (vec![sets("Z1", 1), sets("Z2", 1)], vec![0]),
            (vec![sets("Z1", 1), sets("Z1", 2)], vec![0]),
            // Planned to change nothing, as the zone was.
            (
                vec![sets("Z1", 1), unchanged("Z1"), unchanged("Z2")],
                vec![0, 2],
            ),
            (
                vec![unchanged("Z2"), sets("Z2", 2), unchanged("Z3")],
                vec![0, 2],
            ),
        ];
        for (commits, expected) in cases {
            assert_eq!(independent(&commits), expected, "{commits:?}");
        }
    }

    #[test]
    fn a_request_is_written_once() {
        let of =
            |retry, zone, generation| commit(Some(retry), vec![deletion(generation), change(zone)]);
        let commits = [of(1, "Z1", 1), of(1, "Z2", 2), of(2, "Z3", 3)];
        assert_eq!(independent(&commits), [0, 2]);
    }

    #[test]
    fn what_reaches_beyond_the_record_sets_of_one_zone_is_written_alone() {
        let zone = ZoneId::new("Z2").unwrap();
        for effects in [
            vec![],
            vec![deletion(2)],
            vec![deletion(2), deletion(3), change("Z2")],
            vec![deletion(2), change("Z2"), change("Z2")],
            vec![deletion(2), change("Z2"), Effect::DeleteZone(zone)],
        ] {
            let alone = commit(None, effects);
            assert_eq!(
                independent(&[sets("Z1", 1), alone.clone()]),
                [0],
                "{alone:?}"
            );
            assert_eq!(
                independent(&[alone.clone(), sets("Z1", 1)]),
                [0],
                "{alone:?}"
            );
        }
    }
}
