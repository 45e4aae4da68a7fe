//! All that is known of how long it takes from whom to where: samples are folded into histograms of
//! networks. How those are stored and what is made of them is not here.

mod stored;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use meridian_atlas::{Direction, Point};

use crate::area::Area;
use crate::bins::{Bin, Position};
use crate::evenly::Evenly;
use crate::ground::Ground;
use crate::holding::{Ageing, Holding};
use crate::key::Key;
use crate::lot;
use crate::possible::{check_light, check_range, ms};
use crate::recent::{Recent, Seen};
use crate::refused::{Refused, RefusedCounts};
use crate::rules::Rules;
use crate::sample::{Kind, Sample};

pub use stored::StoredFault;
#[cfg(feature = "fuzzing")]
pub use stored::sealed;

/// What is known of networks. Its memory is bounded by [`Rules::max_keys`].
#[derive(Debug)]
pub struct Aggregate {
    rules: Rules,
    /// By number: the first 255 that were measured.
    pub(crate) regions: Vec<Box<str>>,
    pub(crate) keys: HashMap<Key, Holding>,
    /// What networks knew that there was no room for any more.
    pub(crate) areas: HashMap<Area, Holding>,
    pub(crate) held_out: VecDeque<HeldOut>,
    recent: Recent,
    /// Where the regions are, to be worked out once.
    directions: Vec<Option<(Point, Direction)>>,
    evenly: Evenly,
    tally: Tally,
}

/// A sample that was not counted, to see what a map is worth to those it was not made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeldOut {
    pub(crate) key: Key,
    pub(crate) region: u8,
    pub(crate) at_min: u32,
    pub(crate) ms: f32,
}

/// What has been done so far, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Samples that were counted.
    pub folded: u64,
    /// Samples that were kept to judge maps by.
    pub held_out: u64,
    /// How often a path was found to have changed.
    pub shifts: u64,
    /// Networks that there was no room for any more: what they knew is their country's now.
    pub evicted: u64,
    /// Samples that were not taken.
    pub refused: RefusedCounts,
}

/// Sizes, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AggregateSize {
    /// Networks that something is known of.
    pub keys: usize,
    /// Regions of networks: each is a histogram.
    pub histograms: usize,
    /// Networks of which it is watched whether a path changes.
    pub watched: usize,
    /// About so many bytes of memory.
    pub bytes: usize,
}

/// Samples that are kept to judge maps by.
const MAX_HELD_OUT: usize = 16_384;
/// As many regions as a map has.
const MAX_REGIONS: usize = 255;
/// Measurements that one sample may stand for, so that none outweighs a network for years.
const MAX_COUNT: u32 = 10_000;

