//! What samples came to, as a file: no bytes bring its reader down, even with a right checksum; what
//! is read can be added to, stored and made maps of; and what was gathered comes back as it was.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use meridian_atlas::{Atlas, Country, LatencyMap, Layer, Operator, Place, Regions, Source};
use meridian_latency::{
    Aggregate, Ground, Hysteresis, Kind, Making, Matrix, Network, Rules, Sample, build, sealed,
};

const NOW_S: u64 = 1_800_000_000;
/// The length of what stands behind everything else in a file.
const CHECKSUM: usize = 16;
/// The first three are where they are, and nobody knows the last.
const REGIONS: [&str; 4] = ["eu-central-1", "us-east-1", "ap-southeast-2", "moon"];
/// Room for few networks, so that some give way; every other minute of clients is put aside, and
/// little is enough.
fn rules() -> Rules {
    Rules {
        half_life_s: 3600,
        recent_half_life_s: 600,
        keep_s: 86_400 * 30,
        min_samples: 5.0,
        min_clients: 2.0,
        shift_samples: 8.0,
        hold_builds: 2,
        max_keys: 12,
        held_out: 2,
        ..Rules::default()
    }
}

fn world() -> &'static (Atlas, Regions) {
    static WORLD: OnceLock<(Atlas, Regions)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut layer = Layer::new(Source::named("made up"));
        for (network, country) in [
            ("0.0.0.0/2", "DE"),
            ("64.0.0.0/2", "US"),
            ("128.0.0.0/3", "AU"),
            ("2000::/4", "DE"),
        ] {
            let country = Country::new(country).expect("there is such a country");
            let place = Place::in_country(country).completed();
            let network = network.parse().expect("it is a network");
            layer.add(network, place).expect("there is room");
        }
        let operator = Operator {
            asn: Some(64500),
            name: None,
        };
        let network = "0.0.0.0/3".parse().expect("it is a network");
        let added = layer.add_operator(network, &operator);
        added.expect("there is room");
        let atlas = Atlas::new(vec![layer]).expect("there is room");
        (atlas, Regions::default())
    })
}

fn ground() -> Ground<'static> {
    let (atlas, regions) = world();
    Ground {
        atlas,
        regions,
        now_s: NOW_S,
    }
}

/// A sample, good or not.
#[derive(Debug, Arbitrary)]
struct Drawn {
    six: bool,
    address: u32,
    len: u8,
    region: u8,
    rtt_100us: u16,
    count: u16,
    weight: u8,
    age_min: u16,
    kind: u8,
    client: Option<u8>,
}

impl Drawn {
    fn sample(&self) -> Option<Sample> {
        let address: IpAddr = if self.six {
            Ipv6Addr::from_bits(u128::from(self.address) << 96).into()
        } else {
            Ipv4Addr::from_bits(self.address).into()
        };
        Some(Sample {
            at_s: NOW_S + 600 - u64::from(self.age_min) * 60,
            network: Network::new(address, self.len % 65)?,
            region: REGIONS[usize::from(self.region) % REGIONS.len()].into(),
            rtt_us: u32::from(self.rtt_100us) * 100,
            count: self.count.into(),
            weight: f32::from(self.weight) / 250.0,
            kind: Kind::ALL[usize::from(self.kind) % Kind::ALL.len()],
            client: self.client.map(|client| u64::from(client) << 56),
        })
    }
}

fn fold(aggregate: &mut Aggregate, drawn: &[Drawn]) {
    for sample in drawn.iter().filter_map(Drawn::sample) {
        let (before, refused) = (counted(aggregate), aggregate.tally().refused.total());
        match aggregate.fold(&sample, &ground()) {
            Ok(()) => assert_eq!(counted(aggregate), before + 1),
            Err(_) => assert_eq!(aggregate.tally().refused.total(), refused + 1),
        }
    }
}

fn counted(aggregate: &Aggregate) -> u64 {
    aggregate.tally().folded + aggregate.tally().held_out
}

/// Stored and read, it is the same.
fn again(aggregate: &Aggregate) -> Aggregate {
    let bytes = aggregate.to_bytes();
    let read = Aggregate::from_bytes(&bytes, rules()).expect("it was just written");
    assert_eq!(read.to_bytes(), bytes);
    assert_eq!(read.tally(), aggregate.tally());
    assert_eq!(read.newest_s(), aggregate.newest_s());
    read
}

/// Two maps, the second made with the first before it, both good.
fn maps(aggregate: &Aggregate) {
    let (matrix, mut hysteresis) = (Matrix::default(), Hysteresis::default());
    let mut previous: Option<LatencyMap> = None;
    for _ in 0..2 {
        let making = Making {
            aggregate,
            matrix: &matrix,
            ground: ground(),
            previous: previous.as_ref(),
        };
        let (draft, report) = build(&making, &mut hysteresis);
        assert!((0.0..=1.0).contains(&report.coverage.v4));
        assert!((0.0..=1.0).contains(&report.coverage.measured));
        assert!(report.churn.is_none_or(|churn| churn.most() <= 1.0));
        let file = draft.write().expect("it is a map");
        previous = Some(LatencyMap::read(&file).expect("it was just written"));
    }
}

/// All that is done with what is read after a start.
fn use_it(aggregate: &Aggregate, drawn: &[Drawn]) {
    let mut aggregate = again(aggregate);
    fold(&mut aggregate, drawn);
    maps(&aggregate);
    aggregate.tidy(NOW_S);
    let size = aggregate.size();
    assert!(size.histograms >= size.keys);
}

/// Samples before and after the file is stored, and bytes of it that are another's then.
#[derive(Debug, Arbitrary)]
struct Life {
    before: Vec<Drawn>,
    after: Vec<Drawn>,
    hits: Vec<(u16, u8)>,
}

fn live(life: &Life) {
    let mut aggregate = Aggregate::new(rules());
    fold(&mut aggregate, &life.before);
    let mut file = aggregate.to_bytes();
    file.truncate(file.len() - CHECKSUM);
    for (place, byte) in &life.hits {
        let place = usize::from(*place) % file.len();
        file[place] = *byte;
    }
    match Aggregate::from_bytes(&sealed(file), rules()) {
        Ok(aggregate) => use_it(&aggregate, &life.after),
        Err(_) => assert!(!life.hits.is_empty()),
    }
}

// A byte that says what it is; then samples, or a file without its checksum.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        if let Ok(life) = Life::arbitrary(&mut Unstructured::new(bytes)) {
            live(&life);
        }
        return;
    }
    if let Err(fault) = Aggregate::from_bytes(bytes, rules()) {
        assert!(!fault.to_string().is_empty());
    }
    if let Ok(aggregate) = Aggregate::from_bytes(&sealed(bytes.to_vec()), rules()) {
        use_it(&aggregate, &[]);
    }
});
