//! Asking the processor for memory ahead of its use.

use std::ptr;

use meridian_answer::Near;

use super::CACHE_LINE;

/// Asks the processor to fetch memory before it is needed, where it has an instruction for that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prefetch;

/// The most lines asked for at a time; more would push others out before they are used.
const NEAR_LINES: usize = 4;

impl Near for Prefetch {
    #[inline]
    fn near<T: ?Sized>(&self, place: &T) {
        let start = ptr::from_ref(place).cast::<u8>();
        // What does not begin with a line ends in one more than its length tells.
        let before = start.addr() % CACHE_LINE;
        let len = (before + size_of_val(place)).min(NEAR_LINES * CACHE_LINE);
        let line = start.wrapping_sub(before);
        for at in (0..len).step_by(CACHE_LINE) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a prefetch reads nothing the program can see and faults on no address. Every
            // x86_64 has SSE, where it comes from.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T0>(line.wrapping_add(at).cast());
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = (line, at);
        }
    }
}
