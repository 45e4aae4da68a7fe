//! How many descriptors this process may have open: sockets and files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Beyond this more of them would be of no use, and tables of them take memory.
const ENOUGH: u64 = 65_536;

/// The most there may be; none is no limit.
pub(crate) fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Takes what may be had without asking anybody: what a process is given at first is little, for
/// the sake of programs that break beyond 1,024.
pub(crate) fn take() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if current.is_some_and(|current| current < wanted) {
        let more = Rlimit {
            current: Some(wanted),
            maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, more) {
            tracing::warn!(%error, "there are no more descriptors to be had: {error}");
        }
    }
}
