//! What is asked about: the zones of all scenarios of crate `answer` and some nastier ones, each
//! file in views of its own.

use std::fs;
use std::path::{Path, PathBuf};

use meridian_answer::World;

use crate::{scenario, zones};

/// Views of one file.
const VIEWS_OF_FILE: u8 = 3;

/// All zones in one World, and the names in them, in wire form.
///
/// # Panics
/// When a file cannot be read: nothing can be tested then.
pub fn world() -> (World, Vec<Vec<u8>>) {
    let (mut all, mut names) = (Vec::new(), Vec::new());
    // Where there are no more views, files share them: of two zones of a name the first answers.
    let firsts = (0..64 - VIEWS_OF_FILE).step_by(VIEWS_OF_FILE.into());
    for (file, first) in files().into_iter().zip(firsts.cycle()) {
        let text = fs::read_to_string(&file).expect("a file that was listed");
        let scenario = scenario::parse(&text);
        for mut zone in scenario.zones {
            for view in &mut zone.views {
                *view = (*view).min(VIEWS_OF_FILE - 1) + first;
            }
            names.push(zone.apex.as_wire().to_vec());
            names.extend(zone.sets.iter().map(|set| set.name.as_wire().to_vec()));
            all.push(zone);
        }
    }
    names.sort();
    names.dedup();
    (zones::world(&all), names)
}

fn files() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = here.join("../crates/answer/tests/scenarios");
    let mut files = listed(&scenarios);
    files.push(here.join("zones.txt"));
    files.extend(listed(&scenarios.join("routing")));
    files.extend(listed(&scenarios.join("measured")));
    files
}

/// The files in a folder, in order.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("the scenarios of crate answer");
    let paths = listed.map(|file| file.expect("a file").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}
