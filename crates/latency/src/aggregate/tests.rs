//! Samples taken and refused, room made, paths that change, and the aggregate as bytes.
#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::LazyLock;

use meridian_atlas::{Atlas, Country, Layer, Place, Regions, Source};
use proptest::prelude::*;

use super::*;
use crate::bins;
use crate::possible::possible;
use crate::testing::{DAY_S, NOW_S, client, sample};

/// 10.0.0.0/8 and 2001:db8::/32 are in Germany, 11.0.0.0/8 in Australia.
fn atlas() -> Atlas {
    let mut layer = Layer::new(Source::named("test"));
    for (network, country) in [
        ("10.0.0.0/8", "DE"),
        ("2001:db8::/32", "DE"),
        ("11.0.0.0/8", "AU"),
    ] {
        let place = Place::in_country(Country::new(country).unwrap()).completed();
        layer.add(network.parse().unwrap(), place).unwrap();
    }
    Atlas::new(vec![layer]).unwrap()
}

/// Folds a sample at the time it was measured.
fn fold(aggregate: &mut Aggregate, sample: &Sample) -> Result<(), Refused> {
    static WORLD: LazyLock<(Atlas, Regions)> = LazyLock::new(|| (atlas(), Regions::default()));
    let (atlas, regions) = &*WORLD;
    let ground = Ground {
        atlas,
        regions,
        now_s: NOW_S.max(sample.at_s),
    };
    aggregate.fold(sample, &ground)
}

fn quartile(aggregate: &Aggregate, network: &str, region: &str) -> Option<f32> {
    let key = Key::of(network.parse().unwrap());
    let place = aggregate
        .regions
        .iter()
        .position(|name| **name == *region)?;
    let known = aggregate.keys.get(&key)?.of(u8::try_from(place).ok()?)?;
    Some(bins::quantile(known.bins, 0.25)?.ms())
}

#[test]
fn samples_become_what_is_known_of_their_network() {
    let mut aggregate = Aggregate::new(Rules::default());
    assert!(aggregate.is_empty() && aggregate.newest_s().is_none());
    for network in ["10.1.2.3", "10.1.2.0/24", "10.1.2.128/25"] {
        fold(&mut aggregate, &sample(network, "eu-central-1", 12.0)).unwrap();
    }
    fold(
        &mut aggregate,
        &sample("2001:db8:1:2::/64", "eu-west-1", 30.0),
    )
    .unwrap();
    assert_eq!(aggregate.size().keys, 2);
    assert_eq!(aggregate.tally().folded, 4);
    let found = quartile(&aggregate, "10.1.2.0/24", "eu-central-1").unwrap();
    assert!((found - 12.0).abs() < 0.1);
    let found = quartile(&aggregate, "2001:db8:1::/48", "eu-west-1").unwrap();
    assert!((found - 30.0).abs() < 0.2);
    assert_eq!(aggregate.newest_s(), Some(NOW_S / 60 * 60));
}

#[test]
fn impossible_samples_are_refused_and_counted() {
    let mut aggregate = Aggregate::new(Rules::default());
    let good = sample("10.1.2.0/24", "eu-central-1", 12.0);
    let change = |change: fn(&mut Sample)| {
        let mut sample = good.clone();
        change(&mut sample);
        sample
    };
    for (sample, why) in [
        (change(|s| s.rtt_us = 99), Refused::OutOfRange),
        (change(|s| s.rtt_us = 2_000_001), Refused::OutOfRange),
        (change(|s| s.count = 0), Refused::Weightless),
        (change(|s| s.weight = 0.0), Refused::Weightless),
        (change(|s| s.weight = 1.5), Refused::Weightless),
        (change(|s| s.weight = f32::NAN), Refused::Weightless),
        (change(|s| s.region = "moon".into()), Refused::UnknownRegion),
        (change(|s| s.at_s = NOW_S - 731 * DAY_S), Refused::TooOld),
        // Germany to Sydney in 60 ms.
        (
            sample("10.1.2.0/24", "ap-southeast-2", 60.0),
            Refused::FasterThanLight,
        ),
        (
            sample("2001:db8:7::/48", "us-west-2", 40.0),
            Refused::FasterThanLight,
        ),
    ] {
        assert_eq!(fold(&mut aggregate, &sample), Err(why), "{sample:?}");
    }
    let (atlas, regions) = (atlas(), Regions::default());
    let ground = Ground {
        atlas: &atlas,
        regions: &regions,
        now_s: NOW_S - 301,
    };
    assert_eq!(aggregate.fold(&good, &ground), Err(Refused::FromTheFuture));
    assert!(aggregate.is_empty());
    assert_eq!(aggregate.tally().refused.total(), 11);
    assert_eq!(aggregate.tally().refused.of(Refused::FasterThanLight), 2);
    // From where nobody knows, light has no way to go.
    let anywhere = sample("192.0.2.0/24", "ap-southeast-2", 1.0);
    assert_eq!(fold(&mut aggregate, &anywhere), Ok(()));
    let here = sample("11.0.0.0/24", "ap-southeast-2", 2.0);
    assert_eq!(fold(&mut aggregate, &here), Ok(()));
}