impl Aggregate {
    /// One that knows nothing.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            regions: Vec::new(),
            keys: HashMap::new(),
            areas: HashMap::new(),
            held_out: VecDeque::new(),
            recent: Recent::default(),
            directions: Vec::new(),
            evenly: Evenly::default(),
            tally: Tally::default(),
        }
    }

    /// The rules that it goes by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Counts a sample.
    ///
    /// # Errors
    ///
    /// Why it was not taken; that is counted, too.
    pub fn fold(&mut self, sample: &Sample, ground: &Ground<'_>) -> Result<(), Refused> {
        let taken = self.take(sample, ground);
        if let Err(why) = taken {
            self.tally.refused.count(why);
        }
        taken
    }

    fn take(&mut self, sample: &Sample, ground: &Ground<'_>) -> Result<(), Refused> {
        check_range(sample.rtt_us)?;
        if sample.count == 0 || !(sample.weight > 0.0 && sample.weight <= 1.0) {
            return Err(Refused::Weightless);
        }
        if sample.at_s > ground.now_s.saturating_add(self.rules.tolerance_s) {
            return Err(Refused::FromTheFuture);
        }
        if ground.now_s.saturating_sub(sample.at_s) > self.rules.keep_s {
            return Err(Refused::TooOld);
        }
        let key = Key::of(sample.network);
        let region = self.region(&sample.region, ground)?;
        let direction = self.directions.get(usize::from(region)).copied().flatten();
        let direction = direction.map(|(_, direction)| direction);
        let ms = ms(sample.rtt_us);
        check_light(key, direction, ms, ground)?;
        let at_min = minute(sample.at_s);
        if self.is_held_out(sample, key) {
            self.hold_out(HeldOut {
                key,
                region,
                at_min,
                ms,
            });
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "10,000 at most")]
        let weight = sample.count.min(MAX_COUNT) as f32 * sample.weight;
        let bin = Bin::at(Position::of_ms(ms), weight);
        let ageing = self.ageing();
        let page = self.page(at_min);
        let rules = self.rules;
        self.make_room(key, ground)?;
        let holding = self.keys.entry(key).or_default();
        holding.add(region, bin, at_min, ageing);
        holding.clients.saw(sample.client, page);
        let seen = Seen {
            key,
            region,
            bin,
            at_min,
            client: sample.client,
        };
        if self.recent.saw(&seen, holding, &rules) {
            self.tally.shifts += 1;
        }
        self.tally.folded += 1;
        Ok(())
    }

    /// The number of a region, which has one from now on.
    fn region(&mut self, name: &str, ground: &Ground<'_>) -> Result<u8, Refused> {
        let point = ground.regions.point(name).ok_or(Refused::UnknownRegion)?;
        let known = self.regions.iter().position(|other| **other == *name);
        let place = known.unwrap_or(self.regions.len());
        if place >= MAX_REGIONS {
            return Err(Refused::TooManyRegions);
        }
        if known.is_none() {
            self.regions.push(name.into());
        }
        self.directions.resize(self.regions.len(), None);
        if let Some(direction) = self.directions.get_mut(place)
            && direction.is_none_or(|(before, _)| before != point)
        {
            *direction = Some((point, point.direction()));
        }
        u8::try_from(place).map_err(|_| Refused::TooManyRegions)
    }

    /// All that a client measures within a minute is kept together: what it says is which region is
    /// fastest. What somebody vouches for is too rare to be put aside.
    fn is_held_out(&self, sample: &Sample, key: Key) -> bool {
        let of_clients = matches!(sample.kind, Kind::Rum | Kind::Pixel | Kind::Tcp);
        let lot = lot::drawn(lot::drawn(key.bits()) ^ (sample.at_s / 60));
        of_clients && lot.checked_rem(self.rules.held_out) == Some(0)
    }

    fn hold_out(&mut self, sample: HeldOut) {
        if self.held_out.len() >= MAX_HELD_OUT {
            self.held_out.pop_front();
        }
        self.held_out.push_back(sample);
        self.tally.held_out += 1;
    }

    /// Sees to it that there is room for a network. The ones that are known least and were silent
    /// longest give way, a sixteenth of all at a time; what they know becomes their area's.
    fn make_room(&mut self, key: Key, ground: &Ground<'_>) -> Result<(), Refused> {
        let most = self.rules.max_keys;
        if self.keys.len() < most || self.keys.contains_key(&key) {
            return Ok(());
        }
        if most == 0 {
            return Err(Refused::TooManyKeys);
        }
        let rules = &self.rules;
        let mut worst: Vec<(bool, u32, Key)> = self
            .keys
            .iter()
            .map(|(key, holding)| {
                let known = holding.weight() >= rules.min_samples
                    && holding.clients.count() >= rules.min_clients;
                (known, holding.last_min(), *key)
            })
            .collect();
        let leave = (self.keys.len() - most) + (most / 16).max(1);
        if leave < worst.len() {
            worst.select_nth_unstable(leave);
            worst.truncate(leave);
        }
        for (_, _, key) in worst {
            self.evict(key, ground);
        }
        Ok(())
    }

    fn evict(&mut self, key: Key, ground: &Ground<'_>) {
        let Some(holding) = self.keys.remove(&key) else {
            return;
        };
        self.recent.forget(key);
        self.tally.evicted += 1;
        let mut area = Area::of(ground.atlas, key.address());
        // Areas are bounded, too: a country's is there for all of its operators.
        let full = self.areas.len() >= self.rules.max_keys / 8 + 300;
        if full && area.is_some_and(|area| !self.areas.contains_key(&area)) {
            area = area.map(|area| Area { asn: None, ..area });
        }
        let Some(area) = area else {
            return;
        };
        let (voice, ageing) = (self.rules.voice, self.ageing());
        let left = self.areas.entry(area).or_default();
        for known in holding.iter() {
            let weight = crate::bins::weight(known.bins);
            left.absorb(known, (voice / weight).min(1.0), ageing);
        }
        left.clients.join(&holding.clients);
    }

    /// Takes what was measured while the clock was ahead as measured now: by its own time it would
    /// have all that comes count nothing until then. To be called before each build.
    pub fn clock_says(&mut self, now_s: u64) {
        let latest = minute(now_s.saturating_add(self.rules.tolerance_s));
        let page = self.page(latest);
        for (key, holding) in &mut self.keys {
            if holding.not_after(latest, page) {
                self.recent.forget(*key);
            }
        }
        for holding in self.areas.values_mut() {
            holding.not_after(latest, page);
        }
        self.held_out.retain(|sample| sample.at_min <= latest);
    }

    /// Forgets what is too old, once the clock has gone evenly for a day: one that leaps ahead would
    /// have all forgotten. To be called now and then, an hour apart or so.
    pub fn tidy(&mut self, now_s: u64) {
        if !self.evenly.goes(now_s) {
            return;
        }
        let least = minute(now_s.saturating_sub(self.rules.keep_s));
        self.keys.retain(|_, holding| holding.forget_before(least));
        self.areas.retain(|_, holding| holding.forget_before(least));
        self.recent.forget_silent(minute(now_s), &self.rules);
        let least = minute(now_s.saturating_sub(self.rules.half_life_s));
        self.held_out.retain(|sample| sample.at_min >= least);
    }

    /// What has been done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether nothing is known of anybody.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.areas.is_empty()
    }

    /// When the newest sample was measured, in seconds since 1970.
    pub fn newest_s(&self) -> Option<u64> {
        let all = self.keys.values().chain(self.areas.values());
        all.map(Holding::last_min)
            .max()
            .map(|minute| u64::from(minute) * 60)
    }

    /// Sizes, for people and metrics.
    pub fn size(&self) -> AggregateSize {
        let all = || self.keys.values().chain(self.areas.values());
        let each = size_of::<Key>() + size_of::<Holding>() + 1;
        AggregateSize {
            keys: self.keys.len(),
            histograms: all().map(|holding| holding.cells.len()).sum(),
            watched: self.recent.len(),
            bytes: (self.keys.capacity() + self.areas.capacity()) * each
                + all().map(Holding::bytes).sum::<usize>()
                + self.recent.bytes()
                + self.held_out.capacity() * size_of::<HeldOut>(),
        }
    }

    pub(crate) fn ageing(&self) -> Ageing {
        Ageing::patient(self.rules.half_life_s)
    }

    /// The span of time that clients are counted in together.
    fn page(&self, at_min: u32) -> u16 {
        let page = u64::from(at_min) * 60 / self.rules.half_life_s.max(3600);
        u16::try_from(page).unwrap_or(u16::MAX)
    }
}

/// Minutes since 1970.
pub(crate) fn minute(s: u64) -> u32 {
    u32::try_from(s / 60).unwrap_or(u32::MAX)
}
