//! The binary `meridian`: one command line for the server and for those who run it.

mod admin;
mod agent;
mod alarms;
mod answering;
mod audit;
mod authority;
mod backup;
mod beacon;
mod break_glass;
mod certificate;
mod checkers;
mod cli;
mod condition;
mod config;
mod credentials;
mod descriptors;
mod doh;
mod explanation;
mod feed;
mod geo;
mod health;
mod http;
mod identity;
mod latency;
mod logging;
mod metrics;
mod monitor;
mod move_in;
mod notify;
mod outgoing;
mod outside;
mod panics;
mod replace;
mod serve;
mod store;
mod supposition;
mod taps;
mod targets;
mod terminal;
mod transfer;
mod trust;
mod views;
mod visible;
mod webhooks;
mod whole_file;

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use meridian_server::LargePages;
use serde_json::json;

use cli::Arguments;
use replace::Predecessor;
use terminal::{Form, Unread};
use transfer::{Incomplete, Told};

/// Tables that answers look into are large.
#[global_allocator]
static MEMORY: LargePages = LargePages;

/// The exit code when what was asked for is done, but not all of it; docs/CLI.md has all codes.
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    let predecessor = match Predecessor::find() {
        Ok(predecessor) => predecessor,
        Err(error) => return fail(&error, None, Form::Text),
    };
    let (arguments, form) = match parse() {
        Ok(parsed) => parsed,
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
        // Whoever asked has seen enough.
        Err(error) if Unread::is_why(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error, predecessor.as_ref(), form),
    }
}

/// What the command line says, and whether a verb of it is to print JSON.
fn parse() -> Result<(Arguments, Form), clap::Error> {
    let mut matches = Arguments::command().try_get_matches()?;
    let form = Form::of(wants_json(&matches));
    Ok((Arguments::from_arg_matches_mut(&mut matches)?, form))
}

/// Whether the last of the verbs has `--json`. Some have no such option.
fn wants_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, verb)) => wants_json(verb),
        None => matches!(matches.try_get_one("json"), Ok(Some(true))),
    }
}

/// Says what failed, and why: to people, to programs that read JSON, and to the server that was to
/// be replaced.
fn fail(error: &anyhow::Error, predecessor: Option<&Predecessor>, form: Form) -> ExitCode {
    // The causes on one line.
    let _ = writeln!(std::io::stderr(), "meridian: {error:#}");
    let is_told = error.is::<Incomplete>() || error.is::<Told>();
    if form == Form::Json && !is_told {
        let document = format!("{:#}", json!({ "error": format!("{error:#}") }));
        let _ = writeln!(terminal::out(), "{}", visible::json(&document));
    }
    if let Some(predecessor) = predecessor {
        predecessor.tell(format!("{error:#}"));
    }
    match error.is::<Incomplete>() {
        true => INCOMPLETE.into(),
        false => ExitCode::FAILURE,
    }
}
