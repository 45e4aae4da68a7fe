//! Makes the file of countries that comes with the program, `data/geo/countries`, of the data that
//! crate `tor-geoip-db` brings: `cargo run -p meridian-atlas --example pack-countries -- FILE`.
#![expect(clippy::print_stderr, reason = "a tool for a terminal")]

use std::error::Error;

#[path = "../tests/ipfire/mod.rs"]
mod ipfire;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("say where to write it")?;
    let bytes = ipfire::countries().to_bytes();
    std::fs::write(&path, &bytes)?;
    eprintln!("{path}: {} bytes", bytes.len());
    Ok(())
}
