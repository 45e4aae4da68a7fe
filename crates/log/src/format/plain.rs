//! Reading the commonest of all rows without the general decoder: record sets without a policy,
//! written by this program. A start reads a million of them.
//!
//! Whatever is not exactly in the form that our encoder gives such a set is left to the general
//! decoder, which decides what it is or what is wrong with it.

use meridian_dns::{Name, RecordType};
use meridian_model::{RecordSet, Routing, SetData, SetKey};

/// Keys of fields of [`RecordSetMessage`](super::record_set::RecordSetMessage) and of the message
/// of records in it: the tag, and in the lowest bits 0 for a number and 2 for what has a length.
const NAME: u8 = 1 << 3 | 2;
const RTYPE: u8 = 2 << 3;
const SIMPLE: [u8; 2] = [4 << 3, 1];
const RECORDS: u8 = 12 << 3 | 2;
const TTL: u8 = 1 << 3;
const VALUE: u8 = 2 << 3 | 2;

/// The set, if its bytes are those of a plain one.
pub(super) fn decode(bytes: &[u8]) -> Option<RecordSet> {
    let (name, rest) = field(bytes, NAME)?;
    let (rtype, rest) = number(rest.strip_prefix(&[RTYPE])?)?;
    let (records, after) = field(rest.strip_prefix(&SIMPLE)?, RECORDS)?;
    if !after.is_empty() {
        return None;
    }
    // A TTL of zero is not written.
    let (ttl, texts) = match records.strip_prefix(&[TTL]) {
        Some(rest) => number(rest)?,
        None => (0, records),
    };
    Some(RecordSet {
        key: SetKey {
            name: Name::from_wire(name).ok()?,
            rtype: RecordType::from_code(u16::try_from(rtype).ok()?)?,
            set_identifier: None,
        },
        routing: Routing::Simple,
        data: SetData::Records {
            ttl,
            values: values(texts)?,
        },
        health_check_id: None,
        traffic_policy_instance_id: None,
    })
}

fn values(texts: &[u8]) -> Option<Vec<String>> {
    let (mut rest, mut count) = (texts, 0);
    while !rest.is_empty() {
        (_, rest) = field(rest, VALUE)?;
        count += 1;
    }
    let (mut rest, mut values) = (texts, Vec::with_capacity(count));
    while !rest.is_empty() {
        let text;
        (text, rest) = field(rest, VALUE)?;
        values.push(std::str::from_utf8(text).ok()?.to_owned());
    }
    Some(values)
}

/// The bytes of the field with this key at the start, and what follows it.
fn field(bytes: &[u8], key: u8) -> Option<(&[u8], &[u8])> {
    let (len, rest) = number(bytes.strip_prefix(&[key])?)?;
    rest.split_at_checked(usize::try_from(len).ok()?)
}

/// A number of up to 28 bits, which is all that lengths, types and most TTLs take.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(4) {
        value |= u32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::super::Stored;
    use super::super::record_set::RecordSetMessage;
    use super::*;
    use crate::testing;

    /// What the general decoder makes of the bytes.
    fn general(bytes: &[u8]) -> Option<RecordSet> {
        RecordSet::from_message(RecordSetMessage::decode(bytes).ok()?).ok()
    }

    fn plain() -> RecordSet {
        let name = Name::parse("www.example.test").unwrap();
        let values = vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()];
        RecordSet::simple(name, RecordType::A, 300, values)
    }

    #[test]
    fn plain_sets_need_no_general_decoder() {
        let mut zero = plain();
        zero.data = SetData::Records {
            ttl: 0,
            values: Vec::new(),
        };
        for set in [plain(), zero] {
            assert_eq!(decode(&set.to_bytes()), Some(set));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_here_is_what_the_general_decoder_reads(
            set in testing::record_set(), at: prop::sample::Index, with: u8,
        ) {
            let mut bytes = set.to_bytes();
            let of = |bytes: &[u8]| decode(bytes).is_none_or(|set| general(bytes) == Some(set));
            prop_assert!(of(&bytes));
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            prop_assert!(of(&bytes), "damaged");
        }

        #[test]
        fn a_damaged_plain_set_is_read_the_same(at: prop::sample::Index, with: u8) {
            let mut bytes = plain().to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            if let Some(set) = decode(&bytes) {
                prop_assert_eq!(general(&bytes), Some(set));
            }
        }
    }
}
