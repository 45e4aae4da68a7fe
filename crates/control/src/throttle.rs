//! How many requests in how much time: buckets of tokens, one for each account, and one for each network
//! that sends requests of nobody known, or signs in in vain. No bucket touches another.
//!
//! Every door to the operations has these in common. The clock is an argument. What a request without
//! a token hears is the door's business.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meridian_model::AccountId;

/// How many buckets are kept of each kind. One that is full again says nothing that a new one would
/// not.
const MAX_BUCKETS: usize = 10_000;
/// Requests a second that one source may send without a valid signature before it hears nothing of
/// what is wrong with them.
const STRANGERS_PER_SECOND: u64 = 20;
const SECOND: Duration = Duration::from_secs(1);
/// How often one source may sign in in vain, and in how much time all of that comes back.
const SIGN_INS: u64 = 10;
const SIGN_INS_WINDOW: Duration = Duration::from_secs(300);

/// All buckets.
#[derive(Debug)]
pub struct Throttle {
    accounts: Buckets<AccountId>,
    strangers: Buckets<IpAddr>,
    sign_ins: Buckets<IpAddr>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            accounts: Buckets::over(SECOND),
            strangers: Buckets::over(SECOND),
            sign_ins: Buckets::over(SIGN_INS_WINDOW),
        }
    }
}

impl Throttle {
    /// Whether an account may have one more request carried out that may have so many a second.
    pub fn admits(&self, account: &AccountId, per_second: u64, now: Instant) -> bool {
        self.accounts.take(account.clone(), per_second, now)
    }

    /// Whether somebody unknown at this address is told one more time what is wrong.
    pub fn answers_stranger(&self, source: Option<IpAddr>, now: Instant) -> bool {
        self.strangers
            .take(network(source), STRANGERS_PER_SECOND, now)
    }

    /// Whether somebody at this address who could not sign in is told one more time why.
    pub fn answers_failed_sign_in(&self, source: Option<IpAddr>, now: Instant) -> bool {
        self.sign_ins.take(network(source), SIGN_INS, now)
    }
}

/// Who has one IPv6 address has a /56, as a rule.
fn network(source: Option<IpAddr>) -> IpAddr {
    match source.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & !0 << 72).into(),
        Some(v4) => v4,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Buckets that hold what may come in some time.
#[derive(Debug)]
struct Buckets<K> {
    window: Duration,
    /// When each bucket will be full again; later than a window from now is more than empty. Those
    /// that are full need not be there.
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    fn over(window: Duration) -> Self {
        Self {
            window,
            full_at: Mutex::default(),
        }
    }

    /// Takes a token, if there is one.
    fn take(&self, key: K, per_window: u64, now: Instant) -> bool {
        let Some(token) = self.token(per_window) else {
            return false;
        };
        let mut buckets = self.buckets();
        let full_at = buckets.get(&key).map_or(now, |full_at| (*full_at).max(now));
        let after = full_at + token;
        if after > now + self.window {
            return false;
        }
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            make_room(&mut buckets, now);
        }
        buckets.insert(key, after);
        true
    }

    /// How long a token takes to come.
    fn token(&self, per_window: u64) -> Option<Duration> {
        let tokens = u32::try_from(per_window.min(1_000_000_000)).ok()?;
        self.window.checked_div(tokens)
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        // What is in the map is replaced as a whole.
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the buckets that are full. If none is, the fullest one goes, so that its owner gets a
/// full one: better than nothing for somebody who comes.
fn make_room<K: Eq + Hash + Clone>(buckets: &mut HashMap<K, Instant>, now: Instant) {
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() >= MAX_BUCKETS
        && let Some(fullest) = buckets.iter().min_by_key(|(_, full_at)| **full_at)
    {
        let fullest = fullest.0.clone();
        buckets.remove(&fullest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bucket_holds_a_second_and_fills_up_as_time_goes_by() {
        let (buckets, start) = (Buckets::over(SECOND), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let take = |ms| buckets.take("a", 5, at(ms));
        assert_eq!([0; 6].map(take), [true, true, true, true, true, false]);
        assert!(buckets.take("b", 5, start), "another one's");
        assert_eq!([199, 200, 201].map(take), [false, true, false]);
        // However long nothing comes, no more than a second's worth.
        assert_eq!([9000; 6].map(take), [true, true, true, true, true, false]);
        // Who may have more has more at once, who may have nothing gets nothing.
        assert!(buckets.take("a", 1000, at(9001)));
        assert!(!buckets.take("a", 0, at(99_000)));
        assert!(buckets.take("a", u64::MAX, at(99_000)));
    }

    #[test]
    fn memory_is_bounded_and_whoever_comes_is_served() {
        let (buckets, start) = (Buckets::over(SECOND), Instant::now());
        for key in 0..MAX_BUCKETS + 100 {
            assert!(buckets.take(key, 1, start));
        }
        assert_eq!(buckets.full_at.lock().unwrap().len(), MAX_BUCKETS);
        assert!(buckets.take(usize::MAX, 1, start + SECOND));
        assert_eq!(buckets.full_at.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_stranger_has_a_network() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let answered = |source: Option<&str>| {
            let source = source.map(|text| text.parse().unwrap());
            throttle.answers_stranger(source, now)
        };
        for _ in 0..STRANGERS_PER_SECOND {
            assert!(answered(Some("2001:db8::1")));
        }
        assert!(!answered(Some("2001:db8:0:ff::2")));
        assert!(answered(Some("2001:db8:0:100::1")));
        assert!(answered(Some("192.0.2.1")) && answered(None));
    }

    #[test]
    fn who_signs_in_in_vain_waits_and_nobody_elsewhere_does() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let source = Some("192.0.2.1".parse().unwrap());
        let at = |seconds| start + Duration::from_secs(seconds);
        let answered = |seconds| throttle.answers_failed_sign_in(source, at(seconds));
        for _ in 0..SIGN_INS {
            assert!(answered(0));
        }
        assert!(!answered(29) && answered(30) && !answered(30));
        let other = Some("192.0.2.2".parse().unwrap());
        assert!(throttle.answers_failed_sign_in(other, start));
    }

    proptest! {
        #[test]
        fn no_more_than_the_rate_and_a_second(
            rate in 1..50_u64,
            pauses in prop::collection::vec(0..300_u64, 1..200),
        ) {
            let (buckets, start) = (Buckets::over(SECOND), Instant::now());
            let (mut ms, mut taken) = (0, 0);
            for pause in pauses {
                ms += pause;
                taken += u64::from(buckets.take((), rate, start + Duration::from_millis(ms)));
                prop_assert!(taken <= rate + rate * ms / 1000 + 1);
            }
            // And no less: after a second of silence there is all of it.
            let later = start + Duration::from_millis(ms + 1000);
            prop_assert!((0..rate).all(|_| buckets.take((), rate, later)));
        }
    }
}
