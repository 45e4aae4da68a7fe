//! Makes a failing case smaller, one thing at a time, as long as it fails at all.

use meridian_dns::RecordType;
use meridian_model::SetData;

use crate::case::Case;
use crate::compare::{Complaint, Failure, SetUp, judge};
use crate::model::Oracle;

/// The most cases that are tried.
const MOST_TRIES: usize = 3000;

/// A failure that is like this one but smaller, if there is any.
pub(crate) fn smaller(mut failure: Failure, set_up: SetUp<'_>) -> Failure {
    let gone = dangling(&failure.case);
    let mut tries = 0;
    let mut progress = true;
    while progress && tries < MOST_TRIES {
        progress = false;
        let mut number = 0;
        while let Some(case) = without(&failure.case, number) {
            tries += 1;
            number += 1;
            if dangling(&case) > gone || tries > MOST_TRIES {
                continue;
            }
            if let Some(complaint) = complaint(&case, &failure, set_up) {
                failure.case = case;
                failure.complaint = complaint;
                progress = true;
                number -= 1;
            }
        }
    }
    failure
}

fn complaint(case: &Case, failure: &Failure, set_up: SetUp<'_>) -> Option<Complaint> {
    let (mut server, oracle) = (set_up(case), Oracle::new(case, None));
    judge(&oracle, &failure.ask, &mut *server, failure.seeds).err()
}

/// The case without its thing of this number: a set, a check's id, a network or a block.
fn without(case: &Case, mut number: usize) -> Option<Case> {
    let mut case = case.clone();
    for zone in &mut case.zones {
        let is_apex = |rtype| matches!(rtype, RecordType::Soa | RecordType::Ns);
        let first = zone.sets.iter().position(|set| !is_apex(set.key.rtype));
        let first = first.unwrap_or(zone.sets.len());
        if number < zone.sets.len() - first {
            zone.sets.remove(first + number);
            return Some(case);
        }
        number -= zone.sets.len() - first;
    }
    for zone in &mut case.zones {
        for set in &mut zone.sets {
            if set.health_check_id.is_some() {
                if number == 0 {
                    set.health_check_id = None;
                    return Some(case);
                }
                number -= 1;
            }
        }
    }
    if number < case.places.len() {
        case.places.remove(number);
        return Some(case);
    }
    number -= case.places.len();
    if number < case.latencies.len() {
        case.latencies.remove(number);
        return Some(case);
    }
    number -= case.latencies.len();
    for blocks in case.collections.values_mut() {
        if number < blocks.len() {
            blocks.remove(number);
            return Some(case);
        }
        number -= blocks.len();
    }
    None
}

/// How many aliases lead nowhere.
fn dangling(case: &Case) -> usize {
    let sets = || case.zones.iter().flat_map(|zone| &zone.sets);
    let leads_nowhere = |rtype, data: &SetData| {
        let SetData::Alias(target) = data else {
            return false;
        };
        let zone = case.zones.iter().find(|zone| zone.id == target.zone);
        let mut sets = zone.into_iter().flat_map(|zone| &zone.sets);
        !sets.any(|set| set.key.rtype == rtype && set.key.name == target.name)
    };
    sets()
        .filter(|set| leads_nowhere(set.key.rtype, &set.data))
        .count()
}
