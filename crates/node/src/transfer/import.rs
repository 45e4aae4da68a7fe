//! The command line's side of an import: reads the file, streams its sets to the server in bounded
//! portions, and says what is refused.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use meridian_dns::Name;
use serde_json::Value;

use super::records::Contents;
use super::report::Messages;
use super::set::{PlacedSet, Portion};
use super::{Format, Incomplete, Told, document, master_file};
use crate::admin::{Client, Command, Conversation, ImportCommand};
use crate::terminal::{self, Bar, Form};

/// Sets of one portion.
const PORTION_SETS: usize = 500;
/// About the most bytes of one portion, beyond its last set.
const PORTION_BYTES: usize = 128 * 1024;
/// Portions that may be on their way to the server.
const AHEAD: usize = 4;

/// What is imported, and how.
#[derive(Debug)]
pub(crate) struct Import {
    /// The file.
    pub(crate) file: PathBuf,
    /// How it is written; by its name, if that is not said.
    pub(crate) format: Option<Format>,
    /// What the server is told; the file has yet to say some of it.
    pub(crate) command: ImportCommand,
    /// Whether sets that are refused are left out.
    pub(crate) skip_invalid: bool,
}

/// An import that the server has answered.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What it says.
    pub(crate) result: Value,
    /// Sets that were refused, by their places in the file, with the reason. All of them only if the
    /// client prints JSON.
    pub(crate) refused: Vec<(u64, String)>,
    refusals: Messages,
    warnings: Messages,
    dry_run: bool,
}

/// Imports a file. An import that does not happen is an error.
pub(crate) fn import(client: &Client, import: Import) -> Result<()> {
    let skip_invalid = import.skip_invalid;
    let Answered {
        mut result,
        refusals,
        warnings,
        dry_run,
        ..
    } = ask(client, import)?;
    refusals.end();
    warnings.end();
    let outcome = Outcome {
        dry_run,
        skip_invalid,
        refused: refusals.count(),
    };
    result["refused"] = refusals.count().into();
    if client.json {
        result["refusals"] = refusals.all().into();
        result["warnings"] = warnings.all().into();
        writeln!(terminal::out(), "{result:#}")?;
    } else if refusals.count() == 0 || skip_invalid {
        outcome.print(&result)?;
    }
    outcome.into_result()
}

/// Has the server import a file, and leaves it to others to say so.
pub(crate) fn ask(client: &Client, import: Import) -> Result<Answered> {
    let Import {
        file,
        format,
        mut command,
        skip_invalid,
    } = import;
    let form = client.form();
    let is_json = file
        .extension()
        .is_some_and(|extension| extension == "json");
    let format = format.unwrap_or(if is_json { Format::Json } else { Format::Bind });
    let mut refusals = Messages::new("", form);
    let mut bar = Bar::new(form);
    let contents = match format {
        Format::Bind => {
            let origin = origin(client, &command)?;
            master_file::read(&file, origin, &mut refusals, &mut bar)?
        }
        Format::Json => document::read(&file, &mut refusals, &mut bar)?,
    };
    bar.clear();
    if contents.zone.private && command.create.is_some() {
        bail!(
            "{} is of a private zone, and a new one would be public: make it by the API, and import \
             with --zone",
            file.display()
        );
    }
    command.comment.clone_from(&contents.zone.comment);
    command.tags.clone_from(&contents.zone.tags);
    if refusals.count() > 0 && !skip_invalid {
        // The server says what else is wrong, and writes nothing.
        command.dry_run = true;
    }
    let dry_run = command.dry_run;
    let mut sending = Sending {
        conversation: Conversation::open(client, &Command::ZoneImport(command))?,
        contents: &contents,
        refusals,
        refused: Vec::new(),
        form,
        warnings: Messages::new("warning: ", form),
        bar,
        ahead: 0,
    };
    let result = sending.run()?;
    let Sending {
        refusals,
        refused,
        warnings,
        ..
    } = sending;
    Ok(Answered {
        result,
        refused,
        refusals,
        warnings,
        dry_run,
    })
}

/// What relative names lie below: the zone's name.
fn origin(client: &Client, command: &ImportCommand) -> Result<Name> {
    let name = match (&command.create, &command.zone) {
        (Some(name), _) => name.clone(),
        (None, Some(zone)) => {
            let zone = zone.clone();
            let account = command.account.clone();
            let shown = Conversation::open(client, &Command::ZoneFind { zone, account })?;
            let shown = shown.result()?;
            shown["name"].as_str().unwrap_or_default().to_owned()
        }
        (None, None) => bail!("say which zone: --zone or --create"),
    };
    Ok(Name::parse(&name)?.to_lowercase())
}

