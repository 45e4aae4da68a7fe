//! The command line's side of `meridian health watch`: a table that is drawn anew on a terminal,
//! else a line for each flip.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::Value;

use super::client::{Client, Conversation};
use super::command::Command;
use super::render::{cell, value};
use crate::terminal::{self, Form};
use crate::visible;

/// Takes the cursor to the top of an empty screen.
const CLEAR: &str = "\x1b[H\x1b[J";
/// The most lines of the table: a screen that scrolls cannot be read.
const LINES_MAX: usize = 40;

/// Shows what the server tells until it ends.
pub(crate) fn watch(client: &Client) -> Result<()> {
    let screen = matches!(client.form(), Form::Text) && terminal::is_screen();
    let mut conversation = Conversation::open(client, &Command::HealthWatch { screen })?;
    // Ends with the connection at the latest.
    loop {
        let mut out = terminal::out();
        match (conversation.answer()?, client.form()) {
            (Ok(told) | Err(told), Form::Json) if told["ended"].is_null() => {
                writeln!(out, "{}", visible::json(&told.to_string()))?;
            }
            (Ok(told), _) => return Ok(writeln!(out, "{}", cell(&told["ended"]))?),
            (Err(told), _) if screen => draw(&mut out, &told)?,
            (Err(told), _) => line(&mut out, &told)?,
        }
        out.flush()?;
    }
}

fn draw(out: &mut impl Write, told: &Value) -> io::Result<()> {
    write!(out, "{CLEAR}")?;
    summary(out, told)?;
    let rows = told["checks"].as_array().map(Vec::as_slice);
    let rows = rows.unwrap_or_default();
    let shown = rows.get(..LINES_MAX).unwrap_or(rows);
    value(out, &shown.to_vec().into())
}

fn summary(out: &mut impl Write, told: &Value) -> io::Result<()> {
    writeln!(
        out,
        "{} healthy, {} unhealthy",
        told["healthy"], told["unhealthy"]
    )
}

fn line(out: &mut impl Write, told: &Value) -> io::Result<()> {
    let flip = &told["flip"];
    match (flip.is_null(), told["healthy"].is_null()) {
        (false, _) => {
            let [at, check, checks, to, why] =
                ["at", "check", "checks", "to", "why"].map(|name| cell(&flip[name]));
            writeln!(out, "{at}  {check}  {checks}  is {to}: {why}")
        }
        (true, false) => summary(out, told),
        // How much was too much to be told.
        (true, true) => value(out, told),
    }
}
