//! What a file held, sorted: records of a master file put together to sets, or the sets of a JSON
//! document.

use anyhow::{Context, Result};
use meridian_dns::zonefile::Record;
use meridian_dns::{RecordType, rdata};

use super::Format;
use super::report::Messages;
use super::set::{JsonSet, JsonValue, PlacedSet};
use super::sorted::{Row, Sorted};

/// Bits of a place that say the line; those above say the file.
const LINE_BITS: u32 = 40;

/// The sets of a file, and what else a JSON document says of its zone.
#[derive(Debug)]
pub(super) struct Contents {
    format: Format,
    rows: Sorted,
    /// The file and those it includes, as they are shown.
    files: Vec<String>,
    pub(super) zone: DocumentZone,
}

/// What a JSON document says of its zone.
#[derive(Debug, Default)]
pub(super) struct DocumentZone {
    pub(super) id: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) private: bool,
    pub(super) tags: Vec<(String, String)>,
}

impl Contents {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            rows: Sorted::default(),
            files: Vec::new(),
            zone: DocumentZone::default(),
        }
    }

    /// Notes a file, and returns its number.
    pub(super) fn add_file(&mut self, shown: String) -> usize {
        self.files.push(shown);
        self.files.len() - 1
    }

    pub(super) fn add_record(&mut self, file: usize, record: &Record) {
        let key = [
            record.owner.sort_key().as_bytes(),
            record.rtype.as_str().as_bytes(),
        ]
        .join(&0);
        let value = [&record.ttl.to_le_bytes(), record.value.as_bytes()].concat();
        self.rows.push(Row {
            key: &key,
            value: &value,
            place: (file as u64) << LINE_BITS | record.line,
        });
    }

    /// Takes a set of a document, by its number in it.
    pub(super) fn add_set(&mut self, number: u64, set: &JsonSet) -> Result<()> {
        self.rows.push(Row {
            key: &set.sort_key(),
            value: &serde_json::to_vec(set)?,
            place: number,
        });
        Ok(())
    }

    pub(super) fn sort(&mut self) {
        self.rows.sort();
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The place of a set as people look for it: that of its first record.
    pub(super) fn shown(&self, place: u64) -> String {
        match self.format {
            Format::Json => format!("{}: set {place}", self.file(0)),
            Format::Bind => self.shown_row(self.records_of(place).next()),
        }
    }

    /// What speaks against a set, as people look for it: the record that is wrong, where it is one.
    /// The same was said of `earlier` records of the set before.
    pub(super) fn shown_reason(&self, place: u64, reason: &str, earlier: usize) -> String {
        if self.format == Format::Json {
            return self.shown(place);
        }
        let with = |wrong: &dyn Fn(RecordType, &str) -> bool| {
            let records = self.records_of(place);
            let is_wrong = |row: &Row<'_>| {
                let found = rtype(*row).zip(record(*row));
                found.is_some_and(|(rtype, (_, value))| wrong(rtype, &value))
            };
            records.filter(is_wrong).collect::<Vec<_>>()
        };
        let invalid = with(&|rtype, value| {
            rdata::parse(rtype, value).is_err_and(|error| {
                reason == format!("Invalid Resource Record: FATAL problem: {error}")
            })
        });
        // The first of those that are the same is right, unless it is the same in other words.
        let same = with(&|_, value| reason == format!("Duplicate Resource Record: '{value}'"));
        let too_many = same.get(usize::from(same.len() > 1)..).unwrap_or_default();
        let found = invalid.get(earlier).or_else(|| too_many.get(earlier));
        match found {
            Some(row) => self.shown_row(Some(*row)),
            None => self.shown(place),
        }
    }

    /// The records of the set at this place.
    fn records_of(&self, place: u64) -> impl Iterator<Item = Row<'_>> {
        let first = usize::try_from(place).unwrap_or(usize::MAX);
        let mut rows = self.rows.iter_from(first).peekable();
        let key = rows.peek().map(|row| row.key);
        rows.take_while(move |row| Some(row.key) == key)
    }

    fn shown_row(&self, row: Option<Row<'_>>) -> String {
        let place = row.map_or(0, |row| row.place);
        self.shown_line(
            usize::try_from(place >> LINE_BITS).unwrap_or_default(),
            place & ((1 << LINE_BITS) - 1),
        )
    }

    /// A line as people look for it.
    pub(super) fn shown_line(&self, file: usize, line: u64) -> String {
        format!("{}:{line}", self.file(file))
    }

    fn file(&self, file: usize) -> &str {
        self.files.get(file).map_or("", String::as_str)
    }

    /// Hands all sets to `each`, in order of their names, with how many rows are done. The place of
    /// a set is its number in a document; of a master file, that of its first record in this order.
    pub(super) fn each_set(
        &self,
        warnings: &mut Messages,
        mut each: impl FnMut(PlacedSet, u64) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.rows.iter().peekable();
        let mut done = 0;
        // Each turn takes at least one row.
        while let Some(row) = rows.next() {
            let number = done;
            done += 1;
            let mut placed = match self.format {
                Format::Json => PlacedSet {
                    place: row.place,
                    set: serde_json::from_slice(row.value)?,
                },
                Format::Bind => first_record(row, number).context("a row is cut short")?,
            };
            if self.format == Format::Bind {
                let mut ttls = (placed.set.ttl, placed.set.ttl);
                while let Some(next) = rows.next_if(|next| next.key == row.key) {
                    done += 1;
                    let (ttl, value) = record(next).context("a row is cut short")?;
                    ttls = (ttls.0.min(Some(ttl)), ttls.1.max(Some(ttl)));
                    let values = placed.set.resource_records.get_or_insert_default();
                    values.push(JsonValue { value });
                }
                placed.set.ttl = ttls.0;
                if let (Some(least), Some(most)) = ttls
                    && least != most
                {
                    let JsonSet { name, rtype, .. } = &placed.set;
                    let text = format!(
                        "the records of {name} {rtype} have TTLs from {least} to {most}: all get \
                         {least} (RFC 2181 section 5.2)"
                    );
                    warnings.say(&self.shown(placed.place), &text);
                }
            }
            each(placed, done)?;
        }
        Ok(())
    }
}

