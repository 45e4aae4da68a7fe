//! Fills a data directory in seconds, where the API would take as many requests as there are zones.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use meridian_bench::policies::Policies;
use meridian_bench::store::Filler;
use meridian_bench::{data, master};
use meridian_model::HealthSubject;

/// Fill a data directory for `meridian serve`, which must not be running.
#[derive(Parser)]
struct Arguments {
    /// The directory; made if it is not there.
    #[arg(long)]
    data_dir: PathBuf,
    /// Where the pool's names are reached, if the directory is new: the address to be served.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Add this many zones of ten record sets.
    #[arg(long, value_name = "N", default_value_t = 0)]
    many: u64,
    /// Add the zone `one.test` with this many names.
    #[arg(long, value_name = "N")]
    one: Option<u64>,
    /// Add the zone `cuts.test` with a thousand delegations.
    #[arg(long)]
    cuts: bool,
    /// Add the zone `routed.test` with policies.
    #[arg(long)]
    routed: bool,
    /// Add the zone `checked.test` with this many names, and a health check for each. Those of the
    /// first names go by one routing control, the last by one of its own; the controls are off.
    #[arg(long, value_name = "N")]
    checked: Option<u64>,
    /// Add this many health checks of endpoints at loopback addresses, every 30 seconds by HTTP.
    #[arg(long, value_name = "N", default_value_t = 0)]
    probed: u32,
    /// Where those are probed.
    #[arg(long, default_value_t = 1)]
    port: u16,
    /// Add the zones of a file with lines of `zone<TAB>master file`.
    #[arg(long, value_name = "FILE")]
    zones: Option<PathBuf>,
    /// Add sets with policies to one of them: a JSON file, as the module `policies` describes it.
    #[arg(long, value_name = "FILE", requires = "zones")]
    policy: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let mut filler = Filler::open(&arguments.data_dir, arguments.address)?;
    for number in 0..arguments.many {
        filler.add(&data::many(number))?;
    }
    if let Some(names) = arguments.one {
        filler.add(&data::one(names))?;
    }
    if arguments.cuts {
        filler.add(&data::cuts())?;
    }
    if arguments.routed {
        filler.add(&data::routed())?;
    }
    if let Some(names) = arguments.checked {
        let subjects = (1..=names).map(|number| {
            let control = if number < names { "all" } else { "one" };
            HealthSubject::RoutingControl(data::control(control))
        });
        filler.add_checks(subjects)?;
        filler.add(&data::checked(names))?;
    }
    let probed = (0..arguments.probed).map(|number| data::endpoint(number, arguments.port));
    filler.add_checks(probed.map(HealthSubject::Endpoint))?;
    if let Some(list) = &arguments.zones {
        let policy = arguments
            .policy
            .as_deref()
            .map(Policies::read)
            .transpose()?;
        for zone in master::zones(list)? {
            let mut zone = zone?;
            policy.iter().for_each(|policy| policy.add_to(&mut zone));
            filler.add(&zone)?;
        }
    }
    let counts = filler.finish()?;
    writeln!(
        io::stdout(),
        "{} zones, {} record sets, {} health checks in {:.1} s",
        counts.zones,
        counts.sets,
        counts.checks,
        started.elapsed().as_secs_f64(),
    )?;
    Ok(())
}
