//! From layers to flat tables: rows become runs of addresses that share a record, the layers' runs
//! are laid over one another, and each is told how far what is around it is like it. What becomes of
//! them in a table is the business of `shelf`.
//!
//! Addresses are numbers of 128 bits here, those of IPv4 at the upper end: so the lengths of
//! prefixes and everything else are the same for both families.

use std::collections::HashMap;
use std::iter::{from_fn, once};
use std::num::NonZeroU8;

use crate::atlas::EMBEDDING;
use crate::countries::Packed;
use crate::layer::{Layer, Row, Rows, Source, TooLarge};
use crate::operator::{Operator, Operators};
use crate::place::Place;
use crate::search::Families;
use crate::shelf::{Known, Shelf, Stretch};
use crate::table::{MAX_RECORDS, Table};

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
pub(crate) struct Flat {
    pub(crate) tables: Families,
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

/// All runs of a family, from address zero on; neighbours have different records. They are made
/// as they are asked for: all at once would take more memory than the table of them.
type Runs<'a> = Box<dyn Iterator<Item = Run> + 'a>;

/// What a layer says, without its values: those of all layers stand behind one another.
struct Said {
    places: Rows,
    base: Option<Packed>,
    /// How many records of other layers there are before its own.
    records: u32,
    operators: Rows,
    others: u32,
}

/// Makes one of many.
pub(crate) fn flatten(layers: Vec<Layer>) -> Result<Flat, TooLarge> {
    let mut records = vec![Record {
        place: Place::UNKNOWN,
        source: None,
    }];
    let mut operators = vec![Operator::default()];
    let mut sources = Vec::with_capacity(layers.len());
    let mut said = Vec::with_capacity(layers.len());
    for layer in layers {
        let source = u8::try_from(sources.len() + 1).map_err(|_| TooLarge)?;
        let source = NonZeroU8::new(source);
        // The first place of a layer, and its first operator, are those that all share.
        said.push(Said {
            places: layer.places.rows,
            base: layer.base,
            records: u32::try_from(records.len() - 1).map_err(|_| TooLarge)?,
            operators: layer.operators.rows,
            others: u32::try_from(operators.len() - 1).map_err(|_| TooLarge)?,
        });
        let known = layer.places.values.iter().skip(1);
        records.extend(known.map(|&place| Record { place, source }));
        operators.extend(layer.operators.values.into_iter().skip(1));
        sources.push(layer.source);
    }
    let barriers = barriers(records.len())?;
    let classes = classes(&records);
    let about = said.iter().map(Said::about).sum();
    let (known_v4, v4) = knowing(stacked(said.iter_mut().map(Said::v4)));
    let v4 = table(v4, &classes, about)?;
    let (known_v6, v6) = knowing(stacked(said.iter_mut().map(Said::v6)));
    let embeds = known_v4 || known_v6;
    let v6 = if embeds {
        table(overlay(runs(barriers, 0).into_iter(), v6), &classes, about)?
    } else {
        table(v6, &classes, 0)?
    };
    let operators_of = |of: fn(&mut Rows) -> &mut Vec<Row>, said: &mut Vec<Said>| {
        let runs = |said: &mut Said| -> Runs<'_> {
            let rows = std::mem::take(of(&mut said.operators));
            Box::new(runs(rows, said.others).into_iter())
        };
        stacked(said.iter_mut().map(runs)).collect()
    };
    Ok(Flat {
        tables: Families { v4, v6, embeds },
        records,
        operators: Operators {
            all: operators.into(),
            v4: operators_of(|rows| &mut rows.v4, &mut said),
            v6: operators_of(|rows| &mut rows.v6, &mut said),
        },
        sources,
    })
}

impl Said {
    /// How many entries are to be expected in either family: memory that is not used is never there.
    fn about(&self) -> usize {
        let base = self.base.as_ref().map_or(0, Packed::len);
        base + 2 * self.places.v4.len().max(self.places.v6.len())
    }

    fn v4(&mut self) -> Runs<'_> {
        let rows = runs(std::mem::take(&mut self.places.v4), self.records);
        let base = self.base.as_ref().map(|base| base.v4(self.records));
        upon(rows, base)
    }

    fn v6(&mut self) -> Runs<'_> {
        let rows = runs(std::mem::take(&mut self.places.v6), self.records);
        let base = self.base.as_ref().map(|base| base.v6(self.records));
        upon(rows, base)
    }
}

