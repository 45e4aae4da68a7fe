//! Large blocks of memory on large pages.
//!
//! What is looked up at random in tables of some megabytes waits longer for the addresses of pages
//! than for memory itself: the processor keeps few of them, and asking for memory ahead waits for
//! them, too. A large page takes the place of 512.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

/// Takes blocks of 4 MiB and more straight from the kernel, on large pages of 2 MiB where it
/// gives them (transparent huge pages, by `madvise` or always); all others are left to the
/// system's allocator.
///
/// For a program's `#[global_allocator]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LargePages;

/// From this many bytes on a block is large.
const LARGE: usize = 4 << 20;
/// Bytes of a large page; each large block begins with one and takes whole ones.
const PAGE: usize = 2 << 20;

// SAFETY: each block is the system allocator's or a mapping of its own, which of them follows from
// its layout, so that whoever gives it back or grows it knows. Blocks of mappings begin where pages
// of `PAGE` bytes do, which is as much alignment as a large block may ask for.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match pages(layout) {
            Some(len) => map(len),
            // SAFETY: the caller's promise is passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match pages(layout) {
            // The kernel's pages are zero.
            Some(len) => map(len),
            // SAFETY: the caller's promise is passed on.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match pages(layout) {
            // SAFETY: the block is a mapping of this many bytes.
            Some(len) => unsafe { unmap(block, len) },
            // SAFETY: the caller's promise is passed on.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        match (pages(layout), pages(new)) {
            // SAFETY: the caller's promise is passed on.
            (None, None) => unsafe { System.realloc(block, layout, new_size) },
            // SAFETY: the block is a mapping of this many bytes.
            (Some(len), Some(new_len)) => unsafe { resize(block, len, new_len) },
            _ => {
                // SAFETY: `new_size` is not 0, by the caller's promise.
                let moved = unsafe { self.alloc(new) };
                if !moved.is_null() {
                    let kept = layout.size().min(new_size);
                    // SAFETY: both blocks have as many bytes; the new one is nobody else's; the old
                    // one is given back as it was taken.
                    unsafe {
                        ptr::copy_nonoverlapping(block, moved, kept);
                        self.dealloc(block, layout);
                    }
                }
                moved
            }
        }
    }
}

/// The bytes of the mapping that a block of this layout is; none for the system allocator's.
fn pages(layout: Layout) -> Option<usize> {
    let large = layout.size() >= LARGE && layout.align() <= PAGE;
    // No layout is as large as would overflow.
    large.then(|| layout.size().next_multiple_of(PAGE))
}

/// New memory, of whole pages; null where there is none.
fn map(len: usize) -> *mut u8 {
    // Where the kernel puts it is not where a page begins: a page more holds one that does.
    let Some(room) = len.checked_add(PAGE) else {
        return ptr::null_mut();
    };
    let (rights, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a mapping at no address in particular touches nothing that is there.
    let start = unsafe { libc::mmap(ptr::null_mut(), room, rights, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    let start = start.cast::<u8>();
    let before = start.align_offset(PAGE);
    // SAFETY: all three are parts of the mapping, of which only the middle one is kept. That the
    // kernel may refuse large pages is no fault: it gives small ones.
    unsafe {
        let block = start.add(before);
        unmap(start, before);
        unmap(block.add(len), room - before - len);
        libc::madvise(block.cast(), len, libc::MADV_HUGEPAGE);
        block
    }
}

/// Gives memory back.
///
/// # Safety
/// It is mapped, in whole small pages, and nobody's any more.
unsafe fn unmap(start: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: as the caller promises. It can fail only where there are too many mappings; then
        // the memory stays taken.
        unsafe { libc::munmap(start.cast(), len) };
    }
}

/// The same memory with another length, mostly elsewhere; null, with the old one as it was, where
/// there is none. Growing moves pages, not bytes.
///
/// # Safety
/// It is a mapping of this many bytes, which begins where a large page does.
unsafe fn resize(block: *mut u8, len: usize, new_len: usize) -> *mut u8 {
    if new_len <= len {
        // SAFETY: the rest of the mapping is nobody's any more.
        unsafe { unmap(block.add(new_len), len - new_len) };
        return block;
    }
    let new = map(new_len);
    if new.is_null() {
        return new;
    }
    let how = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: both are mappings of the lengths told, and nobody uses the new one yet.
    let moved = unsafe { libc::mremap(block.cast(), len, new_len, how, new) };
    if moved == libc::MAP_FAILED {
        // SAFETY: it was mapped above.
        unsafe { unmap(new, new_len) };
        return ptr::null_mut();
    }
    moved.cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<'a>(block: *mut u8, len: usize) -> &'a mut [u8] {
        // SAFETY: the tests ask for bytes that they have taken and written, or taken as zero, and
        // hold no two slices of a block at once.
        unsafe { std::slice::from_raw_parts_mut(block, len) }
    }

    fn take(layout: Layout) -> *mut u8 {
        // SAFETY: no test asks for nothing. Zeroed, its bytes may be read.
        unsafe { LargePages.alloc_zeroed(layout) }
    }

    fn give_back(block: *mut u8, layout: Layout) {
        // SAFETY: the block was taken with this layout, or has been made to have it.
        unsafe { LargePages.dealloc(block, layout) };
    }

    fn number(at: usize) -> u8 {
        (at / 7 % 251).to_le_bytes()[0]
    }

    /// Writes numbers that tell the places of a block apart.
    fn fill(bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate().step_by(1024) {
            *byte = number(at);
        }
    }

    fn is_filled(bytes: &[u8]) -> bool {
        let mut some = bytes.iter().enumerate().step_by(1024);
        some.all(|(at, byte)| *byte == number(at))
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 16).unwrap()
    }

    #[test]
    fn blocks_keep_what_is_in_them_however_they_grow_and_shrink() {
        let few = [1, 100_000, PAGE, LARGE - 1, LARGE, LARGE + 1];
        let sizes = [&few[..], &[5 * PAGE + 4096, 40 * PAGE]].concat();
        for (from, to) in sizes
            .iter()
            .flat_map(|from| sizes.iter().map(move |to| (*from, *to)))
        {
            let block = take(layout(from));
            assert!(!block.is_null());
            fill(bytes(block, from));
            // SAFETY: the block was taken with this layout.
            let moved = unsafe { LargePages.realloc(block, layout(from), to) };
            assert!(is_filled(bytes(moved, from.min(to))), "{from} to {to}");
            give_back(moved, layout(to));
        }
    }

    #[test]
    fn large_blocks_begin_with_a_large_page_and_are_zero() {
        let layout = layout(LARGE + PAGE / 2);
        for _ in 0..3 {
            let block = take(layout);
            assert_eq!(block.align_offset(PAGE), 0);
            let bytes = bytes(block, layout.size());
            assert!(bytes.iter().all(|byte| *byte == 0));
            fill(bytes);
            give_back(block, layout);
        }
    }

    #[test]
    fn what_there_is_no_memory_for_is_refused() {
        assert!(take(layout(1 << 60)).is_null());
        let block = take(layout(LARGE));
        fill(bytes(block, LARGE));
        // SAFETY: the block was taken with this layout.
        let moved = unsafe { LargePages.realloc(block, layout(LARGE), 1 << 60) };
        assert!(moved.is_null());
        assert!(is_filled(bytes(block, LARGE)), "it is still there");
        give_back(block, layout(LARGE));
    }
}
