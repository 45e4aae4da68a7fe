//! What is told of checks to people and programs: the same in the event log, to webhooks and to
//! those who watch.

use meridian_health::{Basis, Cast, Desk, HeldBack, Shown, Voter};
use meridian_model::{Health, HealthCheck, HealthSlot, HealthSubject, Reason, Standing, Timestamp};
use serde_json::{Value, json};

use crate::health::{subject, why};

use super::board::{Board, State};
use super::reports::{Report, last_failure, last_sight};

/// A check whose state became the other one, and who voted what.
pub(crate) fn flip(
    board: &Board,
    at: Timestamp,
    state: &State,
    (check, now): (&HealthCheck, &Standing),
) -> Value {
    json!({
        "at": time(at),
        "check": check.id.as_str(),
        "name": state.marks.name(&check.id),
        "account": check.account.as_str(),
        "type": check.config.check_type().as_str(),
        "checks": subject(check),
        "from": now.health.turned_round().as_str(),
        "to": now.health.as_str(),
        "why": reason(board, state, check, now),
        "votes": votes(board, check),
    })
}

/// A check as it stands.
pub(crate) fn row(board: &Board, state: &State, check: &HealthCheck, standing: &Standing) -> Value {
    json!({
        "id": check.id.as_str(),
        "type": check.config.check_type().as_str(),
        "checks": subject(check),
        "state": standing.health.as_str(),
        "why": reason(board, state, check, standing),
    })
}

/// Why a check stands as it does, in a few words.
pub(crate) fn reason(
    board: &Board,
    state: &State,
    check: &HealthCheck,
    standing: &Standing,
) -> String {
    let said = match standing.reason {
        Reason::Observed => observed(board, check),
        _ => {
            let said = state.said.get(&check.id);
            said.map(|said| format!(": {said}")).unwrap_or_default()
        }
    };
    why(check, standing, &said)
}

/// What was observed, behind the word that it was. Only endpoints are voted on.
pub(crate) fn observed(board: &Board, check: &HealthCheck) -> String {
    let HealthSubject::Endpoint(_) = check.config.subject else {
        return String::new();
    };
    let slot = check.slot;
    let known = board.tally();
    let shown = known.votes.show(slot);
    let Some(shown) = shown.filter(|shown| shown.tally.registered > 0) else {
        return ": the last that is known".to_owned();
    };
    let tally = shown.tally;
    let up = format!(
        ": {} of {} checkers say healthy",
        tally.up, tally.registered
    );
    let holds = match shown.age {
        Some(age) => format!("the state of {} s ago holds", age.as_secs()),
        None => "the last that is known holds".to_owned(),
    };
    let up = match shown.basis {
        Basis::Votes => up,
        Basis::BelowQuorum => format!("{up}, {} unhealthy; too few, {holds}", tally.down),
        Basis::Contested => format!("{up}, {} are silent; {holds}", tally.silent),
        Basis::Settling => format!("{up}; flipped just now, one vote more is needed to flip back"),
    };
    match known.damping.held_back(slot).map(held_back) {
        Some(held) => format!("{up}; held back: {held}"),
        None => up,
    }
}

fn held_back(held: HeldBack) -> String {
    match held {
        HeldBack::UpSoon { left } => format!("in again in {} s", left.as_secs()),
        HeldBack::TooManyOut { waiting } => format!(
            "too many were taken out within a minute, waiting for {} s",
            waiting.as_secs()
        ),
        HeldBack::Panic { healthy, known } => {
            format!("only {healthy} of {known} are healthy, so all count as healthy")
        }
    }
}

/// The votes on a check, and what each checker saw last; null where nobody votes.
pub(crate) fn votes(board: &Board, check: &HealthCheck) -> Value {
    let HealthSubject::Endpoint(_) = check.config.subject else {
        return Value::Null;
    };
    let slot = check.slot;
    let members = board.members();
    let known = board.tally();
    let shown = known.votes.show(slot);
    let Some(shown) = shown.filter(|shown| shown.tally.registered > 0) else {
        return Value::Null;
    };
    let desk = |voter: &Voter<'_>| {
        let mut desks = members.iter().map(|member| &member.desk);
        desks.find(|desk| *desk.name() == voter.checker.name)
    };
    let voters = shown.voters.iter();
    let voters =
        voters.map(|voter| told_voter(board, voter, desk(voter).map(|desk| &**desk), slot));
    json!({
        "healthy": shown.tally.up,
        "unhealthy": shown.tally.down,
        "undecided": shown.tally.undecided,
        "withheld": shown.tally.withheld,
        "silent": shown.tally.silent,
        "basis": basis(&shown),
        "held_back": known.damping.held_back(slot).map(held_back),
        "age_ms": shown.age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        "checkers": voters.collect::<Vec<_>>(),
    })
}

const fn basis(shown: &Shown<'_>) -> &'static str {
    match shown.basis {
        Basis::Votes => "votes",
        Basis::BelowQuorum => "too few heard",
        Basis::Contested => "contested by silence",
        Basis::Settling => "settling",
    }
}

fn told_voter(board: &Board, voter: &Voter<'_>, desk: Option<&Desk>, slot: HealthSlot) -> Value {
    let seen = desk.and_then(|desk| desk.observations(slot));
    let seen = seen.as_ref();
    let last = seen.map(|seen| &seen.last);
    let told = desk.and_then(|desk| last_sight(board, desk, slot));
    json!({
        "checker": voter.checker.name.as_str(),
        "region": voter.checker.region.as_str(),
        "vote": match voter.cast {
            Cast::Voted(health) => health.as_str(),
            Cast::Undecided => "undecided",
            Cast::Withheld => "withheld",
            Cast::Silent => "silent",
        },
        "last_word": voter.last_word.map(Health::as_str),
        "saw": told.as_ref().map(|report| &report.status),
        "at": told.as_ref().map(|report| time(report.at)),
        "connect_ms": last.and_then(|sight| ms(sight.observation.times.connect_us)),
        "tls_ms": last.and_then(|sight| ms(sight.observation.times.tls_us)),
        "first_byte_ms": last.and_then(|sight| ms(sight.observation.times.first_byte_us)),
        "last_failure": desk.and_then(|desk| last_failure(board, desk, slot)).as_ref().map(failure),
    })
}

fn failure(failure: &Report) -> Value {
    json!({ "saw": failure.status, "at": time(failure.at) })
}

fn ms(us: Option<u32>) -> Option<f64> {
    us.map(|us| f64::from(us) / 1000.0)
}

/// A time to the millisecond, which is how far apart flips may be.
pub(crate) fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{time:.3}")
}
