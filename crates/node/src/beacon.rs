//! The beacon: how long round trips take between clients and sites, told by browsers, by the kernel
//! of connections to this machine, and by agents. What comes of it are samples; what becomes of them
//! is not known here.
//!
//! An address is cut to its network (/24, or /48 of IPv6) before anything is kept of it, and never
//! written to a log.

mod agents;
mod choice;
mod counts;
mod door;
mod key;
mod limits;
pub(crate) mod post;
mod script;
#[cfg(test)]
mod tests;
mod token;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Result;
use meridian_answer::World;
use meridian_atlas::by_distance_ms;
use meridian_control::{Environment, SystemEnvironment};
use meridian_latency::report::Report;
use meridian_latency::{Kind, Network, Sample, kept};
use meridian_server::{Live, TcpInfo};
use ring::hmac;

use crate::config;
use crate::latency::{Latency, Measured};

use choice::choose;
use limits::Limit;
use token::{Seal, TokenFault};

pub(crate) use agents::{Agent, Agents, MAX_SKEW_MS, key_pair};
pub(crate) use counts::{BeaconCounts, Refusal};
pub(crate) use door::{forget, serve};

/// What tokens are sealed with.
const KEY_FILE: &str = "beacon.key";
/// Bytes that a connection has to have carried until its round trips are believed: with them it has
/// more than one.
const MIN_BYTES: u64 = 1000;

/// All that requests to the beacon are answered with.
pub(crate) struct Beacon {
    /// The region of this machine.
    region: Box<str>,
    sites: Vec<config::Site>,
    seal: Seal,
    token_lifetime_s: u64,
    /// What clients are told apart with. It is never written down and ends with the process.
    pseudonyms: hmac::Key,
    requests: Limit,
    reports: Limit,
    connections: Limit,
    agents: Arc<Agents>,
    /// Where samples go, and where regions are.
    latency: Arc<Latency>,
    live: Arc<Live>,
    counts: Arc<BeaconCounts>,
    image: Vec<u8>,
}

impl Beacon {
    /// Samples go to `latency`, which knows where regions are; what is fast for whom is asked of the
    /// World.
    pub(crate) fn new(
        config: &config::Beacon,
        data_dir: &Path,
        live: &Arc<Live>,
        latency: &Arc<Latency>,
    ) -> Result<Self> {
        let secret = SystemEnvironment::new().entropy();
        Ok(Self {
            region: config.region.as_str().into(),
            sites: config.sites.clone(),
            seal: Seal::new(&key::read_or_make(&data_dir.join(KEY_FILE))?),
            token_lifetime_s: config.token_lifetime_s,
            pseudonyms: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            requests: Limit::new(
                config.requests_per_minute,
                config.requests_per_minute_in_all,
            ),
            reports: Limit::new(config.samples_per_minute, config.samples_per_minute_in_all),
            connections: Limit::new(config.samples_per_minute, config.samples_per_minute_in_all),
            agents: Arc::new(Agents::of(data_dir)),
            latency: Arc::clone(latency),
            live: Arc::clone(live),
            counts: Arc::default(),
            image: script::image(),
        })
    }

    /// What was done so far.
    pub(crate) fn counts(&self) -> &Arc<BeaconCounts> {
        &self.counts
    }

    /// Forgets networks that were counted in a minute that is over.
    fn forget(&self, now_s: u64) {
        for limit in [&self.requests, &self.reports, &self.connections] {
            limit.forget(now_s);
        }
    }

    /// Whether another request of this client is answered.
    fn admits(&self, client: IpAddr) -> bool {
        let admitted = self.requests.take(kept(client), now_s());
        if !admitted {
            self.counts.refused(Refusal::TooMany);
        }
        admitted
    }

    /// The script for this client; none where there is nothing to be measured.
    fn script(&self, client: IpAddr) -> Option<String> {
        let expected = self.expected_ms(client);
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = SystemEnvironment::new().entropy();
        let chance = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        let chosen = choose(&expected, chance).into_iter();
        let chosen: Vec<&config::Site> = chosen.filter_map(|at| self.sites.get(at)).collect();
        if chosen.is_empty() {
            return None;
        }
        let regions: Vec<&str> = chosen.iter().map(|site| site.region.as_str()).collect();
        let urls: Vec<&str> = chosen.iter().map(|site| site.url.as_str()).collect();
        let expires_s = now_s() + self.token_lifetime_s;
        let token = self.seal.token(expires_s, kept(client), &regions);
        self.counts.script();
        Some(script::script(&token, &urls))
    }

