//! Files of each format, good and bad, and properties that hold of all.
#![expect(
    clippy::indexing_slicing,
    reason = "a test may stop at what must not happen"
)]

use std::io::{BufReader, Cursor};

use meridian_atlas::Regions;
use proptest::prelude::*;

use super::*;
use crate::sample::Kind;

const NOW: u64 = 1_795_275_000;

fn reading(format: Format) -> Reading {
    Reading {
        format,
        now_s: NOW,
        regions: Regions::default(),
        tables: Tables::default(),
        key: [7; 16],
    }
}

fn import(reading: Reading, text: &str) -> (Vec<Record>, Vec<String>) {
    let (mut records, mut faults) = (Vec::new(), Vec::new());
    for record in Import::new(Cursor::new(text), reading) {
        match record {
            Ok(record) => records.push(record),
            Err(error) => faults.push(error.to_string()),
        }
    }
    (records, faults)
}

fn samples(records: &[Record]) -> Vec<(String, &str, u32, u32, u64)> {
    let of = |record: &'_ Record| match record {
        Record::Sample(sample) => Some(sample.clone()),
        Record::Pair { .. } => None,
    };
    let samples = records.iter().filter_map(of);
    let shown = samples.map(|sample| {
        let region: &'static str = Box::leak(sample.region);
        let network = sample.network.to_string();
        (network, region, sample.rtt_us, sample.count, sample.at_s)
    });
    shown.collect()
}

fn row(
    network: &str,
    region: &'static str,
    us: u32,
    count: u32,
    at: u64,
) -> (String, &'static str, u32, u32, u64) {
    (network.to_owned(), region, us, count, at)
}

#[test]
fn csv_is_read_with_a_first_line_or_without() {
    let expected = [
        row("192.0.2.0/24", "eu-west-1", 12_500, 40, 1_700_000_000),
        row("2001:db8:1::/48", "home-1", 3_000, 1, NOW),
    ];
    let plain =
        "# of our own\n192.0.2.0/24,eu-west-1,12.5,40,1700000000\n\n2001:db8:1::5,home-1,3\r\n";
    let named = "\u{feff}region,rtt_ms,prefix,who,ts,count\n\
                 eu-west-1,12.5,\"192.0.2.9\",me,2023-11-14T22:13:20Z,40\n\
                 home-1,3,2001:db8:1::/64,\"you, too\",,\n";
    for text in [plain, named] {
        let (records, faults) = import(reading(Format::Csv), text);
        assert_eq!(faults, [""; 0]);
        assert_eq!(samples(&records), expected);
        let Record::Sample(sample) = &records[0] else {
            panic!("{records:?}");
        };
        assert_eq!((sample.kind, sample.client), (Kind::Import, None));
    }
}

#[test]
fn a_bad_row_says_why_and_the_next_is_read() {
    let long = format!("192.0.2.0/24,{}", "x".repeat(pieces::MAX_PIECE));
    let text = format!(
        "192.0.2.0/33,a,1,1\n192.0.2.0/24,,1,1\n192.0.2.0/24,a,fast,1\n192.0.2.0/24,a,-1,1\n\
         192.0.2.0/24,a,1,0\n192.0.2.0/24,a,1,1,soon\n\"192.0.2.0/24,a,1,1\n{long}\n192.0.2.0/24,a,1,1\n"
    );
    let (records, faults) = import(reading(Format::Csv), &text);
    assert_eq!(records.len(), 1);
    let expected = [
        "line 1: '192.0.2.0/33' is no network, such as 192.0.2.0/24",
        "line 2: it has no region",
        "line 3: 'fast' is no rtt_ms",
        "line 4: '-1' is no rtt_ms",
        "line 5: '0' is no count",
        "line 6: 'soon' is no time: seconds since 1970, or as in 2026-01-31T12:00:00Z",
        "line 7: a quotation mark is not closed",
        "line 8: it is longer than 1048576 bytes",
    ];
    assert_eq!(faults, expected);
    let (_, faults) = import(reading(Format::Csv), "prefix,region,ms\n");
    assert_eq!(
        faults,
        ["line 1: the first line has no column rtt_ms, so no row can be read"]
    );
    let bytes = Cursor::new(b"192.0.2.0/24,\xFF,1,1\n");
    let fault = Import::new(bytes, reading(Format::Csv)).next().unwrap();
    assert_eq!(
        fault.unwrap_err().to_string(),
        "line 1: it is no text in UTF-8"
    );
}

