//! What is known of one network: for each region a histogram whose samples count less as newer ones
//! come, and about how many clients there were. Silence alone makes nothing count less: what was
//! measured last is what is known.

use crate::bins::{self, Bin};
use crate::clients::Clients;

/// Histograms of the regions that were measured, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Holding {
    pub(crate) cells: Vec<Cell>,
    /// Those of the cells, one after another.
    pub(crate) bins: Vec<Bin>,
    pub(crate) clients: Clients,
}

/// One region of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// When the newest sample was measured, in minutes since 1970.
    pub(crate) last_min: u32,
    pub(crate) region: u8,
    /// How many bins it has.
    pub(crate) bins: u8,
}

/// What is known of one region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) region: u8,
    pub(crate) last_min: u32,
    pub(crate) bins: &'a [Bin],
}

/// How samples count less and less.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ageing {
    half_life_min: f32,
    /// What a single span of silence leaves at least.
    least: f32,
}

impl Ageing {
    /// After this time they count half, and after a longer silence no less.
    pub(crate) fn patient(half_life_s: u64) -> Self {
        Self {
            least: 0.5,
            ..Self::strict(half_life_s)
        }
    }

    /// After this time they count half, whatever has come since.
    pub(crate) fn strict(half_life_s: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few years")]
        let half_life_min = (half_life_s / 60).max(1) as f32;
        Self {
            half_life_min,
            least: 0.0,
        }
    }

    /// What is left of a weight after some minutes.
    pub(crate) fn left(self, minutes: u32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few years")]
        let minutes = minutes as f32;
        (-minutes / self.half_life_min).exp2()
    }
}

impl Holding {
    /// Adds a sample. What was there counts less by the time between.
    pub(crate) fn add(&mut self, region: u8, mut bin: Bin, at_min: u32, ageing: Ageing) {
        let place = match self.find(region) {
            Ok(place) => place,
            Err(place) => {
                let cell = Cell {
                    last_min: at_min,
                    region,
                    bins: 0,
                };
                grow(&mut self.cells);
                self.cells.insert(place, cell);
                place
            }
        };
        let start = self.start(place);
        let Some(cell) = self.cells.get_mut(place) else {
            return;
        };
        let end = start + usize::from(cell.bins);
        if at_min > cell.last_min {
            let factor = ageing.left(at_min - cell.last_min).max(ageing.least);
            cell.last_min = at_min;
            let own = self.bins.get_mut(start..end).unwrap_or_default();
            if bins::scale(own, factor) {
                let dropped = drop_nothing(&mut self.bins, start, end);
                cell.bins -= dropped;
            }
        } else {
            bin.weight *= ageing.left(cell.last_min - at_min);
        }
        let end = start + usize::from(cell.bins);
        let own = self.bins.get_mut(start..end).unwrap_or_default();
        if let Err(place) = bins::add(own, bin) {
            cell.bins += 1;
            grow(&mut self.bins);
            self.bins.insert(start + place, bin);
        }
    }

    /// Adds what another one knows of a region, with so much of its weight.
    pub(crate) fn absorb(&mut self, other: Known<'_>, share: f32, ageing: Ageing) {
        // The newer of the two counts as it is, the other as much less as it is older.
        let now = self.of(other.region).map_or(0, |known| known.last_min);
        let age = ageing.left(now.saturating_sub(other.last_min));
        let at_min = now.max(other.last_min);
        for bin in other.bins {
            let mut bin = *bin;
            bin.weight *= share * age;
            self.add(other.region, bin, at_min, ageing);
        }
    }

