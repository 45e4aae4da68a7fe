//! DNS over HTTPS (RFC 8484): its listeners and their terms. What a request means is in `exchange`,
//! connections are `http`'s; sockets, limits and answers are crate `server`'s.

mod exchange;

use meridian_server::Https;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::{self, Terms, Tls, Versions};

use exchange::Exchange;

/// The largest request head, for either version.
const MAX_HEAD_LEN: u32 = 16 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 64;

/// All listeners of DNS over HTTPS, running.
pub(crate) struct Doh {
    end: watch::Sender<()>,
    accepting: Vec<JoinHandle<()>>,
}

impl Doh {
    /// Starts accepting connections on the runtime that they bring along.
    pub(crate) fn start(https: Https) -> std::io::Result<Self> {
        let (end, ending) = watch::channel(());
        let limits = https.limits;
        let terms = Terms {
            tls: Some(Tls {
                config: https.tls,
                handshake_timeout: limits.handshake_timeout,
            }),
            versions: Versions::OneAndTwo,
            // All kinds of connection share the seats of DNS.
            connections: None,
            head_len: MAX_HEAD_LEN,
            headers: MAX_HEADERS,
            head_timeout: limits.idle_timeout,
            idle_timeout: Some(limits.idle_timeout),
            drain_timeout: limits.drain_timeout,
        };
        let _entered = https.runtime.enter();
        let mut accepting = Vec::new();
        for (socket, seats) in https.listeners {
            let listener = TcpListener::from_std(socket)?;
            let admit = move |client, asked| {
                let connection = seats.admit(client, asked)?;
                Some(Exchange::new(connection, limits))
            };
            let serving = http::serve(listener, terms.clone(), admit, ending.clone());
            accepting.push(https.runtime.spawn(serving));
        }
        Ok(Self { end, accepting })
    }

    /// Ends every connection as soon as its replies are out, or when the drain timeout is over.
    pub(crate) async fn stop(self) {
        drop(self.end);
        for accepting in self.accepting {
            // It fails only if its runtime has ended, and with it all connections.
            let _ = accepting.await;
        }
    }
}
