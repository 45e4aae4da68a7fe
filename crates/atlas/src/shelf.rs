//! Makes a table of runs, which come in order: cuts them where parts and lists begin, puts the
//! pieces into lists, and lays the lists into lines. What makes a run is the business of `runs`.

use crate::layer::TooLarge;
use crate::line::{CHILDREN, ENTRIES, Line, PARTS_PER_LINE, WORDS};
use crate::runs::MAX_ENTRIES;
use crate::slots::{SLOTS_WORDS, Slots};
use crate::table::{
    Edges, Entry, KEY_BITS, List, MAX_DEPTH, MAX_LINES, PART_BITS, PART_LINES, Part, Table, beside,
    key,
};

/// A table in the making.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    lists: Vec<List>,
    lines: Vec<Line>,
    /// How many parts have been said.
    parts: usize,
    /// How many entries there are that say what is known, but for those of open lists.
    len: usize,
    /// The lists that have been begun and not ended, each inside of the one before.
    open: [Vec<Entry>; MAX_DEPTH as usize],
}

/// Neighbouring runs that are of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) first: u128,
    /// The first address behind it, unless there is none.
    pub(crate) next: Option<u128>,
}

/// What is known of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    pub(crate) record: u32,
    /// What it is part of at each level.
    pub(crate) stretches: [Stretch; 4],
}

/// The addresses of a run, or some of them.
#[derive(Debug, Clone, Copy)]
struct Piece {
    first: u128,
    last: u128,
}

impl Shelf {
    /// One for a table of about so many entries.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        let mut lines = Vec::with_capacity(PART_LINES + entries / 3);
        lines.resize(PART_LINES, Line::NO_PARTS);
        Self {
            lines,
            ..Self::default()
        }
    }

    /// Adds the run that follows those before it.
    pub(crate) fn add(&mut self, first: u128, last: u128, known: &Known) -> Result<(), TooLarge> {
        self.put(0, Piece { first, last }, known);
        if self.len > MAX_ENTRIES || self.lines.len() >= MAX_LINES {
            return Err(TooLarge);
        }
        Ok(())
    }

    /// The table, once the last address has been added.
    pub(crate) fn table(self) -> Table {
        Table {
            lists: self.lists.into(),
            lines: self.lines.into(),
            len: self.len,
        }
    }

    /// Puts a piece into the list at this depth, or the parts at none. What does not begin and end
    /// where keys do goes into lists inside of it, by recursion at most `MAX_DEPTH` deep.
    fn put(&mut self, depth: u32, piece: Piece, known: &Known) {
        // The addresses with the same key differ in these bits.
        let behind = u128::MAX
            .checked_shr(PART_BITS + depth * KEY_BITS)
            .unwrap_or(0);
        let Piece { mut first, last } = piece;
        if first & behind != 0 || last < first | behind {
            let end = last.min(first | behind);
            self.put(depth + 1, Piece { first, last: end }, known);
            if end & behind == behind {
                self.end(depth + 1, first);
            }
            if end == last {
                return;
            }
            first = end + 1;
        }
        let rest = last & !behind;
        if last & behind == behind {
            self.keep(depth, Piece { first, last }, known);
            return;
        }
        if first < rest {
            let last = rest - 1;
            self.keep(depth, Piece { first, last }, known);
        }
        self.put(depth + 1, Piece { first: rest, last }, known);
    }

    /// Keeps a piece that begins and ends where keys do: as one entry where the lengths around its
    /// addresses follow from the address and the ends of the piece, and otherwise as one for each
    /// of the widest prefixes in it.
    fn keep(&mut self, depth: u32, piece: Piece, known: &Known) {
        let Some(before) = depth.checked_sub(1) else {
            return piece.prefixes(known, |prefix, edges| {
                self.keep_parts(prefix, known.record, edges);
            });
        };
        let Some(list) = self.open.get_mut(before as usize) else {
            return;
        };
        let before = PART_BITS + before * KEY_BITS;
        if let Some(edges) = known.edges(piece) {
            list.push(Entry::new(key(piece.first, before), known.record, edges));
        } else {
            piece.prefixes(known, |prefix, edges| {
                list.push(Entry::new(key(prefix.first, before), known.record, edges));
            });
        }
    }

    /// Keeps a prefix of at most as many bits as choose a part.
    fn keep_parts(&mut self, prefix: Piece, record: u32, edges: [Edges; 4]) {
        self.len += 1;
        let whole = Part::whole(record, edges.map(|edges| edges.far));
        let part = |address: u128| address >> (u128::BITS - PART_BITS);
        for _ in part(prefix.first)..=part(prefix.last) {
            self.say(whole);
        }
    }

    /// Says what the part is that follows those before it.
    fn say(&mut self, part: Part) {
        if let Some(line) = self.lines.get_mut(self.parts / PARTS_PER_LINE) {
            line.set_part(self.parts % PARTS_PER_LINE, part.words());
        }
        self.parts += 1;
    }

    /// Ends the list at this depth, which is about this address.
    fn end(&mut self, depth: u32, about: u128) {
        let Some(list) = self.open.get_mut(depth as usize - 1).map(std::mem::take) else {
            return;
        };
        let ended = self.lay(&list);
        self.len += list.len();
        let outer = (depth as usize).checked_sub(2);
        match outer.and_then(|outer| self.open.get_mut(outer)) {
            None => self.say(Part::list(ended)),
            Some(outer) => {
                let key = key(about, PART_BITS + (depth - 2) * KEY_BITS);
                outer.push(Entry::leading(key, number(self.lists.len())));
                self.lists.push(ended);
                // It will be counted with the outer list, but says nothing.
                self.len -= 1;
            }
        }
        // Its memory is of use for the next one.
        if let Some(open) = self.open.get_mut(depth as usize - 1) {
            *open = list;
            open.clear();
        }
    }

    /// Lays a list into lines, a large one slot by slot.
    fn lay(&mut self, list: &[Entry]) -> List {
        let Some(slots) = Slots::of(list) else {
            // Behind the last entry, all keys are its own.
            return self.lay_leaves(list, 0);
        };
        let mut words = Vec::with_capacity(SLOTS_WORDS + slots.count());
        words.extend(slots.words());
        let mut last = None;
        for (entries, behind) in slots.divide(list) {
            let laid = match (last, entries) {
                // A slot in which nothing begins is the end of the one before it.
                (Some(laid), [_]) => laid,
                _ => {
                    let next = list.get(behind).map_or(0, |entry| entry.key);
                    self.lay_leaves(entries, next)
                }
            };
            words.push(laid.word());
            last = Some(laid);
        }
        let line = number(self.lines.len());
        self.lines.extend(words.chunks(WORDS).map(Line::of_words));
        List::in_slots(line)
    }

    /// Lays entries into lines, behind which this key is: leaves, and as long as there is more than
    /// one line to be told, branches to them.
    fn lay_leaves(&mut self, list: &[Entry], behind_all: u32) -> List {
        let mut level = self.lines.len();
        // The last key of each line of the level.
        let mut lasts = Vec::with_capacity(list.len().div_ceil(ENTRIES));
        for (entries, behind) in list.chunks(ENTRIES).zip((ENTRIES..).step_by(ENTRIES)) {
            let next = list.get(behind).map_or(behind_all, |entry| entry.key);
            self.lines.push(Line::leaf(entries, next));
            lasts.push(next.wrapping_sub(1));
        }
        let mut height = 0;
        while lasts.len() > 1 {
            let branches = self.lines.len();
            let children = lasts.chunks(CHILDREN);
            for (lasts, first) in children.clone().zip((level..).step_by(CHILDREN)) {
                self.lines.push(Line::branch(number(first), lasts));
            }
            lasts = children.filter_map(|lasts| lasts.last().copied()).collect();
            level = branches;
            height += 1;
        }
        List::at(number(level), height)
    }
}

