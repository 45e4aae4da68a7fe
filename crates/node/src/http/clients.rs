//! How many connections each client has: so few that others get one too.
//!
//! Unlike DNS, where the stalest makes room, whoever is over the limit is turned away: of connections
//! whose requests may take their time it cannot be told which is idle.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meridian_server::Prefix;

/// The most that an address has, or a /64 of IPv6, which is what one machine gets.
const MAX: usize = 64;
/// The most for an address of this machine, where one program may stand for many users.
const MAX_LOOPBACK: usize = 256;
/// How often it is said that somebody has too many.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// The connections of all listeners of a service.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// Proxies, behind which are others' clients.
    exempt: Vec<Prefix>,
    table: Mutex<Table>,
    /// How many were turned away.
    refused: AtomicU64,
    log: Log,
}

/// What is written to the log of somebody who has too many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Log {
    #[default]
    Address,
    NoAddress,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<IpAddr, usize>,
    said: Option<Instant>,
}

/// One connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    client: IpAddr,
    clients: Arc<Clients>,
}

impl Clients {
    /// A limit for everybody but these.
    pub(crate) fn new(exempt: Vec<Prefix>) -> Self {
        Self {
            exempt,
            ..Self::default()
        }
    }

    /// Likewise, with nobody's address in the log.
    pub(crate) fn unnamed(exempt: Vec<Prefix>) -> Self {
        Self {
            log: Log::NoAddress,
            ..Self::new(exempt)
        }
    }

    /// How many connections are open, and how many have been refused so far.
    pub(crate) fn counts(&self) -> (usize, u64) {
        let open = self.table().open.values().sum();
        (open, self.refused.load(Ordering::Relaxed))
    }

    /// A connection for this client, unless it has enough of them.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let client = network(address);
        let most = self.most(address.to_canonical());
        let mut table = self.table();
        let open = table.open.entry(client).or_default();
        if *open >= most {
            self.refused.fetch_add(1, Ordering::Relaxed);
            table.say((self.log == Log::Address).then_some(address), most);
            return None;
        }
        *open += 1;
        Some(Admitted {
            client,
            clients: Arc::clone(self),
        })
    }

    fn most(&self, address: IpAddr) -> usize {
        if self.exempt.iter().any(|proxy| proxy.contains(address)) {
            usize::MAX
        } else if address.is_loopback() {
            MAX_LOOPBACK
        } else {
            MAX
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn say(&mut self, address: Option<IpAddr>, most: usize) {
        if self.said.is_some_and(|said| said.elapsed() < SAY_EVERY) {
            return;
        }
        self.said = Some(Instant::now());
        let who = address.map_or_else(|| "a client".to_owned(), |address| address.to_string());
        tracing::warn!(
            address = address.map(tracing::field::display),
            "{who} has {most} HTTP connections, as many as one client may have: further ones are \
             closed"
        );
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut table = self.clients.table();
        if let Some(open) = table.open.get_mut(&self.client) {
            *open -= 1;
            // Who has none takes no memory.
            if *open == 0 {
                table.open.remove(&self.client);
            }
        }
    }
}

/// What counts as one client.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many a client gets.
    fn admitted(clients: &Arc<Clients>, address: &str) -> Vec<Admitted> {
        let admit = |_| clients.admit(ip(address));
        (0..1000).map_while(admit).collect()
    }

    #[test]
    fn each_client_has_its_own_limit() {
        let clients = Arc::new(Clients::new(vec!["10.0.0.0/8".parse().unwrap()]));
        for (address, expected) in [
            ("192.0.2.1", MAX),
            ("192.0.2.2", MAX),
            ("2001:db8::1", MAX),
            ("2001:db8:0:1::1", MAX),
            ("127.0.0.1", MAX_LOOPBACK),
            ("::1", MAX_LOOPBACK),
            ("10.1.2.3", 1000),
            ("::ffff:10.1.2.4", 1000),
        ] {
            let held = admitted(&clients, address);
            assert_eq!(held.len(), expected, "{address}");
            std::mem::forget(held);
        }
        // The same machine under another name.
        assert_eq!(admitted(&clients, "2001:db8::2").len(), 0);
        assert_eq!(admitted(&clients, "::ffff:192.0.2.1").len(), 0);
        let open = 4 * MAX + 2 * MAX_LOOPBACK + 2000;
        assert_eq!(clients.counts(), (open, 8));
    }

    #[test]
    fn what_is_given_back_can_be_had_again_and_leaves_nothing() {
        let clients = Arc::new(Clients::default());
        let mut held = admitted(&clients, "192.0.2.1");
        held.pop();
        assert_eq!(admitted(&clients, "192.0.2.1").len(), 1);
        drop(held);
        assert!(clients.table().open.is_empty());
    }
}