    /// What is known of each region that was measured.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Known<'_>> {
        let mut rest = self.bins.as_slice();
        self.cells.iter().map_while(move |cell| {
            let (bins, behind) = rest.split_at_checked(cell.bins.into())?;
            rest = behind;
            Some(Known {
                region: cell.region,
                last_min: cell.last_min,
                bins,
            })
        })
    }

    /// What is known of a region.
    pub(crate) fn of(&self, region: u8) -> Option<Known<'_>> {
        let place = self.find(region).ok()?;
        let (cell, start) = (self.cells.get(place)?, self.start(place));
        Some(Known {
            region,
            last_min: cell.last_min,
            bins: self.bins.get(start..start + usize::from(cell.bins))?,
        })
    }

    /// The bins of a region, to change what they weigh.
    pub(crate) fn bins_of(&mut self, region: u8) -> &mut [Bin] {
        let Ok(place) = self.find(region) else {
            return &mut [];
        };
        let start = self.start(place);
        let count = self.cells.get(place).map_or(0, |cell| cell.bins.into());
        self.bins.get_mut(start..start + count).unwrap_or_default()
    }

    /// Knows these bins of a region, and nothing else of it.
    pub(crate) fn replace(&mut self, region: u8, bins: &[Bin]) {
        let (Ok(place), Ok(count)) = (self.find(region), u8::try_from(bins.len())) else {
            return;
        };
        let start = self.start(place);
        if let Some(cell) = self.cells.get_mut(place) {
            let end = start + usize::from(cell.bins);
            cell.bins = count;
            self.bins.splice(start..end, bins.iter().copied());
        }
    }

    /// Forgets the regions of which nothing was heard since then. True if any was left.
    pub(crate) fn forget_before(&mut self, minute: u32) -> bool {
        if self.cells.iter().any(|cell| cell.last_min < minute) {
            let mut kept = Self {
                clients: self.clients,
                ..Self::default()
            };
            for known in self.iter().filter(|known| known.last_min >= minute) {
                kept.bins.extend(known.bins);
            }
            kept.cells = self.cells.clone();
            kept.cells.retain(|cell| cell.last_min >= minute);
            *self = kept;
        }
        !self.cells.is_empty()
    }

    /// Says of what is later than this minute, and of clients in a later span of time, that it was
    /// then. True if anything was.
    pub(crate) fn not_after(&mut self, minute: u32, page: u16) -> bool {
        self.clients.page = self.clients.page.min(page);
        let later = self.cells.iter_mut().filter(|cell| cell.last_min > minute);
        later.map(|cell| cell.last_min = minute).count() > 0
    }

    /// All samples, weighed.
    pub(crate) fn weight(&self) -> f32 {
        bins::weight(&self.bins)
    }

    /// When the newest sample was measured.
    pub(crate) fn last_min(&self) -> u32 {
        let all = self.cells.iter().map(|cell| cell.last_min);
        all.max().unwrap_or(0)
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>() + self.bins.capacity() * size_of::<Bin>()
    }

    fn find(&self, region: u8) -> Result<usize, usize> {
        self.cells.binary_search_by_key(&region, |cell| cell.region)
    }

    /// Where the bins of a cell begin.
    fn start(&self, place: usize) -> usize {
        let before = self.cells.get(..place).unwrap_or_default();
        before.iter().map(|cell| usize::from(cell.bins)).sum()
    }
}

/// Makes room for one more, by a quarter: there are a million of these lists.
fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 2);
    }
}