/// A wide network was where its first address is, so that one ms to Frankfurt was believed of half
/// the world.
#[test]
fn a_wide_network_is_not_faster_than_light_from_most_of_its_places() {
    let mut layer = Layer::new(Source::named("test"));
    for (network, country) in [
        ("16.0.0.0/10", "DE"),
        ("16.64.0.0/10", "AU"),
        ("16.128.0.0/9", "AU"),
    ] {
        let place = Place::in_country(Country::new(country).unwrap()).completed();
        layer.add(network.parse().unwrap(), place).unwrap();
    }
    let (atlas, regions) = (Atlas::new(vec![layer]).unwrap(), Regions::default());
    let ground = Ground {
        atlas: &atlas,
        regions: &regions,
        now_s: NOW_S,
    };
    let mut aggregate = Aggregate::new(Rules::default());
    let mut fold = |network: &str, region: &str, ms| {
        let taken = aggregate.fold(&sample(network, region, ms), &ground);
        assert_eq!(
            possible(&sample(network, region, ms), &ground),
            taken,
            "{network}"
        );
        taken
    };
    let far = Err(Refused::FasterThanLight);
    assert_eq!(fold("16.0.0.0/8", "eu-central-1", 1.0), far);
    assert_eq!(fold("16.0.0.0/8", "eu-central-1", 200.0), Ok(()));
    assert_eq!(fold("16.0.0.0/8", "ap-southeast-2", 20.0), Ok(()));
    // A quarter of it is narrow enough, and Germany's.
    assert_eq!(fold("16.0.0.0/10", "eu-central-1", 5.0), Ok(()));
    assert_eq!(fold("16.0.0.0/24", "eu-central-1", 5.0), Ok(()));
    assert_eq!(fold("16.64.0.0/24", "eu-central-1", 5.0), far);
    // Nobody knows where the rest is.
    assert_eq!(fold("17.0.0.0/8", "eu-central-1", 1.0), Ok(()));
}

#[test]
fn networks_known_least_give_way_and_leave_what_they_know_to_their_country() {
    let rules = Rules {
        max_keys: 32,
        ..Rules::default()
    };
    let mut aggregate = Aggregate::new(rules);
    let mut known = sample("10.255.0.0/24", "eu-central-1", 9.0);
    (known.count, known.at_s) = (100, NOW_S - DAY_S);
    fold(&mut aggregate, &known).unwrap();
    for number in 0..200 {
        let network = format!("10.0.{number}.0/24");
        fold(&mut aggregate, &sample(&network, "eu-west-1", 25.0)).unwrap();
        assert!(aggregate.size().keys <= 32);
    }
    assert!(quartile(&aggregate, "10.255.0.0/24", "eu-central-1").is_some());
    assert!(quartile(&aggregate, "10.0.199.0/24", "eu-west-1").is_some());
    let evicted = aggregate.tally().evicted;
    assert!(evicted >= 169, "{evicted}");
    let left: f32 = aggregate.areas.values().map(Holding::weight).sum();
    assert!((left / 169.0 - 1.0).abs() < 0.2, "{left}");
    let rules = Rules {
        max_keys: 0,
        ..Rules::default()
    };
    assert_eq!(
        fold(&mut Aggregate::new(rules), &known),
        Err(Refused::TooManyKeys)
    );
}

