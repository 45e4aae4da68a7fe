//! The seventeen record types that Route 53 stores.

use std::fmt;
use std::str::FromStr;

/// A record type that a record set can have (Route 53's `RRType`).
///
/// Ordered as Route 53 lists sets of one name: by mnemonic. Numbers are IANA's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "the mnemonics are their own documentation")]
pub enum RecordType {
    A = 1,
    Aaaa = 28,
    Caa = 257,
    Cname = 5,
    Ds = 43,
    Https = 65,
    Mx = 15,
    Naptr = 35,
    Ns = 2,
    Ptr = 12,
    Soa = 6,
    Spf = 99,
    Srv = 33,
    Sshfp = 44,
    Svcb = 64,
    Tlsa = 52,
    Txt = 16,
}

impl RecordType {
    /// All types, in order of their mnemonics.
    pub const ALL: [Self; 17] = [
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cname,
        Self::Ds,
        Self::Https,
        Self::Mx,
        Self::Naptr,
        Self::Ns,
        Self::Ptr,
        Self::Soa,
        Self::Spf,
        Self::Srv,
        Self::Sshfp,
        Self::Svcb,
        Self::Tlsa,
        Self::Txt,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The type with this number on the wire, if it is one of ours.
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::A,
            2 => Self::Ns,
            5 => Self::Cname,
            6 => Self::Soa,
            12 => Self::Ptr,
            15 => Self::Mx,
            16 => Self::Txt,
            28 => Self::Aaaa,
            33 => Self::Srv,
            35 => Self::Naptr,
            43 => Self::Ds,
            44 => Self::Sshfp,
            52 => Self::Tlsa,
            64 => Self::Svcb,
            65 => Self::Https,
            99 => Self::Spf,
            257 => Self::Caa,
            _ => return None,
        })
    }

    /// The place of the type in [`RecordType::ALL`].
    pub const fn place(self) -> usize {
        match self {
            Self::A => 0,
            Self::Aaaa => 1,
            Self::Caa => 2,
            Self::Cname => 3,
            Self::Ds => 4,
            Self::Https => 5,
            Self::Mx => 6,
            Self::Naptr => 7,
            Self::Ns => 8,
            Self::Ptr => 9,
            Self::Soa => 10,
            Self::Spf => 11,
            Self::Srv => 12,
            Self::Sshfp => 13,
            Self::Svcb => 14,
            Self::Tlsa => 15,
            Self::Txt => 16,
        }
    }

    /// The mnemonic, as in `AAAA`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Ds => "DS",
            Self::Https => "HTTPS",
            Self::Mx => "MX",
            Self::Naptr => "NAPTR",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Spf => "SPF",
            Self::Srv => "SRV",
            Self::Sshfp => "SSHFP",
            Self::Svcb => "SVCB",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl Ord for RecordType {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for RecordType {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the mnemonic of a type that Route 53 stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record type that can be stored")]
pub struct UnknownRecordType;

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    /// Reads a mnemonic in capitals, as the API's enumeration spells it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|t| t.as_str() == text)
            .ok_or(UnknownRecordType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_in_the_order_of_mnemonics_and_read_back() {
        assert!(RecordType::ALL.is_sorted());
        for (place, t) in RecordType::ALL.into_iter().enumerate() {
            assert_eq!(t.place(), place);
            assert_eq!(t.as_str().parse(), Ok(t));
            assert_eq!(RecordType::from_code(t.code()), Some(t));
        }
        assert_eq!("a".parse::<RecordType>(), Err(UnknownRecordType));
        let known = (0..=u16::MAX).filter_map(RecordType::from_code);
        assert_eq!(known.count(), RecordType::ALL.len());
    }
}
