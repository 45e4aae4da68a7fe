//! The listening sockets of the control plane: API, metrics and admin socket, and the certificate that
//! the API shows. They stay open while nobody listens, so that whoever connects waits.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use anyhow::{Context, Result};
use meridian_api::Scheme;
use meridian_server::Certificate;
use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::rustls::ServerConfig;

use crate::admin;
use crate::certificate;
use crate::config::Config;
use crate::http::{Clients, Entrance, PROTOCOL};
use crate::replace::{Handed, Place};

const API: &str = "api";
const API_TLS: &str = "api-tls";
const METRICS: &str = "metrics";
const ADMIN: &str = "admin";

/// How many connections wait to be accepted. Those of a burst that do not fit try again after a
/// second.
const BACKLOG: u32 = 1024;

/// Open listening sockets.
pub(super) struct Doors {
    api: Door,
    /// Those of HTTPS, and what is told about TLS.
    api_tls: Vec<Door>,
    clients: Arc<Clients>,
    tls: Option<ApiTls>,
    metrics: Door,
    admin: UnixListener,
}

/// What is told about TLS, and the certificate in it.
struct ApiTls {
    config: Arc<ServerConfig>,
    certificate: Arc<Certificate>,
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
            None => bind(config.api.listen, "the API", "--api")?,
        };
        let mut api_tls = Vec::new();
        for &address in config.api.tls.iter().flat_map(|tls| &tls.listen) {
            let listener = match take(&mut handed, API_TLS, Some(address)) {
                Some(socket) => socket.into(),
                None => bind(address, "the API", "api.tls.listen")?,
            };
            api_tls.push(Door { address, listener });
        }
        let metrics = match take(&mut handed, METRICS, Some(config.metrics.listen)) {
            Some(socket) => socket.into(),
            None => metrics(config).await?.into_std()?,
        };
        Ok(Self {
            api: Door {
                address: config.api.listen,
                listener: api,
            },
            api_tls,
            clients: Arc::new(Clients::new(config.api.trusted_proxies.clone())),
            tls: tls(config)?,
            metrics: Door {
                address: config.metrics.listen,
                listener: metrics,
            },
            admin,
        })
    }

    /// Those of the API, once more.
    pub(super) fn api(&self) -> io::Result<Vec<(Scheme, Entrance)>> {
        let plain = Entrance {
            listener: self.api.open()?,
            tls: None,
            clients: Arc::clone(&self.clients),
        };
        let mut entrances = vec![(Scheme::Http, plain)];
        for door in &self.api_tls {
            let encrypted = Entrance {
                listener: door.open()?,
                tls: self.tls.as_ref().map(|tls| Arc::clone(&tls.config)),
                clients: Arc::clone(&self.clients),
            };
            entrances.push((Scheme::Https, encrypted));
        }
        Ok(entrances)
    }

    /// Who is connected to the API.
    pub(super) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// The certificate that the API shows.
    pub(super) fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.tls.as_ref().map(|tls| &tls.certificate)
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
        let encrypted = self.api_tls.iter().map(|door| (API_TLS, door));
        let doors = [(API, &self.api), (METRICS, &self.metrics)];
        let mut sockets = vec![handed(ADMIN, None, self.admin.try_clone()?.into())];
        for (role, door) in encrypted.chain(doors) {
            let socket = door.listener.try_clone()?;
            sockets.push(handed(role, Some(door.address), socket.into()));
        }
        Ok(sockets)
    }
}

impl Door {
    fn open(&self) -> io::Result<TcpListener> {
        TcpListener::from_std(self.listener.try_clone()?)
    }
}

/// What the API's encrypted listeners show: the files as they are now, and as they change.
fn tls(config: &Config) -> Result<Option<ApiTls>> {
    let Some(tls) = &config.api.tls else {
        return Ok(None);
    };
    let certificate = certificate::follow(tls.files())?;
    Ok(Some(ApiTls {
        config: Arc::new(certificate.tls_config(&[PROTOCOL])?),
        certificate,
    }))
}

/// A listener for health checks alone.
pub(super) async fn metrics(config: &Config) -> Result<TcpListener> {
    let address = config.metrics.listen;
    let listener = bind(address, "health checks", "--metrics")?;
    Ok(TcpListener::from_std(listener)?)
}

fn bind(address: SocketAddr, what: &str, option: &str) -> Result<std::net::TcpListener> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if address.is_ipv6() {
            // `[::]` is every address of its family, beside 0.0.0.0 for the other.
            set_ipv6_v6only(&socket, true)?;
        }
        // Connections of a process before may linger.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    let listener = listen().with_context(|| {
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
