//! What the checkers of this process saw, for the control plane to tell: GetHealthCheckStatus,
//! GetHealthCheckLastFailureReason and GetCheckerIpRanges.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_control::{AlarmConfiguration, Observation, Observations};
use meridian_model::{HealthSlot, Network, Timestamp};

use crate::config::Alarm;

use super::board::{Board, Member};
use super::reports::{last_failure, last_sight};

/// What is on the board, and what is known of alarms.
pub(crate) struct Observed {
    board: Arc<Board>,
    /// By region and name.
    alarms: HashMap<(String, String), AlarmConfiguration>,
}

impl Observed {
    /// Of this board; of the alarms those that it is said of.
    pub(crate) fn new(board: &Arc<Board>, alarms: &[Alarm]) -> Self {
        let told = alarms.iter().filter_map(|alarm| {
            let key = (alarm.region.clone(), alarm.name.clone());
            Some((key, alarm.configuration()?))
        });
        Self {
            board: Arc::clone(board),
            alarms: told.collect(),
        }
    }
}

impl Observations for Observed {
    fn status(&self, slot: HealthSlot) -> Vec<Observation> {
        let members = self.board.members();
        let seen = members.iter().filter_map(|member| {
            let sight = last_sight(&self.board, &member.desk, slot)?;
            Some(told(member, sight.status, sight.at))
        });
        seen.collect()
    }

    fn last_failures(&self, slot: HealthSlot) -> Vec<Observation> {
        let members = self.board.members();
        let failed = members.iter().filter_map(|member| {
            let failure = last_failure(&self.board, &member.desk, slot)?;
            Some(told(member, failure.status, failure.at))
        });
        failed.collect()
    }

    fn checkers(&self) -> Vec<Network> {
        let mut addresses: Vec<IpAddr> = self
            .board
            .members()
            .iter()
            .map(|known| known.address)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let networks = addresses.into_iter().filter_map(|address| {
            let length = if address.is_ipv4() { 32 } else { 128 };
            format!("{address}/{length}").parse().ok()
        });
        networks.collect()
    }

    fn alarm(&self, region: &str, name: &str) -> Option<AlarmConfiguration> {
        let key = (region.to_owned(), name.to_owned());
        self.alarms.get(&key).cloned()
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
