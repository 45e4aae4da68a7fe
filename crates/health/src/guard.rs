//! The guard of egress: which addresses may be connected to, for whom, and how many at once.
//!
//! It judges addresses alone, the very ones that are connected to: what a name led to is the
//! business of whoever looked it up, before and not after this.

mod caps;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use meridian_model::{AddressRange, ProbeRights};

pub use caps::{Admission, Busy, Cap, CapLimits, Caps, Place};

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// Of what range it is.
    Range(AddressRange),
    /// This server itself listens there.
    OwnListener,
}

/// What listens here, so that tenants do not reach it by probes.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    listeners: Vec<SocketAddr>,
    addresses: Vec<IpAddr>,
}

impl Guard {
    /// `listeners` are the sockets of this server; for those that are bound to no address in
    /// particular, `addresses` are the machine's.
    pub fn new(listeners: &[SocketAddr], addresses: &[IpAddr]) -> Self {
        Self {
            listeners: listeners.iter().copied().map(canonical).collect(),
            addresses: addresses.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// Whether somebody with these rights may have this address connected to.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, target: SocketAddr, rights: ProbeRights) -> Result<(), Denial> {
        let target = canonical(target);
        if let Some(range) = AddressRange::of(target.ip())
            && !rights.allow(Some(range))
        {
            return Err(Denial::Range(range));
        }
        if rights < ProbeRights::Everything && self.listens_at(target) {
            return Err(Denial::OwnListener);
        }
        Ok(())
    }

    /// The least rights with which an address may be told to others as one to connect to, at whatever
    /// port: where this server listens at any, it is one of its listeners'. None where nobody can
    /// connect to it.
    pub fn least_rights(&self, address: IpAddr) -> Option<ProbeRights> {
        let address = address.to_canonical();
        let range = AddressRange::of(address);
        let is_own = self.listeners.iter().any(|listener| {
            let everywhere = listener.ip().is_unspecified() && self.addresses.contains(&address);
            listener.ip() == address || everywhere
        });
        let is_enough = |rights: &ProbeRights| {
            rights.allow(range) && (!is_own || *rights == ProbeRights::Everything)
        };
        ProbeRights::ALL.into_iter().find(is_enough)
    }

    /// Whether this server itself listens there.
    pub fn is_own_listener(&self, target: SocketAddr) -> bool {
        self.listens_at(canonical(target))
    }

    fn listens_at(&self, target: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let everywhere =
                listener.ip().is_unspecified() && self.addresses.contains(&target.ip());
            listener.port() == target.port() && (listener.ip() == target.ip() || everywhere)
        })
    }
}

/// The kernel takes `::ffff:192.0.2.1` for 192.0.2.1, and so do we.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) => f.write_str(range.as_str()),
            Self::OwnListener => f.write_str("an address of this server itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 443)
    }

    /// Who may have it probed at the least; `None` is nobody.
    fn least(text: &str) -> Option<ProbeRights> {
        let guard = Guard::default();
        let mut allowed = ProbeRights::ALL.into_iter();
        let least = allowed.find(|rights| guard.check(at(text), *rights).is_ok());
        assert!(allowed.all(|rights| guard.check(at(text), rights).is_ok()));
        least
    }

    #[test]
    fn each_range_needs_its_right() {
        let public = Some(ProbeRights::Public);
        let private = Some(ProbeRights::Private);
        let everything = Some(ProbeRights::Everything);
        for (needed, addresses) in [
            (
                public,
                "8.8.8.8 172.15.255.255 172.32.0.0 100.63.255.255 100.128.0.0 \
                 169.253.255.255 198.17.255.255 198.20.0.0 223.255.255.255 \
                 2606:4700::1111 2a00:1450:4001::64 64:ff9b::8.8.8.8 \
                 ::ffff:8.8.8.8",
            ),
            (
                private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 \
                 100.127.255.255 fd00::1 fc00::1 ::ffff:10.1.2.3 \
                 64:ff9b::10.0.0.1",
            ),
            (
                everything,
                "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 \
                 64:ff9b::127.0.0.1 169.254.1.1 fe80::1 febf::1 \
                 169.254.169.254 ::ffff:169.254.169.254 fd00:ec2::254 \
                 fd20:ce::254 100.100.100.200 168.63.129.16 192.0.0.192 \
                 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 198.19.255.255 \
                 192.88.99.1 2001:db8::1 3fff:fff::1 2001:2::1 \
                 2001:0:4136:e378:8000:63bf:3fff:fdd2 2002:7f00:1::1 \
                 ::127.0.0.1 64:ff9b:1::a00:1 2001:20::1 fec0::1 100::1 \
                 5f00::1 4000::1",
            ),
            (
                None,
                "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0 64:ff9b::0.0.0.0 224.0.0.1 \
                 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 \
                 ::ffff:224.0.0.1 64:ff9b::255.255.255.255",
            ),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(least(text), needed, "{text}");
            }
        }
    }

    #[test]
    fn own_listeners_are_the_operators_alone() {
        let listeners: Vec<SocketAddr> = ["192.168.0.1:53", "0.0.0.0:5380", "[::]:53"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let addresses = ["192.168.0.2".parse().unwrap(), "2a00::5".parse().unwrap()];
        let guard = Guard::new(&listeners, &addresses);
        for (target, is_own) in [
            ("192.168.0.1:53", true),
            ("[::ffff:192.168.0.1]:53", true),
            ("192.168.0.1:54", false),
            ("192.168.0.2:5380", true),
            ("192.168.0.3:5380", false),
            ("[2a00::5]:53", true),
            ("[2a00::6]:53", false),
        ] {
            let target = target.parse().unwrap();
            let denied = guard.check(target, ProbeRights::Private);
            assert_eq!(denied == Err(Denial::OwnListener), is_own, "{target}");
            assert_eq!(guard.check(target, ProbeRights::Everything), Ok(()));
        }
        // Without a port any will do.
        for (address, least) in [
            ("192.168.0.1", Some(ProbeRights::Everything)),
            ("::ffff:192.168.0.2", Some(ProbeRights::Everything)),
            ("192.168.0.3", Some(ProbeRights::Private)),
            ("2a00::5", Some(ProbeRights::Everything)),
            ("2a00::6", Some(ProbeRights::Public)),
            ("127.0.0.1", Some(ProbeRights::Everything)),
            ("0.0.0.0", None),
        ] {
            assert_eq!(guard.least_rights(address.parse().unwrap()), least);
        }
    }
}
