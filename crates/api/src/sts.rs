//! Security Token Service, API version 2011-06-15, by the query protocol: GetCallerIdentity alone.
//!
//! Tools ask it who they are before anything else. There are no roles and no temporary credentials
//! here, so the other actions do not exist.

use axum::http::Method;
use meridian_control::Caller;

use crate::fault::ErrorResponse;
use crate::route53::{Form, Reply};
use crate::uri;
use crate::xml::Document;

/// The service name in credential scopes.
pub(crate) const SERVICE: &str = "sts";
/// The namespace of its documents.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

const VERSION: &str = "2011-06-15";
/// The longest body: parameters are kept one by one, and no action that is there has any.
const MAX_BODY_LEN: usize = 16 * 1024;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    GetCallerIdentity,
}

impl Action {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
        }
    }

    /// Carries it out. It takes no permission, and none can be denied: a key that is valid may
    /// always know whose it is.
    pub(crate) fn act(self, caller: &Caller) -> Reply {
        let body = Document::render_in(NAMESPACE, "GetCallerIdentityResponse", |doc| {
            doc.element("GetCallerIdentityResult", |doc| {
                doc.text("Arn", caller.arn());
                doc.text("UserId", caller.user_id());
                doc.text("Account", &caller.account);
            });
            doc.element("ResponseMetadata", |doc| {
                doc.text("RequestId", &caller.request_id);
            });
        });
        Reply {
            status: 200,
            location: None,
            body,
            form: Form::Usual,
        }
    }
}

/// The action that a request names in its query or its body.
pub(crate) fn resolve(method: &Method, query: &str, body: &[u8]) -> Result<Action, ErrorResponse> {
    if method != Method::GET && method != Method::POST {
        return Err(ErrorResponse::method_not_allowed(
            vec!["GET", "POST"],
            "Actions are asked for by GET or POST.",
        ));
    }
    if body.len() > MAX_BODY_LEN {
        return Err(ErrorResponse::new(
            "RequestEntityTooLarge",
            format!("The request body is larger than {MAX_BODY_LEN} bytes."),
        ));
    }
    let parameters = std::str::from_utf8(body)
        .ok()
        .and_then(|body| Some([uri::decode_query(query)?, uri::decode_query(body)?].concat()))
        .ok_or_else(|| {
            ErrorResponse::new(
                "MalformedQueryString",
                "The query string is not percent-encoded.",
            )
        })?;
    let parameter = |name: &str| {
        let mut named = parameters
            .iter()
            .filter(|(other, _)| other == name.as_bytes());
        named
            .next()
            .map(|(_, value)| String::from_utf8_lossy(value))
    };
    let Some(action) = parameter("Action") else {
        return Err(ErrorResponse::new(
            "MissingAction",
            "The request is missing an action or a required parameter.",
        ));
    };
    let version = parameter("Version").unwrap_or_else(|| "NO_VERSION_SPECIFIED".into());
    let found = Action::GetCallerIdentity;
    if action == found.name() && version == VERSION {
        return Ok(found);
    }
    Err(ErrorResponse::new(
        "InvalidAction",
        format!("Could not find operation {action} for version {version}"),
    ))
}

/// What a request of the JSON protocol, which names its action in a header, hears.
pub(crate) fn no_such_target(target: &str) -> ErrorResponse {
    ErrorResponse::new(
        "InvalidAction",
        format!("Meridian does not implement {target}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(method: &Method, query: &str, body: &str) -> &'static str {
        match resolve(method, query, body.as_bytes()) {
            Ok(action) => action.name(),
            Err(error) => error.code,
        }
    }

    #[test]
    fn an_action_has_its_version() {
        const GOOD: &str = "Action=GetCallerIdentity&Version=2011-06-15";
        assert_eq!(code(&Method::POST, "", GOOD), "GetCallerIdentity");
        let presigned = format!("{GOOD}&X-Amz-Algorithm=AWS4-HMAC-SHA256");
        assert_eq!(code(&Method::GET, &presigned, ""), "GetCallerIdentity");
        for (wrong, expected) in [
            ("", "MissingAction"),
            ("Version=2011-06-15", "MissingAction"),
            ("Action=GetCallerIdentity", "InvalidAction"),
            (
                "Action=GetCallerIdentity&Version=2010-05-08",
                "InvalidAction",
            ),
            ("Action=AssumeRole&Version=2011-06-15", "InvalidAction"),
            (
                "Action=AssumeRole&Action=GetCallerIdentity&Version=2011-06-15",
                "InvalidAction",
            ),
            ("Action=%4", "MalformedQueryString"),
            ("Action=%ff&Version=2011-06-15", "InvalidAction"),
        ] {
            assert_eq!(code(&Method::POST, "", wrong), expected, "{wrong}");
            assert_eq!(code(&Method::GET, wrong, ""), expected, "{wrong}");
        }
        assert_eq!(code(&Method::PUT, GOOD, ""), "MethodNotAllowed");
        let long = format!("{GOOD}{}", "&a".repeat(MAX_BODY_LEN));
        assert_eq!(code(&Method::POST, "", &long), "RequestEntityTooLarge");
    }
}
