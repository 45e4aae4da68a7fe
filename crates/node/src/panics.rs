//! Panics, which are faults of this program: each is said at once, in whatever thread or task it is
//! and whoever bears it, and counted. Without that a thread that nobody waits for would end
//! unnoticed, and one that is waited for at the end would be missed only then.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Those of this process.
static SEEN: AtomicU64 = AtomicU64::new(0);

/// Has each be said and counted from now on.
pub(crate) fn tell_at_once() {
    panic::set_hook(Box::new(tell));
}

/// How many there were.
pub(crate) fn seen() -> u64 {
    SEEN.load(Ordering::Relaxed)
}

/// Does a piece of work that the next one does not build on, and bears that it panics; none then.
pub(crate) fn bear<T>(work: impl FnOnce() -> T) -> Option<T> {
    // What was half done is the caller's to look at: it says that the next piece can do without.
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

fn tell(panic: &PanicHookInfo<'_>) {
    SEEN.fetch_add(1, Ordering::Relaxed);
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let why = panic.payload_as_str().unwrap_or("no text");
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    let backtrace = backtrace.map(|it| it.to_string());
    tracing::error!(
        thread,
        place,
        backtrace,
        "thread {thread} panicked at {place}: {why}; that is a fault of this program, and what the \
         thread did may not be done any more until the server is started anew"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    /// Lines of the log.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_thread_that_nobody_waits_for_ended_unnoticed() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone());
        let before = (panic::take_hook(), seen());
        tell_at_once();
        let thread = thread::Builder::new().name("lonely".to_owned());
        let thread = thread.spawn(move || {
            tracing::subscriber::with_default(log.finish(), || {
                assert_eq!(bear(|| 1), Some(1));
                assert_eq!(bear(|| panic!("borne")), None::<()>);
                panic!("a {}", "fault");
            });
        });
        let ended = thread.unwrap().join();
        panic::set_hook(before.0);
        assert!(ended.is_err() && seen() >= before.1 + 2);
        let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        for part in ["lonely", "borne", "a fault", "panics.rs"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
