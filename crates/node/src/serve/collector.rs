//! Removes zone generations that nobody needs: drafts whose writers are gone, also those of a
//! process before this one, and versions of zones that are too old. What is to be removed is
//! control's to say.

use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{io, thread};

use meridian_control::Control;

use crate::panics;

/// How long it rests when there is nothing to be removed, or nothing could be.
const REST: Duration = Duration::from_secs(1);
/// How long others have between two steps.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts the thread, which ends when nobody else has the control plane.
pub(super) fn start(control: &Arc<Control>) -> io::Result<()> {
    let control = Arc::downgrade(control);
    let builder = thread::Builder::new().name("collector".to_owned());
    builder.spawn(move || run(&control))?;
    Ok(())
}

fn run(control: &Weak<Control>) {
    // Ends with the control plane, of which it holds on to nothing between two steps.
    loop {
        let Some(control) = control.upgrade() else {
            return;
        };
        let step = panics::bear(|| control.collect_generations());
        drop(control);
        match step {
            Some(Ok(true)) => thread::sleep(PAUSE),
            Some(Ok(false)) | None => thread::sleep(REST),
            Some(Err(error)) => {
                tracing::debug!(%error, "old zone generations are not removed: {error}");
                thread::sleep(REST);
            }
        }
    }
}
