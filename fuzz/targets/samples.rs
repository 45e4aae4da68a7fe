//! Files of measurements: none brings a reader down, each is read to its end, in portions of any
//! size alike, and what is read of it can be a sample.
#![no_main]

use std::io::{BufReader, Cursor};

use libfuzzer_sys::fuzz_target;
use meridian_atlas::Regions;
use meridian_latency::import::{Format, Import, Reading, Record, Tables};

/// The same tables for all files.
fn tables() -> Tables {
    let mut tables = Tables::default();
    let read = [
        tables.read_prefixes(Cursor::new("a,192.0.2.0/24\nb,2001:db8::/48\n")),
        tables.read_targets(Cursor::new("192.0.2.1,eu-west-1\nx.example,us-east-1\n")),
        tables.read_sites(Cursor::new("dub01,eu-west-1\nber01,52.4,13.1\n")),
    ];
    assert!(read.iter().all(Result::is_ok));
    tables
}

fn check(record: &Record) {
    match record {
        Record::Sample(sample) => {
            let most = if sample.network.address().is_ipv4() {
                24
            } else {
                48
            };
            assert!(sample.network.prefix_len() <= most);
            assert!(sample.count > 0 && sample.weight > 0.0 && sample.weight <= 1.0);
        }
        Record::Pair { ms, .. } => assert!(ms.is_finite() && *ms >= 0.0),
    }
}

// A byte for the format, one for the size of portions, then a file.
fuzz_target!(|bytes: &[u8]| {
    let [format, portion, file @ ..] = bytes else {
        return;
    };
    let reading = Reading {
        format: Format::ALL[usize::from(*format) % Format::ALL.len()],
        now_s: 1_795_275_000,
        regions: Regions::default(),
        tables: tables(),
        key: [0; 16],
    };
    let mut line = 0;
    let whole = Import::new(Cursor::new(file), reading.clone());
    let whole: Vec<String> = whole
        .map(|record| {
            if let Ok(record) = &record {
                check(record);
            }
            format!("{record:?}")
        })
        .collect();
    let portions = BufReader::with_capacity(usize::from(*portion) + 1, Cursor::new(file));
    let mut import = Import::new(portions, reading);
    let mut told = Vec::new();
    while let Some(record) = import.next() {
        assert!(import.line() >= line, "lines only go on");
        line = import.line();
        told.push(format!("{record:?}"));
    }
    assert_eq!(told, whole);
    assert!(import.bytes() <= file.len() as u64);
    for tables in [
        Tables::read_prefixes,
        Tables::read_targets,
        Tables::read_sites,
    ] {
        let _ = tables(&mut Tables::default(), Cursor::new(file));
    }
    let _ = Format::guess(file);
});