/// Rows, and what lies under them.
fn upon<'a>(rows: Vec<Run>, base: Option<impl Iterator<Item = Run> + 'a>) -> Runs<'a> {
    match base {
        None => Box::new(rows.into_iter()),
        Some(base) if rows == [Run::NOTHING] => Box::new(base),
        Some(base) => Box::new(overlay(rows.into_iter(), base)),
    }
}

/// Of each address, what the first says that knows it.
fn stacked<'a>(all: impl Iterator<Item = Runs<'a>>) -> Runs<'a> {
    all.reduce(|upper, lower| Box::new(overlay(upper, lower)))
        .unwrap_or_else(|| Box::new(once(Run::NOTHING)))
}

/// Whether anything is said of any address, and all that is.
fn knowing(mut runs: Runs<'_>) -> (bool, impl Iterator<Item = Run>) {
    let start: Vec<Run> = runs.by_ref().take(2).collect();
    (start != [Run::NOTHING], start.into_iter().chain(runs))
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
pub(crate) fn barriers(records: usize) -> Result<Vec<Row>, TooLarge> {
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

/// The runs of a layer whose places are counted from `before`: the innermost row says what an
/// address is.
pub(crate) fn runs(mut rows: Vec<Row>, before: u32) -> Vec<Run> {
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
pub(crate) fn overlay(
    upper: impl Iterator<Item = Run>,
    lower: impl Iterator<Item = Run>,
) -> impl Iterator<Item = Run> {
    let (mut uppers, mut lowers) = (upper.peekable(), lower.peekable());
    let (mut above, mut below) = (UNKNOWN, UNKNOWN);
    let next = move || {
        let firsts = [uppers.peek(), lowers.peek()];
        let first = firsts.into_iter().flatten().map(|run| run.first).min()?;
        if let Some(run) = uppers.next_if(|run| run.first == first) {
            above = run.record;
        }
        if let Some(run) = lowers.next_if(|run| run.first == first) {
            below = run.record;
        }
        let record = if above == UNKNOWN { below } else { above };
        Some(Run { first, record })
    };
    joined(from_fn(next))
}

/// Neighbours with the same record become one.
pub(crate) fn joined(runs: impl Iterator<Item = Run>) -> impl Iterator<Item = Run> {
    let mut last = None;
    runs.filter(move |run| last.replace(run.record) != Some(run.record))
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

/// Makes the table of a family, with about so many entries.
fn table(
    runs: impl Iterator<Item = Run>,
    classes: &[[u32; 4]],
    about: usize,
) -> Result<Table, TooLarge> {
    let mut shelf = Shelf::with_capacity(about);
    let class = |run: Run| {
        let of = usize::try_from(run.record).ok();
        let of = of.and_then(|record| classes.get(record));
        (run, of.copied().unwrap_or_default())
    };
    let mut runs = runs.map(class).peekable();
    // What is not known before more runs have been seen are the ends of what is alike, and nothing
    // is alike beyond a continent.
    let mut alike = Vec::new();
    while let Some(first) = runs.next() {
        let [.., continent] = first.1;
        alike.clear();
        alike.push(first);
        while let Some(run) = runs.next_if(|(_, [.., other])| *other == continent) {
            alike.push(run);
        }
        let next = runs.peek().map(|(run, _)| run.first);
        shelve(&alike, next, &mut shelf)?;
    }
    Ok(shelf.table())
}

/// Adds the runs of a continent, each with its classes, which end before this address.
fn shelve(
    alike: &[(Run, [u32; 4])],
    next: Option<u128>,
    shelf: &mut Shelf,
) -> Result<(), TooLarge> {
    let mut known = Known::default();
    let mut ends = [0; 4];
    for (place, (run, classes)) in alike.iter().enumerate() {
        let rest = alike.get(place + 1..).unwrap_or_default();
        let levels = known.stretches.iter_mut().zip(&mut ends).zip(classes);
        for (level, ((stretch, end), class)) in levels.enumerate() {
            if *end <= place {
                let same = |other: &&(Run, [u32; 4])| other.1.get(level) == Some(class);
                let count = rest.iter().take_while(same).count();
                *end = place + 1 + count;
                *stretch = Stretch {
                    first: run.first,
                    next: rest.get(count).map_or(next, |(run, _)| Some(run.first)),
                };
            }
        }
        let next = rest.first().map_or(next, |(run, _)| Some(run.first));
        known.record = run.record;
        shelf.add(run.first, next.map_or(u128::MAX, |next| next - 1), &known)?;
    }
    Ok(())
}