fn record(row: Row<'_>) -> Option<(u32, String)> {
    let (ttl, value) = row.value.split_first_chunk::<4>()?;
    let value = String::from_utf8(value.to_vec()).ok()?;
    Some((u32::from_le_bytes(*ttl), value))
}

fn rtype(row: Row<'_>) -> Option<RecordType> {
    let (_, rtype) = key(row)?;
    rtype.parse().ok()
}

/// The sort key and the type that make a row's key.
fn key(row: Row<'_>) -> Option<(&str, &str)> {
    let at = row.key.iter().position(|byte| *byte == 0)?;
    let sort_key = std::str::from_utf8(row.key.get(..at)?).ok()?;
    let rtype = std::str::from_utf8(row.key.get(at + 1..)?).ok()?;
    Some((sort_key, rtype))
}

/// A set of one record.
fn first_record(row: Row<'_>, place: u64) -> Option<PlacedSet> {
    let (ttl, value) = record(row)?;
    let (sort_key, rtype) = key(row)?;
    Some(PlacedSet {
        place,
        set: JsonSet {
            name: name(sort_key),
            rtype: rtype.to_owned(),
            ttl: Some(ttl),
            resource_records: Some(vec![JsonValue { value }]),
            ..JsonSet::default()
        },
    })
}

/// The name of a sort key, which is its labels reversed, each with a dot behind it.
fn name(sort_key: &str) -> String {
    let labels: Vec<&str> = sort_key.split_terminator('.').rev().collect();
    format!("{}.", labels.join("."))
}

#[cfg(test)]
mod tests {
    use meridian_dns::{Name, RecordType};

    use super::*;
    use crate::terminal::Form;

    #[test]
    fn records_are_put_together_and_the_least_ttl_counts() {
        let mut contents = Contents::new(Format::Bind);
        let file = contents.add_file("f".to_owned());
        let rows = [
            (1, "b.z", RecordType::A, 60, "192.0.2.1"),
            (2, "a.z", RecordType::Txt, 5, "\"x\""),
            (3, "b.z", RecordType::A, 30, "192.0.2.2"),
            (4, r"*.b\056.z", RecordType::A, 9, "192.0.2.3"),
        ];
        for (line, owner, rtype, ttl, value) in rows {
            contents.add_record(
                file,
                &Record {
                    line,
                    owner: Name::parse(owner).unwrap(),
                    ttl,
                    rtype,
                    value: value.to_owned(),
                },
            );
        }
        contents.sort();
        let mut warnings = Messages::new("", Form::Json);
        let mut found = Vec::new();
        let each = |placed: PlacedSet, done| {
            let values = placed.set.resource_records.unwrap_or_default().len();
            found.push((placed.place, placed.set.name, placed.set.ttl, values, done));
            Ok(())
        };
        contents.each_set(&mut warnings, each).unwrap();
        let expected = [
            (0, "a.z.".to_owned(), Some(5), 1, 1),
            (1, "b.z.".to_owned(), Some(30), 2, 3),
            (3, r"\052.b\056.z.".to_owned(), Some(9), 1, 4),
        ];
        assert_eq!(found, expected);
        assert_eq!(warnings.count(), 1);
        assert_eq!(
            [0, 1, 3].map(|place| contents.shown(place)),
            ["f:2", "f:1", "f:4"]
        );
        assert_eq!(name(""), ".");
    }
}
