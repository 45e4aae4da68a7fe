//! The middle of a build: guesses for places and networks, and the rows that are published of them.

use meridian_atlas::{Cell, Continent, Country, MapRegion, MapRow, Origin, Place};

use crate::aggregate::minute;
use crate::area::Area;
use crate::build::areas::{Areas, Gathering, Stretch};
use crate::build::base::{Places, Settled};
use crate::build::churn;
use crate::build::ranges::NOTHING;
use crate::build::steady::{Hysteresis, Previous, Spot};
use crate::build::tree::Tree;
use crate::build::vector::{Guess, Said, Vector, either};
use crate::build::whose::Whose;
use crate::build::{Making, columns};
use crate::holding::Holding;
use crate::key::Key;
use crate::model::Model;
use crate::rules::Rules;
use crate::spots::Spots;

/// What a build has at hand.
#[derive(Debug)]
pub(super) struct Workshop<'a> {
    making: &'a Making<'a>,
    rules: &'a Rules,
    previous: Option<&'a Previous<'a>>,
    pub(super) regions: Vec<MapRegion>,
    /// The place in the map of each region of the aggregate.
    columns: Vec<Option<usize>>,
    pub(super) places: &'a Places,
    /// Of each place, what the model thinks; none where it thinks nothing.
    models: Vec<Option<Modelled>>,
    areas: Areas,
    pub(super) rows: Vec<MapRow>,
}

/// What the model thinks of a place.
#[derive(Debug)]
struct Modelled {
    estimates: Vec<f32>,
    confidence: f32,
}

/// What came of the networks.
#[derive(Debug, Default)]
pub(super) struct Networks {
    /// Those with rows of their own, in the order of their keys.
    pub(super) own: Vec<(Key, u32)>,
    /// The share of samples whose fastest region is another than before.
    pub(super) moved: f64,
    /// The share of samples whose fastest region was measured.
    pub(super) measured: f64,
}

/// As many networks as it takes, where nobody counted them.
const MANY: u32 = 2;

/// A network around the one at hand.
struct Around {
    key: Key,
    guesses: Vector,
    shown: Vec<Option<f32>>,
    row: u32,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(
        making: &'a Making<'a>,
        regions: Vec<MapRegion>,
        previous: Option<&'a Previous<'a>>,
        places: &'a mut Places,
    ) -> Self {
        // A country as a whole stands behind each of its places, and a place behind each of its
        // operators; what is added comes to its turn.
        let mut number = 0;
        while let Some(whose) = places.all.get(number) {
            if let Some(wider) = whose.wider() {
                places.number(wider);
            }
            number += 1;
        }
        let model = Model::new(&regions, making.matrix);
        let columns = columns(making.aggregate, &regions);
        let modelled = |place: &Place| {
            let spots = Spots::of(place)?;
            Some(Modelled {
                estimates: model.estimates(&spots),
                confidence: spots.confidence,
            })
        };
        let places: &Places = places;
        let all = places.all.iter();
        let models: Vec<Option<Modelled>> = all.map(|whose| modelled(&whose.place)).collect();
        let mut workshop = Self {
            making,
            rules: making.aggregate.rules(),
            previous,
            regions,
            columns,
            places,
            models,
            areas: Areas::default(),
            rows: Vec::new(),
        };
        workshop.areas = workshop.gathered(&modelled);
        workshop
    }

    /// What is known of areas, by all networks in them.
    fn gathered(&self, modelled: &dyn Fn(&Place) -> Option<Modelled>) -> Areas {
        let (aggregate, atlas) = (self.making.aggregate, self.making.ground.atlas);
        let mut gathering = Gathering::new(aggregate);
        let mut keys: Vec<(&Key, &Holding)> = aggregate.keys.iter().collect();
        keys.sort_unstable_by_key(|(key, _)| **key);
        for (key, holding) in keys {
            let (Some(area), Some(model)) = (
                Area::of(atlas, key.address()),
                self.model(atlas.look_up(key.address()).place),
            ) else {
                continue;
            };
            gathering.add(area, (holding, 1), &self.by_region(model));
        }
        let mut areas: Vec<(&Area, &Holding)> = aggregate.areas.iter().collect();
        areas.sort_unstable_by_key(|(area, _)| **area);
        for (area, holding) in areas {
            if let Some(model) = modelled(&whole(area.country, area.continent)) {
                // What networks came to that are kept no more: of many, once.
                gathering.add(*area, (holding, MANY), &self.by_region(&model));
            }
        }
        gathering.finish(&self.making.ground, &self.columns, self.regions.len())
    }

