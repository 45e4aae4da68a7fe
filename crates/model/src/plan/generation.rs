//! The life of a zone generation: begun unseen, published by one step, kept for history, removed
//! in bounded steps. Which sets are written into it is the business of imports and restores.

use crate::effect::Effect;
use crate::facts::Timestamp;
use crate::generation::{UnseenGeneration, UnseenState};
use crate::id::{AccountId, Generation, ZoneId};
use crate::state::State;
use crate::zone::Zone;

/// How long a superseded generation is kept, in milliseconds: as long as history.
const KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// The most superseded generations of one zone that are kept.
const KEPT_GENERATIONS: usize = 10;

/// Begins a generation for this zone, which need not exist yet.
///
/// # Errors
/// The state's.
pub fn plan_begin_generation<S: State>(
    state: &S,
    now: Timestamp,
    account: &AccountId,
    zone: &ZoneId,
) -> Result<(Generation, Vec<Effect>), S::Error> {
    let generation = state.next_generation()?;
    let begun = UnseenGeneration {
        generation,
        account: account.clone(),
        zone: zone.clone(),
        state: UnseenState::Draft,
        since: now,
    };
    Ok((generation, vec![Effect::PutUnseenGeneration(begun)]))
}

/// Points a zone, as it is now, to a generation that was written unseen. The one it pointed to is
/// kept for history.
pub fn plan_publish_generation(zone: &Zone, generation: Generation, now: Timestamp) -> Vec<Effect> {
    let superseded = UnseenGeneration {
        generation: zone.generation,
        account: zone.account.clone(),
        zone: zone.id.clone(),
        state: UnseenState::Superseded,
        since: now,
    };
    let published = Zone {
        generation,
        ..zone.clone()
    };
    vec![
        Effect::DeleteUnseenGeneration(generation),
        Effect::PutZone(published),
        Effect::PutUnseenGeneration(superseded),
    ]
}

/// Removes at most so many sets of a generation that is not needed any more, and with the last of
/// them the generation.
pub fn plan_collect_generation(
    unseen: &UnseenGeneration,
    most: u32,
    now: Timestamp,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    if unseen.state != UnseenState::Garbage {
        // From the first missing set on it must not be taken for a version of its zone.
        effects.push(Effect::PutUnseenGeneration(UnseenGeneration {
            state: UnseenState::Garbage,
            since: now,
            ..unseen.clone()
        }));
    }
    effects.push(Effect::CollectGeneration {
        generation: unseen.generation,
        most,
    });
    effects
}

/// Those of all unseen generations that are to be removed. `is_alive` says of a draft whether
/// somebody is still writing it.
pub fn expired_generations(
    mut unseen: Vec<UnseenGeneration>,
    now: Timestamp,
    is_alive: impl Fn(Generation) -> bool,
) -> Vec<UnseenGeneration> {
    // The newest of each zone first.
    unseen.sort_by(|a, b| {
        let newest = (b.since, b.generation).cmp(&(a.since, a.generation));
        a.zone.cmp(&b.zone).then(newest)
    });
    let mut zone = None;
    let mut kept = 0;
    unseen.retain(|one| {
        if zone.as_ref() != Some(&one.zone) {
            (zone, kept) = (Some(one.zone.clone()), 0);
        }
        match one.state {
            UnseenState::Garbage => true,
            UnseenState::Draft => !is_alive(one.generation),
            UnseenState::Superseded => {
                kept += 1;
                kept > KEPT_GENERATIONS || one.since.0.saturating_add(KEPT_MS) < now.0
            }
        }
    });
    unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unseen(generation: u64, zone: &str, state: UnseenState, since: i64) -> UnseenGeneration {
        UnseenGeneration {
            generation: Generation(generation),
            account: AccountId::new("1").unwrap(),
            zone: ZoneId::new(zone).unwrap(),
            state,
            since: Timestamp(since),
        }
    }

    fn expired(all: Vec<UnseenGeneration>, now: i64) -> Vec<u64> {
        let alive = |generation| generation == Generation(7);
        let mut found: Vec<u64> = expired_generations(all, Timestamp(now), alive)
            .iter()
            .map(|one| one.generation.0)
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn ten_superseded_generations_of_a_zone_are_kept_for_ninety_days() {
        let mut all: Vec<_> = (10..25)
            .map(|n| unseen(n, "ZA", UnseenState::Superseded, n.cast_signed()))
            .collect();
        all.push(unseen(30, "ZB", UnseenState::Superseded, 0));
        assert_eq!(expired(all.clone(), 100), [10, 11, 12, 13, 14]);
        let late = expired(all, KEPT_MS + 24);
        assert_eq!(late, (10..24).chain([30]).collect::<Vec<u64>>());
    }

    #[test]
    fn drafts_live_as_long_as_their_writers() {
        let all = vec![
            unseen(6, "ZA", UnseenState::Draft, 0),
            unseen(7, "ZA", UnseenState::Draft, 0),
            unseen(8, "ZA", UnseenState::Garbage, 0),
        ];
        assert_eq!(expired(all, 1), [6, 8]);
    }

    #[test]
    fn what_is_being_removed_is_called_garbage_from_the_first_set_on() {
        let draft = unseen(6, "ZA", UnseenState::Draft, 0);
        let first = plan_collect_generation(&draft, 5, Timestamp(9));
        let [Effect::PutUnseenGeneration(garbage), collect] = first.as_slice() else {
            panic!("{first:?}");
        };
        assert_eq!(garbage.state, UnseenState::Garbage);
        let next = plan_collect_generation(garbage, 5, Timestamp(10));
        assert_eq!(next, std::slice::from_ref(collect));
    }
}
