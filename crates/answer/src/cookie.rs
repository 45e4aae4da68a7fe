//! Server cookies (RFC 7873) in the layout that all servers share (RFC 9018): nothing is kept, a
//! cookie proves by itself that its client once got a reply at its address.
//!
//! [`CookieSecret`] is the same at all servers of an address. The secret of a day is derived from
//! it, by the time that stands in the cookie itself, so that it changes everywhere at once, without
//! agreement and without a restart, and cookies made just before midnight stay good after it. Where
//! servers go over to another one, each accepts the cookies of both for a while.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use crate::{CookieSecret, CookieSecrets};

/// The only version there is (RFC 9018 section 4.1).
const VERSION: u8 = 1;
/// How old a cookie may be, in seconds (RFC 9018 section 4.3).
const MAX_AGE_S: i32 = 3600;
/// How far in the future it may have been made, in seconds: clocks differ.
const MAX_AHEAD_S: i32 = 300;
/// From what age on it is replaced, in seconds.
const RENEW_AGE_S: i32 = 1800;
/// How long a derived secret is used, in seconds.
const SECRET_LIFE_S: u32 = 86_400;
/// What derived secrets are for, so that the cluster's secret may have other uses some day.
const PURPOSE: &[u8] = b"meridian server cookie";

/// What a cookie option is worth, and the one that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) server: Server,
    /// The client cookie and a server cookie of ours.
    pub(crate) reply: [u8; 24],
}

/// What a client shows of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// Nothing.
    Absent,
    /// Not ours, or not any more, or for another address.
    Wrong,
    /// Ours: the client gets what is sent to its address.
    Right,
}

/// Judges the option of a query from `client`; none for one shorter than a client cookie.
pub(crate) fn judge(
    secrets: &CookieSecrets,
    client: IpAddr,
    now_s: u64,
    option: &[u8],
) -> Option<Cookie> {
    judge_with(secrets, secret_of_day, client, now_s, option)
}

/// `secret_at` derives the secret for cookies made at a time.
fn judge_with(
    secrets: &CookieSecrets,
    secret_at: impl Fn(&CookieSecret, u32) -> [u8; 16],
    client: IpAddr,
    now_s: u64,
    option: &[u8],
) -> Option<Cookie> {
    let (client_cookie, shown) = option.split_first_chunk::<8>()?;
    // Serial number arithmetic (RFC 9018 section 4.3): the time in cookies wraps in 2106.
    let [.., n0, n1, n2, n3] = now_s.to_be_bytes();
    let now_s = u32::from_be_bytes([n0, n1, n2, n3]);
    let (mut right, mut stays) = (false, false);
    if let Ok(shown) = <&[u8; 16]>::try_from(shown)
        && let [VERSION, r0, r1, r2, t0, t1, t2, t3, hash @ ..] = *shown
    {
        let made_s = u32::from_be_bytes([t0, t1, t2, t3]);
        let age = now_s.wrapping_sub(made_s).cast_signed();
        // Its reserved bytes are hashed as they came.
        let head = [VERSION, r0, r1, r2, t0, t1, t2, t3];
        let made_with = |secret| {
            let hash_of_ours = keyed_hash(secret_at(secret, made_s), client_cookie, head, client);
            hash_of_ours == u64::from_le_bytes(hash)
        };
        if (-MAX_AHEAD_S..=MAX_AGE_S).contains(&age) {
            let current = made_with(&secrets.current);
            right = current || secrets.accepted.as_ref().is_some_and(made_with);
            // One that is good by the other secret is replaced at once, as in RFC 9018 appendix
            // A.4: so most clients have one of the new secret before the old one is dropped.
            stays = current && age < RENEW_AGE_S;
        }
    }
    let mut reply = [0; 24];
    reply[..8].copy_from_slice(client_cookie);
    if stays {
        reply[8..].copy_from_slice(shown);
    } else {
        let head = [VERSION, 0, 0, 0, n0, n1, n2, n3];
        let secret = secret_at(&secrets.current, now_s);
        let hash = keyed_hash(secret, client_cookie, head, client);
        reply[8..16].copy_from_slice(&head);
        reply[16..].copy_from_slice(&hash.to_le_bytes());
    }
    let server = match right {
        true => Server::Right,
        false if shown.is_empty() => Server::Absent,
        false => Server::Wrong,
    };
    Some(Cookie { server, reply })
}

