//! Health checks at work: endpoints are probed, opinions formed, votes gathered.
//!
//! A checker reads which checks there are and publishes what it found; it changes no answer and
//! writes no journal. What a check is, and what its outcome is once the votes are known, is the
//! business of `model`; which checkers run, and where their findings go, that of `node`.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]