/// Drops the bins between these two places that are worth nothing beside the others there, and says
/// how many they were.
fn drop_nothing(bins: &mut Vec<Bin>, start: usize, end: usize) -> u8 {
    let own = bins.get(start..end).unwrap_or_default();
    let weight = bins::weight(own);
    let mut kept: Vec<Bin> = own.to_vec();
    kept.retain(|bin| !bins::is_nothing(*bin, weight));
    let dropped = own.len() - kept.len();
    bins.splice(start..end, kept);
    u8::try_from(dropped).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bins::Position;

    const HALF_LIFE_S: u64 = 6000;

    fn add(holding: &mut Holding, region: u8, ms: f32, at_min: u32) {
        let bin = Bin::at(Position::of_ms(ms), 1.0);
        holding.add(region, bin, at_min, Ageing::patient(HALF_LIFE_S));
    }

    fn weight(holding: &Holding, region: u8) -> f32 {
        holding
            .of(region)
            .map_or(0.0, |known| bins::weight(known.bins))
    }

    #[test]
    fn older_samples_count_less_but_silence_halves_at_most() {
        let mut holding = Holding::default();
        add(&mut holding, 1, 10.0, 1000);
        add(&mut holding, 1, 10.0, 1050);
        assert!((weight(&holding, 1) - 1.707).abs() < 0.01);
        add(&mut holding, 1, 90.0, 9_000_000);
        assert!((weight(&holding, 1) - 1.854).abs() < 0.01);
        // One of before the newest counts as little as it is older.
        add(&mut holding, 1, 90.0, 9_000_000 - 200);
        assert!((weight(&holding, 1) - 2.104).abs() < 0.01);
    }

    #[test]
    fn regions_are_known_apart() {
        let mut holding = Holding::default();
        for (region, ms) in [(5, 50.0), (1, 10.0), (3, 30.0), (1, 100.0)] {
            add(&mut holding, region, ms, 7);
        }
        let regions: Vec<u8> = holding.iter().map(|known| known.region).collect();
        assert_eq!(regions, [1, 3, 5]);
        assert!((weight(&holding, 1) - 2.0).abs() < 1e-6);
        assert!((weight(&holding, 3) - 1.0).abs() < 1e-6);
        assert!(holding.of(2).is_none());
        assert_eq!(holding.bins_of(2), &mut []);
        assert_eq!(holding.bins_of(1).len(), 2);
    }

    #[test]
    fn a_region_can_begin_anew() {
        let mut holding = Holding::default();
        for (region, ms) in [(1, 10.0), (2, 20.0), (2, 90.0), (3, 30.0)] {
            add(&mut holding, region, ms, 7);
        }
        let bins = [5.0, 500.0, 900.0].map(|ms| Bin::at(Position::of_ms(ms), 2.0));
        holding.replace(2, &bins);
        holding.replace(7, &bins);
        assert_eq!(holding.of(2).unwrap().bins, bins);
        assert!((weight(&holding, 1) - 1.0).abs() < 1e-6);
        assert!((weight(&holding, 3) - 1.0).abs() < 1e-6);
        assert!(holding.of(7).is_none());
    }

    #[test]
    fn what_was_not_heard_of_is_forgotten() {
        let mut holding = Holding::default();
        add(&mut holding, 1, 10.0, 5);
        add(&mut holding, 2, 20.0, 50);
        assert!(holding.forget_before(10));
        assert!(holding.of(1).is_none());
        assert!((weight(&holding, 2) - 1.0).abs() < 1e-6);
        assert!(!holding.forget_before(51));
    }

    #[test]
    fn one_takes_in_what_another_knows_as_old_as_it_is() {
        let (mut one, mut other) = (Holding::default(), Holding::default());
        add(&mut one, 1, 10.0, 200);
        add(&mut other, 1, 20.0, 100);
        add(&mut other, 2, 20.0, 100);
        for known in other.iter() {
            one.absorb(known, 0.5, Ageing::patient(HALF_LIFE_S));
        }
        assert!((weight(&one, 1) - 1.25).abs() < 0.01);
        assert!((weight(&one, 2) - 0.5).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn cells_and_bins_agree(
            samples in prop::collection::vec((0u8..6, 0.5f32..900.0, 0u32..2_000_000), 1..200),
        ) {
            let mut holding = Holding::default();
            for (region, ms, at_min) in samples {
                add(&mut holding, region, ms, at_min);
                let counted: usize = holding.cells.iter().map(|cell| usize::from(cell.bins)).sum();
                prop_assert_eq!(counted, holding.bins.len());
                prop_assert!(holding.cells.is_sorted_by(|a, b| a.region < b.region));
                for known in holding.iter() {
                    prop_assert!(known.bins.is_sorted_by(|a, b| a.bucket < b.bucket));
                    prop_assert!(!known.bins.is_empty());
                }
            }
        }
    }
}
