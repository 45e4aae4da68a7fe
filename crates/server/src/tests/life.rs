//! Starting, stopping, taking over; what a configuration may not be.

use super::*;

#[test]
fn stop_is_prompt_and_lets_replies_out() {
    let fixture = Fixture::with(|config| config.tcp.drain_timeout = PATIENCE);
    let mut idle = fixture.tcp();
    let mut partial = fixture.tcp();
    partial.write_all(&[0]).unwrap();
    let mut stream = fixture.tcp();
    let queries: Vec<u8> = (0..200).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    stream.write_all(&queries).unwrap();
    fixture.wait_for("the first replies", |counts| {
        counts.streams[Protocol::Tcp].replies > 0
    });
    let address = fixture.address();
    let reader = std::thread::spawn(move || {
        (0..200).all(|_| read_framed(&mut stream).is_ok_and(|reply| reply.len() == 65_535))
    });
    let start = Instant::now();
    let counts = fixture.stop();
    assert!(start.elapsed() < PATIENCE / 2, "took {:?}", start.elapsed());
    assert!(reader.join().unwrap());
    assert_eq!(
        (
            counts.streams[Protocol::Tcp].accepted,
            counts.streams[Protocol::Tcp].replies
        ),
        (3, 200)
    );
    assert!(is_closed(&mut idle) && is_closed(&mut partial));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn stop_waits_for_the_first_query_of_a_connection() {
    let fixture = Fixture::new();
    let mut fresh = fixture.tcp();
    let mut halfway = fixture.tcp();
    let message = framed(&query(ECHO, 7));
    halfway.write_all(&message[..5]).unwrap();
    fixture.wait_for("both", |counts| counts.streams[Protocol::Tcp].accepted == 2);
    let Fixture {
        runtime, server, ..
    } = fixture;
    let address = server.addresses()[0];
    let stopping = runtime.spawn(server.stop());
    let give_up = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < give_up, "it accepts on");
    }
    fresh.write_all(&message).unwrap();
    halfway.write_all(&message[5..]).unwrap();
    for stream in [&mut fresh, &mut halfway] {
        assert_eq!(number_of(&read_framed(stream).unwrap()), 7);
        assert!(is_closed(stream));
    }
    runtime.block_on(stopping).unwrap();
}

/// A connection that had asked before was closed with its next query unread.
#[test]
fn a_query_that_came_before_the_stop_is_answered_by_a_busy_machine() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let fixture = Fixture::on(runtime, |_, _| ());
    let mut streams: Vec<TcpStream> = (0..8).map(|_| fixture.tcp()).collect();
    for stream in &mut streams {
        stream.write_all(&framed(&query(ECHO, 1))).unwrap();
        assert_eq!(number_of(&read_framed(stream).unwrap()), 1);
    }
    let Fixture {
        runtime, server, ..
    } = fixture;
    // The one thread of all connections is busy until after the order to stop.
    let (busy, is_busy) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        busy.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    });
    is_busy.recv().unwrap();
    for stream in &mut streams {
        stream.write_all(&framed(&query(ECHO, 7))).unwrap();
    }
    runtime.block_on(server.stop());
    for stream in &mut streams {
        assert_eq!(number_of(&read_framed(stream).unwrap()), 7);
        assert!(is_closed(stream));
    }
}

#[test]
fn stop_gives_up_on_a_client_that_does_not_read() {
    let drain_timeout = Duration::from_millis(100);
    let fixture = Fixture::with(|config| config.tcp.drain_timeout = drain_timeout);
    let mut stream = fixture.tcp();
    let queries: Vec<u8> = (0..400).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    stream.write_all(&queries).unwrap();
    fixture.wait_for("the first replies", |counts| {
        counts.streams[Protocol::Tcp].replies > 0
    });
    let start = Instant::now();
    fixture.stop();
    assert!((drain_timeout..Duration::from_secs(1)).contains(&start.elapsed()));
}

#[test]
fn a_dropped_server_ends_by_itself() {
    let Fixture {
        runtime, server, ..
    } = Fixture::new();
    let address = server.addresses()[0];
    drop(server);
    let give_up = Instant::now() + PATIENCE;
    while UdpSocket::bind(address).is_err() || TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < give_up);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(runtime);
}

