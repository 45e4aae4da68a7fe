//! What metrics tell of single health checks, those that are unhealthy first and only so many, and
//! of the checkers of this process.

use std::time::Duration;

use meridian_health::Conduct;
use meridian_model::HealthCheck;

use crate::checkers::{Board, Member};

use super::text::{Kind, Page};

/// Writes all of it, of at most so many checks.
pub(super) fn write(page: &mut Page, board: &Board, most: usize) {
    let members = board.members();
    checkers(page, &members);
    let state = board.state();
    let healthy = |healthy: bool| {
        let all = state.each();
        all.filter(move |(_, standing)| standing.health.is_healthy() == healthy)
    };
    let shown: Vec<_> = healthy(false).chain(healthy(true)).take(most).collect();
    let mut family = page.family(
        "meridian_health_check_healthy",
        Kind::Gauge,
        "Whether answers go by a health check as healthy.",
    );
    for (check, standing) in &shown {
        let healthy = u8::from(standing.health.is_healthy());
        family.sample(&[("check", check.id.as_str())], healthy);
    }
    let checks: Vec<&HealthCheck> = shown.iter().map(|(check, _)| *check).collect();
    votes(page, board, &checks);
    times(page, &members, &checks);
}

fn votes(page: &mut Page, board: &Board, checks: &[&HealthCheck]) {
    let tally = board.tally();
    let shown: Vec<_> = checks
        .iter()
        .filter_map(|check| Some((check.id.as_str(), tally.votes.show(check.slot)?)))
        .filter(|(_, shown)| shown.tally.registered > 0)
        .map(|(id, shown)| (id, shown.tally, shown.age))
        .collect();
    drop(tally);
    let mut family = page.family(
        "meridian_health_check_votes",
        Kind::Gauge,
        "Checkers by what they say of a health check.",
    );
    for &(id, tally, _) in &shown {
        for (vote, count) in [
            ("healthy", tally.up),
            ("unhealthy", tally.down),
            ("undecided", tally.undecided),
            ("withheld", tally.withheld),
            ("silent", tally.silent),
        ] {
            family.sample(&[("check", id), ("vote", vote)], count);
        }
    }
    let mut family = page.family(
        "meridian_health_check_age_seconds",
        Kind::Gauge,
        "How long ago votes last decided a health check.",
    );
    for &(id, _, age) in &shown {
        if let Some(age) = age {
            family.sample(&[("check", id)], age.as_secs_f64());
        }
    }
}

fn times(page: &mut Page, members: &[Member], checks: &[&HealthCheck]) {
    let mut family = page.family(
        "meridian_health_check_probe_seconds",
        Kind::Gauge,
        "How long the parts of a checker's last probe took.",
    );
    for check in checks {
        for member in members {
            let Some(seen) = member.desk.observations(check.slot) else {
                continue;
            };
            let times = seen.last.observation.times;
            for (part, us) in [
                ("connect", times.connect_us),
                ("tls", times.tls_us),
                ("first_byte", times.first_byte_us),
            ] {
                let labels = [
                    ("check", check.id.as_str()),
                    ("checker", member.desk.name().as_str()),
                    ("part", part),
                ];
                if let Some(us) = us {
                    let took = Duration::from_micros(us.into());
                    family.sample(&labels, took.as_secs_f64());
                }
            }
        }
    }
}

fn checkers(page: &mut Page, members: &[Member]) {
    let each = || {
        let desks = members.iter().map(|member| &*member.desk);
        desks.map(|desk| (desk.name().as_str(), desk.workload()))
    };
    let mut family = page.family(
        "meridian_checker_probes_total",
        Kind::Counter,
        "Probes that told something, were put off for others, or could not be made here.",
    );
    for (name, work) in each() {
        for (outcome, count) in [
            ("told", work.probed),
            ("put_off", work.put_off),
            ("unable", work.unable),
        ] {
            family.sample(&[("checker", name), ("outcome", outcome)], count);
        }
    }
    let mut family = page.family(
        "meridian_checker_probes_under_way",
        Kind::Gauge,
        "Probes that are being made.",
    );
    for (name, work) in each() {
        family.sample(&[("checker", name)], work.under_way);
    }
    let mut family = page.family(
        "meridian_checker_lateness_seconds",
        Kind::Gauge,
        "How late a checker's own loop was at worst within the last seconds.",
    );
    for (name, work) in each() {
        family.sample(&[("checker", name)], work.lateness.as_secs_f64());
    }
    let mut family = page.family(
        "meridian_checker_overdue_seconds",
        Kind::Gauge,
        "By how much the most overdue check is, for want of room for its probe.",
    );
    for (name, work) in each() {
        family.sample(&[("checker", name)], work.overdue.as_secs_f64());
    }
    let mut family = page.family(
        "meridian_checker_withholds",
        Kind::Gauge,
        "Whether a checker withholds its votes because it was late.",
    );
    for (name, work) in each() {
        let withholds = u8::from(work.conduct == Conduct::Withholds);
        family.sample(&[("checker", name)], withholds);
    }
}
