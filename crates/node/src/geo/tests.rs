//! Files that come, change and go bad.

#[path = "../../../atlas/tests/mmdb/mod.rs"]
#[expect(dead_code, reason = "not every kind of file is needed here")]
mod mmdb;

use std::fs;
use std::sync::Arc;

use crate::condition::Condition;
use crate::config::Geo;

use super::files::Files;
use super::watch::Watch;
use mmdb::{Shape, Value, Writer};

/// A file that knows one network.
fn small() -> Vec<u8> {
    let mut writer = Writer::new(Shape {
        ip_version: 4,
        record_size: 24,
        database_type: "small",
    });
    writer.add(
        "192.0.2.0/24",
        &Value::Map(vec![("country_code", "DE".into())]),
    );
    writer.finish()
}

#[test]
fn a_bad_file_keeps_what_was_good_and_a_good_one_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some.mmdb");
    let condition = Condition::default();
    let config = Geo {
        files: vec![path.clone()],
        built_in: true,
    };
    // A file that has never been there is left out.
    let mut watch = Watch::begin(Files::new(&config), &condition);
    let first = condition.geo().now();
    assert_eq!(
        first.atlas.sources().len(),
        usize::from(cfg!(feature = "geo-builtin"))
    );
    assert!(first.failure.unwrap().contains("cannot read"));
    assert_eq!((first.whole, first.failures), (0, 1));
    // One that changes is read at the second look, one that does not never.
    fs::write(&path, small()).unwrap();
    watch.look(&condition);
    assert_eq!(condition.geo().now().whole, 0);
    for _ in 0..3 {
        watch.look(&condition);
    }
    let good = condition.geo().now();
    assert_eq!((good.whole, good.failures, &good.failure), (1, 1, &None));
    assert_eq!(good.atlas.sources()[0].name, path.display().to_string());
    // A bad one leaves all as it is.
    fs::write(&path, b"bad").unwrap();
    watch.load(&condition);
    let kept = condition.geo().now();
    assert!(Arc::ptr_eq(&kept.atlas, &good.atlas));
    assert!(kept.failure.unwrap().contains("is of no use"));
    assert_eq!((kept.whole, kept.failures), (1, 2));
    assert!(condition.geo().failure().is_some());
    fs::write(&path, small()).unwrap();
    watch.load(&condition);
    assert_eq!(condition.geo().failure(), None);
    assert!(!Arc::ptr_eq(&condition.geo().now().atlas, &good.atlas));
}

#[test]
fn whoever_has_waited_finds_the_atlas() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some.mmdb");
    fs::write(&path, small()).unwrap();
    let condition = Arc::<Condition>::default();
    let config = Geo {
        files: vec![path],
        built_in: true,
    };
    let reading = super::start(&config, &condition).unwrap();
    reading.wait().unwrap();
    let now = condition.geo().now();
    assert_eq!((now.whole, now.failures), (1, 0));
    let found = now.atlas.look_up("192.0.2.1".parse().unwrap());
    assert!(found.place.is_known());
}
