//! `meridian health`.

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use meridian_model::{ControlState, Health};
use serde_json::Value;

use super::ClientArguments;
use crate::admin::{self, Client, Command};

#[derive(Subcommand)]
pub(super) enum HealthVerb {
    /// Show health checks of all accounts, what their state is at this node, and why.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show a health check, its children, and what people say of it.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show health checks as they change: on a terminal a table, else a line for each that becomes
    /// healthy or unhealthy. With --json a line of JSON for each. Ends with the server, or with
    /// Ctrl-C.
    Watch {
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Say what the state of a health check is, whatever is observed, until it is released.
    Force {
        /// Its id.
        id: String,
        /// What its state is to be.
        state: ForcedState,
        /// Why, in one line, for those who find it.
        #[arg(long)]
        reason: String,
        /// Hand it to this node alone, without the journal, for when that cannot be written. It
        /// comes before everything else that is said of the check.
        #[arg(long, requires = "duration")]
        break_glass: bool,
        /// How long that is to hold: a number with s, m or h behind it, 24h at most.
        #[arg(
            long = "for",
            id = "duration",
            value_name = "DURATION",
            requires = "break_glass",
            value_parser = duration_ms,
        )]
        for_ms: Option<u64>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Have an endpoint probed at another interval, which clients of the API cannot change.
    Set {
        /// The check's id.
        id: String,
        /// Seconds from an answer to the next probe: 10 or 30, and 1 to 5 as far as the account's
        /// MIN_HEALTH_CHECK_INTERVAL_SECONDS lets it.
        #[arg(long, value_name = "SECONDS")]
        interval: u8,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Routing controls: what checks of the type RECOVERY_CONTROL go by.
    #[command(subcommand)]
    Control(ControlVerb),
    /// Webhooks: servers that are told of health checks that become healthy or unhealthy.
    #[command(subcommand)]
    Webhook(WebhookVerb),
    /// Have the state of a health check be what is observed again.
    Release {
        /// Its id.
        id: String,
        /// Let go only of what this node was handed with --break-glass. Needs no journal.
        #[arg(long)]
        break_glass: bool,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Subcommand)]
pub(super) enum ControlVerb {
    /// Show those that were ever turned or that a check goes by.
    List(ClientArguments),
    /// Turn one on: checks that go by it are healthy.
    On {
        /// Its ARN.
        arn: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Turn one off, as it is before it is ever turned: checks that go by it are unhealthy.
    Off {
        /// Its ARN.
        arn: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

#[derive(Subcommand)]
pub(super) enum WebhookVerb {
    /// Tell a webhook that it would be told, once, and show how that went.
    Test {
        /// Its name in the configuration; all without one.
        name: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
}

/// A state that a check may be forced into.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ForcedState {
    Healthy,
    Unhealthy,
}

impl HealthVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let (command, client) = match self {
            Self::List { account, client } => return list(account.as_deref(), &client.client()?),
            Self::Show { id, client } => (Command::HealthShow { id }, client),
            Self::Watch { client } => return admin::watch(&client.client()?),
            Self::Force {
                id,
                state,
                reason,
                break_glass: _,
                for_ms,
                client,
            } => {
                let state = match state {
                    ForcedState::Healthy => Health::Healthy,
                    ForcedState::Unhealthy => Health::Unhealthy,
                };
                let command = Command::HealthForce {
                    id,
                    state: state.as_str().to_owned(),
                    reason,
                    break_glass_ms: for_ms,
                };
                (command, client)
            }
            Self::Control(verb) => verb.command(),
            Self::Webhook(WebhookVerb::Test { name, client }) => {
                (Command::HealthWebhookTest { name }, client)
            }
            Self::Set {
                id,
                interval,
                client,
            } => {
                let command = Command::HealthSet {
                    id,
                    interval_s: interval,
                };
                (command, client)
            }
            Self::Release {
                id,
                break_glass,
                client,
            } => (Command::HealthRelease { id, break_glass }, client),
        };
        admin::call(&client.client()?, &command)
    }
}

/// All checks, however many: the server hands them out in pages.
fn list(account: Option<&str>, client: &Client) -> Result<()> {
    let page = |from| Command::HealthList {
        account: account.map(str::to_owned),
        from,
    };
    let mut command = page(None);
    let mut checks = Vec::new();
    // Each page begins behind the one before, so the last one comes.
    loop {
        let mut told = admin::ask(client, &command)?;
        if let Value::Array(rows) = told["checks"].take() {
            checks.extend(rows);
        }
        let Value::String(next) = told["next"].take() else {
            return admin::show(client, &command, &Value::Array(checks));
        };
        command = page(Some(next));
    }
}

impl ControlVerb {
    fn command(self) -> (Command, ClientArguments) {
        let turn = |arn, state: ControlState| Command::HealthControlTurn {
            arn,
            state: state.as_str().to_owned(),
        };
        match self {
            Self::List(client) => (Command::HealthControlList, client),
            Self::On { arn, client } => (turn(arn, ControlState::On), client),
            Self::Off { arn, client } => (turn(arn, ControlState::Off), client),
        }
    }
}

/// Reads `90s`, `30m` or `2h`; returns milliseconds.
fn duration_ms(text: &str) -> Result<u64> {
    let Some((end, _)) = text.char_indices().next_back() else {
        bail!("it is empty");
    };
    let (number, unit) = text.split_at(end);
    let unit_ms: u64 = match unit {
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => bail!("a number with s, m or h behind it, as in 90s, 30m or 2h"),
    };
    let number: u64 = number.parse().context("the number")?;
    number
        .checked_mul(unit_ms)
        .context("the number is too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, ms) in [("90s", 90_000), ("30m", 1_800_000), ("24h", 86_400_000)] {
            assert_eq!(duration_ms(text).unwrap(), ms);
        }
        for text in [
            "",
            "s",
            "9",
            "1d",
            "-1s",
            "1.5h",
            "1hé",
            "h1",
            "99999999999999999h",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
