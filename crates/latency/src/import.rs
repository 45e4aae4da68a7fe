//! Files of measurements: each row becomes a sample, or an error with its line and the reason.
//!
//! A file is read row by row and never whole, whatever its length. What rows of each format look
//! like is in a file of its own. Whether a sample can be true is not asked here.

mod columns;
mod csv;
mod fields;
mod format;
mod matrix;
mod mlab;
mod ndjson;
mod pieces;
mod ripe_atlas;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, BufRead};

use meridian_atlas::Regions;

use crate::sample::Sample;

pub use format::{Format, ends_lines_with_cr, packed_with};
pub use tables::Tables;

use columns::Columns;
use matrix::Pair;
use mlab::MLabRows;
use pieces::{Piece, Pieces};

/// The longest name of a region, in bytes.
const MAX_REGION: usize = 64;

/// What a file does not say itself.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What its rows look like.
    pub format: Format,
    /// When rows were measured that tell no time, in seconds since 1970.
    pub now_s: u64,
    /// Where regions are.
    pub regions: Regions,
    /// What rows name that are not regions and networks.
    pub tables: Tables,
    /// What numbers of clients are made with, so that they lead back to no address.
    pub key: [u8; 16],
}

/// What a row tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// How long it takes from a network to a region.
    Sample(Sample),
    /// How long it takes from one region to another.
    Pair {
        /// The one.
        from: Box<str>,
        /// The other.
        to: Box<str>,
        /// A round trip.
        ms: f32,
    },
}

/// A row that tells nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Fault {
    /// Where it begins; the first is 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: Wrong,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "said by the texts")]
pub enum Wrong {
    #[error("it is no text in UTF-8")]
    NotText,
    #[error("it is longer than {} bytes", pieces::MAX_PIECE)]
    TooLong,
    #[error("the array that it is in does not end")]
    EndlessArray,
    #[error("something stands behind the array")]
    BehindArray,
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("a quotation mark is not closed")]
    OpenQuote,
    #[error("CR stands within it: end lines with LF, or CR and LF")]
    CrWithin,
    #[error("the first line has no column {0}, so no row can be read")]
    NoColumn(&'static str),
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("'{0}' is no network, such as 192.0.2.0/24")]
    Network(String),
    #[error("'{0}' is wider than any network of clients: /8, or /16 of IPv6")]
    TooWide(String),
    #[error("'{text}' is no {field}")]
    Number { field: &'static str, text: String },
    #[error("'{0}' is no time: seconds since 1970, or as in 2026-01-31T12:00:00Z")]
    Time(String),
    #[error("it is not of a ping")]
    NotPing,
    #[error("'{0}' is none of the targets")]
    UnknownTarget(String),
    #[error("'{0}' is no name of a region")]
    Region(String),
    #[error("no region is within {near} km of the site '{0}'", near = mlab::NEAR_KM)]
    FarSite(String),
    #[error("'{0}' is none of the sites, and the row does not say where it is")]
    UnknownSite(String),
    #[error("there are more than {} rows", tables::MAX_ROWS)]
    TooManyRows,
}

/// Why there is no further record, or not this one.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The next rows may be better.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// There are none.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// The records of a file, one after the other.
#[derive(Debug)]
pub struct Import<R> {
    pieces: Pieces<R>,
    reading: Reading,
    rows: Rows,
    ready: VecDeque<Record>,
    passed_over: u64,
}

/// What is known of rows from those before.
#[derive(Debug)]
enum Rows {
    Csv(Columns<{ csv::NAMES.len() }>),
    Ndjson,
    Matrix(Columns<{ matrix::NAMES.len() }>),
    RipeAtlas,
    MLab(MLabRows),
}

impl<R: BufRead> Import<R> {
    /// Begins with the first row.
    pub fn new(input: R, reading: Reading) -> Self {
        let rows = match reading.format {
            Format::Csv => Rows::Csv(Columns::new(csv::NAMES)),
            Format::Ndjson => Rows::Ndjson,
            Format::Matrix => Rows::Matrix(Columns::new(matrix::NAMES)),
            Format::RipeAtlas => Rows::RipeAtlas,
            Format::MLab => Rows::MLab(MLabRows::default()),
        };
        Self {
            pieces: Pieces::new(input, reading.format.may_be_array()),
            reading,
            rows,
            ready: VecDeque::new(),
            passed_over: 0,
        }
    }

    /// How many bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.pieces.bytes()
    }

    /// The line up to which it was read.
    pub fn line(&self) -> u64 {
        self.pieces.line()
    }

    /// Rows that tell of no round trip, such as of a ping that nobody answered.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }
}

impl Rows {
    /// What a row tells; one that says that nothing came back tells nothing.
    fn read(&mut self, text: &str, reading: &Reading) -> Result<Told, Wrong> {
        Ok(match self {
            Self::Csv(columns) => csv::read(columns, text, reading)?.map_or(Told::Header, one),
            Self::Ndjson => one(ndjson::read(text, reading)?),
            Self::Matrix(columns) => match matrix::read(columns, text)? {
                Some(pair) => Told::Pair(pair),
                None => Told::Header,
            },
            Self::RipeAtlas => ripe_atlas::read(text, reading)?.map_or(Told::Nothing, one),
            Self::MLab(rows) => rows.read(text, reading)?.map_or(Told::Header, one),
        })
    }
}

/// What a row has told.
enum Told {
    Header,
    Nothing,
    Sample(Box<Sample>),
    Pair(Pair),
}

/// Rows travel by the thousand: one may name no more than a region.
fn named_shortly(told: Told) -> Result<Told, Wrong> {
    match told {
        Told::Sample(sample) if sample.region.len() > MAX_REGION => {
            Err(Wrong::Region(fields::shown(&sample.region)))
        }
        told => Ok(told),
    }
}

fn one(sample: Sample) -> Told {
    Told::Sample(Box::new(sample))
}

impl<R: BufRead> Iterator for Import<R> {
    type Item = Result<Record, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Ends with the file.
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Ok(record));
            }
            let told = match self.pieces.next()? {
                Err(error) => return Some(Err(error)),
                Ok(Piece { line, text }) => {
                    let told = self.rows.read(text, &self.reading);
                    let told = told.and_then(named_shortly);
                    told.map_err(|reason| Fault { line, reason })
                }
            };
            match told {
                Err(fault) => {
                    // Which column is what would be guessed.
                    if let Wrong::NoColumn(_) = fault.reason {
                        self.pieces.end_here();
                    }
                    return Some(Err(fault.into()));
                }
                Ok(Told::Header) => {}
                Ok(Told::Nothing) => self.passed_over += 1,
                Ok(Told::Sample(sample)) => return Some(Ok(Record::Sample(*sample))),
                Ok(Told::Pair(pair)) => pair.push_to(&mut self.ready, &self.reading),
            }
        }
    }
}