/// All of a file was one line, which named the columns, and nothing was said.
#[test]
fn rows_that_end_with_cr_alone_are_not_passed_over() {
    let rows = "prefix,region,rtt_ms,count\r192.0.2.0/24,a,1,1\r192.0.2.0/24,b,2,1\r";
    let wrong = |line| format!("line {line}: CR stands within it: end lines with LF, or CR and LF");
    assert_eq!(
        import(reading(Format::Csv), rows),
        (Vec::new(), vec![wrong(1)])
    );
    let first = "MinRTT,client.IP,server.Site\r8,192.0.2.1,dub01\r";
    assert_eq!(
        import(reading(Format::MLab), first),
        (Vec::new(), vec![wrong(1)])
    );
    // Behind a column that nobody needs the next row stood.
    let within = "prefix,region,rtt_ms,who\n192.0.2.0/24,a,1,me\r192.0.2.0/24,b,2,you\n";
    assert_eq!(
        import(reading(Format::Csv), within),
        (Vec::new(), vec![wrong(2)])
    );
    for (start, is_so) in [
        (rows, true),
        ("\r\r# ours\rprefix,region,rtt_ms\r", true),
        ("\u{feff}\na,b\rc,d", true),
        ("prefix,region,rtt_ms\r\n192.0.2.0/24,a,1\r\n", false),
        ("\r\nprefix,region,rtt_ms\r", false),
        ("\u{feff}{\"prefix\":\r\"192.0.2.0/24\"}\n", false),
        ("", false),
    ] {
        assert_eq!(ends_lines_with_cr(start.as_bytes()), is_so, "{start:?}");
    }
}

/// With `ms` instead of `rtt_ms`, rows were read as if counts stood where round trips are.
#[test]
fn no_row_is_read_under_names_of_columns_that_are_not_understood() {
    let missing =
        |name| format!("line 1: the first line has no column {name}, so no row can be read");
    for (format, first, row, name) in [
        (
            Format::Csv,
            "prefix,region,count,ms",
            "192.0.2.0/24,a,40,12",
            "rtt_ms",
        ),
        (
            Format::Csv,
            "network,site,n,latency",
            "192.0.2.0/24,a,40,12",
            "prefix",
        ),
        (
            Format::Csv,
            "\"Netz\",\"Region\",\"Zahl\"",
            "192.0.2.0/24,a,40",
            "prefix",
        ),
        (Format::Matrix, "to,from,rtt", "a,b,10", "ms"),
        (Format::Matrix, "source,target,rtt", "a,b,10", "from"),
        (
            Format::MLab,
            "cidr,site,rtt",
            "192.0.2.0/24,dub01,8",
            "MinRTT",
        ),
    ] {
        let (records, faults) = import(reading(format), &format!("{first}\n{row}\n{row}\n"));
        assert_eq!((records, faults), (vec![], vec![missing(name)]), "{first}");
    }
}

#[test]
fn ndjson_has_the_same_fields() {
    let text = r#"{"prefix":"192.0.2.0/24","region":"eu-west-1","rtt_ms":12.5,"count":40,"ts":1700000000}
{"prefix":"192.0.2.0/24","region":"a","rtt_ms":1,"ts":"2023-11-14T22:13:20Z","more":[]}
{"prefix":"192.0.2.0/24","region":"a"}
{"prefix":"192.0.2.0/24"
{"prefix":"192.0.2.0/24","region":"a","rtt_ms":-1}
{"prefix":"192.0.2.0/24","region":"a","rtt_ms":1,"count":0}
"#;
    let (records, faults) = import(reading(Format::Ndjson), text);
    let expected = [
        row("192.0.2.0/24", "eu-west-1", 12_500, 40, 1_700_000_000),
        row("192.0.2.0/24", "a", 1_000, 1, 1_700_000_000),
    ];
    assert_eq!(samples(&records), expected);
    assert_eq!(faults.len(), 4);
    assert!(faults[0].starts_with("line 3: it is not JSON: missing field `rtt_ms`"));
    assert!(faults[1].starts_with("line 4: it is not JSON: EOF"));
    assert_eq!(
        faults[2..],
        ["line 5: '-1' is no rtt_ms", "line 6: '0' is no count"]
    );
}

#[test]
fn a_matrix_is_pairs_and_with_networks_of_sites_samples() {
    let text = "from,to,ms\na,b,10\nb,a,11.5\na,a,0.5\nc,a\n";
    let pair = |from: &str, to: &str, ms| Record::Pair {
        from: from.into(),
        to: to.into(),
        ms,
    };
    let (records, faults) = import(reading(Format::Matrix), text);
    assert_eq!(
        records,
        [
            pair("a", "b", 10.0),
            pair("b", "a", 11.5),
            pair("a", "a", 0.5)
        ]
    );
    assert_eq!(faults, ["line 5: it has no ms"]);
    let mut with = reading(Format::Matrix);
    let table = "site,prefix\na,192.0.2.0/24\na,198.51.100.0/24\n";
    with.tables.read_prefixes(Cursor::new(table)).unwrap();
    let (records, _) = import(with.clone(), text);
    let expected = [
        row("192.0.2.0/24", "b", 10_000, 1, NOW),
        row("198.51.100.0/24", "b", 10_000, 1, NOW),
        row("192.0.2.0/24", "a", 500, 1, NOW),
        row("198.51.100.0/24", "a", 500, 1, NOW),
    ];
    assert_eq!(samples(&records), expected);
    assert_eq!(records.len(), 7);
    let error = with
        .tables
        .read_prefixes(Cursor::new("a,192.0.2.0/24\nb,c\n"));
    let text = error.unwrap_err().to_string();
    assert_eq!(text, "line 2: 'c' is no network, such as 192.0.2.0/24");
}

const PING: &str = r#"{"fw":5080,"type":"ping","from":"203.0.113.9","src_addr":"10.80.80.10",
"dst_addr":"198.51.100.1","dst_name":"x.example","min":23.456,"avg":24.1,"rcvd":3,"sent":3,
"timestamp":1700000000,"prb_id":1000,"result":[{"rtt":23.456},{"rtt":"]}\""}]}"#;

