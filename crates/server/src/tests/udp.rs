//! Datagrams: whose they are, what is counted, limited and shown of them.

use super::*;

#[test]
fn udp_replies_reach_their_askers_over_both_families() {
    // More than a batch each, and no more in all than any system's socket buffers hold.
    const CLIENTS: u32 = 3;
    const EACH: u32 = BATCH_MESSAGES as u32 + 16;
    let fixture = Fixture::new();
    for (view, &address) in fixture.server.addresses().iter().enumerate() {
        let clients: Vec<UdpSocket> = (0..CLIENTS).map(|_| udp_client(address)).collect();
        for number in 0..EACH {
            for (client, socket) in (0..).zip(&clients) {
                socket.send(&query(ECHO, client * EACH + number)).unwrap();
            }
        }
        for (client, socket) in (0..).zip(&clients) {
            let mut numbers: Vec<u32> = (0..EACH)
                .map(|_| {
                    let mut reply = [0; 100];
                    assert_eq!(socket.recv(&mut reply).unwrap(), 16);
                    assert_eq!(usize::from(reply[2]), view);
                    number_of(&reply)
                })
                .collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(client * EACH..(client + 1) * EACH));
        }
    }
    let counts = fixture.stop();
    let all = u64::from(2 * CLIENTS * EACH);
    assert_eq!((counts.udp.queries, counts.udp.replies), (all, all));
}

#[test]
fn every_address_is_answered_from_itself_and_its_own_view() {
    let every = ["0.0.0.0:0", "[::]:0"].map(|text| text.parse().unwrap());
    let fixture = Fixture::with(|config| *config = self::config(&every));
    let [v4, v6] = fixture.server.addresses() else {
        panic!("two listeners have two addresses");
    };
    let mut asked: Vec<SocketAddr> = (1..=9)
        .map(|last| SocketAddr::from(([127, 0, 0, last], v4.port())))
        .collect();
    asked.push((LOOPBACK[1], v6.port()).into());
    for (number, address) in (0..).zip(asked) {
        // Connected, so that a reply from another address would not be heard.
        let client = udp_client(address);
        client.send(&query(ECHO, number)).unwrap();
        let mut reply = [0; 100];
        assert_eq!(client.recv(&mut reply).unwrap(), 16);
        let view = Echo::view_at(&0, address.ip()).0;
        assert_eq!((number_of(&reply), reply[2]), (number, view));

        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&framed(&query(ECHO, number))).unwrap();
        let reply = read_framed(&mut stream).unwrap();
        assert_eq!((number_of(&reply), reply[2]), (number, view));
    }
    fixture.stop();
}

#[test]
fn udp_counts_tell_replies_drops_and_truncation_apart() {
    let fixture = Fixture::new();
    let client = udp_client(fixture.address());
    client.send(&query(IGNORE, 0)).unwrap();
    client.send(&vec![ECHO; QUERY_MAX + 1]).unwrap();
    let longest = vec![ECHO; usize::from(Config::MAX_UDP_PAYLOAD)];
    client.send(&longest).unwrap();
    let mut reply = [0; 2000];
    assert_eq!(client.recv(&mut reply).unwrap(), longest.len());
    let counts = fixture.stop();
    let answers = &counts.answers[Protocol::Udp];
    let types: u64 = answers.types().map(|(_, count)| count).sum();
    let rcodes: u64 = answers.rcodes().map(|(_, count)| count).sum();
    assert_eq!((types, rcodes, answers.latency.count()), (2, 1, 1));
    let counts = counts.udp;
    assert_eq!(
        (
            counts.queries,
            counts.dropped,
            counts.truncated,
            counts.replies
        ),
        (2, 1, 1, 1)
    );
    assert_eq!((counts.send_errors, counts.receive_errors), (0, 0));
}

#[test]
fn udp_replies_are_limited_but_for_cookies_and_tcp() {
    const ASKED: u32 = 40;
    let fixture = Fixture::with(|config| {
        config.rate_limit = Some(limit_of_one());
    });
    let client = udp_client(fixture.address());
    let ask = |wish| {
        for number in 0..ASKED {
            client.send(&query(wish, number)).unwrap();
        }
    };
    ask(ECHO);
    fixture.wait_for("all queries", |counts| counts.udp.queries == 40);
    let counts = fixture.server.counts();
    // A second earns a reply more, should the machine be that slow.
    let UdpCounts {
        limited, slipped, ..
    } = counts.udp;
    assert!((36..=39).contains(&(limited + slipped)), "{counts:?}");
    assert!(limited - slipped <= 1, "{counts:?}");
    let mut reply = [0; 100];
    let mut truncated = 0;
    for _ in 0..u64::from(ASKED) - limited {
        let len = client.recv(&mut reply).unwrap();
        assert!(len <= 16);
        truncated += u64::from(len < 16 && reply[2] & 0b10 != 0);
    }
    assert_eq!(truncated, slipped);
    ask(COOKIE);
    for _ in 0..ASKED {
        assert_eq!(client.recv(&mut reply).unwrap(), 16);
    }
    let mut stream = fixture.tcp();
    for number in 0..ASKED {
        stream.write_all(&framed(&query(ECHO, number))).unwrap();
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), number);
    }
    let counts = fixture.stop().udp;
    assert_eq!((counts.dropped, counts.send_errors), (0, 0));
    assert_eq!((counts.limited, counts.slipped), (limited, slipped));
    assert_eq!(counts.replies, u64::from(2 * ASKED) - limited);
}