/// The hash of RFC 9018 section 4.4; little-endian on the wire. `head` is what stands before it:
/// version, reserved, time.
fn keyed_hash(secret: [u8; 16], client_cookie: &[u8; 8], head: [u8; 8], client: IpAddr) -> u64 {
    let mut hasher = SipHasher24::new_with_key(&secret);
    hasher.write(client_cookie);
    hasher.write(&head);
    // A socket for both families shows IPv4 clients as mapped; their cookies are the same.
    match client.to_canonical() {
        IpAddr::V4(v4) => hasher.write(&v4.octets()),
        IpAddr::V6(v6) => hasher.write(&v6.octets()),
    }
    hasher.finish()
}

/// The secret for cookies made on the day of `made_s`: two outputs of SipHash, which is a
/// pseudorandom function of the cluster's secret, so one day's secret tells nothing of another's.
fn secret_of_day(CookieSecret(secret): &CookieSecret, made_s: u32) -> [u8; 16] {
    let day = made_s / SECRET_LIFE_S;
    let half = |which: u8| {
        let mut hasher = SipHasher24::new_with_key(secret);
        hasher.write(PURPOSE);
        hasher.write(&day.to_be_bytes());
        hasher.write(&[which]);
        hasher.finish()
    };
    let mut derived = [0; 16];
    derived[..8].copy_from_slice(&half(0).to_le_bytes());
    derived[8..].copy_from_slice(&half(1).to_le_bytes());
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    /// As the examples have it: secrets are used as they are.
    fn with_both(current: &str, accepted: Option<&str>, query: (&str, u64, &[u8])) -> Cookie {
        let secrets = CookieSecrets {
            current: CookieSecret(hex(current)),
            accepted: accepted.map(|secret| CookieSecret(hex(secret))),
        };
        let (client, now_s, option) = query;
        let as_it_is = |secret: &CookieSecret, _| secret.0;
        judge_with(&secrets, as_it_is, client.parse().unwrap(), now_s, option).unwrap()
    }

    fn with(secret: &str, client: &str, now_s: u64, option: &[u8]) -> Cookie {
        with_both(secret, None, (client, now_s, option))
    }

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const OLD_SECRET: &str = "dd3bdf9344b678b185a6f5cb60fca715";
    const NEW_SECRET: &str = "445536bcd2513298075a5d379663c962";

    #[test]
    fn rfc_9018_appendix_a_1_learning_a_new_server_cookie() {
        let cookie = with(
            SECRET,
            "198.51.100.100",
            1_559_731_985,
            &hex::<8>("2464c4abcf10c957"),
        );
        assert_eq!(cookie.server, Server::Absent);
        let expected = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
        assert_eq!(cookie.reply, hex(expected));
    }

    #[test]
    fn rfc_9018_appendix_a_2_the_same_client_learning_a_renewed_server_cookie() {
        let shown: [u8; 24] = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        let cookie = with(SECRET, "198.51.100.100", 1_559_734_385, &shown);
        assert_eq!(cookie.server, Server::Right);
        let expected = "2464c4abcf10c957010000005cf7a871d4a564a1442aca77";
        assert_eq!(cookie.reply, hex(expected));
    }

    #[test]
    fn rfc_9018_appendix_a_3_another_client_with_reserved_bytes_set() {
        let shown: [u8; 24] = hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
        // The example's cookie is older than the hour that section 4.3 allows.
        for (now_s, server) in [
            (1_559_727_985 + 3600, Server::Right),
            (1_559_734_700, Server::Wrong),
        ] {
            assert_eq!(with(SECRET, "203.0.113.203", now_s, &shown).server, server);
        }
        let cookie = with(SECRET, "203.0.113.203", 1_559_734_700, &shown);
        let expected = "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e";
        assert_eq!(cookie.reply, hex(expected));
    }

    #[test]
    fn rfc_9018_appendix_a_4_ipv6_and_a_secret_that_was_replaced() {
        let (client, now_s) = ("2001:db8:220:1:59de:d0f4:8769:82b8", 1_559_741_961);
        let shown: [u8; 24] = hex("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
        assert_eq!(
            with(OLD_SECRET, client, now_s, &shown).server,
            Server::Right
        );
        let expected = "22681ab97d52c298010000005cf7c609a6bb79d16625507a";
        for (accepted, server) in [
            (None, Server::Wrong),
            (Some(SECRET), Server::Wrong),
            (Some(OLD_SECRET), Server::Right),
        ] {
            let cookie = with_both(NEW_SECRET, accepted, (client, now_s, &shown));
            assert_eq!(cookie.server, server, "{accepted:?}");
            assert_eq!(cookie.reply, hex(expected), "{accepted:?}");
        }
    }

    const CLUSTER: CookieSecret = CookieSecret([7; 16]);
    const NEXT: CookieSecret = CookieSecret([9; 16]);

    fn by(secrets: &CookieSecrets, client: &str, now_s: u64, option: &[u8]) -> Cookie {
        judge(secrets, client.parse().unwrap(), now_s, option).unwrap()
    }

    fn ours(client: &str, now_s: u64, option: &[u8]) -> Cookie {
        let secrets = CookieSecrets {
            current: CLUSTER,
            accepted: None,
        };
        by(&secrets, client, now_s, option)
    }

    #[test]
    fn servers_one_step_apart_accept_each_others_cookies() {
        let server = |current, accepted| CookieSecrets { current, accepted };
        let steps = [
            server(CLUSTER, None),
            server(CLUSTER, Some(NEXT)),
            server(NEXT, Some(CLUSTER)),
            server(NEXT, None),
        ];
        for (step, maker) in steps.iter().enumerate() {
            // One second before midnight: the day's secret of the accepted one changes as well.
            let made_s = 1_700_006_399;
            let made = by(maker, "192.0.2.1", made_s, b"clientco").reply;
            for (other, judge) in steps.iter().enumerate() {
                // Whoever goes by one secret alone knows no cookie of the other.
                let known = judge.current == maker.current
                    || judge.accepted.as_ref() == Some(&maker.current);
                assert!(known || step.abs_diff(other) > 1, "{step} and {other}");
                for (later, in_time) in [(0, true), (1799, true), (3600, true), (3601, false)] {
                    let cookie = by(judge, "192.0.2.1", made_s + later, &made);
                    let right = cookie.server == Server::Right;
                    assert_eq!(right, known && in_time, "{step} to {other}, {later} s");
                    let kept = judge.current == maker.current && later < 1800;
                    assert_eq!(cookie.reply == made, kept, "{step} to {other}, {later} s");
                    let next = by(judge, "192.0.2.1", made_s + later, &cookie.reply);
                    assert_eq!(next.server, Server::Right);
                    assert_eq!(next.reply, cookie.reply, "it is renewed once");
                }
            }
        }
    }

    #[test]
    fn a_cookie_is_good_for_an_hour_and_renewed_after_half() {
        // One second before midnight, so that the secret of the day changes in between, and one
        // before the wrap of 32 bits.
        for made_s in [1_700_006_399, (1 << 32) - 1] {
            let first = ours("192.0.2.1", made_s, b"clientco").reply;
            for (later, right, same) in [
                (0, true, true),
                (1799, true, true),
                (1800, true, false),
                (3600, true, false),
                (3601, false, false),
                (1 << 31, false, false),
            ] {
                let cookie = ours("192.0.2.1", made_s + later, &first);
                assert_eq!(cookie.server == Server::Right, right, "after {later} s");
                assert_eq!(cookie.reply == first, same, "after {later} s");
            }
            for (earlier, right) in [(300, true), (301, false)] {
                let cookie = ours("192.0.2.1", made_s - earlier, &first);
                assert_eq!(cookie.server == Server::Right, right, "{earlier} s before");
            }
        }
    }

    #[test]
    fn a_cookie_is_one_clients_and_no_byte_of_it_can_change() {
        let good = ours("192.0.2.1", 1_700_000_000, b"clientco").reply;
        let other = ours("192.0.2.2", 1_700_000_000, &good);
        assert_eq!(other.server, Server::Wrong);
        let mapped = ours("::ffff:192.0.2.1", 1_700_000_000, &good);
        assert_eq!(mapped.server, Server::Right);
        for at in 0..good.len() {
            let mut changed = good;
            changed[at] ^= 1;
            let cookie = ours("192.0.2.1", 1_700_000_000, &changed);
            assert_eq!(cookie.server, Server::Wrong, "byte {at}");
            assert_eq!(cookie.reply[..8], changed[..8]);
        }
        for len in [16, 23, 25, 40] {
            let mut option = good.to_vec();
            option.resize(len, 0);
            assert_eq!(
                ours("192.0.2.1", 1_700_000_000, &option).server,
                Server::Wrong
            );
        }
    }

    #[test]
    fn the_secret_differs_from_day_to_day_and_cluster_to_cluster() {
        let day = |day: u32| secret_of_day(&CLUSTER, day * SECRET_LIFE_S);
        assert_eq!(day(5), secret_of_day(&CLUSTER, 6 * SECRET_LIFE_S - 1));
        assert_ne!(day(5), day(6));
        assert_ne!(day(5)[..8], day(5)[8..]);
        assert_ne!(
            day(5),
            secret_of_day(&CookieSecret([8; 16]), 5 * SECRET_LIFE_S)
        );
        // What other versions of this program, and servers of the same address, must agree on.
        assert_eq!(day(0), hex("7e227b366568cfc0a24ec173c4747a48"));
    }
}