    /// How long a round trip to each site is expected to take, where anything is known of it: as
    /// the map says that answers go by, or by distance.
    fn expected_ms(&self, client: IpAddr) -> Vec<Option<f32>> {
        let world: Arc<World> = Arc::clone(&self.live.load());
        let client = client.to_canonical();
        let row = world.latency_map().and_then(|map| map.look_up(client));
        let from = world.atlas().look_up(client).place.completed().point;
        let regions = self.latency.regions();
        let by_distance = |region: &str| {
            let km = from?.distance_km(regions.point(region)?);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no distance is beyond a f32"
            )]
            Some(by_distance_ms(km) as f32)
        };
        let expected = |config::Site { region, .. }: &config::Site| {
            let by_map = row
                .as_ref()
                .and_then(|row| row.ms(row.map().region(region)?));
            by_map.or_else(|| by_distance(region))
        };
        self.sites.iter().map(expected).collect()
    }

    /// Takes what a script has measured at this client.
    fn report(&self, client: IpAddr, body: &[u8]) -> Result<(), Refusal> {
        let taken = self.take_report(client, body);
        if let Err(refusal) = taken {
            self.counts.refused(refusal);
        }
        taken
    }

    fn take_report(&self, client: IpAddr, body: &[u8]) -> Result<(), Refusal> {
        let (network, now_s) = (kept(client), now_s());
        let report = Report::read(body).map_err(|_| Refusal::Malformed)?;
        let regions = self.seal.regions(report.token, now_s, network);
        let regions = regions.map_err(|fault| match fault {
            TokenFault::Invalid => Refusal::Token,
            TokenFault::Expired => Refusal::Expired,
        })?;
        if regions.len() != report.round_trips_us.len() {
            return Err(Refusal::Malformed);
        }
        if !self.reports.take(network, now_s) {
            return Err(Refusal::TooMany);
        }
        self.counts.report();
        for (region, rtt_us) in regions.into_iter().zip(report.round_trips_us) {
            if let Some(rtt_us) = rtt_us {
                self.take(client, region, rtt_us, Kind::Rum);
            }
        }
        Ok(())
    }

    /// Takes what the kernel knows of a client's connection that has ended. Without enough on it,
    /// or with more from this network than there should be, it counts for nothing.
    fn connection_ended(&self, client: IpAddr, info: &TcpInfo, kind: Kind) {
        let Some(rtt_us) = round_trip(info) else {
            return;
        };
        if self.connections.take(kept(client), now_s()) {
            self.take(client, &self.region, rtt_us, kind);
        }
    }

    /// Makes a sample, in which there is no address.
    fn take(&self, client: IpAddr, region: &str, rtt_us: u32, kind: Kind) {
        let sample = Sample {
            at_s: now_s(),
            network: kept(client),
            region: region.into(),
            rtt_us,
            count: 1,
            weight: kind.weight(),
            kind,
            client: Some(self.pseudonym(client)),
        };
        self.send(Measured::Sample(sample));
    }

    fn send(&self, measured: Measured) {
        self.counts.measured(&measured);
        if !self.latency.sink().try_send(measured) {
            self.counts.dropped();
        }
    }

    /// A number that tells clients apart and leads back to none. Of IPv6 a /56 is one client: whoever
    /// has an address has as many as he likes, and the like of a /56 of them.
    fn pseudonym(&self, client: IpAddr) -> u64 {
        let client = client.to_canonical();
        let len = if client.is_ipv4() { 32 } else { 56 };
        let who = Network::new(client, len).map(|network| network.to_string());
        let tag = hmac::sign(&self.pseudonyms, who.unwrap_or_default().as_bytes());
        let (words, _) = tag.as_ref().as_chunks::<8>();
        words.first().map_or(0, |word| u64::from_le_bytes(*word))
    }
}

/// The round trip that a connection is a sample of, if it is one.
fn round_trip(info: &TcpInfo) -> Option<u32> {
    let is_enough = info.data_segments > 0 && info.bytes_acked >= MIN_BYTES;
    let rtt_us = info.min_rtt_us.unwrap_or(info.rtt_us);
    (is_enough && rtt_us > 0).then_some(rtt_us)
}

/// Seconds since 1970.
fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
