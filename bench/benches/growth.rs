//! What single changes cost while a large zone grows and shrinks: names come one at a time until
//! each part of the zone has had to make room, and go again.
//!
//! `cargo bench -p meridian-bench --bench growth`; two or three minutes. A figure is the CPU time
//! of the thread for one change: making the image, making the next World and freeing the one
//! before. Every round makes the same changes, and each counts with the least time it took in any,
//! so that the worst is the worst of the changes and not of the machine.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use meridian_answer::{Broken, World, ZoneChange, ZoneDraft, ZoneImage, ZoneMeta};
use meridian_bench::data::{self, ONE, Row};
use meridian_bench::images::{KEY, stored};
use meridian_bench::timing::cpu;
use meridian_dns::{Name, RecordType};
use meridian_model::{Generation, RecordSet, Timestamp, ZoneId};

/// Names of the zone before.
const NAMES: u64 = 1_000_000;
/// Names that come and go: so many that each segment doubles its places.
const MORE: u64 = 800_000;
/// Changes of names that are there.
const CHANGES: u64 = 100_000;
const ROUNDS: usize = 3;

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let any = |number| data::mix(number) % NAMES;
    let mut phases = [
        Phase::new("of any name", (0..CHANGES).map(any).collect(), Will::Be),
        Phase::new(
            "that adds a name",
            (NAMES..NAMES + MORE).collect(),
            Will::Be,
        ),
        Phase::new("that removes it", (NAMES..NAMES + MORE).collect(), Will::Go),
    ];
    for _ in 0..ROUNDS {
        let mut world = world();
        for phase in &mut phases {
            phase.round(&mut world);
        }
    }
    println!(
        "| one change | median | 99 % | 99.9 % | worst | over 1 ms | bytes per set behind it |"
    );
    println!("|---|---|---|---|---|---|---|");
    phases.into_iter().for_each(Phase::report);
}

/// Changes of one kind.
struct Phase {
    what: &'static str,
    names: Vec<u64>,
    will: Will,
    /// The least time of each.
    least: Vec<Duration>,
    bytes_per_set: f64,
}

/// What becomes of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Will {
    Be,
    Go,
}

/// A World of one zone, made as the server makes it.
fn world() -> World {
    let apex = Name::parse(ONE).expect("made-up apexes are names");
    let zone = ZoneId::new("Z1").expect("an id");
    let mut draft = ZoneDraft::new(KEY, &zone, &apex);
    for (name, sets) in (0..NAMES).map(entry) {
        let added = draft.add(&name, &sets, Broken::Refuse);
        added.expect("made-up sets can be answered");
    }
    let meta = ZoneMeta {
        zone,
        apex,
        generation: Generation(1),
        created_at: Timestamp(0),
        views: 1,
        last_changed: 1,
    };
    let image = ZoneImage::from_drafts(KEY, meta, vec![draft], NonZero::<usize>::MIN);
    World::new(KEY, vec![Arc::new(image)])
}

/// A name of the zone with its only set.
fn entry(number: u64) -> (Name, [RecordSet; 1]) {
    let [a, b, c, d] = data::address(number);
    let set = stored(&Row {
        name: format!("h{number}.{ONE}"),
        rtype: RecordType::A,
        ttl: 300,
        values: vec![format!("{a}.{b}.{c}.{d}")],
        policy: None,
    });
    (set.key.name.clone(), [set])
}

impl Phase {
    fn new(what: &'static str, names: Vec<u64>, will: Will) -> Self {
        Self {
            what,
            least: vec![Duration::MAX; names.len()],
            names,
            will,
            bytes_per_set: 0.0,
        }
    }

    /// Makes the changes one after the other.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn round(&mut self, world: &mut World) {
        for (number, least) in self.names.iter().zip(&mut self.least) {
            let (name, sets) = entry(*number);
            let sets = if self.will == Will::Be {
                &sets[..]
            } else {
                &[]
            };
            let started = cpu();
            let zone = world.zones().next().expect("the world has the zone");
            let changed = ZoneImage::with_names(zone, KEY, 2, [(&name, sets)])
                .expect("made-up sets can be answered");
            *world = world.changed(&[ZoneChange::Put(Arc::new(changed))]);
            *least = cpu().saturating_sub(started).min(*least);
        }
        let size = world.size();
        self.bytes_per_set = size.bytes as f64 / size.sets as f64;
    }

    fn report(self) {
        let Self {
            what,
            mut least,
            bytes_per_set,
            ..
        } = self;
        least.sort_unstable();
        let at = |per_mille: usize| least[(least.len() - 1) * per_mille / 1000];
        let [median, most, nearly_all, worst] = [500, 990, 999, 1000].map(at);
        let long = least.iter().filter(|time| time.as_millis() > 0).count();
        print!("| {what} | {median:.1?} | {most:.1?} | {nearly_all:.1?} | {worst:.1?} ");
        println!("| {long} | {bytes_per_set:.1} |");
    }
}
