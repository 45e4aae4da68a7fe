//! Why something did not happen, for people: control's own words, and others only where those are about
//! the command line.

use axum::http::StatusCode;
use meridian_control::{Fault, OperationError, Refusal, Unfilled};
use meridian_model::ResourceRefusal;

/// Why there is no page, or no change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Route 53's code; one of our own where it has none.
    pub(crate) code: String,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, text: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            text: text.into(),
        }
    }

    /// What was typed cannot be meant.
    pub(crate) fn input(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", text)
    }

    /// Whether it is for whoever typed something to mend; else the form is of no use.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_client_error()
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refusal) => refusal.into(),
            OperationError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::AccessDenied { .. } => StatusCode::FORBIDDEN,
            Refusal::NoSuchHostedZone(_) | Refusal::NoSuchChange(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let text = match &refusal {
            // Several are better read one by one than in Route 53's brackets.
            Refusal::InvalidChangeBatch(texts) => texts.join("\n"),
            other => other.to_string(),
        };
        Self::new(status, refusal.code(), text)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            // Paths and other inner matters are for the log.
            Fault::Storage(_) => {
                tracing::error!(%fault, "a page of the console failed: {fault}");
                let text = "Something went wrong here. The server's log says what.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", text)
            }
            Fault::NotFinalized { .. } => {
                let status = StatusCode::NOT_IMPLEMENTED;
                Self::new(status, "NotImplemented", fault.to_string())
            }
            Fault::TooLarge { .. } => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Self::new(status, "RequestEntityTooLarge", fault.to_string())
            }
            Fault::DiskFull | Fault::NotApplied | Fault::Contention => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "ServiceUnavailable", fault.to_string())
            }
        }
    }
}

impl From<Unfilled> for Problem {
    fn from(unfilled: Unfilled) -> Self {
        let register = "or have an operator register it with its region";
        Self::input(match unfilled {
            Unfilled::Operation(error) => return error.into(),
            Unfilled::NoIdentifier => {
                "Give a set identifier: it tells the record sets of one name and type apart."
                    .to_owned()
            }
            Unfilled::NoType(value) => format!(
                "'{value}' is no address: choose the type, as CNAME for the name of a host, or an \
                 alias to it."
            ),
            Unfilled::AliasOfAddress(address) => {
                format!(
                    "{address} is an address, and an alias leads to a name: give it as a value."
                )
            }
            Unfilled::NoRegionOfType(rtype) => {
                format!("A record of type {rtype} has no region of its own: choose the region.")
            }
            Unfilled::SeveralRegions(one, other) => format!(
                "The values are in several regions, {} and {}: a record set has one, so write \
                 one for each, or choose the region.",
                one.as_str(),
                other.as_str()
            ),
            Unfilled::Resource(ResourceRefusal::BareAddress(name)) => format!(
                "{name} is a bare address, which has no region: choose the region, {register} \
                 (meridian resource add {name} --region REGION)."
            ),
            Unfilled::Resource(ResourceRefusal::Untold(name)) => format!(
                "The name {name} does not tell its region: choose the region, {register} \
                 (meridian resource add {name} --region REGION)."
            ),
            Unfilled::Resource(ResourceRefusal::UnknownRegion(name)) => format!(
                "There is no region '{name}': it is one of AWS's, or one that an operator has added."
            ),
            Unfilled::UnknownZone(said) => {
                format!("There is no hosted zone '{said}' in this account.")
            }
            other => other.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use meridian_dns::RecordType;
    use meridian_model::{Region, ResourceName};

    use super::*;

    fn said(unfilled: Unfilled) -> String {
        let problem = Problem::from(unfilled);
        assert!(problem.is_refusal());
        problem.text
    }

    #[test]
    fn what_is_left_to_be_said_is_told_in_words_of_the_form() {
        let name = |text: &str| ResourceName::parse(text).unwrap();
        let region = |text: &str| Region::new(text).unwrap();
        let bare = said(ResourceRefusal::BareAddress(name("192.0.2.9")).into());
        assert_eq!(
            bare,
            "192.0.2.9 is a bare address, which has no region: choose the region, or have an \
             operator register it with its region (meridian resource add 192.0.2.9 --region REGION)."
        );
        let texts = [
            said(ResourceRefusal::UnknownRegion("mars".to_owned()).into()),
            said(Unfilled::NoIdentifier),
            said(Unfilled::NoType("x".to_owned())),
            said(Unfilled::AliasOfAddress("2001:db8::9".parse().unwrap())),
            said(Unfilled::NoHost("192.0.2.0/24".to_owned())),
            said(Unfilled::NoRegionOfType(RecordType::Txt)),
            said(Unfilled::SeveralRegions(
                region("us-east-1"),
                region("eu-west-1"),
            )),
            said(Unfilled::UnknownZone("x.test".to_owned())),
        ];
        for text in texts {
            assert!(!text.contains("--") && !text.contains('`'), "{text}");
        }
    }

    #[test]
    fn refusals_keep_their_codes_and_faults_tell_nothing_of_the_inside() {
        let batch = vec!["[one]".to_owned(), "[two]".to_owned()];
        let problem = Problem::from(Refusal::InvalidChangeBatch(batch));
        assert_eq!(
            (problem.code.as_str(), problem.text.as_str()),
            ("InvalidChangeBatch", "[one]\n[two]")
        );
        let fault = Problem::from(Fault::Storage("/secret/path".to_owned()));
        assert!(!fault.is_refusal() && !fault.text.contains("secret"));
        assert_eq!(
            Problem::from(Fault::Contention).status,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}
