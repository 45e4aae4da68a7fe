//! Which zones are visible at which address of this node.
//!
//! Each address is a view; a zone is visible in the views of its name servers' addresses. Addresses
//! that are listened on by themselves have their views for good; under a listener of every address
//! those of the pool come and go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use meridian_answer::ViewId;
use meridian_dns::Name;
use meridian_model::{NameServer, Zone};
use meridian_server::{Listener, ListenerView};

/// The most addresses of one node: a zone's views are bits of one word.
pub(crate) const MAX_VIEWS: usize = 64;

/// The views of this node and the pool as it is.
#[derive(Debug)]
pub(crate) struct Views {
    listen: Vec<SocketAddr>,
    /// Those listened on by themselves, in the order of the file: their places are their views.
    fixed: Vec<IpAddr>,
    /// Those of the pool that only a listener of every address reaches.
    found: BTreeMap<IpAddr, ViewId>,
    /// Those of the pool for which no view was left.
    left_out: BTreeSet<IpAddr>,
    /// For each name of the pool, the views at its addresses.
    names: HashMap<Name, u64>,
}

impl Views {
    /// One view for each address, at most [`MAX_VIEWS`].
    pub(crate) fn new(listen: &[SocketAddr]) -> Self {
        let mut fixed = Vec::new();
        for address in listen.iter().map(SocketAddr::ip) {
            if !address.is_unspecified() && !fixed.contains(&address) {
                fixed.push(address);
            }
        }
        fixed.truncate(MAX_VIEWS);
        Self {
            listen: listen.to_vec(),
            fixed,
            found: BTreeMap::new(),
            left_out: BTreeSet::new(),
            names: HashMap::new(),
        }
    }

    /// These addresses, which are among those listened on, with what they show.
    pub(crate) fn listeners(&self, listen: &[SocketAddr]) -> Vec<Listener> {
        let listener = |address: &SocketAddr| Listener {
            address: *address,
            view: match self.fixed_view(address.ip()) {
                Some(view) => ListenerView::One(view),
                None => ListenerView::OfAddress,
            },
        };
        listen.iter().map(listener).collect()
    }

    /// All addresses with their views, for listeners of every address.
    pub(crate) fn addresses(&self) -> Vec<(IpAddr, ViewId)> {
        let fixed = self.fixed.iter().copied().zip((0..).map(ViewId));
        let found = self.found.iter().map(|(address, view)| (*address, *view));
        fixed.chain(found).collect()
    }

    /// Takes the pool as it is now.
    pub(crate) fn set_pool(&mut self, pool: &[NameServer]) {
        self.find_addresses(pool);
        self.names = pool
            .iter()
            .map(|server| {
                let views = server.addresses.iter().map(|address| self.at(*address));
                (server.name.clone(), views.fold(0, |all, views| all | views))
            })
            .collect();
    }

    /// The views a zone is visible in, as bits; those of a private one are not addresses.
    pub(crate) fn of(&self, zone: &Zone) -> u64 {
        if zone.private {
            return 0;
        }
        self.at_names(&zone.delegation_set.name_servers)
    }

    /// The views that some of these names of the pool are at, as bits.
    pub(crate) fn at_names(&self, servers: &[Name]) -> u64 {
        servers
            .iter()
            .filter_map(|name| self.names.get(name))
            .fold(0, |all, views| all | views)
    }

    /// Gives views to the addresses of the pool that have become reachable through a listener of
    /// every address, and takes them from those that have left. The others keep theirs.
    fn find_addresses(&mut self, pool: &[NameServer]) {
        let wanted: BTreeSet<IpAddr> = pool
            .iter()
            .flat_map(|server| &server.addresses)
            .copied()
            .filter(|address| self.is_found(*address))
            .collect();
        self.found.retain(|address, _| wanted.contains(address));
        let mut left_out = BTreeSet::new();
        for address in wanted {
            if self.found.contains_key(&address) {
                continue;
            }
            match self.free_view() {
                Some(view) => {
                    self.found.insert(address, view);
                }
                None => {
                    left_out.insert(address);
                }
            }
        }
        for address in left_out.difference(&self.left_out) {
            tracing::error!(
                %address,
                "queries to {address} are refused: one node shows the zones of at most \
                 {MAX_VIEWS} addresses, and the pool has more; list the addresses of this machine \
                 in dns.listen instead of 0.0.0.0 or [::]"
            );
        }
        self.left_out = left_out;
    }

