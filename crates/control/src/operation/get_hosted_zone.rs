//! GetHostedZone.

use super::{Outcome, counted};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::HostedZone;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// GetHostedZone.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, for zones of other accounts too.
    pub fn hosted_zone(&self, caller: &Caller, id: &str) -> Outcome<HostedZone> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:GetHostedZone", &zone_arn(id))?;
        let zone = own_zone(&snapshot, caller, id)?;
        counted(&snapshot, zone)
    }
}
