//! What answers and changes cost in the process: no sockets, no journal, no files.
//!
//! `cargo bench -p meridian-bench`. Each figure is the median of the rounds, with the least and
//! the most: on a machine that does other things the least is nearest to the truth.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meridian_answer::{
    BATCH, Identity, Moment, Outcome, Scratch, World, ZoneChange, ZoneImage, answer,
};
use meridian_bench::data::{self, ZoneRows};
use meridian_bench::expect::{Probe, Workload};
use meridian_bench::images::{Images, KEY, packet, stored};
use meridian_bench::timing::{report, rounds};
use meridian_model::RecordSet;

const ZONES: u64 = 100_000;
const NAMES: u64 = 1_000_000;
/// Answers per round.
const ANSWERS: usize = 256 * 1024;
/// Changes per round.
const CHANGES: usize = 200;
const REPLY_LEN: usize = 1232;

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| | median | least | most |");
    println!("|---|---|---|---|");
    let small = Images::new().one(1000).cuts().world().0;
    for workload in [
        Workload::Hits,
        Workload::Nxdomain,
        Workload::Wildcard,
        Workload::Referral,
    ] {
        let probes = probes(workload, 1000, ANSWERS);
        let times = rounds(|| answers(&small, &probes));
        report(
            &format!("{workload:?}, 1 zone of 1000 names: answer"),
            times,
        );
    }
    let large = Images::new().many(ZONES).world().0;
    let many = probes(Workload::Many, ZONES, 4 * ANSWERS);
    let times = rounds(|| answers(&large, &many));
    report("Many, 1M sets in 100k zones, random: answer", times);
    let size = large.size();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_set = size.bytes as f64 / size.sets as f64;
    println!("| bytes per set of {} sets | {per_set:.0} | | |", size.sets);
    let times = rounds(|| changes(&large, &data::many(ZONES / 2)));
    report("change of one name, 1M sets in 100k zones", times);
    drop((large, many));
    let one = Images::new().one(NAMES).world().0;
    let times = rounds(|| changes(&one, &data::one(1)));
    report("change of one name, 1 zone of 1M names", times);
}

fn probes(workload: Workload, size: u64, count: usize) -> Vec<Probe> {
    (0..count as u64)
        .map(|number| workload.probe(number, size))
        .collect()
}

/// The time of one answer, in batches as the server asks for them.
fn answers(world: &World, probes: &[Probe]) -> Duration {
    let (mut scratch, identity) = (Scratch::default(), Identity::default());
    let mut replies = vec![[0; REPLY_LEN]; BATCH];
    let started = Instant::now();
    for (probes, seed) in probes.chunks_exact(BATCH).zip(0..) {
        let mut rooms = replies.iter_mut();
        let mut packets: [_; BATCH] = std::array::from_fn(|place| {
            let room = rooms.next().map_or(&mut [][..], |room| &mut room[..]);
            packet(&probes[place].query, room)
        });
        let mut outcomes = [Outcome::Drop; BATCH];
        let moment = Moment { now_s: 0, seed };
        answer(
            &mut scratch,
            world,
            &identity,
            &mut packets,
            &mut outcomes,
            moment,
        );
        black_box(outcomes);
    }
    started.elapsed() / u32::try_from(probes.len()).unwrap_or(u32::MAX)
}

/// The time of replacing one name's sets and making the next World.
fn changes(world: &World, zone: &ZoneRows) -> Duration {
    let row = &zone.rows[0];
    let set = stored(row);
    let image = world
        .zones()
        .find(|image| *image.meta().apex.to_string() == format!("{}.", zone.apex))
        .expect("the world has the zone");
    let before: &ZoneImage = image;
    let started = Instant::now();
    for _ in 0..CHANGES {
        let sets: [RecordSet; 1] = [set.clone()];
        let changed = before
            .with_names(KEY, 2, [(&set.key.name, &sets[..])])
            .expect("made-up sets can be answered");
        black_box(world.changed(&[ZoneChange::Put(Arc::new(changed))]));
    }
    started.elapsed() / u32::try_from(CHANGES).unwrap_or(u32::MAX)
}
