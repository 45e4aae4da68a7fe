//! From layers to flat tables: rows become runs of addresses that share a record, the layers' runs
//! are laid over one another, and what comes out is cut into prefixes, each with its scopes.
//!
//! Addresses are numbers of 128 bits here, those of IPv4 at the upper end: so the lengths of
//! prefixes and everything else are the same for both families.

use std::collections::HashMap;
use std::num::NonZeroU8;

use crate::atlas::EMBEDDING;
use crate::layer::{Half, Layer, Row, Source, TooLarge};
use crate::operator::{Operator, Operators};
use crate::place::Place;
use crate::table::{Edges, Entry, Key, MAX_RECORDS, beside};

/// The most rows of one layer and entries of one family: ten times what the largest data on sale
/// have.
pub(crate) const MAX_ENTRIES: usize = 1 << 26;

/// A place with who says so. The first of all is the one that nobody says anything about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) place: Place,
    /// The place of the source in the list, counted from 1.
    pub(crate) source: Option<NonZeroU8>,
}

const UNKNOWN: u32 = 0;

/// What the parts of an atlas are made of.
#[derive(Debug)]
pub(crate) struct Flat<V4, V6> {
    pub(crate) v4: Vec<Entry<V4>>,
    pub(crate) v6: Vec<Entry<V6>>,
    pub(crate) embeds: bool,
    pub(crate) records: Vec<Record>,
    pub(crate) operators: Operators,
    pub(crate) sources: Vec<Source>,
}

/// The addresses from this one up to the next run's first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u128,
    /// Of a place, or of a place of its layer.
    pub(crate) record: u32,
}

/// Makes one of many.
pub(crate) fn flatten<V4: Key, V6: Key>(layers: Vec<Layer>) -> Result<Flat<V4, V6>, TooLarge> {
    let mut records = vec![Record {
        place: Place::UNKNOWN,
        source: None,
    }];
    let mut sources = Vec::with_capacity(layers.len());
    let mut v4 = vec![Run::NOTHING];
    let mut v6 = vec![Run::NOTHING];
    let mut operators = vec![Operator::default()];
    let mut run_v4 = vec![Run::NOTHING];
    let mut run_v6 = vec![Run::NOTHING];
    for layer in layers {
        // The first place of a layer, and its first operator, are those that all share.
        let before = u32::try_from(records.len() - 1).map_err(|_| TooLarge)?;
        let source = u8::try_from(sources.len() + 1).map_err(|_| TooLarge)?;
        let source = NonZeroU8::new(source);
        let known = layer.places.values.iter().skip(1);
        records.extend(known.map(|&place| Record { place, source }));
        sources.push(layer.source);
        v4 = overlay(&v4, &half(layer.places.v4, before));
        v6 = overlay(&v6, &half(layer.places.v6, before));
        let before = u32::try_from(operators.len() - 1).map_err(|_| TooLarge)?;
        operators.extend(layer.operators.values.into_iter().skip(1));
        run_v4 = overlay(&run_v4, &half(layer.operators.v4, before));
        run_v6 = overlay(&run_v6, &half(layer.operators.v6, before));
    }
    let embeds = [&v4, &v6].iter().any(|runs| **runs != [Run::NOTHING]);
    if embeds {
        v6 = overlay(&runs(barriers(records.len())?, 0), &v6);
    }
    let classes = classes(&records);
    Ok(Flat {
        v4: cut(&v4, &classes)?,
        v6: cut(&v6, &classes)?,
        embeds,
        records,
        operators: Operators {
            all: operators.into(),
            v4: run_v4.into(),
            v6: run_v6.into(),
        },
        sources,
    })
}

impl Run {
    /// Nothing is known of any address.
    pub(crate) const NOTHING: Self = Self {
        first: 0,
        record: UNKNOWN,
    };
}