#[test]
fn a_path_that_changes_is_believed_after_some_samples() {
    let mut aggregate = Aggregate::new(Rules::default());
    let mut slow = sample("10.1.2.0/24", "eu-central-1", 40.0);
    (slow.count, slow.at_s) = (2000, NOW_S - 2 * DAY_S);
    fold(&mut aggregate, &slow).unwrap();
    let shown = |aggregate: &Aggregate| quartile(aggregate, "10.1.2.0/24", "eu-central-1");
    for number in 0..120 {
        let mut sample = sample("10.1.2.0/24", "eu-central-1", 90.0);
        sample.at_s = NOW_S + 3600 + number;
        fold(&mut aggregate, &sample).unwrap();
        if number == 40 {
            assert!((shown(&aggregate).unwrap() - 40.0).abs() < 1.0);
        }
    }
    let found = shown(&aggregate).unwrap();
    assert!((found - 90.0).abs() < 5.0, "{found}");
    assert!((1..20).contains(&aggregate.tally().shifts));
}

/// A path of which two days are known, and then a sample each minute from one client after the other:
/// after how many it is believed to be slower; none if it never is.
fn believed_after(clients: u64, ms: impl Fn(u64) -> f32) -> Option<u64> {
    let mut aggregate = Aggregate::new(Rules::default());
    let mut send = |number: u64, ms: f32| {
        let mut sample = sample("10.1.2.0/24", "eu-central-1", ms);
        sample.at_s = NOW_S + number * 60;
        sample.client = Some(number % clients);
        fold(&mut aggregate, &sample).unwrap();
        quartile(&aggregate, "10.1.2.0/24", "eu-central-1").unwrap()
    };
    let known = 2 * DAY_S / 60;
    for number in 0..known {
        // The lower quartile is 40 ms; one in ten is 100 ms.
        let spread = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 64.0];
        send(number, 36.0 + spread[usize::try_from(number % 10).unwrap()]);
    }
    (0..600).find(|number| send(known + number, ms(*number)) > 60.0)
}

#[test]
fn a_path_has_become_slower_when_nothing_is_as_fast_any_more() {
    // 50 samples, and some for what is known to be dropped.
    let slow = believed_after(9, |_| 90.0);
    assert!(
        slow.is_some_and(|after| (49..70).contains(&after)),
        "{slow:?}"
    );
    // One client may be anywhere.
    assert_eq!(believed_after(1, |_| 90.0), None);
    // A path that is congested for hours has fast samples still.
    let congested = |number| if number % 25 == 0 { 41.0 } else { 90.0 };
    assert_eq!(believed_after(9, congested), None);
    // A little slower is nothing.
    assert_eq!(believed_after(9, |_| 48.0), None);
}

#[test]
fn a_burst_is_no_slower_path() {
    let mut aggregate = Aggregate::new(Rules::default());
    let mut send = |ms: f32, minutes: std::ops::Range<u64>, each: u64| {
        for number in minutes.start * each..minutes.end * each {
            let mut sample = sample("10.1.2.0/24", "eu-central-1", ms);
            sample.at_s = NOW_S + number * 60 / each;
            sample.client = Some(number % 9);
            fold(&mut aggregate, &sample).unwrap();
        }
        quartile(&aggregate, "10.1.2.0/24", "eu-central-1").unwrap()
    };
    send(40.0, 0..600, 10);
    assert!(send(90.0, 600..614, 100) < 41.0, "14 minutes");
    assert!(send(40.0, 614..615, 10) < 41.0);
    assert!(send(90.0, 615..629, 100) < 41.0, "and as many again");
    assert!(send(90.0, 629..632, 100) > 80.0, "which go on");
    // What is as fast as before is so at once: a quarter of the last hours says it.
    assert!(send(40.0, 632..640, 100) < 45.0, "back");
}

#[test]
fn noise_is_no_change_of_a_path() {
    let mut aggregate = Aggregate::new(Rules::default());
    for number in 0..2000_u16 {
        let ms = 40.0 + f32::from((number % 101) * 37 % 101) / 10.0;
        let mut sample = sample("10.1.2.0/24", "eu-central-1", ms);
        sample.at_s = NOW_S + u64::from(number) * 60;
        fold(&mut aggregate, &sample).unwrap();
    }
    assert_eq!(aggregate.tally().shifts, 0);
    let found = quartile(&aggregate, "10.1.2.0/24", "eu-central-1").unwrap();
    assert!((found - 42.5).abs() < 1.5, "{found}");
}

