//! Strategies for valid wire record data of every type.

use std::collections::BTreeMap;

use meridian_dns::RecordType;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Any type.
pub(crate) fn rtype() -> impl Strategy<Value = RecordType> {
    prop::sample::select(RecordType::ALL.to_vec())
}

/// Any type, and valid data of it.
pub(crate) fn typed_wire() -> impl Strategy<Value = (RecordType, Vec<u8>)> {
    rtype().prop_flat_map(|rtype| wire(rtype).prop_map(move |wire| (rtype, wire)))
}

/// Valid data of one type, whose text stays below 4,000 characters.
pub(crate) fn wire(rtype: RecordType) -> BoxedStrategy<Vec<u8>> {
    match rtype {
        RecordType::A => bytes(4..=4),
        RecordType::Aaaa => bytes(16..=16),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => name(),
        RecordType::Mx => joined(vec![bytes(2..=2), name()]),
        RecordType::Srv => joined(vec![bytes(6..=6), name()]),
        RecordType::Soa => joined(vec![name(), name(), bytes(20..=20)]),
        RecordType::Naptr => {
            let string = || string(100);
            joined(vec![bytes(4..=4), string(), string(), string(), name()])
        }
        RecordType::Txt | RecordType::Spf => {
            vec(string(255), 1..4).prop_map(|s| s.concat()).boxed()
        }
        RecordType::Caa => joined(vec![bytes(1..=1), tag(), bytes(0..=300)]),
        RecordType::Ds => joined(vec![bytes(3..=3), digest(&[(1, 20), (2, 32), (4, 48)])]),
        RecordType::Sshfp => joined(vec![bytes(1..=1), digest(&[(1, 20), (2, 32)])]),
        RecordType::Tlsa => joined(vec![bytes(2..=2), digest(&[(1, 32), (2, 64), (0, 99)])]),
        RecordType::Svcb | RecordType::Https => prop_oneof![
            1 => name().prop_map(|name| [&[0, 0], &name[..]].concat()),
            4 => joined(vec![
                (1..=u16::MAX).prop_map(|priority| priority.to_be_bytes().to_vec()).boxed(),
                name(),
                params(),
            ]),
        ]
        .boxed(),
    }
}

fn bytes(len: std::ops::RangeInclusive<usize>) -> BoxedStrategy<Vec<u8>> {
    vec(any::<u8>(), len).boxed()
}

fn joined(parts: Vec<BoxedStrategy<Vec<u8>>>) -> BoxedStrategy<Vec<u8>> {
    parts.prop_map(|parts| parts.concat()).boxed()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn string(longest: usize) -> BoxedStrategy<Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\"\\; ,()$@.".to_vec())];
    vec(byte, 0..=longest).prop_map(|s| counted(&s)).boxed()
}

fn name() -> BoxedStrategy<Vec<u8>> {
    let plain = "[A-Za-z0-9_*-]{1,63}".prop_map(String::into_bytes);
    let label = prop_oneof![plain, vec(any::<u8>(), 1..20)];
    let labels = vec(label.prop_map(|label| counted(&label)), 0..6);
    let fits = |labels: &Vec<Vec<u8>>| labels.iter().map(Vec::len).sum::<usize>() < 255;
    labels
        .prop_filter("at most 255 bytes", fits)
        .prop_map(|labels| [&labels.concat()[..], &[0]].concat())
        .boxed()
}

fn tag() -> BoxedStrategy<Vec<u8>> {
    "[A-Za-z0-9]{1,15}"
        .prop_map(|tag| counted(tag.as_bytes()))
        .boxed()
}

fn digest(lens: &[(u8, usize)]) -> BoxedStrategy<Vec<u8>> {
    prop::sample::select(lens.to_vec())
        .prop_flat_map(|(kind, len)| {
            vec(any::<u8>(), len).prop_map(move |d| [&[kind], &d[..]].concat())
        })
        .boxed()
}

/// Service parameters in order, `mandatory` naming every other key that is there.
fn params() -> BoxedStrategy<Vec<u8>> {
    let ids = vec(vec(any::<u8>(), 1..9), 1..4);
    let alpn = ids.prop_map(|ids| ids.iter().flat_map(|id| counted(id)).collect::<Vec<u8>>());
    let v4 = vec(any::<[u8; 4]>(), 1..4).prop_map(|hints| hints.concat());
    let v6 = vec(any::<[u8; 16]>(), 1..4).prop_map(|hints| hints.concat());
    // An ECHConfigList starts with its length; dnspython looks at it.
    let ech = vec(any::<u8>(), 4..40)
        .prop_map(|list| [&[0, u8::try_from(list.len()).unwrap()], &list[..]].concat());
    let known = (
        option::of((alpn, any::<bool>())),
        option::of(vec(any::<u8>(), 2)),
        option::of(v4),
        option::of(ech),
        option::of(v6),
        option::of("/[a-z{?é}]{0,9}".prop_map(String::into_bytes)),
    );
    let unknown = prop::collection::btree_map(9..65535u16, vec(any::<u8>(), 0..40), 0..3);
    (known, unknown, any::<bool>())
        .prop_map(
            |((alpn, port, v4, ech, v6, dohpath), mut params, mandatory)| {
                if let Some((alpn, no_default)) = alpn {
                    params.insert(1, alpn);
                    no_default.then(|| params.insert(2, Vec::new()));
                }
                for (key, value) in [(3, port), (4, v4), (5, ech), (6, v6), (7, dohpath)] {
                    value.map(|value| params.insert(key, value));
                }
                let named = params.keys().step_by(2).flat_map(|key| key.to_be_bytes());
                let named: Vec<u8> = named.collect();
                if mandatory && !named.is_empty() {
                    params.insert(0, named);
                }
                param_bytes(&params)
            },
        )
        .boxed()
}

fn param_bytes(params: &BTreeMap<u16, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in params {
        out.extend(key.to_be_bytes());
        out.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        out.extend(value);
    }
    out
}
