//! TestDNSAnswer, and the reason for the answer.

use std::net::{IpAddr, Ipv4Addr};

use meridian_dns::Name;
use meridian_log::Snapshot;
use meridian_model::{Region, State, Zone};

use super::Outcome;
use super::get_health_check::own_health_check;
use crate::answering::{Supposed, TestAnswer, TestQuery};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, OperationError, Refusal};
use crate::request::TestDnsAnswer;
use crate::rights::{authorize, own_zone};

/// An address in us-east-1, which the documentation gives as the place of the resolver.
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(3, 80, 0, 1));

impl Control {
    /// TestDNSAnswer: what the name servers of a public zone answer now.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidInput`.
    pub fn test_dns_answer(&self, caller: &Caller, request: &TestDnsAnswer) -> Outcome<TestAnswer> {
        self.ask(caller, request, |_, query| Ok(self.answering.test(query)))
    }

    /// Why they answer that, as a JSON document. What is supposed touches nothing. Who may ask for
    /// the answer may ask for its reason.
    ///
    /// # Errors
    /// As for [`Control::test_dns_answer`]; `NoSuchHealthCheck`.
    pub fn explain_dns_answer(
        &self,
        caller: &Caller,
        request: &TestDnsAnswer,
        supposed: &Supposed,
    ) -> Outcome<String> {
        self.ask(caller, request, |snapshot, query| {
            for (id, _) in &supposed.health {
                own_health_check(snapshot, caller, id)?;
            }
            if let Some(region) = &supposed.region
                && Region::new(region).is_none()
                && !snapshot
                    .own_regions()?
                    .iter()
                    .any(|own| own.name.as_str() == region)
            {
                return Err(invalid(format!("{region} is not a region.")));
            }
            Ok(self.answering.explain(query, supposed))
        })
    }

    /// Who may ask does, of what the tables hold.
    fn ask<T>(
        &self,
        caller: &Caller,
        request: &TestDnsAnswer,
        ask: impl FnOnce(&Snapshot, &TestQuery<'_>) -> Outcome<Option<T>>,
    ) -> Outcome<T> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:TestDNSAnswer", "*")?;
        let zone = own_zone(&snapshot, caller, &request.hosted_zone_id)?;
        let query = TestQuery {
            zone: &zone,
            name: &name_in(&zone, &request.record_name)?,
            rtype: request.record_type,
            resolver: request.resolver.unwrap_or(RESOLVER),
            client: client_of(request)?,
        };
        Ok(ask(&snapshot, &query)?.ok_or(Fault::NotApplied)?)
    }
}

/// The name, which the name servers of the zone are asked for because of that zone.
fn name_in(zone: &Zone, text: &str) -> Result<Name, OperationError> {
    if zone.private {
        return Err(invalid(format!(
            "TestDNSAnswer is for public hosted zones only: {} is a private one.",
            zone.id
        )));
    }
    let name = Name::parse(text).map_err(|error| invalid(format!("FATAL problem: {error}")))?;
    if !name.to_lowercase().is_within(&zone.name) {
        return Err(invalid(format!(
            "The record name {text} is not within the hosted zone {}",
            zone.name
        )));
    }
    Ok(name)
}

/// The network asked for. A mask alone is of nothing.
fn client_of(request: &TestDnsAnswer) -> Result<Option<(IpAddr, u8)>, OperationError> {
    let Some(address) = request.client else {
        return match request.client_mask {
            None => Ok(None),
            Some(_) => Err(invalid(
                "EDNS0ClientSubnetMask needs EDNS0ClientSubnetIP.".to_owned(),
            )),
        };
    };
    let (most, usual) = match address {
        IpAddr::V4(_) => (32, 24),
        IpAddr::V6(_) => (128, 64),
    };
    let mask = request.client_mask.unwrap_or(usual);
    if mask > most {
        return Err(invalid(format!(
            "EDNS0ClientSubnetMask must be from 0 to {most} for {address}."
        )));
    }
    Ok(Some((address, mask)))
}

fn invalid(reason: String) -> OperationError {
    Refusal::InvalidInput(reason).into()
}
