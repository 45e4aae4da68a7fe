//! The scenario files of crate `answer` over real sockets: a server whose addresses are the views,
//! asked over UDP and TCP. No file and no query is left out; what a World cannot be given, the
//! answers' own tests would refuse too.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../answer/tests/scenario/mod.rs"]
mod scenario;
#[path = "../../answer/tests/answers/wire.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests in the process, which need more of it"
)]
mod wire;
#[path = "../../answer/tests/answers/zones.rs"]
mod zones;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use meridian_answer::{Identity, ViewId, World};
use meridian_server::{Bound, Config, Encrypted, Listener, ListenerView, Live, Server, TcpLimits};
use socket2::{Domain, Socket, Type};
use tokio::runtime::Runtime;

use scenario::{Ask, Scenario, parse};

/// Longer than any reply takes, so that a lost one fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn scenario_files_are_answered_as_written_over_the_wire() {
    let files: Vec<(PathBuf, Scenario)> = files();
    let asked = |s: &Scenario| s.queries.iter().map(|q| q.view).collect::<Vec<_>>();
    let views = files.iter().flat_map(|(_, scenario)| asked(scenario));
    let fixture = Fixture::new(views);
    let mut wrong = 0;
    for (file, scenario) in &files {
        assert!(!scenario.queries.is_empty(), "{}", file.display());
        let world = zones::world_of(scenario);
        let mut known = None;
        for query in &scenario.queries {
            let now = (&query.down, &query.targets);
            if known.replace(now) != Some(now) {
                let world = zones::with_targets(world.clone(), &query.targets);
                fixture.live.publish(zones::with_down(world, &query.down));
            }
            let reply = fixture.ask(query.view, &query.ask);
            let reply = wire::normal(wire::read(&query.ask, &reply));
            let expected = query.expected.iter().cloned().map(wire::normal);
            let expected: Vec<_> = expected.collect();
            if !expected.contains(&reply) {
                let place = format!("{}:{}", file.display(), query.line);
                println!("{place}\n  expected {expected:x?}\n  got      {reply:x?}");
                wrong += 1;
            }
        }
    }
    fixture.stop();
    assert_eq!(wrong, 0, "replies differ from what the files say");
}

fn files() -> Vec<(PathBuf, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../answer/tests/scenarios");
    let read = |path: PathBuf| {
        let scenario = parse(&std::fs::read_to_string(&path).unwrap());
        (path, scenario)
    };
    let own = ["external", "measured", "routing"].map(|own| folder.join(own));
    let files = own.into_iter().chain([folder]);
    let files = files.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).map(read).collect()
}

/// A server with an address for each view, and without zones at first.
struct Fixture {
    runtime: Runtime,
    live: Arc<Live>,
    server: Server,
    addresses: BTreeMap<u8, SocketAddr>,
}

impl Fixture {
    fn new(views: impl Iterator<Item = u8>) -> Self {
        let listener = |view| Listener {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            view: ListenerView::One(ViewId(view)),
        };
        let views: BTreeMap<u8, Listener> = views.map(|view| (view, listener(view))).collect();
        let config = Config {
            listeners: views.values().copied().collect(),
            workers_per_address: 1,
            max_udp_payload: Config::MAX_UDP_PAYLOAD,
            tcp: TcpLimits::default(),
            cores: None,
            identity: Arc::new(Identity::default()),
            rate_limit: None,
            taps: meridian_server::Taps::default(),
            encrypted: Encrypted::default(),
            encryption: None,
        };
        let runtime = Runtime::new().unwrap();
        let live = Arc::new(Live::new(World::new(zones::KEY, Vec::new())));
        let bound = Bound::bind(&config).unwrap();
        let server = Server::start(&config, bound, &live, runtime.handle()).unwrap();
        let bound = server.addresses().iter().copied();
        let addresses = views.keys().copied().zip(bound).collect();
        Self {
            runtime,
            live,
            server,
            addresses,
        }
    }

    fn ask(&self, view: u8, ask: &Ask) -> Vec<u8> {
        let (address, packet) = (self.addresses[&view], wire::packet(ask));
        if ask.tcp {
            over_tcp(address, ask.client, &packet)
        } else {
            over_udp(address, ask.client, &packet)
        }
    }

    fn stop(self) {
        let counts = self.runtime.block_on(self.server.stop());
        assert_eq!(counts.panics, 0);
    }
}

fn over_udp(address: SocketAddr, client: IpAddr, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind((client, 0)).unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(packet).unwrap();
    let mut reply = vec![0; 65_535];
    let len = socket.recv(&mut reply).unwrap();
    reply.truncate(len);
    reply
}

fn connect_from(client: IpAddr, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(client, 0).into()).unwrap();
    socket.connect_timeout(&address.into(), PATIENCE).unwrap();
    socket.into()
}

fn over_tcp(address: SocketAddr, client: IpAddr, packet: &[u8]) -> Vec<u8> {
    let mut stream = connect_from(client, address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let len = u16::try_from(packet.len()).unwrap();
    stream
        .write_all(&[&len.to_be_bytes(), packet].concat())
        .unwrap();
    let mut len = [0; 2];
    stream.read_exact(&mut len).unwrap();
    let mut reply = vec![0; u16::from_be_bytes(len).into()];
    stream.read_exact(&mut reply).unwrap();
    reply
}