struct Sending<'a> {
    conversation: Conversation,
    contents: &'a Contents,
    refusals: Messages,
    /// The same by places, if JSON is printed.
    refused: Vec<(u64, String)>,
    form: Form,
    warnings: Messages,
    bar: Bar,
    /// Portions that the server has not answered yet.
    ahead: usize,
}

impl Sending<'_> {
    fn run(&mut self) -> Result<Value> {
        let ready = self.conversation.progress()?;
        let zone = ready["zone"].as_str().unwrap_or_default().to_owned();
        let mut waiting: Vec<PlacedSet> = Vec::new();
        let mut bytes = 0;
        let contents = self.contents;
        let mut warnings = std::mem::replace(&mut self.warnings, Messages::new("", Form::Text));
        let all = contents.len();
        let sent = contents.each_set(&mut warnings, |mut placed, done| {
            // A zone's own aliases stay its own under another id.
            if let Some(alias) = &mut placed.set.alias_target
                && contents.zone.id.as_deref() == Some(alias.hosted_zone_id.as_str())
            {
                alias.hosted_zone_id.clone_from(&zone);
            }
            let values = placed.set.resource_records.iter().flatten();
            bytes += 200 + values.map(|value| value.value.len() + 20).sum::<usize>();
            waiting.push(placed);
            if waiting.len() >= PORTION_SETS || bytes >= PORTION_BYTES {
                bytes = 0;
                self.send(&Portion::Sets(std::mem::take(&mut waiting)))?;
                self.bar.draw("importing", done, all);
            }
            Ok(())
        });
        self.warnings = warnings;
        sent?;
        self.send(&Portion::Sets(waiting))?;
        self.conversation.send(&Portion::End)?;
        // Ends with the result.
        loop {
            match self.conversation.answer()? {
                Ok(result) => {
                    self.bar.clear();
                    self.say_refused(&result["late"]);
                    return Ok(result);
                }
                Err(progress) => self.say_refused(&progress["refused"]),
            }
        }
    }

    fn send(&mut self, portion: &Portion) -> Result<()> {
        if self.ahead == AHEAD {
            let progress = self.conversation.progress()?;
            self.say_refused(&progress["refused"]);
            self.ahead -= 1;
        }
        self.ahead += 1;
        self.conversation.send(portion)
    }

    fn say_refused(&mut self, refused: &Value) {
        for refused in refused.as_array().into_iter().flatten() {
            self.bar.clear();
            let place = refused["place"].as_u64().unwrap_or_default();
            let reasons = refused["reasons"].as_array().map_or(&[][..], Vec::as_slice);
            for (number, reason) in reasons.iter().enumerate() {
                let before = reasons.iter().take(number);
                let earlier = before.filter(|other| *other == reason).count();
                let reason = reason.as_str().unwrap_or_default();
                let shown = self.contents.shown_reason(place, reason, earlier);
                self.refusals.say(&shown, reason);
                // Only who asks for all of them is promised all of them.
                if self.form == Form::Json {
                    self.refused.push((place, reason.to_owned()));
                }
            }
        }
    }
}

/// How an import ended.
struct Outcome {
    dry_run: bool,
    skip_invalid: bool,
    refused: u64,
}

impl Outcome {
    fn print(&self, result: &Value) -> Result<()> {
        let mut out = terminal::out();
        let text = |field: &str| result[field].as_str().unwrap_or("-").to_owned();
        let done = if self.dry_run {
            "would be imported"
        } else {
            "imported"
        };
        let kept = match result["passed_over"].as_u64() {
            Some(0) | None => "",
            Some(_) => "; the NS and SOA of its apex were passed over (see --take-apex)",
        };
        writeln!(
            out,
            "{done}: zone {} ({}) with {} record sets{kept}",
            text("name"),
            text("zone"),
            result["record_sets"]
        )?;
        if let Some(instances @ 1..) = result["traffic_policy_instances"].as_u64() {
            writeln!(
                out,
                "{instances} traffic policy instances of the zone stay as they are"
            )?;
        }
        if let Some(change) = result["change"].as_str() {
            writeln!(out, "change {change}; see `meridian change show {change}`")?;
        }
        if let Some(aliases @ 1..) = result["aliases_not_followed"].as_u64() {
            writeln!(
                out,
                "{aliases} aliases were not followed, because nothing was written"
            )?;
        }
        Ok(())
    }

    fn into_result(self) -> Result<()> {
        match (self.refused, self.skip_invalid) {
            (0, _) => Ok(()),
            (refused, true) => {
                let text = format!("{refused} reasons against records, which were left out");
                Err(Incomplete(text).into())
            }
            (refused, false) => {
                let text = format!(
                    "nothing was imported: {refused} reasons against it; --skip-invalid leaves \
                     such records out"
                );
                Err(Told(text).into())
            }
        }
    }
}
