//! What is asked of a client, and what of its connections and addresses becomes a sample.

use meridian_answer::HashKey;
use meridian_atlas::{Atlas, Cell, Country, LatencyMap, Layer, MapDraft, MapRegion, MapRow};
use meridian_atlas::{Origin, Place, Point, Regions, Source};

use super::*;

/// A beacon over this World with sites in three regions and one that is nowhere.
fn beacon(world: World) -> (Beacon, tempfile::TempDir) {
    let sites = ["eu-central-1", "us-east-1", "ap-northeast-1", "nowhere"];
    let sites = sites.map(|region| format!("{{ region = '{region}', url = 'https://{region}' }}"));
    let text = format!(
        "region = 'eu-central-1'\nlisten = '127.0.0.1:1'\nsites = [{}]\nsamples_per_minute = 3",
        sites.join(", ")
    );
    let config: config::Beacon = toml::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (live, latency) = (Arc::new(Live::new(world)), Arc::<Latency>::default());
    latency.regions_are(Regions::default());
    let beacon = Beacon::new(&config, folder.path(), &live, &latency).unwrap();
    (beacon, folder)
}

/// What it has measured so far.
fn taken(beacon: &Beacon) -> Vec<Measured> {
    let queue = beacon.latency.queue();
    queue.lock().unwrap().try_iter().collect()
}

fn empty() -> World {
    World::new(HashKey([1, 2]), Vec::new())
}

/// Everybody is in Germany.
fn germany() -> Arc<Atlas> {
    let mut layer = Layer::new(Source::named("test"));
    let place = Place::in_country(Country::new("DE").unwrap());
    layer.add("0.0.0.0/0".parse().unwrap(), place).unwrap();
    Arc::new(Atlas::new(vec![layer]).unwrap())
}

/// A map that says only how far it is to Tokyo.
fn map() -> Arc<LatencyMap> {
    let draft = MapDraft {
        build: 1,
        made_s: 0,
        regions: vec![MapRegion {
            name: "ap-northeast-1".into(),
            point: Regions::default().point("ap-northeast-1").unwrap(),
        }],
        rows: vec![MapRow {
            country: None,
            samples: 9,
            confidence: 50,
            age_h: 1,
            cells: vec![Cell {
                ms: Some(2.0),
                origin: Origin::Measured,
            }],
        }],
        v4: vec![(0, 0)],
        v6: Vec::new(),
    };
    Arc::new(LatencyMap::read(&draft.write().unwrap()).unwrap())
}

#[test]
fn what_is_expected_is_as_the_map_says_or_by_distance() {
    let client = "192.0.2.1".parse().unwrap();
    let (nothing, ..) = beacon(empty());
    assert_eq!(nothing.expected_ms(client), [None; 4]);
    let (near, ..) = beacon(empty().with_atlas(germany()));
    let near = near.expected_ms(client);
    assert!(
        near[0] < near[1] && near[1] < near[2] && near[3].is_none(),
        "{near:?}"
    );
    let (mapped, ..) = beacon(empty().with_atlas(germany()).with_latency_map(map()));
    let mapped = mapped.expected_ms(client);
    assert_eq!(mapped[..2], near[..2]);
    assert!((1.9..2.1).contains(&mapped[2].unwrap()), "{mapped:?}");
}

#[test]
fn an_operators_own_region_is_where_it_is_put() {
    let client = "192.0.2.1".parse().unwrap();
    let (beacon, _folder) = beacon(empty().with_atlas(germany()));
    assert_eq!(beacon.expected_ms(client)[3], None);
    let mut regions = Regions::default();
    let mut expected = |latitude, longitude| {
        regions.add("nowhere", Point::new(latitude, longitude).unwrap());
        beacon.latency.regions_are(regions.clone());
        beacon.expected_ms(client)
    };
    for (latitude, longitude, least, most) in [(50.1, 8.7, 5.0, 20.0), (-33.9, 151.2, 280.0, 300.0)]
    {
        let all = expected(latitude, longitude);
        assert!((least..most).contains(&all[3].unwrap()), "{all:?}");
        let others = all[..3].iter().all(Option::is_some);
        assert!(others, "{all:?}");
    }
}