#[test]
fn pings_of_ripe_atlas_are_read_as_an_array_or_as_lines() {
    let mut with = reading(Format::RipeAtlas);
    let targets = "198.51.100.1,eu-west-1\nY.example,us-east-1\n";
    with.tables.read_targets(Cursor::new(targets)).unwrap();
    let one = PING.replace('\n', "");
    let other = one.replace("198.51.100.1", "198.51.100.2");
    let rows = [
        one.clone(),
        one.replace("23.456,\"avg\"", "-1,\"avg\"")
            .replace("\"rcvd\":3", "\"rcvd\":0"),
        other.clone(),
        other.replace("x.example", "y.example"),
        one.replace("\"ping\"", "\"traceroute\""),
    ];
    let expected = [
        row("203.0.113.0/24", "eu-west-1", 23_456, 3, 1_700_000_000),
        row("203.0.113.0/24", "us-east-1", 23_456, 3, 1_700_000_000),
    ];
    let lines = format!("{}\n", rows.join("\n"));
    let array = format!(" [\n{}\n]\n", rows.join(",\n"));
    for (text, begins) in [(lines, 1), (array, 2)] {
        let mut import = Import::new(Cursor::new(text), with.clone());
        let (mut records, mut faults) = (Vec::new(), Vec::new());
        for record in &mut import {
            match record {
                Ok(record) => records.push(record),
                Err(error) => faults.push(error.to_string()),
            }
        }
        assert_eq!(samples(&records), expected);
        let third = format!("line {}: '198.51.100.2' is none of the targets", begins + 2);
        assert_eq!(
            faults,
            [third, format!("line {}: it is not of a ping", begins + 4)]
        );
        assert_eq!(import.passed_over(), 1);
        let Record::Sample(sample) = &records[0] else {
            panic!("{records:?}");
        };
        assert_eq!((sample.kind, sample.client.is_some()), (Kind::Atlas, true));
    }
    // All on one line, and spread over several.
    for text in [format!("[{one},{one}]"), format!("[{PING},\n\n{PING}]")] {
        assert_eq!(import(with.clone(), &text).0.len(), 2);
    }
    for (text, why) in [
        (
            format!("[{one}"),
            "line 1: the array that it is in does not end",
        ),
        (
            format!("[{one}]\nx"),
            "line 1: something stands behind the array",
        ),
        (
            format!("[{one},{}", "1".repeat(2 * pieces::MAX_PIECE)),
            "line 1: it is longer than 1048576 bytes",
        ),
    ] {
        assert_eq!(import(with.clone(), &text).1, [why]);
    }
}