    fn model(&self, place: &Place) -> Option<&Modelled> {
        self.models
            .get(self.places.find(Whose::of(*place))?)?
            .as_ref()
    }

    /// Estimates in the order of the aggregate's regions.
    fn by_region(&self, model: &Modelled) -> Vec<Option<f32>> {
        let estimate = |column: &Option<usize>| model.estimates.get((*column)?).copied();
        self.columns.iter().map(estimate).collect()
    }

    /// What is thought of those in a place, as part of an area.
    fn guesses(&self, model: &Modelled, stretch: Option<&Stretch>) -> Vector {
        let guess = |(column, estimate): (usize, &f32)| {
            let factor = stretch.and_then(|stretch| stretch.factors.get(column));
            let measured = factor.is_some_and(|factor| factor.measured);
            Guess {
                ms: Some(estimate * factor.map_or(1.0, |factor| factor.times)),
                origin: if measured {
                    Origin::Inherited
                } else {
                    Origin::Model
                },
                confidence: either(
                    model.confidence,
                    factor.map_or(0.0, |factor| factor.confidence),
                ),
            }
        };
        model.estimates.iter().enumerate().map(guess).collect()
    }

    /// What is thought and published of each place.
    pub(super) fn settle_places(&self, hysteresis: &mut Hysteresis) -> Vec<Settled> {
        let all = self.places.all.iter().zip(&self.models).zip(0..);
        all.map(|((whose, model), number)| {
            let Some(model) = model else {
                return Settled::nothing(self.regions.len());
            };
            let guesses = self.guesses(model, self.stretch_of(*whose));
            self.places
                .settle(number, guesses, self.previous, hysteresis, self.rules)
        })
        .collect()
    }

    fn stretch_of(&self, whose: Whose) -> Option<&Stretch> {
        let Place {
            country, continent, ..
        } = whose.place;
        self.areas.around(Area {
            continent: country.map(Continent::of).or(continent)?,
            country,
            asn: whose.asn,
        })
    }

    /// The row of each place: its own, or that of what stands for it where that says nearly the
    /// same.
    pub(super) fn place_rows(&mut self, settled: &[Settled]) -> Vec<u32> {
        let mut rows = vec![NOTHING; settled.len()];
        let places = self.places;
        // Countries first, and those that are no part of one; then places, then operators there.
        let mut order: Vec<(usize, Whose)> = places.all.iter().copied().enumerate().collect();
        order.sort_by_key(|(_, whose)| whose.depth());
        for (number, whose) in order {
            let Some(own) = settled.get(number) else {
                continue;
            };
            let wider = whose.wider().and_then(|wider| places.find(wider));
            let under = wider.and_then(|wider| rows.get(wider)).copied();
            let same = under.filter(|row| !self.differ(&own.shown, &self.shown_by(*row).0));
            let row = match same {
                Some(row) => row,
                None if own.shown.iter().all(Option::is_none) => NOTHING,
                None => {
                    let (samples, last_min) = self
                        .stretch_of(whose)
                        .map_or((0.0, 0), |stretch| (stretch.samples, stretch.last_min));
                    self.push(
                        whose.place.country,
                        own.guesses.iter(),
                        &own.shown,
                        (samples, last_min),
                    )
                }
            };
            if let Some(slot) = rows.get_mut(number) {
                *slot = row;
            }
        }
        rows
    }

