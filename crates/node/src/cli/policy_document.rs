//! `meridian policy-document`: what there is to do with a traffic policy's document without a
//! server.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use meridian_model::{Document, DocumentFault, NodeRef};
use serde_json::{Value, json};

use super::No;
use crate::terminal::{self, Form};

#[derive(Subcommand)]
pub(super) enum PolicyDocumentVerb {
    /// Say whether a document can be a traffic policy, and where not.
    ///
    /// Needs no server: regions that are none of AWS's are taken for the operator's, and health
    /// checks are not looked for. Ends with exit code 4 when there are faults.
    Check {
        /// A file with the document in JSON.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The most bytes of a file that are read: more than the longest document has, whose end is then
/// told to be too far.
const MAX_BYTES: u64 = 1024 * 1024;

impl PolicyDocumentVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self::Check { file, json } = self;
        let outcome = Document::parse(&read(&file)?);
        let mut out = terminal::out();
        match Form::of(json) {
            Form::Json => writeln!(out, "{:#}", told(&file, &outcome))?,
            _ => tell(&mut out, &file, &outcome)?,
        }
        match outcome {
            Ok(_) => Ok(()),
            Err(_) => Err(No.into()),
        }
    }
}

fn read(file: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", file.display());
    let mut text = String::new();
    let open = fs::File::open(file).with_context(cannot)?;
    open.take(MAX_BYTES)
        .read_to_string(&mut text)
        .with_context(cannot)?;
    Ok(text)
}

fn told(file: &Path, outcome: &Result<Document, Vec<DocumentFault>>) -> Value {
    let file = file.display().to_string();
    match outcome {
        Ok(document) => json!({
            "valid": true,
            "file": file,
            "format": document.format().as_str(),
            "type": document.record_type().as_str(),
            "endpoints": document.endpoints().len(),
            "rules": document.rules().len(),
            "health_checks": document.health_checks(),
            "faults": [],
            "warnings": warnings(document),
        }),
        Err(faults) => {
            let fault = |fault: &DocumentFault| json!({ "path": fault.path, "text": fault.text });
            json!({
                "valid": false,
                "file": file,
                "faults": faults.iter().map(fault).collect::<Vec<_>>(),
            })
        }
    }
}

fn tell(
    out: &mut impl Write,
    file: &Path,
    outcome: &Result<Document, Vec<DocumentFault>>,
) -> Result<()> {
    let file = file.display();
    match outcome {
        Ok(document) => {
            for warning in warnings(document) {
                writeln!(out, "warning: {warning}")?;
            }
            writeln!(
                out,
                "{file} is a valid traffic policy document: type {}, format {}, {}, {}",
                document.record_type(),
                document.format().as_str(),
                counted(document.endpoints().len(), "endpoint"),
                counted(document.rules().len(), "rule"),
            )?;
        }
        Err(faults) => {
            for fault in faults {
                writeln!(out, "{fault}")?;
            }
            let count = counted(faults.len(), "fault");
            writeln!(
                out,
                "{file} is not a valid traffic policy document: {count}"
            )?;
        }
    }
    Ok(())
}

/// What somebody may not have meant.
fn warnings(document: &Document) -> Vec<String> {
    let unused = document.unused().into_iter().map(|node| {
        let (list, id) = match node {
            NodeRef::Endpoint(place) => ("Endpoints", &document.endpoints()[place].id),
            NodeRef::Rule(place) => ("Rules", &document.rules()[place].id),
        };
        format!("{list}.{id}: nothing leads to it")
    });
    let regions = document.unknown_regions(&[]).into_iter().map(|fault| {
        let DocumentFault { path, text } = fault;
        format!("{path}: {text}, unless the operator has added it")
    });
    unused.chain(regions).collect()
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
