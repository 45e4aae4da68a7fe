//! Asking for memory before it is needed.
//!
//! The instruction for it has no safe form in the standard library, so whoever calls
//! [`answer`](crate::answer) brings it along; without one the answers are the same, but slower
//! where there are many zones.

/// A way to ask for memory ahead of its use.
pub trait Near {
    /// Asks for the lines of memory that hold `place`, and does not wait for them.
    fn near<T: ?Sized>(&self, place: &T);
}

/// Asks for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHurry;

impl Near for NoHurry {
    fn near<T: ?Sized>(&self, _place: &T) {}
}
