//! Endpoints by name: looked up at each probe, and guarded by what came out.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype, Ttl};
use domain::rdata::{A, Cname};
use meridian_health::{Denial, Found, Prober, Resolver, Target, Unable};
use meridian_model::{AddressRange, ProbeRights, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::scene::{PATIENCE, Scene, answering, observe, prober, target};

type Query = Message<Vec<u8>>;

/// A resolver that replies so to its first, second … query; no bytes are no reply.
async fn resolver<F>(reply: F) -> SocketAddr
where
    F: Fn(usize, &Query) -> Vec<u8> + Send + 'static,
{
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        let mut count = 0;
        while let Ok((len, client)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_octets(buffer[..len].to_vec()).unwrap();
            let question = query.sole_question().unwrap();
            assert_eq!(question.qtype(), Rtype::A);
            assert!(query.header().rd());
            let reply = reply(count, &query);
            count += 1;
            if !reply.is_empty() {
                socket.send_to(&reply, client).await.unwrap();
            }
        }
    });
    address
}

/// A reply with these addresses at the question's name.
fn addresses(query: &Query, found: &[Ipv4Addr]) -> Vec<u8> {
    let builder = MessageBuilder::new_vec();
    let mut answer = builder.start_answer(query, Rcode::NOERROR).unwrap();
    let name = query.sole_question().unwrap().into_qname();
    for address in found {
        let data = A::new(*address);
        answer.push((&name, Class::IN, Ttl::ZERO, data)).unwrap();
    }
    answer.finish()
}

/// A reply with CNAMEs between these names, one after the other, and an address at one of them.
fn chain(query: &Query, names: &[&str], end: &str) -> Vec<u8> {
    let names = names.iter().map(|name| name.parse().unwrap());
    let names: Vec<Name<Vec<u8>>> = names.collect();
    let builder = MessageBuilder::new_vec();
    let mut answer = builder.start_answer(query, Rcode::NOERROR).unwrap();
    for pair in names.windows(2) {
        let data = Cname::new(pair[1].clone());
        answer.push((&pair[0], Class::IN, Ttl::ZERO, data)).unwrap();
    }
    let end: Name<Vec<u8>> = end.parse().unwrap();
    let data = A::new(Ipv4Addr::LOCALHOST);
    answer.push((&end, Class::IN, Ttl::ZERO, data)).unwrap();
    answer.finish()
}

fn error(query: &Query, rcode: Rcode) -> Vec<u8> {
    let builder = MessageBuilder::new_vec();
    let answer = builder.start_answer(query, rcode).unwrap();
    answer.finish()
}

async fn healthy() -> Scene {
    answering("HTTP/1.1 200 OK\r\n\r\n").await
}

fn by_name(scene: &Scene) -> Target {
    let mut target = target(scene.address, Protocol::Http);
    target.endpoint.ip_address = None;
    target.endpoint.domain_name = Some("app.example.com".to_owned());
    target
}

fn asking(servers: &[SocketAddr]) -> Prober {
    let mut prober = prober();
    prober.resolver = Resolver::new(servers, PATIENCE / 4);
    prober
}

async fn status(prober: &Prober, scene: &Scene) -> String {
    observe(prober, &by_name(scene)).await.status()
}

const OK: &str = "Success: HTTP Status Code 200, OK. Resolved IP: 127.0.0.1";

#[tokio::test]
async fn the_address_is_looked_up_and_told() {
    let scene = healthy().await;
    let names = ["app.example.com.", "B.example.net.", "c.example.org."];
    for count in 1..=3 {
        let server = resolver(move |_, query| {
            let end = names[count - 1].to_lowercase();
            chain(query, &names[..count], &end)
        });
        assert_eq!(status(&asking(&[server.await]), &scene).await, OK);
    }
}

#[tokio::test]
async fn what_is_not_found_is_told_apart() {
    let failed = "Failure: DNS resolution failed";
    let scene = healthy().await;
    for (server, text) in [
        (
            resolver(|_, query| addresses(query, &[])).await,
            failed.to_owned(),
        ),
        (
            resolver(|_, query| error(query, Rcode::NXDOMAIN)).await,
            format!("{failed}: the name does not exist"),
        ),
        (
            resolver(|_, query| error(query, Rcode::SERVFAIL)).await,
            format!("{failed}: SERVFAIL"),
        ),
        (
            resolver(|_, _| Vec::new()).await,
            format!("{failed}: no reply"),
        ),
        (
            resolver(|_, query| {
                let names = ["app.example.com.", "b.example.com.", "app.example.com."];
                chain(query, &names, "c.example.com.")
            })
            .await,
            failed.to_owned(),
        ),
        (
            resolver(|_, query| chain(query, &[], "b.example.com.")).await,
            failed.to_owned(),
        ),
    ] {
        assert_eq!(status(&asking(&[server]), &scene).await, text);
    }
    assert_eq!(scene.seen(), 0);
}

