//! Connections: framing, pipelining, limits.

use super::*;

#[test]
fn tcp_answers_a_hundred_pipelined_queries_in_order() {
    let fixture = Fixture::new();
    let mut stream = fixture.tcp();
    pipeline(&mut stream, 100);
    stream.shutdown(Shutdown::Write).unwrap();
    read_pipelined(&mut stream, 100);
    assert!(is_closed(&mut stream));
    fixture.wait_for("an end", |counts| counts.streams[Protocol::Tcp].ended == 1);
    let counts = fixture.stop();
    assert_eq!(counts.answers[Protocol::Tcp].latency.count(), 100);
    let counts = counts.streams[Protocol::Tcp];
    assert_eq!(
        (
            counts.accepted,
            counts.open(),
            counts.queries,
            counts.replies
        ),
        (1, 0, 100, 100)
    );
}

#[test]
fn tcp_messages_may_come_byte_by_byte() {
    let fixture = Fixture::new();
    let mut stream = fixture.tcp();
    let bytes: Vec<u8> = (0..10)
        .flat_map(|number| framed(&query(ECHO, number)))
        .collect();
    for byte in bytes {
        stream.write_all(&[byte]).unwrap();
    }
    read_pipelined(&mut stream, 10);
    fixture.stop();
}

#[test]
fn tcp_takes_and_gives_the_longest_messages() {
    let fixture = Fixture::new();
    exchange_the_longest(&mut fixture.tcp());
    fixture.stop();
}

#[test]
fn tcp_closes_on_nonsense_after_answering_what_came_before() {
    let fixture = Fixture::new();
    for nonsense in [
        framed(b""),
        framed(b"eleven byte"),
        framed(&query(IGNORE, 0)),
    ] {
        let mut stream = fixture.tcp();
        stream
            .write_all(&[framed(&query(ECHO, 1)), nonsense].concat())
            .unwrap();
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 1);
        assert!(is_closed(&mut stream));
    }
    assert_eq!(fixture.stop().streams[Protocol::Tcp].dropped, 3);
}

#[test]
fn tcp_closes_idle_and_slow_clients() {
    let short = Duration::from_millis(150);
    let fixture = Fixture::with(|config| {
        config.tcp.idle_timeout = short;
        config.tcp.message_timeout = short;
        config.tcp.write_timeout = short;
    });
    let start = Instant::now();
    let mut idle = fixture.tcp();
    let mut slow_writer = fixture.tcp();
    let mut slow_reader = fixture.tcp();
    let queries: Vec<u8> = (0..400).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    slow_reader.write_all(&queries).unwrap();
    // A byte now and then does not count as progress.
    for byte in framed(&query(ECHO, 0)) {
        if slow_writer.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(short / 10);
    }
    assert!(is_closed(&mut slow_writer));
    assert!(is_closed(&mut idle));
    assert!(start.elapsed() >= short);
    fixture.wait_for("both slow clients", |counts| {
        counts.streams[Protocol::Tcp].too_slow == 2
    });
    let mut rest = Vec::new();
    // It ends before all replies, or is reset.
    let _ = slow_reader.read_to_end(&mut rest);
    assert!(rest.len() < 400 * usize::from(u16::MAX));
    fixture.stop();
}

#[test]
fn tcp_evicts_the_longest_idle_and_refuses_while_none_is() {
    let fixture = Fixture::with(|config| config.tcp.connections = 2);
    let ask = |stream: &mut TcpStream| {
        stream.write_all(&framed(&query(ECHO, 0))).unwrap();
        assert_eq!(number_of(&read_framed(stream).unwrap()), 0);
    };
    let (mut first, mut second) = (fixture.tcp(), fixture.tcp());
    ask(&mut second);
    // What a connection did last is noted just after its reply is out.
    std::thread::sleep(Duration::from_millis(50));
    ask(&mut first);
    assert!(is_closed(&mut fixture.tcp()));
    std::thread::sleep(Duration::from_millis(510));
    ask(&mut fixture.tcp());
    assert!(is_closed(&mut second));
    ask(&mut first);
    let counts = fixture.stop().streams[Protocol::Tcp];
    assert_eq!((counts.accepted, counts.refused, counts.evicted), (3, 1, 1));
}

#[test]
fn tcp_limits_each_network_by_itself() {
    let fixture = Fixture::with(|config| config.tcp.connections_per_prefix = 1);
    let _first = fixture.tcp();
    assert!(is_closed(&mut fixture.tcp()));
    let mut other = TcpStream::connect(fixture.server.addresses()[1]).unwrap();
    other.write_all(&framed(&query(ECHO, 3))).unwrap();
    assert_eq!(number_of(&read_framed(&mut other).unwrap()), 3);
    fixture.stop();
}
