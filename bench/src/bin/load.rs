//! Loads a name server and checks every answer. A fixed number of queries is under way at any
//! time, so the server is asked as fast as it answers and nothing queues up.
//!
//! The figure of merit is the server's CPU time per answer, which other work on the machine hardly
//! moves; answers per second are shown beside it.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meridian_bench::datagrams::{BATCH, Batch, Peer, Wait, grow_buffers};
use meridian_bench::expect::{Probe, Workload};
use serde_json::json;

/// Load a DNS server over UDP and check every answer.
#[derive(Parser)]
struct Arguments {
    /// Where the server is.
    server: SocketAddrV4,
    /// What to ask for.
    #[arg(value_enum)]
    workload: Workload,
    /// How many names, or zones, the server has.
    #[arg(long, default_value_t = 1000)]
    size: u64,
    /// Seconds.
    #[arg(long, default_value_t = 1.5)]
    secs: f64,
    /// Queries under way at any time, 1 to 1024.
    #[arg(long, default_value_t = 256)]
    window: usize,
    /// Different queries.
    #[arg(long, default_value_t = 200_000)]
    queries: u64,
    /// The number of the first query: another one asks for other names.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// The process whose CPU time is to be shown.
    #[arg(long)]
    pid: Option<u32>,
    /// The server is an echo: right is what was sent.
    #[arg(long)]
    echo: bool,
}

/// Bits of a query's id that name its place in the window; the others count the uses of the place.
const PLACE_BITS: u32 = 10;
/// How long before the measurement queries are sent already.
const WARM_UP: Duration = Duration::from_millis(100);
/// On loopback an answer that takes longer than this was lost.
const LOST: Duration = Duration::from_millis(250);

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(
        (1..=1 << PLACE_BITS).contains(&arguments.window),
        "the window is 1 to 1024"
    );
    let numbers = arguments.first..arguments.first + arguments.queries;
    let probes: Vec<Probe> = numbers
        .map(|number| arguments.workload.probe(number, arguments.size))
        .collect();
    let mut load = Load::new(&arguments, &probes)?;
    load.run(WARM_UP)?;
    load.tally = Tally::default();
    let cpu = || arguments.pid.map(cpu_ns).transpose();
    let (started, before) = (Instant::now(), cpu()?);
    load.run(Duration::from_secs_f64(arguments.secs))?;
    let (secs, after) = (started.elapsed().as_secs_f64(), cpu()?);
    let Tally {
        right,
        wrong,
        lost,
        first_wrong,
    } = load.tally;
    let used = before.zip(after).map(|(before, after)| after - before);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let report = json!({
        "answers": right,
        "wrong": wrong,
        "lost": lost,
        "first_wrong": first_wrong,
        "answers_per_s": right as f64 / secs,
        "cpu_ns_per_answer": used.map(|ns| ns as f64 / right.max(1) as f64),
        "busy": used.map(|ns| ns as f64 / 1e9 / secs),
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// CPU time of all threads of a process so far.
fn cpu_ns(pid: u32) -> Result<u64> {
    let mut total = 0;
    let tasks = format!("/proc/{pid}/task");
    for task in fs::read_dir(&tasks).with_context(|| tasks.clone())? {
        // A thread may end while we look.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let first = text.split(' ').next().unwrap_or_default();
        total += first.parse::<u64>().context("schedstat is not as known")?;
    }
    Ok(total)
}

#[derive(Default)]
struct Tally {
    right: u64,
    wrong: u64,
    lost: u64,
    first_wrong: Option<String>,
}

/// A place in the window.
#[derive(Clone, Copy, Default)]
struct Flight {
    probe: usize,
    id: u16,
    open: bool,
}

struct Load<'a> {
    probes: &'a [Probe],
    echo: bool,
    socket: UdpSocket,
    replies: Batch,
    queries: Batch,
    flights: Vec<Flight>,
    next: usize,
    tally: Tally,
}

impl<'a> Load<'a> {
    fn new(arguments: &Arguments, probes: &'a [Probe]) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(arguments.server)?;
        grow_buffers(&socket);
        Ok(Self {
            probes,
            echo: arguments.echo,
            socket,
            replies: Batch::new(BATCH, Peer::Connected),
            queries: Batch::new(BATCH, Peer::Connected),
            flights: vec![Flight::default(); arguments.window],
            next: 0,
            tally: Tally::default(),
        })
    }

    /// Keeps the window full for this long, then waits for what is under way.
    fn run(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        let all: Vec<usize> = (0..self.flights.len()).collect();
        let mut under_way = all.len();
        self.send(&all)?;
        let mut heard = Instant::now();
        let mut free = Vec::with_capacity(BATCH);
        while under_way > 0 {
            free.clear();
            self.receive(&mut free)?;
            let now = Instant::now();
            if free.is_empty() {
                if now - heard > LOST {
                    let lost = (0..self.flights.len()).filter(|place| self.flights[*place].open);
                    free.extend(lost);
                    self.tally.lost += free.len() as u64;
                } else {
                    continue;
                }
            }
            heard = now;
            if now < end {
                self.send(&free)?;
            } else {
                under_way -= free.len();
                for place in &free {
                    self.flights[*place].open = false;
                }
            }
        }
        Ok(())
    }

    /// Asks the next queries in these places of the window.
    fn send(&mut self, places: &[usize]) -> Result<()> {
        for chunk in places.chunks(BATCH) {
            let mut lens = [0; BATCH];
            for (slot, place) in chunk.iter().enumerate() {
                let flight = &mut self.flights[*place];
                let turn = (flight.id >> PLACE_BITS).wrapping_add(1) << PLACE_BITS;
                let low = u16::try_from(*place).context("the window is at most 1024")?;
                *flight = Flight {
                    probe: self.next,
                    id: turn | low,
                    open: true,
                };
                let query = &self.probes[self.next].query;
                self.next = (self.next + 1) % self.probes.len();
                let buffer = self.queries.buffer(slot);
                buffer[..query.len()].copy_from_slice(query);
                buffer[..2].copy_from_slice(&flight.id.to_be_bytes());
                lens[slot] = query.len();
            }
            self.queries.send(&self.socket, &lens[..chunk.len()])?;
        }
        Ok(())
    }

    /// Takes what has come, and gives the places it frees.
    fn receive(&mut self, free: &mut Vec<usize>) -> Result<()> {
        let count = match self.replies.receive(&self.socket, Wait::No) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for slot in 0..count {
            let reply = self.replies.datagram(slot);
            let id = reply.first_chunk().copied().map_or(0, u16::from_be_bytes);
            let place = usize::from(id & ((1 << PLACE_BITS) - 1));
            let Some(flight) = self.flights.get_mut(place) else {
                self.tally.wrong += 1;
                continue;
            };
            if !flight.open || flight.id != id {
                // It was given up, and comes too late.
                continue;
            }
            flight.open = false;
            free.push(place);
            let probe = &self.probes[flight.probe];
            let right = if self.echo {
                reply[2..] == probe.query[2..]
            } else {
                probe.is_right(reply)
            };
            if right {
                self.tally.right += 1;
            } else {
                self.tally.wrong += 1;
                let shown = || format!("{:02x?} to {:02x?}", reply, probe.query);
                self.tally.first_wrong.get_or_insert_with(shown);
            }
        }
        Ok(())
    }
}