    /// What is thought and published of networks that something is known of.
    pub(super) fn networks(
        &mut self,
        settled: &[Settled],
        base_rows: &[u32],
        hysteresis: &mut Hysteresis,
    ) -> Networks {
        let (aggregate, atlas) = (self.making.aggregate, self.making.ground.atlas);
        let tree = Tree::of(aggregate, atlas);
        let nothing = Settled::nothing(self.regions.len());
        let mut networks = Networks::default();
        let mut weights = Weights::default();
        let mut open: Vec<Around> = Vec::new();
        for key in &tree.nodes {
            while open.last().is_some_and(|around| !around.key.contains(*key)) {
                open.pop();
            }
            let Some(holding) = tree.known(*key, aggregate) else {
                continue;
            };
            let whose = self.places.telling.at(atlas, key.address());
            let place = &whose.place;
            let number = self.places.find(whose);
            let base = number
                .and_then(|number| settled.get(number))
                .unwrap_or(&nothing);
            let base_row = number.and_then(|number| base_rows.get(number)).copied();
            let (under, row) = match open.last() {
                Some(around) => (around.shown.clone(), around.row),
                // What is shown of a place may be what is shown of its country.
                None => self.shown_by(base_row.unwrap_or(NOTHING)),
            };
            let of_operator;
            let parent = match open.last() {
                Some(around) => &around.guesses,
                None => {
                    of_operator = self.of_operator(*key, place);
                    of_operator.as_ref().unwrap_or(&base.guesses)
                }
            };
            let guesses = self.drawn(parent, holding);
            let before = self.before(*key);
            let shown = self.published(
                *key,
                holding,
                &guesses,
                (before.as_deref(), &under),
                hysteresis,
            );
            let (shown, row) = match shown {
                Some(shown) => {
                    let about = (holding.weight(), holding.last_min());
                    let row = self.push(place.country, guesses.iter(), &shown, about);
                    networks.own.push((*key, row));
                    (shown, row)
                }
                None => (under, row),
            };
            if aggregate.keys.contains_key(key) {
                self.weigh(&mut weights, *key, row, holding.weight());
            }
            open.push(Around {
                key: *key,
                guesses,
                shown,
                row,
            });
        }
        networks.moved = share(weights.moved, weights.compared);
        networks.measured = share(weights.measured, weights.all);
        networks
    }

    fn shown_by(&self, row: u32) -> (Vec<Option<f32>>, u32) {
        let place = usize::try_from(row).ok();
        let shown = match place.and_then(|place| self.rows.get(place)) {
            Some(row) => row.cells.iter().map(|cell| cell.ms).collect(),
            None => vec![None; self.regions.len()],
        };
        (shown, row)
    }

    /// What is thought of a network that is in no wider one, by what is known of its operator.
    fn of_operator(&self, key: Key, place: &Place) -> Option<Vector> {
        let area = Area::of(self.making.ground.atlas, key.address())?;
        area.asn?;
        Some(self.guesses(self.model(place)?, self.areas.around(area)))
    }

    /// What is thought of a network: its own samples, drawn to what is thought of those around it.
    fn drawn(&self, parent: &[Guess], holding: &Holding) -> Vector {
        let mut guesses: Vector = parent
            .iter()
            .map(|guess| Guess {
                origin: match guess.origin {
                    Origin::Measured => Origin::Inherited,
                    other => other,
                },
                ..*guess
            })
            .collect();
        let clients = &holding.clients;
        let now_min = minute(self.making.ground.now_s);
        for known in holding.iter() {
            let column = self
                .columns
                .get(usize::from(known.region))
                .copied()
                .flatten();
            let said = Said::by(
                known,
                clients,
                now_min,
                self.making.aggregate.ageing(),
                self.rules,
            );
            let guess = column.and_then(|column| guesses.get_mut(column));
            let (Some(guess), Some(said)) = (guess, said) else {
                continue;
            };
            *guess = Guess {
                ms: Some(said.drawn(said.at.ms(), guess.ms)),
                origin: if said.is_most() {
                    Origin::Measured
                } else {
                    guess.origin
                },
                confidence: either(said.confidence(clients), guess.confidence),
            };
        }
        guesses
    }

    fn before(&self, key: Key) -> Option<Vec<Option<f32>>> {
        let previous = self.previous?;
        Some(previous.row(&previous.map.look_up(key.address())?))
    }

    /// What to publish of a network, if that makes a difference: `under` is what its clients would
    /// be told otherwise.
    fn published(
        &self,
        key: Key,
        holding: &Holding,
        guesses: &[Guess],
        (before, under): (Option<&[Option<f32>]>, &[Option<f32>]),
        hysteresis: &mut Hysteresis,
    ) -> Option<Vec<Option<f32>>> {
        if holding.clients.count() < self.rules.min_clients - 0.5 {
            return None;
        }
        // Whoever vouches for a sample needs no others, and is taken at their word at once.
        let believed = holding.clients.are_believed();
        let inherits = before.is_some_and(|before| churn::same(before, under));
        let rules = match (inherits, believed) {
            (true, true) => Rules {
                hold_builds: 1,
                ..*self.rules
            },
            (true, false) => sharing(self.rules),
            (false, _) => *self.rules,
        };
        let shown = hysteresis.steadied(Spot::Network(key), before, guesses, &rules);
        let enough = |column: usize| {
            holding.iter().any(|known| {
                self.columns
                    .get(usize::from(known.region))
                    .copied()
                    .flatten()
                    == Some(column)
                    && (believed || crate::bins::weight(known.bins) >= self.rules.min_samples)
            })
        };
        let mut pairs = shown.iter().zip(under).enumerate();
        let differs = pairs.any(|(column, (own, other))| {
            (believed || self.differs(*own, *other)) && enough(column)
        });
        (differs && !churn::same(&shown, under)).then_some(shown)
    }

