//! Runs the scenario files inside the process.

use std::path::Path;

use crate::scenario::parse;
use crate::wire::normal;
use crate::{wire, zones};

#[test]
fn scenario_files_are_answered_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let mut wrong = 0;
    for file in files {
        let scenario = parse(&std::fs::read_to_string(&file).unwrap());
        let world = zones::world_of(&scenario);
        for query in scenario.queries {
            let ask = std::slice::from_ref(&query.ask);
            for seed in 0..3 {
                let replies = wire::answer_all(&world, query.view, seed << 37, ask);
                let reply = normal(wire::read(&query.ask, &replies[0]));
                let expected = normal(query.expected.clone());
                if reply != expected {
                    let place = format!("{}:{}", file.display(), query.line);
                    println!("{place}\n  expected {expected:x?}\n  got      {reply:x?}");
                    wrong += 1;
                    break;
                }
            }
        }
    }
    assert_eq!(wrong, 0, "replies differ from what the files say");
}
