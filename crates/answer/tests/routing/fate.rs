//! What may come of a decision once all facts but chance are known: a tree of all ways it can go.

use crate::rng::Rng;

/// All that may come of something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate<T> {
    /// Only this.
    Sure(T),
    /// One of these, each with its probability.
    Chance(Vec<(f64, Self)>),
    /// One of these, nobody says how likely.
    Draw(Vec<Self>),
    /// One of these, nobody says which; but it is always the same for the same client.
    Settled(Vec<Self>),
}

impl<T> Fate<T> {
    /// One of these, all equally likely.
    pub(crate) fn even(of: Vec<T>) -> Self {
        Self::weighed(of.into_iter().map(|one| (1.0, one)).collect())
    }

    /// One of these, in proportion to these weights.
    pub(crate) fn weighed(of: Vec<(f64, T)>) -> Self {
        let sum: f64 = of.iter().map(|(weight, _)| weight).sum();
        let share = |(weight, one)| (weight / sum, Self::Sure(one));
        Self::Chance(of.into_iter().map(share).collect())
    }

    /// One of these, whichever; but always the same.
    pub(crate) fn settled(mut of: Vec<T>) -> Self {
        if of.len() == 1 {
            return Self::Sure(of.remove(0));
        }
        Self::Settled(of.into_iter().map(Self::Sure).collect())
    }

    /// What comes of it when `next` says what comes of each of its ends.
    pub(crate) fn then<U>(self, next: &mut dyn FnMut(T) -> Fate<U>) -> Fate<U> {
        let mut all = |of: Vec<Self>| of.into_iter().map(|one| one.then(next)).collect();
        match self {
            Self::Draw(of) => Fate::Draw(all(of)),
            Self::Settled(of) => Fate::Settled(all(of)),
            Self::Sure(end) => next(end),
            Self::Chance(of) => Fate::Chance(
                of.into_iter()
                    .map(|(odds, one)| (odds, one.then(next)))
                    .collect(),
            ),
        }
    }

    /// The same with every settled choice made at random.
    pub(crate) fn unsettled(self) -> Self {
        match self {
            Self::Sure(end) => Self::Sure(end),
            Self::Draw(of) | Self::Settled(of) => {
                Self::Draw(of.into_iter().map(Self::unsettled).collect())
            }
            Self::Chance(of) => Self::Chance(
                of.into_iter()
                    .map(|(odds, one)| (odds, one.unsettled()))
                    .collect(),
            ),
        }
    }

    /// Whether anything in it is settled without being told.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Sure(_) => false,
            Self::Settled(_) => true,
            Self::Draw(of) => of.iter().any(Self::is_settled),
            Self::Chance(of) => of.iter().any(|(_, one)| one.is_settled()),
        }
    }

    /// Every end, each as often as there are ways to it, with its odds where these are known.
    pub(crate) fn ends(&self) -> Vec<(&T, Option<f64>)> {
        let mut ends = Vec::new();
        self.collect(Some(1.0), &mut ends);
        ends
    }

    fn collect<'t>(&'t self, odds: Option<f64>, ends: &mut Vec<(&'t T, Option<f64>)>) {
        match self {
            Self::Sure(end) => ends.push((end, odds)),
            Self::Chance(of) => {
                for (share, one) in of {
                    one.collect(odds.map(|odds| odds * share), ends);
                }
            }
            Self::Draw(of) | Self::Settled(of) => {
                for one in of {
                    one.collect(None, ends);
                }
            }
        }
    }

    /// One way it may go; `habit` decides what is settled.
    pub(crate) fn live(&self, rng: &mut Rng, habit: u64) -> &T {
        match self {
            Self::Sure(end) => end,
            Self::Draw(of) => rng.pick(of).live(rng, habit),
            Self::Settled(of) => of[Rng::new(habit).below(of.len())].live(rng, habit),
            Self::Chance(of) => {
                let mut at = rng.fraction();
                let found = of.iter().find(|(share, _)| {
                    at -= share;
                    at < 0.0
                });
                found.unwrap_or(&of[0]).1.live(rng, habit)
            }
        }
    }
}

impl<T: Clone> Fate<T> {
    /// All that it may be once what is settled is known: fates without settled choices. None when
    /// there are more than `most`.
    pub(crate) fn resolved(&self, most: usize) -> Option<Vec<Self>> {
        let many = match self {
            Self::Sure(_) => vec![self.clone()],
            Self::Settled(of) => {
                let each = of.iter().map(|one| one.resolved(most));
                each.collect::<Option<Vec<_>>>()?.concat()
            }
            Self::Draw(of) => product(of, most)?.into_iter().map(Self::Draw).collect(),
            Self::Chance(of) => {
                let fates: Vec<Self> = of.iter().map(|(_, one)| one.clone()).collect();
                let odds = || of.iter().map(|(odds, _)| *odds);
                let whole = |fates: Vec<Self>| Self::Chance(odds().zip(fates).collect());
                product(&fates, most)?.into_iter().map(whole).collect()
            }
        };
        (many.len() <= most).then_some(many)
    }
}

/// Every way to take one resolution of each.
fn product<T: Clone>(of: &[Fate<T>], most: usize) -> Option<Vec<Vec<Fate<T>>>> {
    let mut rows = vec![Vec::new()];
    for one in of {
        let choices = one.resolved(most)?;
        if rows.len() * choices.len() > most {
            return None;
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                choices.iter().map(|choice| {
                    let mut row = row.clone();
                    row.push(choice.clone());
                    row
                })
            })
            .collect();
    }
    Some(rows)
}