    /// Whether only a listener of every address reaches it.
    fn is_found(&self, address: IpAddr) -> bool {
        let mut listened = self.listen.iter().map(SocketAddr::ip);
        !self.fixed.contains(&address)
            && listened.any(|every| every.is_unspecified() && every.is_ipv4() == address.is_ipv4())
    }

    fn free_view(&self) -> Option<ViewId> {
        let taken = self
            .found
            .values()
            .fold(0, |taken, view| taken | bit(*view));
        let mut all = (0..MAX_VIEWS as u8).map(ViewId).skip(self.fixed.len());
        all.find(|view| taken & bit(*view) == 0)
    }

    fn fixed_view(&self, address: IpAddr) -> Option<ViewId> {
        let place = self.fixed.iter().position(|known| *known == address)?;
        u8::try_from(place).ok().map(ViewId)
    }

    fn at(&self, address: IpAddr) -> u64 {
        let view = self
            .fixed_view(address)
            .or_else(|| self.found.get(&address).copied());
        view.map_or(0, bit)
    }
}

fn bit(view: ViewId) -> u64 {
    1 << view.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(listen: &[&str]) -> Views {
        let listen: Vec<SocketAddr> = listen.iter().map(|text| text.parse().unwrap()).collect();
        Views::new(&listen)
    }

    fn server(name: &str, addresses: &[String]) -> NameServer {
        NameServer {
            name: Name::parse(name).unwrap(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ordinal: 0,
        }
    }

    fn known(views: &Views) -> Vec<(String, u8)> {
        let known = views.addresses().into_iter();
        known
            .map(|(address, view)| (address.to_string(), view.0))
            .collect()
    }

    fn pairs(pairs: &[(&str, u8)]) -> Vec<(String, u8)> {
        pairs
            .iter()
            .map(|(address, view)| ((*address).to_owned(), *view))
            .collect()
    }

    #[test]
    fn an_address_on_two_ports_is_one_view() {
        let views = views(&["192.0.2.1:53", "192.0.2.2:53", "192.0.2.1:5300"]);
        let shown: Vec<ListenerView> = views
            .listeners(&views.listen)
            .iter()
            .map(|l| l.view)
            .collect();
        let one = |view| ListenerView::One(ViewId(view));
        assert_eq!(shown, [one(0), one(1), one(0)]);
    }

    #[test]
    fn addresses_of_the_pool_come_and_go_without_moving_others() {
        let mut views = views(&["127.0.0.1:5300", "0.0.0.0:53"]);
        assert_eq!(
            views.listeners(&views.listen)[1].view,
            ListenerView::OfAddress
        );
        let pool = |addresses: &[&str]| {
            let addresses: Vec<String> = addresses.iter().map(|text| (*text).to_owned()).collect();
            [server("ns-1.test", &addresses)]
        };
        // IPv6 is not listened on.
        views.set_pool(&pool(&[
            "192.0.2.2",
            "192.0.2.1",
            "127.0.0.1",
            "2001:db8::1",
        ]));
        let expected = pairs(&[("127.0.0.1", 0), ("192.0.2.1", 1), ("192.0.2.2", 2)]);
        assert_eq!(known(&views), expected);
        assert_eq!(views.names[&Name::parse("ns-1.test").unwrap()], 0b111);
        views.set_pool(&pool(&["192.0.2.2"]));
        assert_eq!(known(&views), pairs(&[("127.0.0.1", 0), ("192.0.2.2", 2)]));
        views.set_pool(&pool(&["192.0.2.2", "192.0.2.3"]));
        let expected = pairs(&[("127.0.0.1", 0), ("192.0.2.2", 2), ("192.0.2.3", 1)]);
        assert_eq!(known(&views), expected);
    }

    #[test]
    fn addresses_beyond_the_views_there_are_show_nothing() {
        let mut views = views(&["192.0.2.1:53", "[::]:53"]);
        let addresses: Vec<String> = (0..MAX_VIEWS).map(|n| format!("2001:db8::{n:x}")).collect();
        views.set_pool(&[server("ns-1.test", &addresses)]);
        assert_eq!(views.addresses().len(), MAX_VIEWS);
        assert_eq!(views.left_out.len(), 1);
        assert_eq!(
            views.names[&Name::parse("ns-1.test").unwrap()],
            u64::MAX - 1
        );
        // One leaves and makes room.
        views.set_pool(&[server("ns-1.test", &addresses[1..])]);
        assert!(views.left_out.is_empty());
        assert_eq!(views.addresses().len(), MAX_VIEWS);
    }
}
