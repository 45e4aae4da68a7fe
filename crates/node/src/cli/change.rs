//! `meridian change`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::ClientArguments;
use crate::admin::{self, Command, PlannedChange};
use crate::terminal;
use crate::transfer::Told;
use crate::visible;

#[derive(Subcommand)]
pub(super) enum ChangeVerb {
    /// Show a change, and whether every name server of its zone serves it.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Say which clients a change would give another answer, and write nothing.
    ///
    /// The change goes through the rules of ChangeResourceRecordSets; what it would refuse is said
    /// in its words. Answers before and after are compared for every country, for clients that are
    /// nowhere known, and for the subdivisions and CIDR locations that some record set names.
    Preview(PreviewArguments),
}

#[derive(Args)]
pub(super) struct PreviewArguments {
    /// A change batch in JSON, as `aws route53 change-resource-record-sets --change-batch` takes it.
    file: PathBuf,
    /// The zone, by id or name.
    #[arg(long)]
    zone: String,
    #[command(flatten)]
    client: ClientArguments,
}

/// `ChangeBatch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeBatch {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    changes: Vec<PlannedChange>,
}

impl ChangeVerb {
    pub(super) fn run(self) -> Result<()> {
        match self {
            Self::Show { id, client } => {
                admin::call(&client.client()?, &Command::ChangeShow { id })
            }
            Self::Preview(arguments) => arguments.run(),
        }
    }
}

impl PreviewArguments {
    fn run(self) -> Result<()> {
        let shown = self.file.display();
        let text =
            fs::read_to_string(&self.file).with_context(|| format!("cannot read {shown}"))?;
        let batch: ChangeBatch =
            serde_json::from_str(&text).with_context(|| format!("{shown} is no change batch"))?;
        if batch.changes.is_empty() {
            bail!("{shown} has no changes");
        }
        let command = Command::ChangePreview {
            zone: self.zone,
            changes: batch.changes,
        };
        let client = self.client.client()?;
        let result = admin::ask(&client, &command)?;
        let Some(refused) = result["error"].as_str() else {
            return admin::show(&client, &command, &result);
        };
        if client.json {
            let document = format!("{result:#}");
            writeln!(terminal::out(), "{}", visible::json(&document))?;
        }
        Err(Told(visible::text(refused).into_owned()).into())
    }
}
