//! The listening sockets of the control plane: API, metrics and admin socket. They stay open while
//! nobody listens, so that whoever connects waits.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::admin;
use crate::config::Config;
use crate::replace::{Handed, Place};

const API: &str = "api";
const METRICS: &str = "metrics";
const ADMIN: &str = "admin";

/// Open listening sockets.
pub(super) struct Doors {
    api: Door,
    metrics: Door,
    admin: UnixListener,
}

struct Door {
    /// As configured.
    address: SocketAddr,
    listener: std::net::TcpListener,
}

impl Doors {
    /// Takes the sockets that were handed over as far as the configuration asks for them, and opens
    /// the others.
    pub(super) async fn open(config: &Config, mut handed: Vec<Handed>) -> Result<Self> {
        let admin = match take(&mut handed, ADMIN, None) {
            Some(socket) => socket.into(),
            None => admin::listen(&config.data_dir)?,
        };
        let api = match take(&mut handed, API, Some(config.api.listen)) {
            Some(socket) => socket.into(),
            None => bind(config.api.listen, "the API", "--api").await?,
        };
        let metrics = match take(&mut handed, METRICS, Some(config.metrics.listen)) {
            Some(socket) => socket.into(),
            None => metrics(config).await?.into_std()?,
        };
        Ok(Self {
            api: Door {
                address: config.api.listen,
                listener: api,
            },
            metrics: Door {
                address: config.metrics.listen,
                listener: metrics,
            },
            admin,
        })
    }

    /// The API's, once more.
    pub(super) fn api(&self) -> io::Result<TcpListener> {
        self.api.open()
    }

    /// That of health checks, once more.
    pub(super) fn metrics(&self) -> io::Result<TcpListener> {
        self.metrics.open()
    }

    /// The admin socket, once more.
    pub(super) fn admin(&self) -> io::Result<tokio::net::UnixListener> {
        tokio::net::UnixListener::from_std(self.admin.try_clone()?)
    }

    /// All of them once more, for another process.
    pub(super) fn sockets(&self) -> io::Result<Vec<Handed>> {
        let handed = |role: &str, address, socket| Handed {
            place: Place {
                role: role.to_owned(),
                address,
                number: 0,
            },
            socket,
        };
        let (api, metrics) = (&self.api, &self.metrics);
        Ok(vec![
            handed(API, Some(api.address), api.listener.try_clone()?.into()),
            handed(
                METRICS,
                Some(metrics.address),
                metrics.listener.try_clone()?.into(),
            ),
            handed(ADMIN, None, self.admin.try_clone()?.into()),
        ])
    }
}

impl Door {
    fn open(&self) -> io::Result<TcpListener> {
        TcpListener::from_std(self.listener.try_clone()?)
    }
}

/// A listener for health checks alone.
pub(super) async fn metrics(config: &Config) -> Result<TcpListener> {
    let address = config.metrics.listen;
    let listener = bind(address, "health checks", "--metrics").await?;
    Ok(TcpListener::from_std(listener)?)
}

async fn bind(address: SocketAddr, what: &str, option: &str) -> Result<std::net::TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address} for {what}; if another server has it, stop that one or \
             name another address with {option}"
        )
    })?;
    Ok(listener.into_std()?)
}

fn take(handed: &mut Vec<Handed>, role: &str, address: Option<SocketAddr>) -> Option<OwnedFd> {
    let found = handed
        .iter()
        .position(|handed| handed.place.role == role && handed.place.address == address)?;
    Some(handed.remove(found).socket)
}
