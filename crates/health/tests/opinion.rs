//! Opinions: as many results in a row as the threshold asks for, in both directions.

use meridian_health::{Finding, Opinion, Vote};
use meridian_model::Health;
use proptest::prelude::*;

use Finding::{Failure, Success};

fn after(findings: &[Finding], threshold: u8) -> Option<Health> {
    let mut opinion = Opinion::default();
    for finding in findings {
        opinion.learn(*finding, threshold);
    }
    opinion.held()
}

#[test]
fn there_is_no_opinion_before_there_are_enough_results() {
    assert_eq!(after(&[], 3), None);
    assert_eq!(after(&[Failure; 2], 3), None);
    assert_eq!(after(&[Success; 2], 3), None);
    assert_eq!(after(&[Failure; 3], 3), Some(Health::Unhealthy));
    assert_eq!(after(&[Success; 3], 3), Some(Health::Healthy));
    assert_eq!(after(&[Success, Failure, Success, Failure], 2), None);
}

#[test]
fn a_row_that_is_broken_begins_again() {
    let results = [
        Success, Success, Failure, Failure, Success, Failure, Failure,
    ];
    assert_eq!(after(&results[..2], 2), Some(Health::Healthy));
    assert_eq!(after(&results, 3), None);
    let results = [
        Success, Success, Success, Failure, Failure, Success, Failure, Failure,
    ];
    assert_eq!(after(&results, 3), Some(Health::Healthy));
}

#[test]
fn a_lowered_threshold_counts_from_the_next_result() {
    let mut opinion = Opinion::default();
    for _ in 0..4 {
        assert_eq!(opinion.learn(Failure, 5), None);
    }
    assert_eq!(opinion.learn(Failure, 2), Some(Health::Unhealthy));
    assert_eq!(opinion.learn(Failure, 2), None, "it is no other one");
    assert_eq!(Vote::from(opinion.held()), Vote::Down);
}

proptest! {
    /// The slow way: the last place in the results where enough in a row say the same.
    #[test]
    fn it_is_what_the_last_full_row_said(
        results in prop::collection::vec(prop_oneof![Just(Success), Just(Failure)], 0..60),
        threshold in 1_u8..=10,
    ) {
        let rows = results.windows(threshold.into());
        let mut full = rows.filter(|row| row.iter().all(|finding| *finding == row[0]));
        prop_assert_eq!(after(&results, threshold), full.next_back().map(|row| row[0].says()));
    }
}
