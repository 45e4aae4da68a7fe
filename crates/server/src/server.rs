//! The server as a whole: start, addresses, counts, stop.

use std::mem;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::Handle;

use crate::answerer::{Answer, Answerer, Seeds};
use crate::bound::{Bound, Role, Single};
use crate::config::{Config, Encryption, Listener, StartError};
use crate::counters::{Counters, Counts, Protocol};
use crate::https::Https;
use crate::live::Live;
use crate::quic::{self, Quic, QuicListener};
use crate::rate::Limiter;
use crate::service::Service;
use crate::socket::Sockets;
use crate::tcp::{StreamListener, Tcp};
use crate::udp::Worker;

/// A running server. Dropping it without [`stop`](Self::stop) stops it too, unattended.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    encrypted: Vec<(Role, SocketAddr)>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    counters: Counters,
    tcp: Tcp,
    quic: Quic,
    waiting: Option<WaitingQuic>,
    https: Option<Https>,
    runtime: Handle,
}

/// What QUIC is to begin with.
#[derive(Debug)]
struct WaitingQuic {
    sockets: Vec<Single<UdpSocket>>,
    encryption: Encryption,
    service: Service<Answerer>,
}

impl Server {
    /// Starts answering from `live` on all sockets, which were bound for the same configuration.
    ///
    /// UDP has its own threads; TCP runs on the given runtime, which must have its timer and I/O
    /// drivers on, and should be one where tasks do not block. QUIC waits for
    /// [`begin_quic`](Self::begin_quic), HTTPS for the taker of [`https`](Self::https).
    ///
    /// # Errors
    /// [`StartError::Thread`] and [`StartError::Socket`].
    pub fn start(
        config: &Config,
        bound: Bound,
        live: &Arc<Live>,
        runtime: &Handle,
    ) -> Result<Self, StartError> {
        let answerer = Answerer {
            identity: Arc::clone(&config.identity),
        };
        let mut bound = bound;
        let encrypted = bound.encrypted_addresses().collect();
        let doh = mem::take(&mut bound.doh);
        let doq = mem::take(&mut bound.doq);
        let mut server = Self::start_with(config, bound, live, runtime, &answerer)?;
        server.encrypted = encrypted;
        let Some(encryption) = &config.encryption else {
            return Ok(server);
        };
        let service = Service {
            live: Arc::clone(live),
            answerer,
            taps: config.taps.clone(),
        };
        if !doh.is_empty() {
            let cells = server.counters.stream(Protocol::Https);
            let https = Https::new(doh, &service, &server.tcp, &cells, encryption);
            server.https = Some(https.map_err(StartError::Tls)?);
        }
        server.waiting = Some(WaitingQuic {
            sockets: doq,
            encryption: encryption.clone(),
            service,
        });
        Ok(server)
    }

    /// Starts answering over QUIC too. Of all processes that have its sockets one at a time may do
    /// so: they share them, and each would hear a part of every conversation.
    ///
    /// # Errors
    /// [`StartError::Socket`] and [`StartError::Tls`].
    pub fn begin_quic(&mut self) -> Result<(), StartError> {
        match self.waiting.take() {
            Some(WaitingQuic {
                sockets,
                encryption,
                service,
            }) => self.start_quic(&encryption, sockets, &service),
            None => Ok(()),
        }
    }

