//! All that a map says, range by range: for comparing maps and for people, not for queries.

use std::iter::from_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Latencies, LatencyMap};
use crate::table::Table;

/// Addresses of which a map says the same, and what.
#[derive(Debug, Clone, Copy)]
pub struct MapRange<'a> {
    /// The first of them.
    pub first: IpAddr,
    /// The last of them.
    pub last: IpAddr,
    /// What it says of the first, and so of all but for the scopes.
    pub latencies: Latencies<'a>,
}

/// All ranges of a map.
pub(super) fn of(map: &LatencyMap) -> impl Iterator<Item = MapRange<'_>> {
    let v4 = |bits: u128| {
        let [a, b, c, d, ..] = bits.to_be_bytes();
        Ipv4Addr::new(a, b, c, d).into()
    };
    let v6 = |bits: u128| Ipv6Addr::from_bits(bits).into();
    family(map, &map.tables.v4, v4).chain(family(map, &map.tables.v6, v6))
}

/// Those of a family, whose addresses are numbers of 128 bits here: those of IPv4 stand at the upper
/// end.
fn family<'a>(
    map: &'a LatencyMap,
    table: &'a Table,
    address: impl Fn(u128) -> IpAddr + 'a,
) -> impl Iterator<Item = MapRange<'a>> {
    let mut prefixes = prefixes(table, map.rows.len()).peekable();
    let runs = from_fn(move || {
        let (first, mut last, record) = prefixes.next()?;
        while let Some((_, end, _)) = prefixes.next_if(|(.., other)| *other == record) {
            last = end;
        }
        Some((first, last))
    });
    runs.filter_map(move |(first, last)| {
        Some(MapRange {
            first: address(first),
            last: address(last),
            latencies: map.located(table.find(first), first, 0).latencies?,
        })
    })
}

/// The widest prefixes that have one record each. What is looked up in the other family counts as
/// what is before it.
fn prefixes(table: &Table, rows: usize) -> impl Iterator<Item = (u128, u128, u32)> {
    let (mut next, mut before) = (Some(0_u128), 0);
    from_fn(move || {
        let first = next?;
        let (record, [len, ..]) = table.find(first)?;
        let last = first | u128::MAX.checked_shr(len.into()).unwrap_or(0);
        next = last.checked_add(1);
        if record as usize <= rows {
            before = record;
        }
        Some((first, last, before))
    })
}