/// What numbers are is bounded by `MAX_ENTRIES`.
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Known {
    /// What the ends of each stretch are for the addresses of a piece; none, if that is not the same
    /// for all of them with any of the stretches.
    fn edges(&self, piece: Piece) -> Option<[Edges; 4]> {
        let mut all = [Edges::default(); 4];
        let mut last: Option<(&Stretch, Edges)> = None;
        for (edges, stretch) in all.iter_mut().zip(&self.stretches) {
            *edges = match last {
                // Most often, all that is in one country is one run.
                Some((same, edges)) if same == stretch => edges,
                _ => stretch.edges(piece)?,
            };
            last = Some((stretch, *edges));
        }
        Some(all)
    }
}

impl Piece {
    /// Cuts it into the widest prefixes there are, at most two for each bit of an address, each with
    /// the lengths around it: its edges are all far.
    fn prefixes(self, known: &Known, mut each: impl FnMut(Self, [Edges; 4])) {
        let own = Stretch {
            first: self.first,
            next: self.last.checked_add(1),
        };
        let mut next = Some(self.first);
        while let Some(first) = next.filter(|first| *first <= self.last) {
            let behind = u128::MAX.checked_shr(own.widest(first).into());
            let last = first | behind.unwrap_or(0);
            let edges = known.stretches.map(|stretch| Edges {
                far: stretch.widest(first),
                ..Edges::default()
            });
            each(Self { first, last }, edges);
            next = last.checked_add(1);
        }
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

    /// What it is for the addresses of a piece of it; none, if neither the same for all of them nor
    /// told by the ends of the piece.
    fn edges(&self, piece: Piece) -> Option<Edges> {
        let begin = End::seen(piece, piece.first, self.first.checked_sub(1))?;
        let end = End::seen(piece, piece.last, self.next)?;
        Some(Edges {
            begins: begin == End::Own,
            ends: end == End::Own,
            far: begin.far().max(end.far()),
        })
    }
}

/// An end of a stretch, seen from a piece of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// So long is the widest prefix without it around any address of the piece.
    Far(u8),
    /// It is where the piece ends, or as far from every address of the piece as that.
    Own,
}

impl End {
    /// The end with this address behind it, if there is one, on the side of the piece where that has
    /// its outermost. None, if it is neither.
    fn seen(piece: Piece, outermost: u128, behind: Option<u128>) -> Option<Self> {
        let Some(other) = behind else {
            return Some(Self::Far(0));
        };
        let (first, last) = (piece.first ^ other, piece.last ^ other);
        // The topmost bit that is set is the same.
        if first ^ last < first & last {
            return Some(Self::Far(beside(piece.first, other)));
        }
        let neighbour = if other < outermost {
            outermost - 1
        } else {
            outermost + 1
        };
        // No address of the piece has more bits in common with the neighbour than the outermost has.
        // Behind those it makes no difference which of the two it is compared with.
        let common = (neighbour ^ outermost).leading_zeros();
        (neighbour == other || common < (neighbour ^ other).leading_zeros()).then_some(Self::Own)
    }

    fn far(self) -> u8 {
        match self {
            Self::Far(len) => len,
            Self::Own => 0,
        }
    }
}
