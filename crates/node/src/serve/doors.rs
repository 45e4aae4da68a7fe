//! The listening sockets of HTTP beside DNS: API, beacon, metrics and the admin socket, and the
//! certificates that they show. They stay open while nobody listens, so that whoever connects waits.

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
use crate::certificate::{self, CertificateFiles};
use crate::config::{self, ApiTls, BeaconTls, Config};
use crate::http::{Clients, Entrance, PROTOCOL};
use crate::replace::{Handed, Place};

const API: &str = "api";
const API_TLS: &str = "api-tls";
const BEACON: &str = "beacon";
const BEACON_TLS: &str = "beacon-tls";
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
    tls: Option<Shown>,
    beacon: Option<BeaconDoors>,
    metrics: Door,
    admin: UnixListener,
}

/// Those of the beacon.
struct BeaconDoors {
    plain: Option<Door>,
    encrypted: Vec<Door>,
    tls: Option<Shown>,
    clients: Arc<Clients>,
}

/// What is told about TLS, and the certificate in it.
struct Shown {
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
            let door = Door::open_at(&mut handed, API_TLS, address, ("the API", "api.tls.listen"))?;
            api_tls.push(door);
        }
        let beacon = config.beacon.as_ref();
        let beacon = beacon.map(|beacon| BeaconDoors::open(beacon, &mut handed));
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
            tls: shown(config.api.tls.as_ref().map(ApiTls::files))?,
            beacon: beacon.transpose()?,
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

    /// The certificate that the beacon shows.
    pub(super) fn beacon_certificate(&self) -> Option<&Arc<Certificate>> {
        let tls = self.beacon.as_ref()?.tls.as_ref();
        tls.map(|tls| &tls.certificate)
    }

    /// Those of the beacon, once more.
    pub(super) fn beacon(&self) -> io::Result<Vec<Entrance>> {
        self.beacon
            .as_ref()
            .map_or(Ok(Vec::new()), BeaconDoors::entrances)
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
        let beacon = self.beacon.iter().flat_map(BeaconDoors::doors);
        let doors = [(API, &self.api), (METRICS, &self.metrics)];
        let mut sockets = vec![handed(ADMIN, None, self.admin.try_clone()?.into())];
        for (role, door) in encrypted.chain(doors).chain(beacon) {
            let socket = door.listener.try_clone()?;
            sockets.push(handed(role, Some(door.address), socket.into()));
        }
        Ok(sockets)
    }
}

impl BeaconDoors {
    fn open(config: &config::Beacon, handed: &mut Vec<Handed>) -> Result<Self> {
        let mut open =
            |role, address, key| Door::open_at(handed, role, address, ("the beacon", key));
        let plain = config.listen;
        let plain = plain.map(|address| open(BEACON, address, "beacon.listen"));
        let over_tls = config.tls.iter().flat_map(|tls| &tls.listen);
        let encrypted = over_tls.map(|&address| open(BEACON_TLS, address, "beacon.tls.listen"));
        Ok(Self {
            plain: plain.transpose()?,
            encrypted: encrypted.collect::<Result<_>>()?,
            tls: shown(config.tls.as_ref().map(BeaconTls::files))?,
            clients: Arc::new(Clients::unnamed(config.trusted_proxies.clone())),
        })
    }

    fn entrances(&self) -> io::Result<Vec<Entrance>> {
        let entrance = |door: &Door, tls: Option<&Shown>| {
            Ok(Entrance {
                listener: door.open()?,
                tls: tls.map(|tls| Arc::clone(&tls.config)),
                clients: Arc::clone(&self.clients),
            })
        };
        let plain = self.plain.iter().map(|door| entrance(door, None));
        let encrypted = self.encrypted.iter();
        let encrypted = encrypted.map(|door| entrance(door, self.tls.as_ref()));
        plain.chain(encrypted).collect()
    }

    fn doors(&self) -> impl Iterator<Item = (&'static str, &Door)> {
        let plain = self.plain.iter().map(|door| (BEACON, door));
        plain.chain(self.encrypted.iter().map(|door| (BEACON_TLS, door)))
    }
}

impl Door {
    /// The socket that was handed over for this address, or a new one.
    fn open_at(
        handed: &mut Vec<Handed>,
        role: &str,
        address: SocketAddr,
        (what, option): (&str, &str),
    ) -> Result<Self> {
        let listener = match take(handed, role, Some(address)) {
            Some(socket) => socket.into(),
            None => bind(address, what, option)?,
        };
        Ok(Self { address, listener })
    }

    fn open(&self) -> io::Result<TcpListener> {
        TcpListener::from_std(self.listener.try_clone()?)
    }
}

/// What encrypted listeners show: the files as they are now, and as they change.
fn shown(files: Option<CertificateFiles>) -> Result<Option<Shown>> {
    let Some(files) = files else {
        return Ok(None);
    };
    let certificate = certificate::follow(files)?;
    Ok(Some(Shown {
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
