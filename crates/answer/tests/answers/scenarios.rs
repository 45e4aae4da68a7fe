//! Runs the scenario files inside the process.

use std::path::Path;

use crate::scenario::{Expected, parse};
use crate::wire::normal;
use crate::{wire, zones};

#[test]
fn scenario_files_are_answered_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let own = ["external", "measured", "routing"].map(|own| folder.join(own));
    let files = own.into_iter().chain([folder]);
    let files = files
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let mut wrong = 0;
    for file in files {
        let scenario = parse(&std::fs::read_to_string(&file).unwrap());
        let world = zones::world_of(&scenario);
        for query in scenario.queries {
            let world = zones::with_down(world.clone(), &query.down);
            let world = zones::with_targets(world, &query.targets);
            let expected: Vec<Expected> = query.expected.into_iter().map(normal).collect();
            let mut left: Vec<&Expected> = expected.iter().collect();
            let place = format!("{}:{}", file.display(), query.line);
            // Often enough that each of a few replies comes, and few enough to be fast.
            for seed in 0..if expected.len() > 1 { 400 } else { 3 } {
                let ask = std::slice::from_ref(&query.ask);
                let replies = wire::answer_all(&world, query.view, seed << 37, ask);
                let reply = normal(wire::read(&query.ask, &replies[0]));
                if !expected.contains(&reply) {
                    println!("{place}\n  expected {expected:x?}\n  got      {reply:x?}");
                    wrong += 1;
                    break;
                }
                left.retain(|other| **other != reply);
            }
            if !left.is_empty() {
                println!("{place}\n  never came {left:x?}");
                wrong += 1;
            }
        }
    }
    assert_eq!(wrong, 0, "replies differ from what the files say");
}
