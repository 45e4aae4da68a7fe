//! What samples say about whole countries, continents and operators: how many times as long it takes
//! as the model thinks. Times themselves would say where most of the samples come from, and nothing
//! to those who live elsewhere in the country.

use std::collections::{BTreeMap, HashMap};

use crate::aggregate::Aggregate;
use crate::area::Area;
use crate::bins;
use crate::build::vector::{Said, either};
use crate::ground::Ground;
use crate::holding::{Ageing, Holding, Known};
use crate::rules::Rules;

/// How much longer than thought, area by area.
#[derive(Debug, Default)]
pub(super) struct Areas(HashMap<Area, Stretch>);

/// How many times as long as the model thinks, to each region of the map.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretch {
    pub(super) factors: Vec<Factor>,
    /// How many samples there were, and when the newest of them.
    pub(super) samples: f32,
    pub(super) last_min: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Factor {
    pub(super) times: f32,
    pub(super) confidence: f32,
    /// Whether enough samples stand behind it.
    pub(super) measured: bool,
}

impl Factor {
    const NONE: Self = Self {
        times: 1.0,
        confidence: 0.0,
        measured: false,
    };
}

/// Samples as ratios, gathered by area.
#[derive(Debug)]
pub(super) struct Gathering<'a> {
    pub(super) rules: &'a Rules,
    ageing: Ageing,
    all: BTreeMap<Area, Gathered>,
}

/// What is known of an area.
#[derive(Debug, Clone, Default)]
struct Gathered {
    holding: Holding,
    /// Of how many networks; of those that are kept no more, at least.
    networks: u32,
}

/// What one network knows is its own, and says nothing of all others in a country.
const MIN_NETWORKS: u32 = 2;

impl Gathered {
    /// Whether it is more than what one visitor, or the visitors of one network, say: anybody may
    /// report what he likes of his own network, which is not to move a country.
    fn is_heard(&self, rules: &Rules) -> bool {
        let clients = &self.holding.clients;
        let several = self.networks >= MIN_NETWORKS && clients.count() >= rules.min_clients - 0.5;
        clients.are_believed() || several
    }
}

impl<'a> Gathering<'a> {
    pub(super) fn new(aggregate: &'a Aggregate) -> Self {
        Self {
            rules: aggregate.rules(),
            ageing: aggregate.ageing(),
            all: BTreeMap::new(),
        }
    }

    /// Adds what is known of some networks of an area, so many at least. `model` has an estimate for
    /// each region of the aggregate, where there is one.
    pub(super) fn add(
        &mut self,
        area: Area,
        (holding, networks): (&Holding, u32),
        model: &[Option<f32>],
    ) {
        let gathered = self.all.entry(area).or_default();
        gathered.networks = gathered.networks.saturating_add(networks);
        let gathered = &mut gathered.holding;
        let mut ratios = Vec::new();
        for known in holding.iter() {
            let estimate = model.get(usize::from(known.region)).copied().flatten();
            let Some(estimate) = estimate.filter(|estimate| *estimate > 0.0) else {
                continue;
            };
            ratios.clear();
            ratios.extend(known.bins.iter().map(|bin| bin.relative_to(estimate)));
            let share = (self.rules.voice / bins::weight(known.bins)).min(1.0);
            let known = Known {
                bins: &ratios,
                ..known
            };
            gathered.absorb(known, share, self.ageing);
        }
        gathered.clients.join(&holding.clients);
    }

    /// Sums up, from the narrow to the wide, and then judges, from the wide to the narrow.
    /// `columns` has the place in the map of each region of the aggregate.
    pub(super) fn finish(
        mut self,
        ground: &Ground<'_>,
        columns: &[Option<usize>],
        regions: usize,
    ) -> Areas {
        // Narrower areas first: operators', then countries.
        let rank = |area: &Area| (area.asn.is_none(), area.country.is_none());
        for level in [(false, false), (true, false)] {
            let at_level: Vec<Area> = self
                .all
                .keys()
                .copied()
                .filter(|area| rank(area) == level)
                .collect();
            for area in at_level {
                self.widen(area);
            }
        }
        let mut order: Vec<Area> = self.all.keys().copied().collect();
        order.sort_by_key(|area| std::cmp::Reverse(rank(area)));
        let mut areas = Areas::default();
        for area in order {
            let stretch = self.judged(area, &areas, ground, columns, regions);
            areas.0.insert(area, stretch);
        }
        areas
    }

    /// Adds what is known of an area to what is known of the next wider one.
    fn widen(&mut self, area: Area) {
        let (Some(wider), Some(gathered)) = (area.wider(), self.all.get(&area).cloned()) else {
            return;
        };
        let holding = gathered.holding;
        // What is so of one country need not be so of the next.
        let most = match area.asn {
            Some(_) => self.rules.voice,
            None => self.rules.prior,
        };
        let above = self.all.entry(wider).or_default();
        above.networks = above.networks.saturating_add(gathered.networks);
        let above = &mut above.holding;
        for known in holding.iter() {
            let share = (most / bins::weight(known.bins)).min(1.0);
            above.absorb(known, share, self.ageing);
        }
        above.clients.join(&holding.clients);
    }

    fn judged(
        &self,
        area: Area,
        wider: &Areas,
        ground: &Ground<'_>,
        columns: &[Option<usize>],
        regions: usize,
    ) -> Stretch {
        let mut stretch = match area.wider().and_then(|area| wider.0.get(&area)) {
            Some(wider) => wider.clone(),
            None => Stretch {
                factors: vec![Factor::NONE; regions],
                ..Stretch::default()
            },
        };
        let gathered = self.all.get(&area);
        let Some(gathered) = gathered.filter(|gathered| gathered.is_heard(self.rules)) else {
            return stretch;
        };
        let holding = &gathered.holding;
        (stretch.samples, stretch.last_min) = (holding.weight(), holding.last_min());
        let clients = &holding.clients;
        let now_min = crate::aggregate::minute(ground.now_s);
        for known in holding.iter() {
            let column = columns.get(usize::from(known.region)).copied().flatten();
            let factor = column.and_then(|column| stretch.factors.get_mut(column));
            let said = Said::by(known, clients, now_min, self.ageing, self.rules);
            let (Some(factor), Some(said)) = (factor, said) else {
                continue;
            };
            let own = said.confidence(clients);
            *factor = Factor {
                times: said.drawn(said.at.ratio(), Some(factor.times)),
                // Somebody else's samples are worth half of one's own.
                confidence: either(factor.confidence, own / 2.0).min(0.5),
                measured: factor.measured || said.is_most(),
            };
        }
        stretch
    }
}

impl Areas {
    /// The narrowest around an area of which anything is known.
    pub(super) fn around(&self, area: Area) -> Option<&Stretch> {
        let mut area = Some(area);
        // An operator, its country, its continent.
        for _ in 0..3 {
            let here = area?;
            if let Some(stretch) = self.0.get(&here) {
                return Some(stretch);
            }
            area = here.wider();
        }
        None
    }
}
