//! `meridian policy`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{ClientArguments, No};
use crate::admin::{self, Command, Question, policy};
use crate::terminal;

#[derive(Subcommand)]
pub(super) enum PolicyVerb {
    /// Show the policies that come with the service.
    List(FormArguments),
    /// Print the document of a ready-made policy, or of one that a user has.
    Show {
        /// A ready-made policy, as in `zone-editor=ZONEID`; with --user the name of one it has.
        name: String,
        /// A user of the account.
        #[arg(long, requires = "account")]
        user: Option<String>,
        /// The account's name or id.
        #[arg(long, requires = "user")]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Say whether a policy document can be kept to, and where not.
    Check {
        /// A file with an IAM policy in JSON.
        file: PathBuf,
        #[command(flatten)]
        form: FormArguments,
    },
    /// Say whether policies allow a request, and which statements say so, without making it.
    ///
    /// Asks about the policies that a user has (--account and --user), or about others, for which
    /// no server is needed (--policy and --policy-file; --user is then a name for
    /// `${aws:username}`). Ends with exit code 0 when the request is allowed, with 4 when it is
    /// denied, and with 1 when nothing could be said.
    Test(TestArguments),
}

/// How to print what needs no server.
#[derive(Args)]
pub(super) struct FormArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct TestArguments {
    /// The account's name or id.
    #[arg(long, requires = "user", conflicts_with_all = ["policy", "policy_file"])]
    account: Option<String>,
    /// Who asks.
    #[arg(long)]
    user: Option<String>,
    /// A ready-made policy, as in `zone-editor=ZONEID`; may be given several times.
    #[arg(long)]
    policy: Vec<String>,
    /// A file with an IAM policy in JSON; may be given several times.
    #[arg(long, value_name = "FILE")]
    policy_file: Vec<PathBuf>,
    /// What is asked for, as in `route53:ChangeResourceRecordSets`.
    #[arg(long)]
    action: String,
    /// What it is asked for, an ARN such as `arn:aws:route53:::hostedzone/ZONEID`.
    #[arg(long, default_value = "*")]
    resource: String,
    /// What the request brings, as in `aws:SourceIp=192.0.2.1`; may be given several times, for
    /// several values of a key too.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    #[command(flatten)]
    client: ClientArguments,
}

impl PolicyVerb {
    pub(super) fn run(self) -> Result<()> {
        match self {
            Self::List(form) => form.print(&policy::ready_made()),
            Self::Check { file, form } => form.print(&policy::check(&file)?),
            Self::Show {
                name,
                user: Some(user),
                account: Some(account),
                client,
            } => {
                let command = Command::PolicyShow {
                    account,
                    user,
                    name,
                };
                let shown = admin::ask(&client.client()?, &command)?;
                document(&shown)
            }
            Self::Show { name, .. } => document(&policy::show(&name)?),
            Self::Test(arguments) => arguments.run(),
        }
    }
}

impl TestArguments {
    fn run(self) -> Result<()> {
        let question = Question {
            action: self.action,
            resource: self.resource,
            context: self.context,
        };
        let json = self.client.json;
        let answer = match (self.account, self.user) {
            (Some(account), Some(user)) => {
                let command = Command::PolicyTest {
                    account,
                    user,
                    question,
                };
                admin::ask(&self.client.client()?, &command)?
            }
            (_, user) => {
                let sources = policy::sources(&self.policy, &self.policy_file)?;
                if sources.is_empty() {
                    bail!("name a user with --account and --user, or policies to ask");
                }
                policy::test(sources, user.as_deref(), &question)?
            }
        };
        let mut out = terminal::out();
        if json {
            writeln!(out, "{answer:#}")?;
        } else {
            tell(&mut out, &answer)?;
        }
        if answer["allowed"] == true {
            Ok(())
        } else {
            Err(No.into())
        }
    }
}

impl FormArguments {
    fn print(&self, value: &Value) -> Result<()> {
        let mut out = terminal::out();
        if self.json {
            writeln!(out, "{value:#}")?;
            return Ok(());
        }
        admin::print(&mut out, value)
    }
}

fn document(shown: &Value) -> Result<()> {
    writeln!(terminal::out(), "{:#}", shown["document"])?;
    Ok(())
}

/// The answer for people.
fn tell(out: &mut impl Write, answer: &Value) -> Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    writeln!(
        out,
        "{}: {} on {}",
        text(&answer["decision"]),
        text(&answer["action"]),
        text(&answer["resource"])
    )?;
    let none = Vec::new();
    let matched = answer["matched_statements"].as_array().unwrap_or(&none);
    for each in matched {
        let sid = match each["sid"].as_str() {
            Some(sid) => format!(" '{sid}'"),
            None => String::new(),
        };
        let (effect, policy) = (text(&each["effect"]), text(&each["policy"]));
        writeln!(
            out,
            "  {effect} by {policy}, statement {}{sid}",
            each["statement"]
        )?;
    }
    if matched.is_empty() {
        writeln!(out, "  no statement is about it")?;
    }
    let missing = answer["missing_context"].as_array().unwrap_or(&none);
    for key in missing {
        writeln!(out, "  not given, and asked for: {}", text(key))?;
    }
    if let Some(odd) = answer["odd"].as_str() {
        writeln!(out, "  note: {odd}")?;
    }
    Ok(())
}
