//! Rows sorted by their keys, in memory: about their own length and eight bytes each. Rows lie one
//! behind the other in blocks, so that growing never copies them.

/// Bytes of a block; a longer row has one of its own.
const BLOCK: usize = 1024 * 1024;
/// Key length, value length, place.
const HEAD: usize = 16;

/// Rows in the order they came in, and then by key.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    blocks: Vec<Vec<u8>>,
    rows: Vec<(u32, u32)>,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    /// Where it stood in its file.
    pub(super) place: u64,
}

impl Sorted {
    /// Takes a row.
    pub(super) fn push(&mut self, row: Row<'_>) {
        let length = HEAD + row.key.len() + row.value.len();
        let full = |block: &Vec<u8>| block.len() + length > block.capacity();
        if self.blocks.last().is_none_or(full) {
            self.blocks.push(Vec::with_capacity(BLOCK.max(length)));
        }
        // Blocks and their lengths stay below four thousand million.
        let number = u32::try_from(self.blocks.len() - 1).unwrap_or(u32::MAX);
        if let Some(block) = self.blocks.last_mut() {
            let at = u32::try_from(block.len()).unwrap_or(u32::MAX);
            let short = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
            block.extend(short(row.key.len()));
            block.extend(short(row.value.len()));
            block.extend(row.place.to_le_bytes());
            block.extend(row.key);
            block.extend(row.value);
            self.rows.push((number, at));
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Sorts by key; rows of one key stay in the order they came in.
    pub(super) fn sort(&mut self) {
        let blocks = &self.blocks;
        // Places in blocks rise as rows come in.
        self.rows.sort_unstable_by(|a, b| {
            let keys = row(blocks, *a).key.cmp(row(blocks, *b).key);
            keys.then(a.cmp(b))
        });
    }

    /// The rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.iter_from(0)
    }

    /// The rows from this one on.
    pub(super) fn iter_from(&self, first: usize) -> impl Iterator<Item = Row<'_>> {
        let rows = self.rows.get(first..).unwrap_or_default();
        rows.iter().map(|at| row(&self.blocks, *at))
    }
}

fn row(blocks: &[Vec<u8>], (block, at): (u32, u32)) -> Row<'_> {
    let read = || {
        let rest = blocks.get(block as usize)?.get(at as usize..)?;
        let (key, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_first_chunk::<4>()?;
        let (place, rest) = rest.split_first_chunk::<8>()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key) as usize)?;
        let value = rest.get(..u32::from_le_bytes(*value) as usize)?;
        let place = u64::from_le_bytes(*place);
        Some(Row { key, value, place })
    };
    // Only rows that were pushed are asked for.
    read().unwrap_or(Row {
        key: b"",
        value: b"",
        place: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_by_key_and_equal_ones_as_they_came() {
        let mut sorted = Sorted::default();
        let long = vec![7; 2 * BLOCK];
        for (place, key) in ["b", "a", "c", "a", "b"].into_iter().enumerate() {
            let value = if key == "c" { &long[..] } else { b"v" };
            sorted.push(Row {
                key: key.as_bytes(),
                value,
                place: place as u64,
            });
        }
        sorted.sort();
        let found: Vec<_> = sorted.iter().map(|row| (row.key, row.place)).collect();
        let expected: [(&[u8], u64); 5] = [(b"a", 1), (b"a", 3), (b"b", 0), (b"b", 4), (b"c", 2)];
        assert_eq!(found, expected);
        assert_eq!(
            sorted.iter().last().map(|row| row.value.len()),
            Some(2 * BLOCK)
        );
        assert_eq!(sorted.len(), 5);
    }
}