#[test]
fn workers_can_be_kept_on_a_core() {
    let fixture = Fixture::with(|config| config.cores = Some(vec![0]));
    let client = udp_client(fixture.address());
    client.send(&query(ECHO, 5)).unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 16);
    fixture.stop();
}

#[test]
fn impossible_configurations_say_what_to_do() {
    let fixture = Fixture::new();
    let taken = fixture.address();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let cases: [(Config, &str); 9] = [
        (config(&[]), "name at least one"),
        (
            config(&["0.0.0.0:5300", "127.0.0.1:5300"].map(|text| text.parse().unwrap())),
            "0.0.0.0:5300 stands for every address of this machine, 127.0.0.1:5300 too",
        ),
        (
            config(&["[2001:db8::1]:5300", "[::]:5300"].map(|text| text.parse().unwrap())),
            "leave one of them out",
        ),
        (
            config(&["192.0.2.99:5300".parse().unwrap()]),
            "not an address of this machine",
        ),
        (config(&[free, taken]), "is in use"),
        (config(&[taken, taken]), "configured twice"),
        (
            Config {
                workers_per_address: 0,
                ..config(&[free])
            },
            "use 1 or more",
        ),
        (
            Config {
                max_udp_payload: 511,
                ..config(&[free])
            },
            "use 512 to 4096",
        ),
        (
            Config {
                cores: Some(Vec::new()),
                ..config(&[free])
            },
            "leave the list out",
        ),
    ];
    for (config, text) in cases {
        let error = Bound::bind(&config).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let denied = StartError::bind(taken, io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(denied.contains("CAP_NET_BIND_SERVICE") && denied.contains(&taken.to_string()));
    fixture.stop();
}

#[test]
fn a_second_server_takes_the_sockets_over_without_losing_a_query() {
    let runtime = Runtime::new().unwrap();
    let config = Config {
        workers_per_address: 2,
        ..config(&LOOPBACK.map(|ip| SocketAddr::new(ip, 0)))
    };
    let start = |handed, world| {
        let bound = Bound::take_over(&config, handed).unwrap();
        let spare = bound.duplicate().unwrap();
        let (live, echo) = (Arc::new(Live::new(world)), Echo::default());
        let server = Server::start_with(&config, bound, &live, runtime.handle(), &echo);
        (server.unwrap(), spare)
    };
    let (mut server, mut spare) = start(Vec::new(), 0);
    let address = server.addresses()[0];
    for world in 1..=5 {
        // Several sources, so that both sockets of the address get some.
        let clients: Vec<UdpSocket> = (0..16).map(|_| udp_client(address)).collect();
        let handed = spare;
        // Stopped before the next one starts: what comes in between waits in the sockets.
        runtime.block_on(server.stop());
        for client in &clients {
            client.send(&query(ECHO, 5)).unwrap();
        }
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        (server, spare) = start(handed, world);
        assert_eq!(server.addresses()[0], address);
        for client in &clients {
            let mut reply = [0; 100];
            assert_eq!(client.recv(&mut reply).unwrap(), 16);
            assert_eq!(reply[1], world);
        }
        let query = query(ECHO, 5);
        tcp.write_all(&[0, 16]).unwrap();
        tcp.write_all(&query).unwrap();
        let mut reply = [0; 18];
        tcp.read_exact(&mut reply).unwrap();
        assert_eq!(reply[3], world);
    }
    runtime.block_on(server.stop());
}

#[test]
fn a_socket_that_is_not_what_it_is_said_to_be_is_refused() {
    let config = config(&["127.0.0.1:5300".parse().unwrap()]);
    for role in Role::ALL {
        assert_eq!(Role::named(role.name()), Some(role));
    }
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let handed = BoundSocket {
        role: Role::Tcp,
        address: config.listeners[0].address,
        number: 0,
        socket: stranger.into(),
    };
    let error = Bound::take_over(&config, vec![handed]).unwrap_err();
    let StartError::Socket { error, .. } = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains("handed over"), "{error}");
}
