//! The data plane: its sockets, and the server on them, which may stop and start again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use meridian_server::{Bound, BoundSocket, Config, Live, Role, Server};
use tokio::runtime::{Handle, Runtime};

use crate::condition::Condition;
use crate::doh::Doh;
use crate::replace::Handed;
use crate::taps::Taps;

/// Sockets that stay open, and what answers on them.
pub(super) struct Dns {
    config: Config,
    /// Kept beside those of the server, for the next process or the next start.
    bound: Bound,
    live: Arc<Live>,
    condition: Arc<Condition>,
    runtime: Handle,
    server: Option<Server>,
    https: Option<Doh>,
    /// Dropped after the server, so that its last queries are logged.
    _taps: Taps,
}

impl Dns {
    /// Takes the sockets that were handed over, binds the others, and starts answering; over QUIC
    /// only [then](Self::begin_quic).
    pub(super) fn start(
        config: Config,
        handed: Vec<BoundSocket>,
        (live, condition, taps): (Arc<Live>, Arc<Condition>, Taps),
        runtime: &Runtime,
    ) -> Result<Self> {
        let bound = Bound::take_over(&config, handed)?;
        let mut dns = Self {
            config,
            bound,
            live,
            condition,
            _taps: taps,
            runtime: runtime.handle().clone(),
            server: None,
            https: None,
        };
        dns.start_server()?;
        Ok(dns)
    }

    /// Answers again on the same sockets, on which no other process does.
    pub(super) fn resume(&mut self) -> Result<()> {
        self.start_server()?;
        self.begin_quic()
    }

    /// Answers over QUIC too, where no other process does so any more.
    pub(super) fn begin_quic(&mut self) -> Result<()> {
        match &mut self.server {
            Some(server) => Ok(server.begin_quic()?),
            None => Ok(()),
        }
    }

    fn start_server(&mut self) -> Result<()> {
        if self.server.is_none() {
            self.condition.answering(None);
            let bound = Bound::take_over(&self.config, self.bound.duplicate()?)?;
            let mut server = Server::start(&self.config, bound, &self.live, &self.runtime)?;
            self.https = server.https().map(Doh::start).transpose()?;
            self.condition.answering(Some(server.counters()));
            self.server = Some(server);
        }
        Ok(())
    }

    /// Answers no more; what comes from now on waits in the sockets, or is another process's. So
    /// the monitor goes on as it was until that one is heard.
    pub(super) async fn stop(&mut self) {
        let https = async {
            if let Some(https) = self.https.take() {
                https.stop().await;
            }
        };
        let server = async {
            if let Some(server) = self.server.take() {
                server.stop().await;
            }
        };
        tokio::join!(https, server);
    }

    /// Where it answers.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.bound.addresses().collect()
    }

    /// Where it answers encrypted, and how.
    pub(super) fn encrypted_addresses(&self) -> Vec<(Role, SocketAddr)> {
        self.bound.encrypted_addresses().collect()
    }

    /// What it answers from.
    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Where it says how it is doing.
    pub(super) fn condition(&self) -> &Arc<Condition> {
        &self.condition
    }

    /// The sockets once more, for another process.
    pub(super) fn sockets(&self) -> io::Result<Vec<Handed>> {
        let sockets = self.bound.duplicate()?;
        Ok(sockets.into_iter().map(Handed::from).collect())
    }
}

/// The sockets of DNS, and the others.
pub(super) fn separate(handed: Vec<Handed>) -> (Vec<BoundSocket>, Vec<Handed>) {
    let mut of_dns = Vec::new();
    let mut others = Vec::new();
    for Handed { place, socket } in handed {
        match (Role::named(&place.role), place.address) {
            (Some(role), Some(address)) => of_dns.push(BoundSocket {
                role,
                address,
                number: place.number,
                socket,
            }),
            _ => others.push(Handed { place, socket }),
        }
    }
    (of_dns, others)
}