/// Rows that are like no others, where IPv6 addresses are looked up as IPv4 ones: nothing around
/// them may count them in.
fn barriers(records: usize) -> Result<Vec<Row>, TooLarge> {
    if records + EMBEDDING.len() > MAX_RECORDS {
        return Err(TooLarge);
    }
    let record = u32::try_from(records).map_err(|_| TooLarge)?;
    let rows = EMBEDDING.iter().zip(record..);
    let row = |(&(prefix, len), value)| Row {
        first: prefix,
        len,
        value,
    };
    Ok(rows.map(row).collect())
}

/// What a layer says of a family: its places are counted from `before`.
fn half(half: Half, before: u32) -> Vec<Run> {
    let rows = runs(half.rows, before);
    if half.base.is_empty() {
        return rows;
    }
    let mut base = half.base;
    for run in base.iter_mut().filter(|run| run.record != UNKNOWN) {
        run.record += before;
    }
    overlay(&rows, &base)
}

/// The runs of a layer whose places are counted from `before`: the innermost row says what an
/// address is.
fn runs(mut rows: Vec<Row>, before: u32) -> Vec<Run> {
    // Stable, so that of two rows for one prefix the later lies inside.
    rows.sort_by_key(|row| (row.first, row.len));
    let mut runs = vec![Run::NOTHING];
    // The rows that contain the address reached, each with its last address. At most one for every
    // length, and as often as a prefix is repeated.
    let mut open: Vec<(u128, u32)> = Vec::new();
    for row in rows {
        close(&mut open, &mut runs, Some(row.first));
        let record = if row.value == UNKNOWN {
            UNKNOWN
        } else {
            before + row.value
        };
        push(&mut runs, row.first, record);
        let last = row.first | u128::MAX.checked_shr(row.len.into()).unwrap_or(0);
        open.push((last, record));
    }
    close(&mut open, &mut runs, None);
    runs
}

/// Ends the rows that end before the address; all, if there is none.
fn close(open: &mut Vec<(u128, u32)>, runs: &mut Vec<Run>, before: Option<u128>) {
    while let Some((last, _)) = open.pop_if(|(last, _)| before.is_none_or(|first| *last < first)) {
        let outer = open.last().map_or(UNKNOWN, |(_, record)| *record);
        if let Some(next) = last.checked_add(1) {
            push(runs, next, outer);
        }
    }
}

/// Goes on with a record from this address, which no run begins behind.
fn push(runs: &mut Vec<Run>, first: u128, record: u32) {
    // What has been begun here turns out to hold nothing.
    runs.pop_if(|run| run.first == first);
    if runs.last().is_none_or(|run| run.record != record) {
        runs.push(Run { first, record });
    }
}

/// What the upper says, and the lower where the upper knows nothing.
fn overlay(upper: &[Run], lower: &[Run]) -> Vec<Run> {
    let mut merged = Vec::with_capacity(upper.len() + lower.len());
    let (mut uppers, mut lowers) = (upper.iter().peekable(), lower.iter().peekable());
    let (mut above, mut below) = (UNKNOWN, UNKNOWN);
    loop {
        let next = [uppers.peek(), lowers.peek()]
            .into_iter()
            .flatten()
            .map(|run| run.first)
            .min();
        let Some(first) = next else {
            return merged;
        };
        if let Some(run) = uppers.next_if(|run| run.first == first) {
            above = run.record;
        }
        if let Some(run) = lowers.next_if(|run| run.first == first) {
            below = run.record;
        }
        push(
            &mut merged,
            first,
            if above == UNKNOWN { below } else { above },
        );
    }
}

/// What each record counts as at each level, the barriers' behind them all: equal numbers, equal
/// places.
fn classes(records: &[Record]) -> Vec<[u32; 4]> {
    let mut numbers = HashMap::new();
    let mut number = |place: Place| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(place).or_insert(next)
    };
    let known = records.iter().zip(0..).map(|(record, own)| {
        let place = record.place;
        let subdivision = number(place.to_subdivision());
        [
            own,
            subdivision,
            number(place.to_country()),
            number(place.to_continent()),
        ]
    });
    let mut classes: Vec<[u32; 4]> = known.collect();
    classes.extend(
        (0..EMBEDDING.len())
            .zip(0..)
            .map(|(_, barrier)| [u32::MAX - barrier; 4]),
    );
    classes
}

