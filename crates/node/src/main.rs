//! The binary `meridian`: one command line for the server and for those who run it.

mod admin;
mod audit;
mod authority;
mod backup;
mod certificate;
mod cli;
mod condition;
mod config;
mod credentials;
mod doh;
mod feed;
mod http;
mod identity;
mod logging;
mod metrics;
mod monitor;
mod notify;
mod outside;
mod replace;
mod serve;
mod store;
mod taps;
mod terminal;
mod transfer;
mod views;
mod visible;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use replace::Predecessor;
use transfer::Incomplete;

/// The exit code when what was asked for is done, but not all of it; docs/CLI.md has all codes.
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    let predecessor = match Predecessor::find() {
        Ok(predecessor) => predecessor,
        Err(error) => return fail(&error, None),
    };
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(predecessor) = &predecessor {
                predecessor.tell(error.to_string());
            }
            error.exit()
        }
    };
    match cli::run(arguments, predecessor.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<cli::No>() => cli::No::EXIT_CODE.into(),
        Err(error) => fail(&error, predecessor.as_ref()),
    }
}

/// Says what failed, and why, to people and to the server that was to be replaced.
fn fail(error: &anyhow::Error, predecessor: Option<&Predecessor>) -> ExitCode {
    // The causes on one line.
    let _ = writeln!(std::io::stderr(), "meridian: {error:#}");
    if let Some(predecessor) = predecessor {
        predecessor.tell(format!("{error:#}"));
    }
    match error.is::<Incomplete>() {
        true => INCOMPLETE.into(),
        false => ExitCode::FAILURE,
    }
}
