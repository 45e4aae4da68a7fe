//! What a reply has to be.

use std::fmt;

use meridian_dns::{RecordType, rdata};

/// One record of an answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// In lower case.
    pub(crate) owner: Owner,
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rtype = RecordType::from_code(self.rtype).ok_or(fmt::Error)?;
        let data = rdata::text(rtype, &self.data).map_err(|_| fmt::Error)?;
        write!(f, "{} {} {rtype} {data}", self.owner, self.ttl)
    }
}

/// A name by its text, which can be sorted and read.
pub(crate) type Owner = String;

/// What a reply has to be, apart from the order of its records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    pub(crate) rcode: u16,
    /// Sorted.
    pub(crate) records: Vec<Record>,
    /// How long nothing may be remembered, where the answer ends with nothing.
    pub(crate) negative: Option<Negative>,
}

/// The TTL of an SOA record in the authority section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Negative {
    Exactly(u32),
    AtMost(u32),
}

impl Answer {
    /// One with these records, in any order.
    pub(crate) fn new(rcode: u16, mut records: Vec<Record>, negative: Option<Negative>) -> Self {
        records.sort();
        Self {
            rcode,
            records,
            negative,
        }
    }
}
