//! Maps in a folder: which is taken, which is refused, and which are kept.

use std::fs;

use meridian_atlas::{Cell, MapDraft, MapRegion, MapRow, Origin, Point};
use tempfile::TempDir;

use super::files::Folder;
use super::watch::Watch;
use super::*;

/// The file of a map that says something of everybody.
fn map(build: u64) -> Vec<u8> {
    let draft = MapDraft {
        build,
        made_s: 1,
        regions: vec![MapRegion {
            name: "a".into(),
            point: Point::new(1.0, 1.0).unwrap(),
        }],
        rows: vec![MapRow {
            country: None,
            samples: 1,
            confidence: 1,
            age_h: 1,
            cells: vec![Cell {
                ms: Some(10.0),
                origin: Origin::Measured,
            }],
        }],
        v4: vec![(0, 0)],
        v6: Vec::new(),
    };
    draft.write().unwrap()
}

/// Looks as often as it takes to see that a file does not change any more.
fn look(watch: &mut Watch, latency: &Latency) -> Option<u64> {
    watch.look(latency);
    watch.look(latency);
    latency.map().map(|map| map.build())
}

#[test]
fn the_newest_good_map_is_taken_and_bad_ones_are_refused() {
    let dir = TempDir::new().unwrap();
    let folder = Folder::of(dir.path());
    let latency = Latency::default();
    let mut watch = Watch::begin(folder.clone(), &latency);
    assert_eq!(look(&mut watch, &latency), None);
    folder.put_map(3, &map(3)).unwrap();
    assert_eq!(look(&mut watch, &latency), Some(3));
    // Cut off, and under another number.
    fs::write(folder.map(4), &map(4)[..50]).unwrap();
    assert_eq!(look(&mut watch, &latency), Some(3));
    let refused = latency.now().refused.unwrap();
    assert!(refused.contains("map-4 is refused"), "{refused}");
    assert_eq!(latency.notes(), [refused]);
    let refusals = latency.now().refusals;
    assert_eq!(look(&mut watch, &latency), Some(3), "it is refused once");
    assert_eq!(latency.now().refusals, refusals);
    fs::write(folder.map(5), map(2)).unwrap();
    assert_eq!(look(&mut watch, &latency), Some(3));
    assert!(
        latency
            .now()
            .refused
            .unwrap()
            .contains("it is build 2, not 5")
    );
    // A start passes over them.
    let again = Latency::default();
    let mut second = Watch::begin(folder.clone(), &again);
    assert_eq!(again.map().unwrap().build(), 3);
    assert!(again.now().refused.unwrap().contains("map-5"));
    assert_eq!(look(&mut second, &again), Some(3));
    // What was bad is mended.
    fs::write(folder.map(5), map(5)).unwrap();
    assert_eq!(look(&mut watch, &latency), Some(5));
    assert_eq!(look(&mut watch, &latency), Some(5));
    assert_eq!(latency.now().refused, None);
    // An older one is none to be taken, wherever it comes from.
    let older = LatencyMap::read(&map(4)).unwrap();
    assert!(
        latency
            .take(older)
            .unwrap_err()
            .contains("build 5 is in use")
    );
}

#[test]
fn three_maps_are_kept() {
    let dir = TempDir::new().unwrap();
    let folder = Folder::of(dir.path());
    for build in [1, 2, 9, 10, 11] {
        folder.put_map(build, &map(build)).unwrap();
    }
    fs::write(dir.path().join("latency/map-x"), b"").unwrap();
    let kept: Vec<u64> = folder.maps().iter().map(|(build, _)| *build).collect();
    assert_eq!(kept, [11, 10, 9]);
    let newest = || folder.newest().map(|map| map.build());
    assert_eq!(newest(), Some(11));
    fs::write(folder.map(12), b"no map").unwrap();
    assert_eq!(newest(), Some(11), "what is refused is in no use");
    folder.put_waiting(b"x").unwrap();
    folder.drop_waiting().unwrap();
    folder.drop_waiting().unwrap();
    assert!(!folder.waiting().exists());
}

#[test]
fn damaged_maps_pushed_good_ones_out() {
    let dir = TempDir::new().unwrap();
    let folder = Folder::of(dir.path());
    for build in [1, 2, 3, 4] {
        folder.put_map(build, &map(build)).unwrap();
    }
    for build in [5, 6] {
        fs::write(folder.map(build), b"no map").unwrap();
    }
    // It is good, but says that it is another.
    fs::write(folder.map(7), map(4)).unwrap();
    let kept = || folder.maps().iter().map(|(build, _)| *build).collect();
    folder.put_map(8, &map(8)).unwrap();
    assert_eq!(Vec::from_iter::<Vec<u64>>(kept()), [8, 7, 6, 5, 4, 3]);
    // They go with the good ones around them.
    for build in [9, 10] {
        folder.put_map(build, &map(build)).unwrap();
    }
    assert_eq!(Vec::from_iter::<Vec<u64>>(kept()), [10, 9, 8]);
}

#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let latency = Latency::default();
    let measured = || Measured::Between {
        from: "a".into(),
        to: "b".into(),
        rtt_us: 1,
    };
    let mut taken = 0;
    while latency.sink().try_send(measured()) {
        taken += 1;
    }
    assert!(taken >= 1000);
    assert!(!latency.sink().try_send(measured()));
    assert_eq!(latency.sink().dropped(), 2);
}
