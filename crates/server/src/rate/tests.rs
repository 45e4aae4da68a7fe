//! The limiter under a clock that is moved by hand.

use std::thread;

use proptest::prelude::*;

use super::*;

const KEYS: [u64; 2] = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];

fn limit(responses_per_second: u32, slip: u8) -> RateLimit {
    RateLimit {
        responses_per_second,
        slip,
        ipv4_prefix: 24,
        ipv6_prefix: 56,
        exempt: Vec::new(),
    }
}

fn limiter(responses_per_second: u32, slip: u8) -> Limiter {
    Limiter::new(&limit(responses_per_second, slip), KEYS)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A client in a network of its own.
fn stranger(number: u32) -> IpAddr {
    IpAddr::V4((number << 8 | 1).into())
}

/// Asks that often at once; how often each verdict came.
fn burst(limiter: &Limiter, client: IpAddr, class: Class, now: u64, times: u32) -> [u32; 3] {
    let mut verdicts = [0; 3];
    for _ in 0..times {
        verdicts[limiter.judge(client, class, now) as usize] += 1;
    }
    verdicts
}

#[test]
fn a_second_is_given_at_once_and_comes_back_evenly() {
    let (client, class) = (ip("192.0.2.1"), Class::Positive);
    for rate in [1, 3, 7, 10, 1000, 3333, RATE_MAX] {
        let limiter = limiter(rate, 0);
        let start = 5 * SECOND;
        let [sent, _, dropped] = burst(&limiter, client, class, start, 2 * rate);
        assert_eq!((sent, dropped), (rate, rate), "of {rate}");
        let half = start + SECOND / 2;
        let [sent, ..] = burst(&limiter, client, class, half, 2 * rate);
        assert!(
            sent.abs_diff(rate / 2) <= 1 + rate / 100,
            "{sent} of {rate}"
        );
        let [sent, ..] = burst(&limiter, client, class, half + SECOND, 2 * rate);
        assert!(sent.abs_diff(rate) <= 1, "{sent} of {rate}");
    }
}

#[test]
fn classes_and_networks_have_buckets_of_their_own() {
    let limiter = limiter(1, 0);
    let judge = |client: &str, class| limiter.judge(ip(client), class, SECOND);
    for class in [Class::Positive, Class::Negative, Class::Error] {
        for (first, same, other) in [
            ("192.0.2.1", "192.0.2.255", "192.0.3.1"),
            (
                "2001:db8:0:ff00::1",
                "2001:db8:0:ffff::1",
                "2001:db8:0:fe00::1",
            ),
            ("::ffff:198.51.100.1", "198.51.100.2", "::198.51.100.1"),
        ] {
            assert_eq!(judge(first, class), Verdict::Send);
            assert_eq!(judge(same, class), Verdict::Drop);
            assert_eq!(judge(other, class), Verdict::Send);
        }
    }
}

#[test]
fn every_nth_reply_that_is_held_back_slips() {
    let (client, class) = (ip("192.0.2.1"), Class::Negative);
    for slip in 1..=SLIP_MAX {
        let limiter = limiter(1, slip);
        let times = 1 + 10 * u32::from(slip);
        let [sent, slipped, dropped] = burst(&limiter, client, class, SECOND, times);
        assert_eq!((sent, slipped), (1, 10));
        assert_eq!(dropped, 10 * u32::from(slip - 1));
    }
    let never = burst(&limiter(1, 0), client, class, SECOND, 100);
    assert_eq!(never, [1, 0, 99]);
}

#[test]
fn exempt_networks_have_no_limit() {
    let mut limit = limit(1, 0);
    limit.exempt = ["192.0.2.128/25", "2001:db8::/32", "198.51.100.7"]
        .map(|text| text.parse().unwrap())
        .into();
    let limiter = Limiter::new(&limit, KEYS);
    for (client, sent) in [
        ("192.0.2.1", 1),
        ("192.0.2.129", 9),
        ("2001:db8:1::1", 9),
        ("2001:db9:1::1", 1),
        ("198.51.100.7", 9),
        // Of the same network, whose one reply the exempt neighbour had.
        ("198.51.100.8", 0),
    ] {
        let [count, ..] = burst(&limiter, ip(client), Class::Positive, SECOND, 9);
        assert_eq!(count, sent, "{client}");
    }
}

#[test]
fn who_is_held_back_stays_so_however_many_others_come_by() {
    let limiter = limiter(10, 0);
    let victim = ip("203.0.113.1");
    let class = Class::Positive;
    burst(&limiter, victim, class, SECOND, 100);
    let mut sent = 0;
    // 100,000 networks within a tenth of a second, in which the victim has earned one reply.
    for number in 0..=100_000 {
        let now = SECOND + u64::from(number) * 10;
        limiter.judge(stranger(number), class, now);
        sent += u32::from(limiter.judge(victim, class, now) == Verdict::Send);
    }
    assert_eq!(sent, 1);
}

#[test]
fn moments_come_round() {
    let client = ip("192.0.2.1");
    let round = 1 << FULL_AT_BITS;
    for start in [0, 1, round - SECOND / 4, round, 7 * round + 5] {
        let limiter = limiter(2, 0);
        let before = burst(&limiter, client, Class::Error, start, 3);
        let after = burst(&limiter, client, Class::Error, start + SECOND / 2, 3);
        assert_eq!((before, after), ([2, 0, 1], [1, 0, 2]), "at {start}");
    }
    let limiter = limiter(2, 0);
    // Left alone for any part of a round, a bucket is full.
    for part in 1..64 {
        let now = 9 * round + part * (2 * round + round / 64);
        assert_eq!(burst(&limiter, client, Class::Error, now, 3), [2, 0, 1]);
    }
}

#[test]
fn workers_share_a_bucket() {
    const WORKERS: u32 = 4;
    let limiter = limiter(1000, 2);
    let client = ip("2001:db8::1");
    let ask = || burst(&limiter, client, Class::Positive, SECOND, 5000);
    let sums = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(ask)).collect();
        let verdicts = workers.into_iter().map(|worker| worker.join().unwrap());
        verdicts.fold([0; 3], |sum: [u32; 3], each| {
            std::array::from_fn(|place| sum[place] + each[place])
        })
    });
    // Whoever finds a bucket changed under its hands again and again lets one reply through.
    assert!((1000..1200).contains(&sums[0]), "{sums:?}");
    assert_eq!(sums.iter().sum::<u32>(), WORKERS * 5000);
}