#[test]
fn a_sample_has_a_network_and_no_address() {
    for (client, expected) in [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
    ] {
        let client: IpAddr = client.parse().unwrap();
        assert_eq!(kept(client).to_string(), expected);
        let (beacon, _folder) = beacon(empty());
        beacon.connection_ended(client, &info(12_345, 2000, 2), Kind::Pixel);
        let taken = taken(&beacon);
        let [Measured::Sample(sample)] = taken.as_slice() else {
            panic!("one, and it is a client's: {taken:?}");
        };
        assert_eq!(sample.network.to_string(), expected);
        assert_eq!((&*sample.region, sample.rtt_us), ("eu-central-1", 12_345));
        assert_eq!(sample.client, Some(beacon.pseudonym(client)));
    }
    // Another process could not tell that it is the same client.
    let client = "192.0.2.77".parse().unwrap();
    let (one, other) = (beacon(empty()).0, beacon(empty()).0);
    assert_ne!(one.pseudonym(client), other.pseudonym(client));
    assert_eq!(
        one.pseudonym(client),
        one.pseudonym("::ffff:192.0.2.77".parse().unwrap())
    );
}

/// With another address for each report, one was as many clients as a network needs for a row of its
/// own.
#[test]
fn who_has_many_addresses_of_ipv6_is_one_client() {
    let (beacon, _folder) = beacon(empty());
    let client = |text: &str| beacon.pseudonym(text.parse().unwrap());
    let one = client("2001:db8:1:ab00::1");
    assert_eq!(one, client("2001:db8:1:ab00::2"));
    assert_eq!(one, client("2001:db8:1:abff:9:8:7:6"));
    assert_ne!(one, client("2001:db8:1:ac00::1"));
    assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
}

fn info(min_rtt_us: u32, bytes_acked: u64, data_segments: u32) -> TcpInfo {
    TcpInfo {
        min_rtt_us: Some(min_rtt_us),
        rtt_us: min_rtt_us + 1,
        bytes_acked,
        data_segments,
    }
}

#[test]
fn connections_with_too_little_on_them_count_for_nothing() {
    assert_eq!(round_trip(&info(7, MIN_BYTES, 1)), Some(7));
    assert_eq!(round_trip(&info(7, MIN_BYTES - 1, 1)), None);
    assert_eq!(round_trip(&info(7, MIN_BYTES, 0)), None);
    assert_eq!(round_trip(&info(0, MIN_BYTES, 1)), None);
    let smoothed = TcpInfo {
        min_rtt_us: None,
        ..info(7, MIN_BYTES, 1)
    };
    assert_eq!(round_trip(&smoothed), Some(8));
}

#[test]
fn no_network_is_kept_beyond_its_minute() {
    let (beacon, _folder) = beacon(empty());
    let client = "192.0.2.77".parse().unwrap();
    let began = now_s();
    assert!(beacon.admits(client));
    beacon.connection_ended(client, &info(9, 2000, 2), Kind::Tcp);
    let known = || format!("{:?}{:?}", beacon.requests, beacon.connections);
    // A minute may have turned between the two.
    assert!(known().contains("192.0.2.0") || now_s() / 60 > began / 60);
    assert!(!known().contains("192.0.2.77"));
    beacon.forget(now_s() + 60);
    assert!(!known().contains("192.0.2"), "{}", known());
}

#[test]
fn a_network_has_so_many_connections_that_count() {
    let (beacon, _folder) = beacon(empty());
    for host in 0..10 {
        let client = std::net::Ipv4Addr::new(192, 0, 2, host).into();
        beacon.connection_ended(client, &info(9, 2000, 2), Kind::Tcp);
    }
    // A minute may have turned.
    assert!((3..=6).contains(&taken(&beacon).len()));
}