#[tokio::test]
async fn the_next_resolver_is_asked_when_one_does_not_know() {
    let scene = healthy().await;
    let broken = resolver(|_, query| error(query, Rcode::SERVFAIL)).await;
    let silent = resolver(|_, _| Vec::new()).await;
    let knows = resolver(|_, query| addresses(query, &[Ipv4Addr::LOCALHOST])).await;
    assert_eq!(status(&asking(&[broken, silent, knows]), &scene).await, OK);
    // The second time is as good as the second resolver.
    let moody = resolver(|count, query| match count {
        0 => Vec::new(),
        _ => addresses(query, &[Ipv4Addr::LOCALHOST]),
    })
    .await;
    assert_eq!(status(&asking(&[moody]), &scene).await, OK);
}

#[tokio::test]
async fn without_a_resolver_nothing_is_said_of_the_endpoint() {
    let scene = healthy().await;
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    for servers in [&[][..], &[address]] {
        let prober = asking(servers);
        let target = by_name(&scene);
        let outcome = prober.probe(&target, ProbeRights::Everything, 1).await;
        assert_eq!(outcome.unwrap_err(), Unable::NoResolver);
    }
}

/// The name was harmless when the check was made.
#[tokio::test]
async fn a_name_that_is_bound_again_does_not_open_a_forbidden_range() {
    let scene = healthy().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = resolver(move |_, query| {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        let harmless = Ipv4Addr::new(240, 0, 0, 1);
        let address = [harmless, Ipv4Addr::LOCALHOST][turn.min(1)];
        addresses(query, &[address])
    })
    .await;
    let prober = asking(&[server]);
    let target = by_name(&scene);
    for (turn, range) in [
        AddressRange::Nowhere,
        AddressRange::Loopback,
        AddressRange::Loopback,
    ]
    .into_iter()
    .enumerate()
    {
        let seen = prober
            .probe(&target, ProbeRights::Private, turn as u64)
            .await;
        let seen = seen.unwrap();
        assert_eq!(seen.found, Found::Denied(Denial::Range(range)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(scene.seen(), 0);
}

#[tokio::test]
async fn of_several_addresses_an_allowed_one_is_chosen() {
    let scene = healthy().await;
    let nowhere = Ipv4Addr::new(255, 255, 255, 255);
    let found = [nowhere, Ipv4Addr::LOCALHOST, nowhere];
    let server = resolver(move |_, query| addresses(query, &found)).await;
    let prober = asking(&[server]);
    for seed in 0..4_u64 {
        let target = by_name(&scene);
        let seen = prober.probe(&target, ProbeRights::Everything, seed << 48);
        assert_eq!(seen.await.unwrap().found, Found::Answered(200));
    }
}

/// Packets that are no reply to this query are passed over.
#[tokio::test]
async fn guessed_replies_are_not_believed() {
    let scene = healthy().await;
    let server = resolver(|_, query| {
        let mut reply = addresses(query, &[Ipv4Addr::LOCALHOST]);
        reply[1] ^= 1;
        reply
    })
    .await;
    let text = status(&asking(&[server]), &scene).await;
    assert_eq!(text, "Failure: DNS resolution failed: no reply");
}

#[tokio::test]
async fn a_reply_that_is_cut_off_is_fetched_by_tcp() {
    let scene = healthy().await;
    let server = resolver(|_, query| {
        let mut reply = addresses(query, &[]);
        reply[2] |= 2;
        reply
    })
    .await;
    let listener = TcpListener::bind(server).await.unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let len = stream.read_u16().await.unwrap();
        let mut query = vec![0; usize::from(len)];
        stream.read_exact(&mut query).await.unwrap();
        let query = Message::from_octets(query).unwrap();
        let reply = addresses(&query, &[Ipv4Addr::LOCALHOST]);
        let len = u16::try_from(reply.len()).unwrap();
        stream.write_u16(len).await.unwrap();
        stream.write_all(&reply).await.unwrap();
    });
    assert_eq!(status(&asking(&[server]), &scene).await, OK);
}

#[test]
fn resolvers_of_the_system() {
    let text = "# comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n\
                nameserver ::1 \nnameserver\noptions rotate\n";
    let expected: Vec<SocketAddr> = ["192.0.2.53:53", "[::1]:53"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert_eq!(Resolver::in_resolv_conf(text), expected);
}