/// Neighbouring runs that are of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    first: u128,
    /// The first address behind it, unless there is none.
    next: Option<u128>,
    /// How many runs lie before that.
    ends: usize,
}

/// Makes entries of runs: one of each where the lengths around its addresses follow from the
/// address and the ends of the run, and otherwise one of each of the widest prefixes in it.
fn cut<K: Key>(runs: &[Run], classes: &[[u32; 4]]) -> Result<Vec<Entry<K>>, TooLarge> {
    let class = |run: &Run, level: usize| {
        let of = usize::try_from(run.record).ok();
        let of = of.and_then(|record| classes.get(record));
        of.and_then(|levels| levels.get(level)).copied()
    };
    let stretch = |from: usize, level: usize| {
        let rest = runs.get(from..).unwrap_or_default();
        let first = rest.first()?;
        let alike = |run: &&Run| class(run, level) == class(first, level);
        let count = rest.iter().take_while(alike).count();
        Some(Stretch {
            first: first.first,
            next: rest.get(count).map(|run| run.first),
            ends: from + count,
        })
    };
    let mut entries = Vec::with_capacity(runs.len());
    let mut stretches = [Stretch::default(); 4];
    for (place, run) in runs.iter().enumerate() {
        for (level, current) in stretches.iter_mut().enumerate() {
            if current.ends <= place {
                *current = stretch(place, level).unwrap_or_default();
            }
        }
        let next = runs.get(place + 1).map(|next| next.first);
        let last = next.map_or(u128::MAX, |next| next - 1);
        let edges = stretches.map(|stretch| stretch.edges(run.first, last));
        if let [Some(a), Some(b), Some(c), Some(d)] = edges {
            entries.push(Entry::new(run.first, run.record, [a, b, c, d]));
        } else {
            prefixes(run, last, &stretches, &mut entries);
        }
        if entries.len() > MAX_ENTRIES {
            return Err(TooLarge);
        }
    }
    Ok(entries)
}

/// Cuts a run into the widest prefixes there are, at most two for each bit of an address.
fn prefixes<K: Key>(run: &Run, last: u128, stretches: &[Stretch; 4], entries: &mut Vec<Entry<K>>) {
    let own = Stretch {
        first: run.first,
        next: last.checked_add(1),
        ends: 0,
    };
    let mut first = Some(run.first);
    while let Some(address) = first.filter(|first| *first <= last) {
        let edges = stretches.map(|stretch| Edges {
            far: stretch.widest(address),
            ..Edges::default()
        });
        entries.push(Entry::new(address, run.record, edges));
        let behind = u128::MAX.checked_shr(own.widest(address).into());
        first = (address | behind.unwrap_or(0)).checked_add(1);
    }
}

impl Stretch {
    /// The length of the widest prefix around an address that lies in the stretch with all of
    /// its addresses: it has neither neighbour of the stretch in it.
    fn widest(&self, address: u128) -> u8 {
        let neighbours = [self.first.checked_sub(1), self.next];
        let lens = neighbours.into_iter().flatten();
        lens.map(|other| beside(address, other)).max().unwrap_or(0)
    }

    /// What it is for the addresses of a run in it; none, if that is not the same for all of them.
    fn edges(&self, first: u128, last: u128) -> Option<Edges> {
        let mut edges = Edges::default();
        let mut far = |other: u128| {
            let len = beside(first, other);
            edges.far = edges.far.max(len);
            (len == beside(last, other)).then_some(())
        };
        match self.first.checked_sub(1) {
            None => {}
            Some(_) if self.first == first => edges.begins = true,
            Some(before) => far(before)?,
        }
        match self.next {
            None => {}
            Some(next) if last.checked_add(1) == Some(next) => edges.ends = true,
            Some(next) => far(next)?,
        }
        Some(edges)
    }
}
