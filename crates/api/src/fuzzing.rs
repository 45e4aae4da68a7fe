//! What fuzz targets need of the inside: a request of somebody known, from its bytes to its answer,
//! without HTTP and without a signature.

use meridian_control::{Caller, Control, Transport};
use meridian_model::{AccessKeyId, AccountId, Timestamp};

use crate::audit::request_parameters;
use crate::dialect::Dialect;
use crate::fault::{ErrorResponse, Failure, response_to};
use crate::route53::{self, Call, Match, Query, Reply};
use crate::xml;

/// A request for Route 53.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// In capitals.
    pub method: &'a str,
    /// Still encoded.
    pub path: &'a str,
    /// Without `?`.
    pub query: &'a str,
    /// The whole body.
    pub body: &'a [u8],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's.
    pub status: u16,
    /// An error's code.
    pub code: Option<&'static str>,
    /// The document.
    pub body: String,
    /// What the audit log would show of the request.
    pub shown: Option<String>,
}

/// Carries a request out, for an account that nobody made.
pub fn answer(control: &Control, request: Request<'_>) -> Answer {
    let (Match::Operation(route, ids), Some(caller)) =
        (route53::resolve(request.method, request.path), caller())
    else {
        return refused(&ErrorResponse::invalid_input("nothing is there"), None);
    };
    let operation = route.operation;
    let shown = request_parameters(operation, &ids, request.query, request.body);
    let shown = shown.map(|value| value.to_string());
    let outcome = Query::parse(request.query).map_err(Failure::from);
    let outcome = outcome.and_then(|query| match route.handler {
        Some(handler) => handler(&Call {
            operations: control,
            caller: &caller,
            ids,
            query,
            body: request.body,
            endpoint: "http://localhost",
        }),
        None => Err(route53::not_implemented(operation).into()),
    });
    match outcome {
        Ok(Reply { status, body, .. }) => Answer {
            status,
            code: None,
            body,
            shown,
        },
        Err(Failure::Refused(error)) => refused(&error, shown),
        Err(Failure::Fault(fault)) => refused(&response_to(&fault, operation), shown),
    }
}

/// Whether a document is one that our own reader takes, with this root.
pub fn reads(document: &str, root: &str) -> bool {
    xml::parse(document.as_bytes(), root, "Document").is_ok()
}

fn refused(error: &ErrorResponse, shown: Option<String>) -> Answer {
    Answer {
        status: error.status,
        code: Some(error.code),
        body: Dialect::Route53.envelope(error, "request"),
        shown,
    }
}

fn caller() -> Option<Caller> {
    Some(Caller {
        received_at: Timestamp(0),
        account: AccountId::new("123456789012").ok()?,
        operator: false,
        user: None,
        access_key: AccessKeyId::new("AKIAFUZZ").ok()?,
        source: "192.0.2.1".to_owned(),
        transport: Transport::Plain,
        request_id: "request".to_owned(),
        retry: None,
    })
}
