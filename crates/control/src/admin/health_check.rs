//! Health checks as operators name them. What they are is the business of the API.

use meridian_model::{HealthCheckId, State};

use super::{AdminError, Outcome};
use crate::control::Control;

impl Control {
    /// Makes sure that these are ids of health checks, of whatever account.
    ///
    /// # Errors
    /// When there is none of some id.
    pub fn know_health_checks<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Outcome<()> {
        let snapshot = self.fresh()?;
        for text in ids {
            let found = match HealthCheckId::new(text) {
                Ok(id) => snapshot.health_check(&id)?,
                Err(_) => None,
            };
            if found.is_none() {
                return Err(AdminError::UnknownHealthCheck(text.to_owned()));
            }
        }
        Ok(())
    }
}
