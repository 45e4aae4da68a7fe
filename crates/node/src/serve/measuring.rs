//! The beacon at work: with a runtime and a thread of its own, so that strangers' requests hold up
//! neither DNS nor the API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use meridian_server::Live;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::doors::Doors;
use super::runtime;
use crate::beacon::{self, Beacon, BeaconCounts};
use crate::config::Config;
use crate::latency::Latency;

/// How long requests in progress may take at the end.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The beacon of this process. Dropped, it ends.
pub(super) struct Measuring {
    runtime: Option<Runtime>,
    end: Option<watch::Sender<()>>,
    beacon: Arc<Beacon>,
}

impl Measuring {
    /// Starts it, if it is configured.
    pub(super) fn start(
        config: &Config,
        doors: &Doors,
        live: &Arc<Live>,
        latency: &Arc<Latency>,
    ) -> Result<Option<Self>> {
        let Some(settings) = &config.beacon else {
            return Ok(None);
        };
        let beacon = Arc::new(Beacon::new(settings, &config.data_dir, live, latency)?);
        let runtime = runtime("beacon", 1)?;
        let (end, ended) = watch::channel(());
        let proxies: Arc<[_]> = settings.trusted_proxies.as_slice().into();
        let entered = runtime.enter();
        for entrance in doors.beacon()? {
            let address = entrance.listener.local_addr()?;
            tracing::info!(%address, region = settings.region, "the beacon is open at {address}");
            let (beacon, proxies) = (Arc::clone(&beacon), Arc::clone(&proxies));
            runtime.spawn(beacon::serve(beacon, entrance, proxies, ended.clone()));
        }
        runtime.spawn(beacon::forget(Arc::clone(&beacon), ended));
        drop(entered);
        Ok(Some(Self {
            runtime: Some(runtime),
            end: Some(end),
            beacon,
        }))
    }

    /// What it has done.
    pub(super) fn counts(&self) -> Arc<BeaconCounts> {
        Arc::clone(self.beacon.counts())
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(END_TIMEOUT);
        }
    }
}