#[test]
fn taps_see_what_was_asked_and_sent() {
    let taps = [Messages::Query, Messages::QueryAndReply].map(|messages| {
        Arc::new(Tap::new(TapSettings {
            one_in: 1,
            max_per_second: 1000,
            messages,
        }))
    });
    let fixture = Fixture::with(|config| {
        config.taps.all = Arc::new(taps.clone());
        config.rate_limit = Some(limit_of_one());
    });
    let client = udp_client(fixture.address());
    for wish in [ECHO, IGNORE, ECHO] {
        client.send(&query(wish, u32::from(wish))).unwrap();
    }
    fixture.wait_for("all queries", |counts| counts.udp.queries == 3);
    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(ECHO, 9))).unwrap();
    read_framed(&mut stream).unwrap();
    let (udp, tcp) = (client.local_addr().unwrap(), stream.local_addr().unwrap());
    let address = fixture.address();
    fixture.stop();
    for tap in &taps {
        let mut seen = Vec::new();
        while let Some(record) = tap.take() {
            assert_eq!(record.server, address);
            let sent = record.answered.map(|answered| answered.len);
            if Arc::ptr_eq(tap, &taps[1]) {
                assert_eq!(record.reply().map(|reply| reply.len() as u16), sent);
            } else {
                assert_eq!(record.reply(), None);
            }
            let number = number_of(record.query().unwrap());
            seen.push((record.client, record.protocol, number, sent));
        }
        let echo = u32::from(ECHO);
        let expected = [
            (udp, Protocol::Udp, echo, Some(16)),
            (udp, Protocol::Udp, u32::from(IGNORE), None),
            // Held back.
            (udp, Protocol::Udp, echo, None),
            (tcp, Protocol::Tcp, 9, Some(16)),
        ];
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_query_sent_after_publish_is_answered_from_the_new_world() {
    let fixture = Fixture::new();
    let client = udp_client(fixture.address());
    let mut stream = fixture.tcp();
    for world in 1..=255 {
        fixture.live.publish(world);
        client.send(&query(ECHO, 0)).unwrap();
        let mut reply = [0; 100];
        client.recv(&mut reply).unwrap();
        assert_eq!(reply[1], world);
        stream.write_all(&framed(&query(ECHO, 0))).unwrap();
        assert_eq!(read_framed(&mut stream).unwrap()[1], world);
    }
    fixture.stop();
}

#[test]
fn udp_answers_without_allocating() {
    let tap = Arc::new(Tap::new(TapSettings {
        one_in: 1,
        max_per_second: 100_000,
        messages: Messages::QueryAndReply,
    }));
    let fixture = Fixture::with(|config| {
        config.listeners.truncate(1);
        config.workers_per_address = 1;
        config.taps.all = [Arc::clone(&tap)].into();
        config.rate_limit = Some(RateLimit {
            responses_per_second: 100_000,
            ..limit_of_one()
        });
    });
    let client = udp_client(fixture.address());
    let round = |bursts: u32| {
        for number in 0..bursts {
            for _ in 0..50 {
                client.send(&query(ECHO, number)).unwrap();
            }
            for _ in 0..50 {
                client.recv(&mut [0; 100]).unwrap();
            }
        }
        fixture.echo.allocations.load(Ordering::Relaxed)
    };
    let warm = round(2);
    assert!(warm > 0, "the worker's allocations are counted");
    assert_eq!(round(100), warm);
    fixture.stop();
    assert!(tap.counts().queue_full > 0, "no record was ever missing");
}

#[test]
fn a_panic_costs_one_batch_and_no_worker() {
    let fixture = Fixture::with(|config| config.workers_per_address = 1);
    let client = udp_client(fixture.address());
    client.send(&query(PANIC, 0)).unwrap();
    fixture.wait_for("a panic", |counts| counts.panics == 1);
    client.send(&query(ECHO, 7)).unwrap();
    let mut reply = [0; 100];
    client.recv(&mut reply).unwrap();
    assert_eq!(number_of(&reply), 7);

    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(PANIC, 0))).unwrap();
    assert!(is_closed(&mut stream));
    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(ECHO, 8))).unwrap();
    assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 8);
    assert_eq!(fixture.stop().panics, 2);
}
