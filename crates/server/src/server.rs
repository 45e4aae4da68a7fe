//! The server as a whole: start, addresses, counts, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::Handle;

use crate::answerer::{Answer, Answerer, Seeds};
use crate::bound::Bound;
use crate::config::{Config, Listener, StartError};
use crate::counters::{Counters, Counts, Protocol, StreamCells};
use crate::live::Live;
use crate::rate::Limiter;
use crate::socket::Sockets;
use crate::tcp::{self, Tcp};
use crate::udp::Worker;

/// A running server. Dropping it without [`stop`](Self::stop) stops it too, unattended.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    counters: Counters,
    tcp: Tcp,
    runtime: Handle,
}

impl Server {
    /// Starts answering from `live` on all sockets, which were bound for the same configuration.
    ///
    /// UDP has its own threads; TCP runs on the given runtime, which must have its timer and I/O
    /// drivers on, and should be one where tasks do not block.
    ///
    /// # Errors
    /// [`StartError::Thread`] and [`StartError::Socket`].
    pub fn start(
        config: &Config,
        bound: Bound,
        live: &Arc<Live>,
        runtime: &Handle,
    ) -> Result<Self, StartError> {
        let identity = Arc::clone(&config.identity);
        Self::start_with(config, bound, live, runtime, &Answerer { identity })
    }

    pub(crate) fn start_with<A: Answer>(
        config: &Config,
        bound: Bound,
        live: &Arc<Live<A::World>>,
        runtime: &Handle,
        answerer: &A,
    ) -> Result<Self, StartError> {
        config.check()?;
        let service = tcp::Service {
            live: Arc::clone(live),
            answerer: answerer.clone(),
            taps: Arc::clone(&config.taps),
        };
        let limiter = config.rate_limit.as_ref().map(|limit| {
            let mut seeds = Seeds::new();
            let keys = [seeds.next(), seeds.next()];
            Arc::new(Limiter::new(limit, keys))
        });
        let started = Instant::now();
        let mut server = Self {
            addresses: bound.addresses().collect(),
            stop: Arc::default(),
            workers: Vec::new(),
            counters: Counters::default(),
            tcp: Tcp::new(config.tcp),
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
                    taps: Arc::clone(&config.taps),
                    started,
                };
                server.workers.push(worker.spawn(number).map_err(error)?);
            }
            let cells = Arc::new(StreamCells::new(Protocol::Tcp));
            server.counters.streams.push(Arc::clone(&cells));
            let service = service.clone();
            let listening = server.tcp.listen(tcp, view, service, cells, runtime);
            listening.map_err(|error| StartError::Socket { address, error })?;
        }
        Ok(server)
    }

    /// The bound addresses, in the order of the listeners; ports chosen by the system included.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
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
    /// TCP accepts no more, answers what has arrived and gives clients the drain timeout to take
    /// it.
    pub async fn stop(mut self) -> Counts {
        self.stop.store(true, Ordering::Relaxed);
        self.tcp.stop().await;
        let workers = std::mem::take(&mut self.workers);
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
