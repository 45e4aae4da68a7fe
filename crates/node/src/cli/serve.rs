//! `meridian serve`: the file, and what the command line says instead.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::config::ConfigArguments;
use crate::config::Config;

#[derive(Args)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Keep everything in this directory (default: ./meridian-data).
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Answer DNS on this address, UDP and TCP; may be given several times (default:
    /// 127.0.0.1:5300). At the first start the pool of name servers is made of these addresses;
    /// later it takes `meridian nameserver`.
    #[arg(long = "dns", value_name = "ADDR:PORT")]
    dns: Vec<SocketAddr>,
    /// Serve the Route 53 API on this address; plain HTTP is for loopback only (default:
    /// 127.0.0.1:5380).
    #[arg(long, value_name = "ADDR:PORT")]
    api: Option<SocketAddr>,
    /// Serve /metrics, /healthz and /readyz on this address (default: 127.0.0.1:5390).
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
}

impl ServeArguments {
    /// The file's configuration with what the command line says instead.
    pub(super) fn config(self) -> Result<Config> {
        let mut config = Config::read(self.config.config.as_deref())?;
        if let Some(data_dir) = self.data_dir {
            config.data_dir = data_dir;
        }
        if !self.dns.is_empty() {
            config.dns.listen = self.dns;
        }
        if let Some(api) = self.api {
            config.api.listen = api;
        }
        if let Some(metrics) = self.metrics {
            config.metrics.listen = metrics;
        }
        config.check()?;
        Ok(config)
    }
}
