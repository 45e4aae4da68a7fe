//! Who leads to an alias: the other end of the chain that `loops` follows. A chain that a batch makes
//! too long has a first alias that is written; before it there are only such as stay as they are, and
//! those alone are looked for.

use super::Final;
use super::loops::{Followed, MAX_ALIAS_DEPTH, SetPlace};
use crate::record_set::{SetData, SetKey};
use crate::state::State;

/// The most aliases that lead to those of a batch which are looked at, all together. What leads there
/// beyond them may be too far away.
pub(super) const MAX_SOURCES: usize = 65_536;
/// The most of them to one name and type: as many are left for what leads to these.
const MAX_SOURCES_OF_ONE: usize = MAX_SOURCES / 2;

/// How many links lead to a place, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Height {
    links: usize,
    /// Whether all of them were looked at: else there may be more.
    is_whole: bool,
}

impl<S: State> Final<'_, S> {
    /// How many links lead to a place, one after the other, over aliases that are not written. More
    /// than a chain may have are not counted.
    pub(super) fn links_to(
        &self,
        place: &SetPlace,
        followed: &mut Followed<'_>,
    ) -> Result<usize, S::Error> {
        Ok(self.climb(place, 0, followed)?.links)
    }

    /// The height of a place from which `below` links lead down to where it began. It goes no further
    /// up than a chain may be long.
    fn climb(
        &self,
        place: &SetPlace,
        below: usize,
        followed: &mut Followed<'_>,
    ) -> Result<Height, S::Error> {
        if let Some(known) = followed.above.get(place) {
            return Ok(*known);
        }
        let (sources, is_whole) = self.sources(place, followed)?;
        let mut height = Height { links: 0, is_whole };
        for source in &sources {
            if below >= MAX_ALIAS_DEPTH {
                let links = 1;
                let is_whole = false;
                return Ok(Height { links, is_whole });
            }
            let above = self.climb(source, below + 1, followed)?;
            height.links = height.links.max(above.links + 1);
            height.is_whole &= above.is_whole;
            if below + height.links > MAX_ALIAS_DEPTH {
                height.is_whole = false;
                break;
            }
        }
        // To most names nothing leads, which is found as soon as it is looked up. What is too high
        // stays so.
        let is_known = height.is_whole && height.links > 0 || height.links > MAX_ALIAS_DEPTH;
        if is_known {
            followed.above.insert(place.clone(), height);
        }
        Ok(height)
    }

    /// The places whose aliases lead here, and whether those are all.
    fn sources(
        &self,
        place: &SetPlace,
        followed: &mut Followed<'_>,
    ) -> Result<(Vec<SetPlace>, bool), S::Error> {
        let (zone, name, rtype) = place;
        let most = followed.sources_left.min(MAX_SOURCES_OF_ONE);
        if most == 0 {
            return Ok((Vec::new(), false));
        }
        let aliases = self
            .state
            .aliases_to((zone, name, *rtype), self.zone, most)?;
        let is_whole = aliases.len() < most;
        followed.sources_left = followed.sources_left.saturating_sub(aliases.len());
        let mut places: Vec<SetPlace> = Vec::new();
        for (zone, key) in aliases {
            if zone == self.zone.id && !self.stays(&key, place, followed) {
                continue;
            }
            let source = (zone, key.name, key.rtype);
            // Those of one name come together.
            if places.last() != Some(&source) {
                places.push(source);
            }
        }
        Ok((places, is_whole))
    }

    /// Whether an alias of the zone to a place is left as it is.
    fn stays(&self, key: &SetKey, place: &SetPlace, followed: &Followed<'_>) -> bool {
        if self.orders.contains_key(key) || followed.imported.contains(key) {
            return false;
        }
        if self.names.is_empty() {
            return true;
        }
        let Some(sets) = self.names.get(&key.name.sort_key()) else {
            return true;
        };
        let leads = |target: &SetData| match target {
            SetData::Alias(target) => (&target.zone, &target.name) == (&place.0, &place.1),
            SetData::Records { .. } => false,
        };
        sets.iter().any(|set| set.key == *key && leads(&set.data))
    }
}
