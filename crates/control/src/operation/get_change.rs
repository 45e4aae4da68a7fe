//! GetChange.

use meridian_model::ChangeId;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ChangeOutcome;
use crate::rights::authorize;

impl Control {
    /// GetChange: INSYNC once every name server serves the change.
    ///
    /// # Errors
    /// `NoSuchChange`, for changes of other accounts too.
    pub fn change(&self, caller: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        let snapshot = self.fresh()?;
        let arn = format!("arn:aws:route53:::change/{id}");
        authorize(&snapshot, caller, "route53:GetChange", &arn)?;
        let missing = || Refusal::NoSuchChange(id.to_owned());
        let bare = ChangeId::new(id).map_err(|_| missing())?;
        let found = snapshot.change(&bare)?;
        let own = found.filter(|(_, change)| change.account == caller.account);
        let (seq, change) = own.ok_or_else(missing)?;
        let status = self.acks.status(change.zone.as_ref(), seq);
        Ok(ChangeOutcome { change, status })
    }
}
