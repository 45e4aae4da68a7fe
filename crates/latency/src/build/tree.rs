//! Networks inside networks: what neighbours know together is what each of them is part of.

use std::collections::HashMap;

use meridian_atlas::Atlas;

use crate::aggregate::Aggregate;
use crate::bins;
use crate::holding::Holding;
use crate::key::Key;

/// Networks that something is known of, each before those inside it.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Key>,
    /// Of networks with others inside them: what all of these know together.
    totals: HashMap<Key, Holding>,
}

impl Tree {
    /// The networks of an aggregate, with the wider ones around neighbours of one country.
    pub(super) fn of(aggregate: &Aggregate, atlas: &Atlas) -> Self {
        let mut nodes: Vec<Key> = aggregate.keys.keys().copied().collect();
        nodes.sort_unstable();
        let around = around(&nodes, atlas);
        nodes.extend(around);
        nodes.sort_unstable();
        nodes.dedup();
        let totals = totals(&nodes, aggregate);
        Self { nodes, totals }
    }

    /// All that is known of a network, by itself or by those inside it.
    pub(super) fn known<'a>(&'a self, key: Key, aggregate: &'a Aggregate) -> Option<&'a Holding> {
        self.totals.get(&key).or_else(|| aggregate.keys.get(&key))
    }
}

/// The wider networks that at least two of these lie in, as far as they are in one country.
fn around(sorted: &[Key], atlas: &Atlas) -> Vec<Key> {
    let mut all = Vec::new();
    for level in [0_usize, 1] {
        let mut last = None;
        for pair in sorted.windows(2) {
            let [one, other] = pair else { continue };
            let Some(len) = one.levels().get(level).copied() else {
                continue;
            };
            let wide = one.widened(len);
            if one.len() <= len || !wide.contains(*other) || last == Some(wide) {
                continue;
            }
            // What is all in a narrower one says nothing about the wider.
            let narrower = level
                .checked_sub(1)
                .and_then(|level| one.levels().get(level).copied());
            if narrower.is_some_and(|len| one.widened(len).contains(*other)) {
                continue;
            }
            last = Some(wide);
            if atlas.look_up(one.address()).scope.country <= len {
                all.push(wide);
            }
        }
    }
    all
}

fn totals(nodes: &[Key], aggregate: &Aggregate) -> HashMap<Key, Holding> {
    let mut totals = HashMap::new();
    // Networks around the one at hand, the narrowest last; with a total as soon as something is
    // inside.
    let mut open: Vec<(Key, Option<Holding>)> = Vec::new();
    for key in nodes {
        while open
            .last()
            .is_some_and(|(around, _)| !around.contains(*key))
        {
            close(&mut open, &mut totals, aggregate);
        }
        open.push((*key, None));
    }
    while !open.is_empty() {
        close(&mut open, &mut totals, aggregate);
    }
    totals
}

/// Adds what the narrowest network knows to the one around it.
fn close(
    open: &mut Vec<(Key, Option<Holding>)>,
    totals: &mut HashMap<Key, Holding>,
    aggregate: &Aggregate,
) {
    let Some((key, total)) = open.pop() else {
        return;
    };
    let known = total.as_ref().or_else(|| aggregate.keys.get(&key));
    if let (Some(known), Some((around, sum))) = (known, open.last_mut()) {
        let own = || aggregate.keys.get(around).cloned().unwrap_or_default();
        let sum = sum.get_or_insert_with(own);
        for part in known.iter() {
            let share = (aggregate.rules().voice / bins::weight(part.bins)).min(1.0);
            sum.absorb(part, share, aggregate.ageing());
        }
        sum.clients.join(&known.clients);
    }
    if let Some(total) = total {
        totals.insert(key, total);
    }
}
