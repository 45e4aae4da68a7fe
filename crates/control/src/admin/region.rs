//! Regions of the operator's own.

use meridian_log::ReadError;
use meridian_model::{
    Coordinates, OwnRegion, PlanError, RegionRefusal, State, plan_add_region, plan_remove_region,
};

use super::{AdminError, Outcome};
use crate::control::Control;

impl Control {
    /// The operator's own regions, by name.
    ///
    /// # Errors
    /// Faults only.
    pub fn own_regions(&self) -> Outcome<Vec<OwnRegion>> {
        Ok(self.fresh()?.own_regions()?)
    }

    /// Adds a region, or puts the one of this name somewhere else.
    ///
    /// # Errors
    /// [`RegionRefusal`].
    pub fn add_region(&self, name: &str, at: &Coordinates) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_add_region(snapshot, name, at.clone());
            Ok((planned.map_err(refused)?, ()))
        })
    }

    /// Forgets a region. Record sets that name it stay.
    ///
    /// # Errors
    /// [`RegionRefusal::Unknown`].
    pub fn remove_region(&self, name: &str) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_remove_region(snapshot, name);
            Ok((planned.map_err(refused)?, ()))
        })
    }
}

fn refused(error: PlanError<RegionRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