#[test]
fn a_reply_shows_its_class() {
    let answered = |rcode| Answered {
        len: 12,
        rcode,
        qtype: 1,
        valid_cookie: false,
        zone: None,
        log: meridian_answer::ZoneLog::Off,
    };
    let header = |aa: u8, answers: u8| [0, 0, 0x80 | aa << 2, 0, 0, 1, 0, answers, 0, 0, 0, 0];
    for (rcode, aa, answers, class) in [
        (rcode::NOERROR, 1, 1, Class::Positive),
        (rcode::NOERROR, 0, 0, Class::Positive),
        (rcode::NOERROR, 1, 0, Class::Negative),
        (rcode::NXDOMAIN, 1, 0, Class::Negative),
        // A CNAME into the void.
        (rcode::NXDOMAIN, 1, 1, Class::Negative),
        (rcode::REFUSED, 0, 0, Class::Error),
        (rcode::SERVFAIL, 0, 0, Class::Error),
        (rcode::BADVERS, 0, 0, Class::Error),
    ] {
        let reply = header(aa, answers);
        assert_eq!(
            Class::of(&answered(rcode), &reply),
            class,
            "{rcode} {aa} {answers}"
        );
    }
}

#[test]
fn limits_that_cannot_be_are_refused() {
    let check = |change: fn(&mut RateLimit)| {
        let mut limit = limit(5, 2);
        change(&mut limit);
        limit.check().is_ok()
    };
    assert!(check(|_| ()));
    assert!(check(|limit| limit.slip = 0));
    assert!(!check(|limit| limit.responses_per_second = 0));
    assert!(!check(|limit| limit.responses_per_second = RATE_MAX + 1));
    assert!(!check(|limit| limit.slip = 11));
    assert!(!check(|limit| limit.ipv4_prefix = 33));
    assert!(!check(|limit| limit.ipv4_prefix = 0));
    assert!(!check(|limit| limit.ipv6_prefix = 129));
    assert!(!check(
        |limit| limit.exempt = vec!["::/0".parse().unwrap(); EXEMPT_MAX + 1]
    ));
}

/// Rates that divide a second, for which the limiter is exact.
fn rates() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![1, 2, 4, 5, 8, 10, 50, 100, 1000])
}

/// Pauses between queries, in units, of all magnitudes.
fn pauses() -> impl Strategy<Value = Vec<u64>> {
    let pause = prop_oneof![
        Just(0),
        0..1000_u64,
        0..SECOND / 100,
        0..SECOND / 2,
        0..3 * SECOND,
        Just(1 << (FULL_AT_BITS - 1)),
        Just((1 << FULL_AT_BITS) + 3 * SECOND),
    ];
    prop::collection::vec(pause, 1..300)
}

proptest! {
    /// A bucket of tokens, kept as one would on paper.
    #[test]
    fn the_limiter_is_a_token_bucket(rate in rates(), pauses in pauses()) {
        let limiter = limiter(rate, 0);
        let mut now = 1;
        // A token is worth SECOND, so that `rate` units of time times `rate` earn one.
        let full = SECOND * u64::from(rate);
        let mut tokens = full;
        for pause in pauses {
            now += pause;
            tokens = full.min(tokens.saturating_add(pause.saturating_mul(u64::from(rate))));
            let expected = if tokens >= SECOND {
                tokens -= SECOND;
                Verdict::Send
            } else {
                Verdict::Drop
            };
            prop_assert_eq!(limiter.judge(ip("192.0.2.1"), Class::Positive, now), expected);
        }
    }

    /// However it asks, a network gets at most a second's worth more than its rate.
    #[test]
    fn no_interval_has_too_many(rate in 1..=5000_u32, slip in 0..=SLIP_MAX, pauses in pauses()) {
        let limiter = limiter(rate, slip);
        let mut now = 1;
        let mut sent = Vec::new();
        for pause in pauses {
            now += pause;
            if limiter.judge(ip("2001:db8::1"), Class::Negative, now) == Verdict::Send {
                sent.push(now);
            }
        }
        let cost = SECOND / u64::from(rate);
        for (first, from) in sent.iter().enumerate() {
            for (last, to) in sent.iter().enumerate().skip(first) {
                let count = (last - first) as u64 + 1;
                prop_assert!(count * cost <= SECOND + (to - from), "{count} in {}", to - from);
            }
        }
    }

    /// Who keeps to the rate is never held back, whatever it did before.
    #[test]
    fn who_keeps_to_the_rate_is_served(rate in rates(), pauses in pauses()) {
        let limiter = limiter(rate, 2);
        let cost = SECOND / u64::from(rate);
        let mut now = 1;
        for pause in pauses {
            limiter.judge(ip("192.0.2.1"), Class::Error, now);
            now += pause;
        }
        for _ in 0..50 {
            now += cost;
            let verdict = limiter.judge(ip("192.0.2.1"), Class::Error, now);
            prop_assert_eq!(verdict, Verdict::Send);
        }
    }
}