#[test]
fn some_of_what_clients_measure_is_put_aside_and_nothing_of_others() {
    let mut aggregate = Aggregate::new(Rules::default());
    for number in 0..2000 {
        let mut sample = sample("10.1.2.0/24", "eu-central-1", 12.0);
        sample.at_s = NOW_S - number * 60;
        fold(&mut aggregate, &sample).unwrap();
    }
    assert_eq!(aggregate.tally().held_out, 0);
    for number in 0..2000 {
        let mut sample = sample("10.1.2.0/24", "eu-central-1", 12.0);
        (sample.at_s, sample.kind) = (NOW_S - number * 60, Kind::Rum);
        fold(&mut aggregate, &sample).unwrap();
    }
    let held_out = aggregate.tally().held_out;
    assert!((50..200).contains(&held_out), "{held_out}");
}

#[test]
fn in_every_minute_others_are_put_aside() {
    for minute in 0..8 {
        let mut aggregate = Aggregate::new(Rules::default());
        for network in 0..1000 {
            let network = format!("10.{}.{}.0/24", network / 256, network % 256);
            let mut sample = sample(&network, "eu-central-1", 12.0);
            (sample.at_s, sample.kind) = (NOW_S - minute * 60, Kind::Rum);
            fold(&mut aggregate, &sample).unwrap();
        }
        let held_out = aggregate.tally().held_out;
        assert!((25..100).contains(&held_out), "{minute}: {held_out}");
    }
}

#[test]
fn what_is_silent_too_long_is_forgotten() {
    let mut aggregate = Aggregate::new(Rules::default());
    fold(&mut aggregate, &sample("10.1.2.0/24", "eu-central-1", 12.0)).unwrap();
    let mut later = sample("10.1.3.0/24", "eu-central-1", 12.0);
    later.at_s = NOW_S + 400 * DAY_S;
    fold(&mut aggregate, &later).unwrap();
    aggregate.tidy(NOW_S + 728 * DAY_S);
    aggregate.tidy(NOW_S + 729 * DAY_S);
    assert_eq!(aggregate.size().keys, 2);
    aggregate.tidy(NOW_S + 730 * DAY_S);
    aggregate.tidy(NOW_S + 732 * DAY_S);
    assert_eq!(aggregate.size().keys, 1);
}

/// What was measured in the minutes of a wrong clock had all later samples of its network count
/// nothing, and those of its neighbours, for as many years.
#[test]
fn a_clock_that_was_years_ahead_leaves_networks_open_for_what_comes() {
    let mut aggregate = Aggregate::new(Rules::default());
    let mut ahead = sample("10.1.2.0/24", "eu-central-1", 12.0);
    ahead.at_s = NOW_S + 4000 * DAY_S;
    ahead.client = client(1);
    for _ in 0..10 {
        fold(&mut aggregate, &ahead).unwrap();
    }
    aggregate.clock_says(NOW_S);
    assert!(aggregate.newest_s().unwrap() <= NOW_S + Rules::default().tolerance_s);
    for number in 0..60 {
        let mut later = sample("10.1.2.0/24", "eu-central-1", 40.0);
        (later.at_s, later.client) = (NOW_S + 600, client(number));
        fold(&mut aggregate, &later).unwrap();
    }
    let found = quartile(&aggregate, "10.1.2.0/24", "eu-central-1").unwrap();
    assert!((found - 40.0).abs() < 2.0, "{found}");
    let page = aggregate.keys.values().next().unwrap().clients.page;
    assert_eq!(page, aggregate.page(minute(NOW_S + 600)));
}

#[test]
fn a_clock_that_leaps_ahead_has_nothing_forgotten() {
    let mut aggregate = Aggregate::new(Rules::default());
    fold(&mut aggregate, &sample("10.1.2.0/24", "eu-central-1", 12.0)).unwrap();
    for now_s in [
        NOW_S,
        NOW_S + 4000 * DAY_S,
        NOW_S + 4000 * DAY_S + 7200,
        NOW_S,
    ] {
        aggregate.tidy(now_s);
        assert_eq!(aggregate.size().keys, 1);
    }
}

/// An aggregate with some of everything.
fn full() -> Aggregate {
    let rules = Rules {
        max_keys: 40,
        ..Rules::default()
    };
    let mut aggregate = Aggregate::new(rules);
    for number in 0..100_u16 {
        let network = match number % 3 {
            0 => format!("2001:db8:{number:x}::/48"),
            _ => format!("10.{number}.0.0/24"),
        };
        for (region, ms) in [("eu-central-1", 20.0), ("us-east-1", 110.0)] {
            let mut sample = sample(&network, region, ms + f32::from(number));
            (sample.kind, sample.at_s) = (Kind::Rum, NOW_S - u64::from(number) * 3600);
            sample.client = client(number.into());
            fold(&mut aggregate, &sample).unwrap();
        }
    }
    aggregate.tally.refused.count(Refused::TooOld);
    assert!(!aggregate.areas.is_empty() && !aggregate.held_out.is_empty());
    aggregate
}

