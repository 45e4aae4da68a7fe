//! Routing controls: what checks of the type RECOVERY_CONTROL go by. An operator turns them; who
//! may name them is not decided here.

use super::Health;
use crate::facts::Timestamp;

/// A routing control as it was turned last. One that nobody ever turned is off, as Route 53's are
/// when they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingControl {
    /// By what checks name it.
    pub arn: String,
    /// On or off.
    pub state: ControlState,
    /// Who turned it.
    pub principal: String,
    /// When.
    pub at: Timestamp,
}

/// How a routing control is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum ControlState {
    On,
    Off,
}

/// The most characters of an ARN.
const MAX_ARN_CHARACTERS: usize = 255;

impl ControlState {
    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// The one of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::On, Self::Off]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// What it makes of checks.
    pub const fn health(self) -> Health {
        match self {
            Self::On => Health::Healthy,
            Self::Off => Health::Unhealthy,
        }
    }
}

/// Whether a text can be the ARN of a routing control.
pub fn is_routing_control(text: &str) -> bool {
    let is_short = text.chars().count() <= MAX_ARN_CHARACTERS;
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_short && visible && text.starts_with("arn:") && text.contains("routingcontrol/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_those_of_routing_controls() {
        let arn = "arn:aws:route53-recovery-control::123456789012:controlpanel/a/routingcontrol/b";
        assert!(is_routing_control(arn));
        for text in [
            "",
            "arn:aws:route53:::healthcheck/b",
            "controlpanel/a/routingcontrol/b",
            "arn:a b:routingcontrol/b",
            "arn:é:routingcontrol/b",
        ] {
            assert!(!is_routing_control(text), "{text}");
        }
        assert!(!is_routing_control(&format!("{arn}{}", "0".repeat(200))));
    }
}
