//! What the checkers of this process saw, for the control plane to tell: GetHealthCheckStatus,
//! GetHealthCheckLastFailureReason and GetCheckerIpRanges.

use std::net::IpAddr;
use std::sync::Arc;

use meridian_control::{Observation, Observations};
use meridian_model::{HealthSlot, Network, Timestamp};

use super::board::{Board, Member};
use super::reports::{last_failure, last_sight};

/// What is on the board.
pub(crate) struct Observed(pub(crate) Arc<Board>);

impl Observations for Observed {
    fn status(&self, slot: HealthSlot) -> Vec<Observation> {
        let members = self.0.members();
        let seen = members.iter().filter_map(|member| {
            let sight = last_sight(&self.0, &member.desk, slot)?;
            Some(told(member, sight.status, sight.at))
        });
        seen.collect()
    }

    fn last_failures(&self, slot: HealthSlot) -> Vec<Observation> {
        let members = self.0.members();
        let failed = members.iter().filter_map(|member| {
            let failure = last_failure(&self.0, &member.desk, slot)?;
            Some(told(member, failure.status, failure.at))
        });
        failed.collect()
    }

    fn checkers(&self) -> Vec<Network> {
        let mut addresses: Vec<IpAddr> =
            self.0.members().iter().map(|known| known.address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let networks = addresses.into_iter().filter_map(|address| {
            let length = if address.is_ipv4() { 32 } else { 128 };
            format!("{address}/{length}").parse().ok()
        });
        networks.collect()
    }
}

fn told(member: &Member, status: String, checked_at: Timestamp) -> Observation {
    Observation {
        region: member.region.as_str().to_owned(),
        address: member.address,
        status,
        checked_at,
    }
}