    /// Whether a number makes a difference beside another.
    fn differs(&self, own: Option<f32>, other: Option<f32>) -> bool {
        match (own, other) {
            (Some(own), Some(other)) => {
                (own - other).abs() > self.rules.publish_ms.max(other * self.rules.publish_share)
            }
            (own, other) => own.is_some() != other.is_some(),
        }
    }

    fn differ(&self, own: &[Option<f32>], other: &[Option<f32>]) -> bool {
        own.iter()
            .zip(other)
            .any(|(own, other)| self.differs(*own, *other))
    }

    /// Adds a row, and tells its number.
    fn push<'g>(
        &mut self,
        country: Option<Country>,
        guesses: impl Iterator<Item = &'g Guess>,
        shown: &[Option<f32>],
        (samples, last_min): (f32, u32),
    ) -> u32 {
        let mut fastest: Vec<(f32, f32)> = Vec::new();
        let cells = guesses.zip(shown).map(|(guess, ms)| {
            fastest.extend(ms.map(|ms| (ms, guess.confidence)));
            Cell {
                ms: *ms,
                origin: guess.origin,
            }
        });
        let cells = cells.collect();
        fastest.sort_by(|a, b| a.0.total_cmp(&b.0));
        // What decides is which of the two fastest regions is faster.
        let least = fastest.iter().take(2).map(|(_, confidence)| *confidence);
        let confidence = least.fold(1.0_f32, f32::min);
        let age_min = minute(self.making.ground.now_s).saturating_sub(last_min);
        let age_h = if samples > 0.0 { age_min / 60 } else { 0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 100, and a count that may be rounded"
        )]
        let (confidence, samples) = ((confidence * 100.0) as u8, samples.round() as u32);
        self.rows.push(MapRow {
            country,
            samples,
            confidence,
            age_h: u16::try_from(age_h).unwrap_or(u16::MAX),
            cells,
        });
        u32::try_from(self.rows.len() - 1).unwrap_or(NOTHING)
    }

    /// Counts the samples of a network that go by this row.
    fn weigh(&self, weights: &mut Weights, key: Key, row: u32, weight: f32) {
        let row = usize::try_from(row).ok().and_then(|row| self.rows.get(row));
        let Some(row) = row else {
            return;
        };
        let weight = f64::from(weight);
        weights.all += weight;
        let now = churn::fastest(&row.cells);
        let measured =
            row.cells.iter().enumerate().any(|(column, cell)| {
                churn::is_among(now, column) && cell.origin == Origin::Measured
            });
        if measured {
            weights.measured += weight;
        }
        let before = self.previous.and_then(|previous| {
            let latencies = previous.map.look_up(key.address())?;
            Some(churn::fastest_before(previous, &latencies))
        });
        if let Some(moves) = before.and_then(|before| churn::moves(before, now)) {
            weights.compared += weight;
            if moves {
                weights.moved += weight;
            }
        }
    }
}

/// Samples, by what becomes of them.
#[derive(Debug, Default)]
struct Weights {
    all: f64,
    measured: f64,
    compared: f64,
    moved: f64,
}

/// The rules by which numbers stay of what has no row of its own: it gets one only for what makes a
/// difference, and until then its numbers are those it shares.
pub(super) fn sharing(rules: &Rules) -> Rules {
    Rules {
        hold_ms: rules.hold_ms.max(rules.publish_ms),
        hold_share: rules.hold_share.max(rules.publish_share),
        ..*rules
    }
}

fn share(some: f64, all: f64) -> f64 {
    if all > 0.0 { some / all } else { 0.0 }
}

/// A country or a continent as a whole.
fn whole(country: Option<Country>, continent: Continent) -> Place {
    match country {
        Some(country) => Place::in_country(country).completed(),
        None => Place {
            continent: Some(continent),
            ..Place::UNKNOWN
        },
    }
}
