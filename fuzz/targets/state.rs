//! The file of what is known of health checks: with the right checksum behind them no bytes make a
//! process that starts panic, and what is read is what was written.
#![no_main]

use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use meridian_health::{Damping, Guardrails, Outline, Panic, Register, Rules, State, Votes, sealed};
use meridian_model::{
    AccountId, HealthCheck, HealthCheckConfig, HealthCheckId, HealthSlot, HealthSubject, Timestamp,
};

/// Checks in the first places, of which a state may speak.
fn checks() -> &'static [HealthCheck] {
    static CHECKS: OnceLock<Vec<HealthCheck>> = OnceLock::new();
    CHECKS.get_or_init(|| (0..70).filter_map(check).collect())
}

fn check(slot: u32) -> Option<HealthCheck> {
    let config = HealthCheckConfig {
        inverted: slot.is_multiple_of(5),
        disabled: false,
        subject: HealthSubject::RoutingControl(String::new()),
    };
    Some(HealthCheck {
        id: HealthCheckId::new(&format!("{slot:08x}-0000-4000-8000-000000000000")).ok()?,
        account: AccountId::new(&format!("{:012}", slot % 2)).ok()?,
        caller_reference: String::new(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: HealthSlot {
            slot,
            incarnation: 1,
        },
    })
}

/// A process that knows of the checks, and of nothing else.
fn process() -> (Votes, Damping) {
    let mut votes = Votes::new(Rules::ROUTE_53, Register::default());
    let mut damping = Damping::new(Guardrails {
        up_after: Duration::from_secs(9),
        out_per_minute: Some(3),
        panic: Some(Panic {
            below_percent: 40,
            least_checks: 2,
        }),
    });
    for check in checks() {
        votes.put(check).expect("the place is low");
        damping.put(check).expect("the place is low");
    }
    (votes, damping)
}

/// Starts from a state, and writes down what is known then.
fn restart(state: &State) -> State {
    let (mut votes, mut damping) = process();
    votes.restore(state);
    damping.restore(state);
    let outline = Outline::of(&votes, &damping);
    assert!(outline.is_of(&votes, &damping));
    let again = State::of(&votes, &damping, state.written_at);
    votes.judge(Duration::ZERO);
    damping.step(votes.healths(), Duration::ZERO);
    again
}

fuzz_target!(|input: &[u8]| {
    let bytes = sealed(input.to_vec());
    match State::from_bytes(&bytes) {
        Ok(state) => {
            assert_eq!(state.to_bytes(), bytes);
            // What is not of these checks is gone after the first time, and nothing after that.
            let known = restart(&state);
            assert_eq!(State::from_bytes(&known.to_bytes()).as_ref(), Ok(&known));
            assert_eq!(restart(&known), known);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // A state as it would be written with these bytes for outcomes.
    let (votes, damping) = process();
    let written = State::of(&votes, &damping, Timestamp(7));
    assert_eq!(restart(&written), written);
});