#[test]
fn it_comes_back_from_bytes_as_it_was() {
    let aggregate = full();
    let bytes = aggregate.to_bytes();
    let back = Aggregate::from_bytes(&bytes, aggregate.rules).unwrap();
    assert_eq!(back.keys, aggregate.keys);
    assert_eq!(back.areas, aggregate.areas);
    assert_eq!(back.regions, aggregate.regions);
    assert_eq!(back.held_out, aggregate.held_out);
    assert_eq!(back.tally, aggregate.tally);
    assert_eq!(back.to_bytes(), bytes);
    let empty = Aggregate::new(Rules::default());
    assert!(
        Aggregate::from_bytes(&empty.to_bytes(), Rules::default())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn other_bytes_are_refused_by_what_is_wrong_with_them() {
    let mut bytes = full().to_bytes();
    let read = |bytes: &[u8]| Aggregate::from_bytes(bytes, Rules::default()).err();
    assert_eq!(read(b""), Some(StoredFault::Foreign));
    assert_eq!(read(b"something else"), Some(StoredFault::Foreign));
    bytes[MAGIC_LEN] = 9;
    assert_eq!(read(&bytes), Some(StoredFault::Version(9)));
    bytes[MAGIC_LEN] = 1;
    assert_eq!(read(&bytes), None);
    bytes.pop();
    assert_eq!(read(&bytes), Some(StoredFault::Damaged));
    // Counts that nothing could be added to.
    let mut counted = Aggregate::new(Rules::default());
    counted.tally.folded = u64::MAX;
    assert_eq!(read(&counted.to_bytes()), Some(StoredFault::Damaged));
}

const MAGIC_LEN: usize = 8;

proptest! {
    #[test]
    fn damage_is_found_or_harmless(
        place in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let bytes = full().to_bytes();
        let mut hit = bytes.clone();
        let place = place.index(hit.len());
        prop_assume!(hit[place] != value);
        hit[place] = value;
        prop_assert!(Aggregate::from_bytes(&hit, Rules::default()).is_err());
        // The same with a checksum that is right: what is read must be as sound as what is made.
        let body = hit.len() - 16;
        hit.truncate(body);
        let hit = stored::sealed(hit);
        if let Ok(read) = Aggregate::from_bytes(&hit, Rules::default()) {
            read.to_bytes();
            read.size();
            read.newest_s();
        }
        let short = stored::sealed(bytes[..cut.index(body)].to_vec());
        prop_assert!(Aggregate::from_bytes(&short, Rules::default()).is_err());
    }

    #[test]
    fn any_samples_leave_something_sound(
        samples in prop::collection::vec(
            (any::<u32>(), 0u8..40, 0usize..4, 0u32..2_500_000, 0u32..20_000, -1.0f32..2.0, any::<u32>(), any::<bool>()),
            0..80,
        ),
    ) {
        let (atlas, regions) = (atlas(), Regions::default());
        let rules = Rules { max_keys: 16, ..Rules::default() };
        let mut aggregate = Aggregate::new(rules);
        let ground = Ground { atlas: &atlas, regions: &regions, now_s: NOW_S };
        for (address, len, region, rtt_us, count, weight, age_s, six) in samples {
            let address: std::net::IpAddr = if six {
                std::net::Ipv6Addr::from_bits(u128::from(address) << 96).into()
            } else {
                std::net::Ipv4Addr::from_bits(address).into()
            };
            let Some(network) = meridian_model::Network::new(address, len) else { continue };
            let sample = Sample {
                at_s: NOW_S - u64::from(age_s) / 50,
                network,
                region: ["eu-central-1", "us-east-1", "ap-southeast-2", "moon"][region].into(),
                rtt_us,
                count,
                weight,
                kind: Kind::Rum,
                client: Some(u64::from(count)),
            };
            let folded = aggregate.fold(&sample, &ground);
            prop_assert!(folded.is_ok() || aggregate.tally().refused.total() > 0);
            prop_assert!(aggregate.size().keys <= 16);
        }
        let back = Aggregate::from_bytes(&aggregate.to_bytes(), rules).unwrap();
        prop_assert_eq!(back.keys, aggregate.keys);
        prop_assert_eq!(back.areas, aggregate.areas);
    }
}
