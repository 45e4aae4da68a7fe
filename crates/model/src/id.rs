//! Identifiers, each its own type, in the bare form (without `/hostedzone/` and the like).

use std::fmt;

/// A text is not an identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub struct InvalidId;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a bare identifier.
            ///
            /// # Errors
            /// [`InvalidId`] when it is empty, too long or has a character that none has.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let allowed: fn(u8) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.bytes().all(allowed) {
                    return Err(InvalidId);
                }
                Ok(Self(text.into()))
            }

            /// The bare identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn capital_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

text_id! {
    /// A hosted zone: `Z`, two characters for the cell, then random ones; 21 in all.
    ZoneId, 32, capital_or_digit
}
text_id! {
    /// A submitted change: `C` and random characters; 21 in all.
    ChangeId, 32, capital_or_digit
}
text_id! {
    /// A reusable delegation set: `N`, two characters for the cell, then random ones; 17 in all.
    DelegationSetId, 32, capital_or_digit
}
text_id! {
    /// A configuration for logging the queries of a zone: a lower-case UUID.
    QueryLoggingConfigId, 36, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-'
}
text_id! {
    /// A health check: a lower-case UUID.
    HealthCheckId, 36, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-'
}
text_id! {
    /// A CIDR collection: a lower-case UUID.
    CidrCollectionId, 36, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-'
}
text_id! {
    /// A traffic policy: a lower-case UUID.
    TrafficPolicyId, 36, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-'
}
text_id! {
    /// A traffic policy instance: a lower-case UUID.
    TrafficPolicyInstanceId, 36, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-'
}
text_id! {
    /// A virtual private cloud: `vpc-` and more.
    VpcId, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}
text_id! {
    /// An account: twelve digits.
    AccountId, 12, |b| b.is_ascii_digit()
}
text_id! {
    /// The public half of an access key: `AKIA` and random characters; 20 in all.
    AccessKeyId, 128, |b| b.is_ascii_alphanumeric()
}

/// The place of an entry in the journal; the first entry is 1 and there are no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// The number under which a zone's record sets are stored.
///
/// Never used twice. A zone normally keeps the one it was created with; a bulk replacement is
/// written under a new one and published by pointing the zone to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_characters_of_the_kind_are_taken() {
        assert!(ZoneId::new("Z00ABC").is_ok());
        assert_eq!(ZoneId::new("Z00abc"), Err(InvalidId));
        assert_eq!(ZoneId::new(""), Err(InvalidId));
        assert_eq!(ZoneId::new(&"Z".repeat(33)), Err(InvalidId));
        assert!(AccountId::new("000000000001").is_ok());
        assert_eq!(AccountId::new("1x"), Err(InvalidId));
    }
}
