//! The pool of name servers.

use std::net::IpAddr;

use meridian_dns::Name;
use meridian_log::ReadError;
use meridian_model::{
    NameServer, NameServerRefusal, PlanError, State, plan_delete_name_server, plan_put_name_server,
};

use super::{AdminError, Outcome, account_or_operators};
use crate::control::Control;

impl Control {
    /// The pool, by ordinal.
    ///
    /// # Errors
    /// Faults only.
    pub fn name_servers(&self) -> Outcome<Vec<NameServer>> {
        Ok(self.fresh()?.name_servers()?)
    }

    /// Adds a name to the pool, or moves one to other addresses.
    ///
    /// # Errors
    /// [`NameServerRefusal`].
    pub fn put_name_server(&self, name: &Name, addresses: &[IpAddr]) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let operator = account_or_operators(snapshot, None)?;
            let planned = plan_put_name_server(snapshot, &operator.id, name, addresses);
            Ok((planned.map_err(refused)?, ()))
        })
    }

    /// Takes a name out of the pool.
    ///
    /// # Errors
    /// [`NameServerRefusal`].
    pub fn delete_name_server(&self, name: &Name) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_delete_name_server(snapshot, name);
            Ok((planned.map_err(refused)?, ()))
        })
    }
}

fn refused(error: PlanError<NameServerRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
