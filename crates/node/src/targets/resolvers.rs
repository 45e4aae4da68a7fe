//! Who is asked: the resolvers that are configured, or those of the system, of which this server's
//! own listeners are none.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use meridian_health::{Guard, Resolver};

/// Where the system's resolvers are named.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where resolvers are named.
pub(super) enum Resolvers {
    /// In the configuration: the operator's word, whatever they are.
    Configured(Vec<SocketAddr>),
    /// In the system's file, which changes with the network that a machine is in.
    System { file: PathBuf, guard: Guard },
}

impl Resolvers {
    /// Those that are configured, and without any those of the system.
    pub(super) fn new(configured: &[SocketAddr], guard: Guard) -> Self {
        match configured {
            [] => Self::System {
                file: RESOLV_CONF.into(),
                guard,
            },
            configured => Self::Configured(configured.to_vec()),
        }
    }

    /// Those of now.
    pub(super) fn list(&self) -> Vec<SocketAddr> {
        match self {
            Self::Configured(resolvers) => resolvers.clone(),
            Self::System { file, guard } => {
                let text = fs::read_to_string(file).unwrap_or_default();
                of_system(&text, guard)
            }
        }
    }
}

/// A name that was asked of ourselves would be answered by what we have made of it: nothing would
/// ever change it.
fn of_system(text: &str, guard: &Guard) -> Vec<SocketAddr> {
    let mut resolvers = Resolver::in_resolv_conf(text);
    resolvers.retain(|resolver| !guard.is_own_listener(*resolver));
    resolvers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_resolvers_are_those_of_its_file_but_for_ourselves() {
        let own = ["127.0.0.1:53", "0.0.0.0:5300", "[::1]:53"];
        let own: Vec<SocketAddr> = own.iter().map(|own| own.parse().unwrap()).collect();
        let guard = Guard::new(&own, &["192.0.2.1".parse().unwrap()]);
        for (text, resolvers) in [
            ("", &[][..]),
            ("nameserver 192.0.2.53\n", &["192.0.2.53:53"]),
            (
                "# comment\nsearch a.test\n  nameserver\t2001:db8::53  trailing\nnameserver 9.9.9.9",
                &["[2001:db8::53]:53", "9.9.9.9:53"],
            ),
            (
                "nameserver 127.0.0.1\nnameserver ::1\nnameserver 127.0.0.53\n",
                &["127.0.0.53:53"],
            ),
            // At another port than a resolver's.
            ("nameserver 192.0.2.1\n", &["192.0.2.1:53"]),
            ("nameserver\nnameserver nobody\n;nameserver 9.9.9.9\n", &[]),
            (
                "nameserver fe80::1%eth0\nnameserver 9.9.9.9\n",
                &["9.9.9.9:53"],
            ),
            (
                "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
                &["1.1.1.1:53", "1.1.1.2:53", "1.1.1.3:53"],
            ),
        ] {
            let found: Vec<String> = of_system(text, &guard)
                .iter()
                .map(SocketAddr::to_string)
                .collect();
            assert_eq!(found, resolvers, "{text}");
        }
    }

    #[test]
    fn what_is_configured_is_asked_even_if_it_is_this_server() {
        let own: SocketAddr = "127.0.0.1:53".parse().unwrap();
        let resolvers = Resolvers::new(&[own], Guard::new(&[own], &[]));
        assert_eq!(resolvers.list(), [own]);
    }

    #[test]
    fn without_a_file_there_is_nobody() {
        let resolvers = Resolvers::System {
            file: "/none/resolv.conf".into(),
            guard: Guard::default(),
        };
        assert_eq!(resolvers.list(), []);
    }
}
