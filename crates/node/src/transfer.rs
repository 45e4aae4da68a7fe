//! Zones to and from files: what they look like, and the command line's side of import and export.
//! The server's side is among the admin socket's commands; rules are control's.

mod document;
mod export;
mod import;
mod master_file;
mod records;
mod report;
mod set;
mod sorted;

pub(crate) use export::export;
pub(crate) use import::{Answered, Import, ask, import};
pub(crate) use set::{JsonSet, PlacedSet, Portion};

use std::error::Error;
use std::fmt;

use clap::ValueEnum;

/// How a zone stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A master file (RFC 1035), as BIND and others read it.
    Bind,
    /// JSON with everything that the zone has.
    Json,
}

/// What was asked for is done, but not all of it.
#[derive(Debug)]
pub(crate) struct Incomplete(pub(crate) String);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Incomplete {}

/// It failed, and what was printed says why.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Told {}
