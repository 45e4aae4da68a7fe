//! The binary `meridian`: one command line for the server and for those who run it.

mod admin;
mod cli;
mod config;
mod credentials;
mod feed;
mod identity;
mod logging;
mod monitor;
mod serve;
mod store;
mod views;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The causes on one line: what failed, and why.
            let _ = writeln!(std::io::stderr(), "meridian: {error:#}");
            ExitCode::FAILURE
        }
    }
}