/// Excerpts of results, without the sums, were told to be of pings that nobody answered.
#[test]
fn pings_without_sums_are_read_from_their_packets() {
    let mut with = reading(Format::RipeAtlas);
    with.tables
        .read_targets(Cursor::new("198.51.100.1,eu-west-1\n"))
        .unwrap();
    let ping = |more: &str| {
        format!(
            "{{\"type\":\"ping\",\"from\":\"203.0.113.9\",\"dst_addr\":\"198.51.100.1\",\
             \"prb_id\":7,\"timestamp\":1700000000{more}}}"
        )
    };
    let packets = r#","result":[{"x":"*"},{"rtt":31.5},{"error":"connect failed"},{"rtt":30.25}]"#;
    for (more, expected) in [
        (packets.to_owned(), Some((30_250, 2))),
        (format!("{packets},\"min\":30.25"), Some((30_250, 2))),
        (format!("{packets},\"rcvd\":2"), Some((30_250, 2))),
        (format!("{packets},\"min\":-1,\"rcvd\":0"), None),
        (",\"min\":30.25".to_owned(), Some((30_250, 1))),
        (
            ",\"result\":[{\"x\":\"*\"},{\"error\":\"e\"}]".to_owned(),
            None,
        ),
        (",\"result\":[]".to_owned(), None),
        (",\"result\":{\"rt\":5}".to_owned(), None),
        (String::new(), None),
    ] {
        let mut import = Import::new(Cursor::new(ping(&more)), with.clone());
        let records: Vec<Record> = (&mut import).map(|record| record.unwrap()).collect();
        let told = samples(&records);
        let told = told.first().map(|(_, _, us, count, _)| (*us, *count));
        assert_eq!(told, expected, "{more}");
        assert_eq!(
            import.passed_over(),
            u64::from(expected.is_none()),
            "{more}"
        );
    }
}

#[test]
fn rows_of_m_lab_are_for_the_region_that_the_site_is_at() {
    let csv = "date,MinRTT,cidr,site,server_latitude,server_longitude\n\
               2023-11-14,8.25,203.0.113.0/24,dub01,53.3,-6.2\n\
               2023-11-14,8.25,203.0.113.0/24,waw01,,\n\
               2023-11-14,8.25,203.0.113.0/24,ams01,52.3,4.8\n\
               2023-11-14,8.25,203.0.113.0/24,xyz01,,\n";
    let json = r#"{"date":"2023-11-14","a":{"MinRTT":8.25},"client":{"Network":{"CIDR":"203.0.113.0/24"},"Geo":{"Latitude":1}},"server":{"Site":"DUB01","Geo":{"Latitude":53.3,"Longitude":-6.2}}}
{"a":{"MinRTT":8.25,"TestTime":"2023-11-14 00:00:00 UTC"},"raw":{"ClientIP":"203.0.113.7"},"server":{"Site":"waw01"}}
{"a":{"MinRTT":8.25},"raw":{"ClientIP":"203.0.113.7"},"server":{"Site":"ams01","Geo":{"Latitude":52.3,"Longitude":4.8}}}
{"a":{"MinRTT":8.25},"raw":{"ClientIP":"203.0.113.7"},"server":{"Site":"xyz01"}}
"#;
    let at = 1_699_920_000;
    let expected = [
        row("203.0.113.0/24", "eu-west-1", 8_250, 1, at),
        row("203.0.113.0/24", "home-1", 8_250, 1, at),
    ];
    for (text, first) in [(csv, 2), (json, 1)] {
        let mut with = reading(Format::MLab);
        let sites = "site,region\nwaw01,home-1\n";
        with.tables.read_sites(Cursor::new(sites)).unwrap();
        let (records, faults) = import(with.clone(), text);
        assert_eq!(samples(&records), expected);
        let far = format!(
            "line {}: no region is within 50 km of the site 'ams01'",
            first + 2
        );
        let unknown = format!(
            "line {}: 'xyz01' is none of the sites, and the row does not say where it is",
            first + 3
        );
        assert_eq!(faults, [far, unknown]);
        let more = "xyz01,40.0,-83.0\n";
        with.tables.read_sites(Cursor::new(more)).unwrap();
        let (records, _) = import(with, text);
        assert_eq!(samples(&records)[2].1, "us-east-2");
    }
    let (_, faults) = import(reading(Format::MLab), "date,rtt\n");
    assert_eq!(
        faults,
        ["line 1: the first line has no column MinRTT, so no row can be read"]
    );
}

/// A thousand of them are sent at a time, which was more than the server takes: nothing came in.
#[test]
fn names_that_are_too_long_for_a_region_are_no_regions() {
    let long = "x".repeat(20_000);
    let shown = "x".repeat(60);
    let csv = format!("192.0.2.0/24,{long},1\n192.0.2.0/24,{},1\n", "y".repeat(64));
    let json = format!("{{\"prefix\":\"192.0.2.0/24\",\"region\":\"{long}\",\"rtt_ms\":1}}\n");
    for (format, text, good) in [(Format::Csv, csv, 1), (Format::Ndjson, json, 0)] {
        let (records, faults) = import(reading(format), &text);
        assert_eq!(
            faults,
            [format!("line 1: '{shown}' is no name of a region")]
        );
        assert_eq!(records.len(), good);
    }
}