    pub(crate) fn start_with<A: Answer>(
        config: &Config,
        bound: Bound,
        live: &Arc<Live<A::World>>,
        runtime: &Handle,
        answerer: &A,
    ) -> Result<Self, StartError> {
        config.check()?;
        if config.encryption.is_none() && !config.encrypted.is_empty() {
            return Err(StartError::NoCertificate);
        }
        let service = Service {
            live: Arc::clone(live),
            answerer: answerer.clone(),
            taps: config.taps.clone(),
        };
        let limiter = config.rate_limit.as_ref().map(|limit| {
            let mut seeds = Seeds::new();
            let keys = [seeds.next(), seeds.next()];
            Arc::new(Limiter::new(limit, keys))
        });
        let started = Instant::now();
        let mut server = Self {
            addresses: bound.addresses().collect(),
            encrypted: bound.encrypted_addresses().collect(),
            stop: Arc::default(),
            workers: Vec::new(),
            counters: Counters::default(),
            tcp: Tcp::new(config.tcp),
            quic: Quic::default(),
            waiting: None,
            https: None,
            runtime: runtime.clone(),
        };
        for (Listener { view, .. }, Sockets { address, udp, tcp }) in bound.listeners {
            let error = |error| StartError::Thread { address, error };
            for (number, socket) in udp.into_iter().enumerate() {
                let cells = Arc::default();
                server.counters.udp.push(Arc::clone(&cells));
                let worker = Worker {
                    socket,
                    address,
                    view,
                    max_payload: config.max_udp_payload,
                    core: config
                        .cores
                        .as_ref()
                        .map(|cores| cores[number % cores.len()]),
                    live: Arc::clone(live),
                    cells,
                    stop: Arc::clone(&server.stop),
                    answerer: answerer.clone(),
                    limiter: limiter.clone(),
                    taps: config.taps.clone(),
                    started,
                };
                server.workers.push(worker.spawn(number).map_err(error)?);
            }
            let accepting = StreamListener {
                socket: tcp,
                view,
                tls: None,
                cells: server.counters.stream(Protocol::Tcp),
            };
            let listening = server.tcp.listen(accepting, service.clone(), runtime);
            listening.map_err(|error| StartError::Socket { address, error })?;
        }
        if let Some(encryption) = &config.encryption {
            server.start_tls(encryption, bound.dot, &service)?;
            server.start_quic(encryption, bound.doq, &service)?;
        }
        Ok(server)
    }

    fn start_tls<A: Answer>(
        &mut self,
        Encryption {
            certificate,
            runtime,
        }: &Encryption,
        dot: Vec<Single<TcpListener>>,
        service: &Service<A>,
    ) -> Result<(), StartError> {
        let tls = certificate.tls_config(&["dot"]).map_err(StartError::Tls)?;
        let tls = Arc::new(tls);
        for Single {
            listener,
            address,
            socket,
        } in dot
        {
            let accepting = StreamListener {
                socket,
                view: listener.view,
                tls: Some(Arc::clone(&tls)),
                cells: self.counters.stream(Protocol::Tls),
            };
            let listening = self.tcp.listen(accepting, service.clone(), runtime);
            listening.map_err(|error| StartError::Socket { address, error })?;
        }
        Ok(())
    }

    fn start_quic<A: Answer>(
        &mut self,
        Encryption {
            certificate,
            runtime,
        }: &Encryption,
        doq: Vec<Single<UdpSocket>>,
        service: &Service<A>,
    ) -> Result<(), StartError> {
        if doq.is_empty() {
            return Ok(());
        }
        let settings = certificate.tls_config(&["doq"]).map_err(StartError::Tls)?;
        let settings = quic::server_config(settings, self.tcp.limits()).map_err(StartError::Tls)?;
        for Single {
            listener,
            address,
            socket,
        } in doq
        {
            let accepting = QuicListener {
                socket,
                address,
                view: listener.view,
                config: settings.clone(),
                limits: self.tcp.limits(),
                seats: Arc::clone(self.tcp.seats()),
                cells: self.counters.stream(Protocol::Quic),
            };
            let listening = self.quic.listen(accepting, service.clone(), runtime);
            listening.map_err(|error| StartError::Socket { address, error })?;
        }
        Ok(())
    }

    /// The sockets for DNS over HTTPS and what answers there, to be taken once; none if there are
    /// none. What is done with it ends with its taker, not with [`stop`](Self::stop).
    pub fn https(&mut self) -> Option<Https> {
        self.https.take()
    }

    /// The bound addresses, in the order of the listeners; ports chosen by the system included.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The bound addresses of listeners that encrypt, each with what it is for.
    #[must_use]
    pub fn encrypted_addresses(&self) -> &[(Role, SocketAddr)] {
        &self.encrypted
    }

    /// What has been done since the start, over all addresses and workers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// The counters, to be read as long as one likes.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Stops, and returns the final counts when every thread and task has ended.
    ///
    /// UDP workers finish their batch and what the kernel holds for them, within about 100 ms.
    /// TCP and QUIC accept no more, answer what has arrived and give clients the drain timeout to
    /// take it.
    pub async fn stop(mut self) -> Counts {
        self.stop.store(true, Ordering::Relaxed);
        tokio::join!(self.tcp.stop(), self.quic.stop());
        let workers = mem::take(&mut self.workers);
        let join = move || workers.into_iter().for_each(|worker| drop(worker.join()));
        // This fails only if the runtime has ended; the workers end all the same.
        let _ = self.runtime.spawn_blocking(join).await;
        self.counts()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // TCP sees the end of its own signal, which is dropped with it.
        self.stop.store(true, Ordering::Relaxed);
    }
}
