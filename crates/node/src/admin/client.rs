//! The command line's side of the admin socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::command::{Answer, Command};
use super::{host, render, socket};
use crate::store;
use crate::terminal::{self, Bar, Form};
use crate::visible;

/// Memory for reading the tables of a server that does not run, in MiB.
const OFFLINE_CACHE_MIB: usize = 64;

/// Who sends a command: where its server is, and how it prints.
pub(crate) struct Client {
    /// The server's data directory.
    pub(crate) data_dir: PathBuf,
    /// JSON rather than text.
    pub(crate) json: bool,
}

impl Client {
    /// How it prints.
    pub(crate) fn form(&self) -> Form {
        Form::of(self.json)
    }
}

/// Sends a command to the running server and prints what comes back.
pub(crate) fn call(client: &Client, command: &Command) -> Result<()> {
    show(client, command, &ask(client, command)?)
}

/// Prints what came back.
pub(crate) fn show(client: &Client, command: &Command, result: &Value) -> Result<()> {
    let mut out = terminal::out();
    if client.json {
        writeln!(out, "{}", visible::json(&format!("{result:#}")))?;
    } else {
        render::text(&mut out, command, result)?;
    }
    Ok(())
}

/// Sends a command to the running server; returns what comes back.
pub(crate) fn ask(client: &Client, command: &Command) -> Result<Value> {
    match connect(client) {
        Ok(stream) => converse(&stream, client, command),
        Err(_) if matches!(command, Command::JournalVerify) => verify_offline(client),
        Err(error) => Err(error),
    }
}

/// Prints for people what needed no server.
pub(crate) fn print(out: &mut impl Write, result: &Value) -> Result<()> {
    Ok(render::value(out, result)?)
}

/// A connection that carries more than a command and its answer.
pub(crate) struct Conversation {
    lines: BufReader<UnixStream>,
}

impl Conversation {
    /// Sends a command to the running server.
    pub(crate) fn open(client: &Client, command: &Command) -> Result<Self> {
        let stream = connect(client)?;
        let mut conversation = Self {
            lines: BufReader::new(stream),
        };
        conversation.send(command)?;
        Ok(conversation)
    }

    /// Sends something more.
    pub(crate) fn send(&mut self, what: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        if let Err(broken) = self.lines.get_mut().write_all(&line) {
            // The server has said why, before it ended the connection. There are few answers that
            // nobody has read yet.
            while self.answer()?.is_err() {}
            return Err(broken.into());
        }
        Ok(())
    }

    /// What the server says next: the result, or on the way to it how far it is.
    pub(crate) fn answer(&mut self) -> Result<Result<Value, Value>> {
        let mut answer = String::new();
        self.lines.read_line(&mut answer)?;
        match serde_json::from_str(&answer).context("the server broke off")? {
            Answer::Result(result) => Ok(Ok(result)),
            Answer::Progress(step) => Ok(Err(step)),
            Answer::Error { message } => bail!(message),
        }
    }

    /// What the server says next, which is not the result yet.
    pub(crate) fn progress(&mut self) -> Result<Value> {
        match self.answer()? {
            Err(step) => Ok(step),
            Ok(_) => bail!("the server ended too early"),
        }
    }

    /// The result, after everything before it.
    pub(crate) fn result(mut self) -> Result<Value> {
        // Ends with the connection at the latest.
        loop {
            if let Ok(result) = self.answer()? {
                return Ok(result);
            }
        }
    }
}

fn connect(client: &Client) -> Result<UnixStream> {
    let path = socket(&client.data_dir);
    UnixStream::connect(&path).with_context(|| {
        format!(
            "no server answers on {}; start one with `meridian serve`, or name its data directory \
             with --data-dir",
            path.display()
        )
    })
}

fn converse(mut stream: &UnixStream, client: &Client, command: &Command) -> Result<Value> {
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut lines = BufReader::new(stream);
    let mut bar = Bar::new(client.form());
    // Ends with the connection at the latest.
    loop {
        let mut answer = String::new();
        lines.read_line(&mut answer)?;
        match serde_json::from_str(&answer).context("the server broke off")? {
            Answer::Result(result) => {
                bar.clear();
                return Ok(result);
            }
            Answer::Error { message } => {
                bar.clear();
                bail!(message)
            }
            Answer::Progress(_) if client.json => {}
            Answer::Progress(step) if step["all"].is_u64() => {
                let number = |name: &str| step[name].as_u64().unwrap_or(0);
                let what = step["step"].as_str().unwrap_or_default();
                bar.draw(what, number("done"), number("all"));
            }
            Answer::Progress(step) => render::step(&mut terminal::out(), &step)?,
        }
    }
}

/// Without a server the files can be opened here.
fn verify_offline(client: &Client) -> Result<Value> {
    if !client.data_dir.join("journal.redb").exists() {
        bail!("there is no journal in {}", client.data_dir.display());
    }
    store::prepare(&client.data_dir)?;
    let journal = store::open_journal(&client.data_dir)?;
    let tables = store::open_tables(&client.data_dir, OFFLINE_CACHE_MIB)?;
    host::report(&*journal, &tables)
}