#[test]
fn formats_are_known_by_their_looks() {
    for (start, format) in [
        ("192.0.2.0/24,eu-west-1,12,4\n", Some(Format::Csv)),
        ("# x\n\nregion,prefix,rtt_ms\n", Some(Format::Csv)),
        ("{\"prefix\":\"192.0.2.0/24\"", Some(Format::Ndjson)),
        ("\"prefix\",\"region\",\"rtt_ms\"\r\n", Some(Format::Csv)),
        ("\"192.0.2.0/24\",\"eu-west-1\",12\n", Some(Format::Csv)),
        ("\"from\",\"to\",\"ms\"\n", Some(Format::Matrix)),
        ("from,to,ms\n", Some(Format::Matrix)),
        ("eu-west-1,eu-west-2,10.5\n", Some(Format::Matrix)),
        ("[{\"fw\":5080,\"prb_id\":1", Some(Format::RipeAtlas)),
        ("date,MinRTT,cidr", Some(Format::MLab)),
        ("{\"a\":{\"MinRTT\":1}}", Some(Format::MLab)),
        ("what,is,this\n", None),
        ("", None),
    ] {
        assert_eq!(Format::guess(start.as_bytes()), format, "{start}");
    }
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
    assert_eq!(Format::parse("xlsx"), None);
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let network = prop_oneof![
        any::<u32>().prop_map(|bits| format!("{}/24", std::net::Ipv4Addr::from_bits(bits))),
        any::<u128>()
            .prop_map(|bits| format!("{}/48", std::net::Ipv6Addr::from_bits(bits | 1 << 127))),
    ];
    let rest = (
        "[a-z0-9-]{1,20}",
        0..3_600_000_000u32,
        1..=u32::MAX,
        0..5_000_000_000u64,
    );
    (network, rest).prop_map(|(network, (region, rtt_us, count, at_s))| Sample {
        at_s,
        network: network.parse().unwrap(),
        region: region.into(),
        rtt_us,
        count,
        weight: 1.0,
        kind: Kind::Import,
        client: None,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(samples in prop::collection::vec(any_sample(), 0..20)) {
        let csv = |sample: &Sample| {
            let ms = f64::from(sample.rtt_us) / 1000.0;
            let Sample { network, region, count, at_s, .. } = sample;
            format!("{network},{region},{ms},{count},{at_s}\n")
        };
        let json = |sample: &Sample| {
            let ms = f64::from(sample.rtt_us) / 1000.0;
            let Sample { network, region, count, at_s, .. } = sample;
            format!("{{\"prefix\":\"{network}\",\"region\":\"{region}\",\"rtt_ms\":{ms},\
                     \"count\":{count},\"ts\":{at_s}}}\n")
        };
        let expected: Vec<Record> = samples.iter().cloned().map(Record::Sample).collect();
        let texts = [
            (Format::Csv, samples.iter().map(csv).collect::<String>()),
            (Format::Ndjson, samples.iter().map(json).collect()),
        ];
        for (format, text) in texts {
            let (records, faults) = import(reading(format), &text);
            prop_assert_eq!(&records, &expected);
            prop_assert!(faults.is_empty(), "{:?}", faults);
        }
    }

    /// Whatever a file holds and in whatever portions it comes, each line is told of once.
    #[test]
    fn any_file_is_read_to_its_end(
        text in r#"([\[\]{}",:\\ \n.0-9a-c]|"prefix"|"region"|192.0.2.0/24|\{"from":"192.0.2.1"\}){0,60}"#,
        format in prop::sample::select(Format::ALL.to_vec()),
        portion in 1usize..9,
    ) {
        let whole = Import::new(Cursor::new(&text), reading(format));
        let whole: Vec<String> = whole.map(|record| format!("{record:?}")).collect();
        let portions = BufReader::with_capacity(portion, Cursor::new(&text));
        let mut import = Import::new(portions, reading(format));
        let told: Vec<String> = (&mut import).map(|record| format!("{record:?}")).collect();
        prop_assert_eq!(told.len(), whole.len());
        prop_assert_eq!(told, whole);
        prop_assert!(import.bytes() <= text.len() as u64);
        prop_assert!(import.next().is_none());
    }
}
