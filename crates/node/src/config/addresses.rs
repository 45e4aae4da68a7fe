//! Whether all that listens leaves each other alone. What listens for what is said elsewhere.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use super::Config;

/// Something that listens.
struct Listener {
    /// Where the file says so.
    key: &'static str,
    address: SocketAddr,
}

/// Refuses addresses that are used twice over TCP or twice over UDP.
pub(super) fn check(config: &Config) -> Result<()> {
    let dns = listeners("dns.listen", &config.dns.listen);
    let tls = config.dns.tls.as_ref();
    let of_tls = |key, addresses: Option<&Vec<SocketAddr>>| {
        listeners(key, addresses.map_or(&[], Vec::as_slice))
    };
    let dot = of_tls("dns.tls.dot", tls.map(|tls| &tls.dot));
    let doq = of_tls("dns.tls.doq", tls.map(|tls| &tls.doq));
    let doh = of_tls("dns.tls.doh", tls.map(|tls| &tls.doh));
    let api = listeners("api.listen", &[config.api.listen]);
    let of_api = config.api.tls.as_ref();
    let api_tls = of_tls("api.tls.listen", of_api.map(|tls| &tls.listen));
    let metrics = listeners("metrics.listen", &[config.metrics.listen]);
    let of_beacon = config.beacon.as_ref();
    let plain = of_beacon.and_then(|beacon| beacon.listen);
    let beacon = listeners("beacon.listen", plain.as_slice());
    let beacon_tls = of_beacon.and_then(|beacon| beacon.tls.as_ref());
    let beacon_tls = of_tls("beacon.tls.listen", beacon_tls.map(|tls| &tls.listen));
    let of_http = [&api, &api_tls, &metrics, &beacon, &beacon_tls];
    check_apart("TCP", &[&[&dns, &dot, &doh], of_http.as_slice()].concat())?;
    check_apart("UDP", &[&dns, &doq])
}

fn listeners(key: &'static str, addresses: &[SocketAddr]) -> Vec<Listener> {
    let listener = |address: &SocketAddr| Listener {
        key,
        address: *address,
    };
    addresses.iter().map(listener).collect()
}

fn check_apart(protocol: &str, groups: &[&Vec<Listener>]) -> Result<()> {
    let mut before: Vec<&Listener> = Vec::new();
    for listener in groups.iter().copied().flatten() {
        for other in &before {
            ensure!(
                other.address.port() == 0 || other.address != listener.address,
                "{} is in {} and again in {}: an address can be used twice by nobody; leave one \
                 out, or give it another port",
                listener.address,
                other.key,
                listener.key
            );
            ensure!(
                !overlap(other.address, listener.address),
                "{} in {} and {} in {} overlap over {protocol}, since one of them stands for every \
                 address; leave one out, or give it another port",
                other.address,
                other.key,
                listener.address,
                listener.key
            );
        }
        before.push(listener);
    }
    Ok(())
}

/// Whether one of two addresses of a family stands for all of them, the other being among them.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() != 0
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip().is_unspecified() || other.ip().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: &str = "[dns.tls]\ncertificate = 'a'\nkey = 'b'\n";

    fn checked(text: &str) -> Result<(), String> {
        let config: Config = toml::from_str(text).unwrap();
        check(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_used_once_over_tcp_and_once_over_udp() {
        for (text, part) in [
            (
                "[metrics]\nlisten = '127.0.0.1:5380'".to_owned(),
                "127.0.0.1:5380 is in api.listen and again in metrics.listen",
            ),
            (
                "[dns]\nlisten = ['127.0.0.1:5390']".to_owned(),
                "in dns.listen and again in metrics.listen",
            ),
            (
                "[dns]\nlisten = ['0.0.0.0:5380']".to_owned(),
                "0.0.0.0:5380 in dns.listen and 127.0.0.1:5380 in api.listen overlap over TCP",
            ),
            (
                format!("{TLS}doh = ['127.0.0.1:5380']"),
                "in dns.tls.doh and again in api.listen",
            ),
            (
                format!("{TLS}doh = ['127.0.0.1:5390']"),
                "in dns.tls.doh and again in metrics.listen",
            ),
            (
                format!("{TLS}dot = ['[::1]:853']\ndoh = ['[::]:853']"),
                "overlap over TCP",
            ),
            (format!("{TLS}doq = ['0.0.0.0:5300']"), "overlap over UDP"),
            (
                "[dns]\nlisten = ['127.0.0.1:53', '127.0.0.1:53']".to_owned(),
                "in dns.listen and again in dns.listen",
            ),
        ] {
            let error = checked(&text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_does_not_touch_is_left_alone() {
        for text in [
            String::new(),
            // UDP beside TCP.
            format!("{TLS}doq = ['127.0.0.1:853']\ndot = ['127.0.0.1:853']"),
            format!("{TLS}doq = ['127.0.0.1:5380']"),
            // Each family has an every of its own.
            "[dns]\nlisten = ['0.0.0.0:53', '[::]:53']".to_owned(),
            // The system chooses.
            "[dns]\nlisten = ['127.0.0.1:0', '127.0.0.1:0']".to_owned(),
        ] {
            assert_eq!(checked(&text), Ok(()), "{text}");
        }
    }
}
