//! Policies without a server: those that come with the service, checking a document, and asking
//! one what it says to a request.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_control::{
    Decision, Effect, ReadyMade, ReadyMadePolicy, Verdict, check_policy, evaluate, idle_statements,
    odd_question,
};
use meridian_model::{AccountId, Policy};
use serde_json::{Value, from_str, json};

use super::command::{PolicySource, Question};

/// The account that a question without a server is about.
const NO_ACCOUNT: &str = "000000000000";

/// The policies that come with the service.
pub(crate) fn ready_made() -> Value {
    let each = ReadyMadePolicy::ALL.iter().map(|policy| {
        let zones = if policy.takes_zones() {
            "=ZONEID[,ZONEID…]"
        } else {
            ""
        };
        json!({ "policy": format!("{}{zones}", policy.name()), "allows": policy.summary() })
    });
    each.collect()
}

/// The document of one of them.
pub(crate) fn show(text: &str) -> Result<Value> {
    let policy = ReadyMade::parse(text)?.policy();
    let document: Value = from_str(&policy.document)?;
    Ok(json!({ "name": policy.name, "document": document }))
}

/// Checks a file.
pub(crate) fn check(file: &Path) -> Result<Value> {
    let idle = idle_statements(&read(file)?)?;
    let warnings = idle.iter().map(|place| {
        format!("statement {place} does nothing here: its actions are none of Route 53's")
    });
    Ok(json!({
        "valid": true,
        "file": file.display().to_string(),
        "warnings": warnings.collect::<Vec<_>>(),
    }))
}

/// What these policies say to a question about a user that need not exist.
pub(crate) fn test(
    sources: Vec<PolicySource>,
    user: Option<&str>,
    question: &Question,
) -> Result<Value> {
    let policies = sources.into_iter().map(|source| match source {
        PolicySource::ReadyMade(text) => Ok(ReadyMade::parse(&text)?.policy()),
        PolicySource::Document { name, document } => Ok(Policy { name, document }),
    });
    let policies: Vec<Policy> = policies.collect::<Result<_>>()?;
    let mut context = question.context()?;
    if let Some(user) = user {
        context = context.with_user(&AccountId::new(NO_ACCOUNT)?, user);
    }
    let asked = meridian_control::Question {
        action: &question.action,
        resource: &question.resource,
        context: &context,
    };
    Ok(shown(question, &evaluate(&policies, &asked)?))
}

/// Ready-made policies and others from files, which are checked before anything is sent.
pub(crate) fn sources(ready_made: &[String], files: &[PathBuf]) -> Result<Vec<PolicySource>> {
    let mut sources = Vec::new();
    for text in ready_made {
        ReadyMade::parse(text)?;
        sources.push(PolicySource::ReadyMade(text.clone()));
    }
    for file in files {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        sources.push(PolicySource::Document {
            name: stem.to_string_lossy().into_owned(),
            document: read(file)?,
        });
    }
    Ok(sources)
}

fn read(file: &Path) -> Result<String> {
    let shown = file.display();
    let document = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    if let Err(error) = check_policy(&document) {
        bail!("{shown}: {error}");
    }
    Ok(document)
}

/// The answer, in the words of IAM's own simulator.
pub(super) fn shown(question: &Question, verdict: &Verdict) -> Value {
    let matched = verdict.matched.iter().map(|matched| {
        json!({
            "policy": matched.policy,
            "statement": matched.statement,
            "sid": matched.sid,
            "effect": match matched.effect {
                Effect::Allow => "Allow",
                Effect::Deny => "Deny",
            },
        })
    });
    json!({
        "action": question.action,
        "resource": question.resource,
        "decision": verdict.decision.as_str(),
        "allowed": verdict.decision == Decision::Allowed,
        "matched_statements": matched.collect::<Vec<_>>(),
        "missing_context": verdict.missing,
        "odd": odd_question(&question.action, &question.resource),
    })
}

impl Question {
    /// What stands behind `--context`, each `KEY=VALUE`; a key that comes again has both values.
    pub(super) fn context(&self) -> Result<meridian_control::Context> {
        let mut context = meridian_control::Context::default();
        let mut keys: Vec<(&str, Vec<String>)> = Vec::new();
        for pair in &self.context {
            let Some((key, value)) = pair.split_once('=') else {
                bail!("'{pair}' is no KEY=VALUE");
            };
            let known = keys
                .iter_mut()
                .find(|(other, _)| other.eq_ignore_ascii_case(key));
            match known {
                Some((_, values)) => values.push(value.to_owned()),
                None => keys.push((key, vec![value.to_owned()])),
            }
        }
        for (key, values) in keys {
            context.set(key, values)?;
        }
        Ok(context)
    }
}
