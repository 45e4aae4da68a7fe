//! Runs the scenario files inside the process.

use std::path::Path;

use crate::scenario::{Expected, Record, parse};
use crate::{wire, zones};

/// Sorts what has no order: records in a set of the answer, records in the other sections, whose
/// owners are also folded, as pointers into the question give them its case.
pub(crate) fn normal(mut reply: Expected) -> Expected {
    let [answer, others @ ..] = &mut reply.sections;
    let same_set = |a: &Record, b: &Record| (&a.owner, a.rtype) == (&b.owner, b.rtype);
    for set in answer.chunk_by_mut(same_set) {
        set.sort();
    }
    for record in others.iter_mut().flatten() {
        record.owner.make_ascii_lowercase();
    }
    for section in others {
        section.sort();
    }
    reply
}

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
        let world = zones::world(&scenario.zones);
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
