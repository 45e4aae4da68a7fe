//! Which zones are visible on which listening address.
//!
//! Each listening address is a view; a zone is visible in the views of its name servers'
//! addresses.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use meridian_answer::ViewId;
use meridian_dns::Name;
use meridian_model::{NameServer, Zone};
use meridian_server::Listener;

/// The most listening addresses of one node: a zone's views are bits of one word.
pub(crate) const MAX_VIEWS: usize = 64;

/// The views of this node and the pool as it is.
#[derive(Debug)]
pub(crate) struct Views {
    listeners: Vec<Listener>,
    /// For each name of the pool, the views at its addresses.
    names: HashMap<Name, u64>,
}

impl Views {
    /// One view for each address, at most [`MAX_VIEWS`].
    pub(crate) fn new(listen: &[SocketAddr]) -> Self {
        let numbered = (0u8..).zip(listen);
        Self {
            listeners: numbered
                .map(|(number, address)| Listener {
                    address: *address,
                    view: ViewId(number),
                })
                .collect(),
            names: HashMap::new(),
        }
    }

    /// The addresses with their views.
    pub(crate) fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Takes the pool as it is now.
    pub(crate) fn set_pool(&mut self, pool: &[NameServer]) {
        self.names = pool
            .iter()
            .map(|server| {
                let views = server.addresses.iter().map(|address| self.at(*address));
                (server.name.clone(), views.fold(0, |all, views| all | views))
            })
            .collect();
    }

    /// The views a zone is visible in, as bits.
    pub(crate) fn of(&self, zone: &Zone) -> u64 {
        let servers = &zone.delegation_set.name_servers;
        servers
            .iter()
            .filter_map(|name| self.names.get(name))
            .fold(0, |all, views| all | views)
    }

    fn at(&self, address: IpAddr) -> u64 {
        let here = self
            .listeners
            .iter()
            .filter(|listener| listener.address.ip() == address);
        here.fold(0, |views, listener| views | 1 << listener.view.0)
    }
}
