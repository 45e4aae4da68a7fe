//! Whether commands find the journal open, and which of them need it. Where DNS alone is answered,
//! because the journal or the vault cannot be used, those are carried out that look, and break-glass.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use meridian_control::Control;
use meridian_log::Journal;

use super::super::command::Command;
use super::Host;

/// Where changes are made.
#[derive(Clone)]
pub(crate) enum Office {
    Open {
        control: Arc<Control>,
        journal: Arc<dyn Journal>,
    },
    /// Why.
    Shut(Arc<str>),
}

impl Office {
    fn refusal(why: &str) -> anyhow::Error {
        anyhow!(
            "this server answers DNS alone, as its journal or vault cannot be used, so that it \
             takes no such command until that is mended and it is started again: {why}"
        )
    }
}

impl Host {
    /// Whether the command can be carried out, as far as that depends on the journal.
    pub(super) fn admit(&self, command: &Command) -> Result<()> {
        match &self.office {
            Office::Shut(why) if needs_journal(command) => Err(Office::refusal(why)),
            _ => Ok(()),
        }
    }

    /// Every operation, where there is a journal.
    pub(super) fn control(&self) -> Result<&Arc<Control>> {
        match &self.office {
            Office::Open { control, .. } => Ok(control),
            Office::Shut(why) => Err(Office::refusal(why)),
        }
    }

    /// The journal, where it can be used.
    pub(super) fn journal(&self) -> Result<&Arc<dyn Journal>> {
        match &self.office {
            Office::Open { journal, .. } => Ok(journal),
            Office::Shut(why) => Err(Office::refusal(why)),
        }
    }
}

const fn needs_journal(command: &Command) -> bool {
    !matches!(
        command,
        Command::Status
            | Command::HealthList { .. }
            | Command::HealthShow { .. }
            | Command::HealthWatch { .. }
            | Command::HealthForce {
                break_glass_ms: Some(_),
                ..
            }
            | Command::HealthRelease {
                break_glass: true,
                ..
            }
            | Command::HealthWebhookTest { .. }
            | Command::GeoStatus
            | Command::GeoLookup { .. }
            | Command::LatencyStatus
            | Command::LatencyShow { .. }
            | Command::LatencyMap { .. }
            | Command::TargetList
            | Command::TargetShow { .. }
            | Command::Explain(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_needs_the_journal_unless_glass_is_broken() {
        let force = |break_glass_ms| Command::HealthForce {
            id: String::new(),
            state: String::new(),
            reason: String::new(),
            break_glass_ms,
        };
        let release = |break_glass| Command::HealthRelease {
            id: String::new(),
            break_glass,
        };
        for (command, needs) in [
            (force(None), true),
            (force(Some(1)), false),
            (release(false), true),
            (release(true), false),
            (Command::Status, false),
            (Command::AccountList, true),
            (Command::HealthControlList, true),
        ] {
            assert_eq!(needs_journal(&command), needs, "{command:?}");
        }
    }
}
