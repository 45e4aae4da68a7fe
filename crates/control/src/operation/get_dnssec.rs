//! GetDNSSEC, as long as no zone can be signed: whether there is such a zone to ask about.

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// GetDNSSEC: the zone is not signed.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidArgument` for private zones.
    pub fn dnssec(&self, caller: &Caller, id: &str) -> Outcome<()> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:GetDNSSEC", &zone_arn(id))?;
        let zone = own_zone(&snapshot, caller, id)?;
        if zone.private {
            let text = "Operation is unsupported for private hosted zones.";
            return Err(Refusal::InvalidArgument(text.to_owned()).into());
        }
        Ok(())
    }
}
