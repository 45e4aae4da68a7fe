//! Regions of the operator's own.

use super::PlanError;
use crate::effect::Effect;
use crate::local_zone_group::local_zone_groups;
use crate::own_region::OwnRegion;
use crate::routing::{Coordinates, Region};
use crate::state::State;

/// Why a region is not added or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionRefusal {
    /// The name has not the form.
    #[error("'{0}' is no name of a region: small letters, digits and hyphens, 64 at most")]
    BadName(String),
    /// AWS has one of that name.
    #[error("'{0}' is a name of AWS's own; choose another")]
    Taken(String),
    /// No such point.
    #[error(
        "the latitude lies between -90 and 90 and the longitude between -180 and 180, with two \
         decimals at most"
    )]
    Nowhere,
    /// There are [`OwnRegion::MAX`].
    #[error("there are {max} regions already; remove one first", max = OwnRegion::MAX)]
    TooMany,
    /// Nobody has added it.
    #[error("there is no region '{0}' of your own; `meridian region list` shows all")]
    Unknown(String),
}

type Planned<E> = Result<Vec<Effect>, PlanError<RegionRefusal, E>>;

/// Adds a region, or puts the one of this name somewhere else.
///
/// # Errors
/// [`RegionRefusal`], or the state's.
pub fn plan_add_region<S: State>(state: &S, name: &str, at: Coordinates) -> Planned<S::Error> {
    let refuse = |refusal| Err(PlanError::Refused(refusal));
    let Some(region) = Region::possible(name) else {
        return refuse(RegionRefusal::BadName(name.to_owned()));
    };
    if Region::new(name).is_some() || local_zone_groups().any(|group| group == name) {
        return refuse(RegionRefusal::Taken(name.to_owned()));
    }
    if at.degrees().is_none() {
        return refuse(RegionRefusal::Nowhere);
    }
    let known = state.own_regions()?;
    let is_new = !known.iter().any(|other| other.name == region);
    if is_new && known.len() >= OwnRegion::MAX {
        return refuse(RegionRefusal::TooMany);
    }
    Ok(vec![Effect::PutRegion(OwnRegion { name: region, at })])
}

/// Forgets a region. Record sets that name it stay, and are answered as if it were nowhere.
///
/// # Errors
/// [`RegionRefusal::Unknown`], or the state's.
pub fn plan_remove_region<S: State>(state: &S, name: &str) -> Planned<S::Error> {
    let mut known = state.own_regions()?.into_iter();
    match known.find(|region| region.name.as_str() == name) {
        Some(region) => Ok(vec![Effect::DeleteRegion(region.name)]),
        None => Err(PlanError::Refused(RegionRefusal::Unknown(name.to_owned()))),
    }
}
