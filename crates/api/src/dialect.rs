//! Which of AWS's protocols a request speaks, and what failures look like in each: the envelopes.
//!
//! Route 53 has paths of its own; at `/` are the services whose requests name an action instead.

use axum::http::request::Parts;
use meridian_model::ProtectionProblem;
use serde_json::json;

use crate::fault::ErrorResponse;
use crate::uri;
use crate::xml::{Document, NAMESPACE};
use crate::{route53, sts};

/// A protocol and the service that is spoken to by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// REST-XML: Route 53.
    Route53,
    /// The query protocol: Security Token Service.
    Sts,
    /// JSON 1.1: Route 53 Domains, of which nothing is there but an honest answer.
    Domains,
}

impl Dialect {
    /// That of a request. It is decided by what is signed, or by what changes nothing but the form
    /// of an error.
    pub(crate) fn of(parts: &Parts) -> Self {
        if !uri::normal_segments(parts.uri.path()).is_empty() {
            Self::Route53
        } else if parts.headers.contains_key("x-amz-target") {
            Self::Domains
        } else {
            Self::Sts
        }
    }

    /// The service's name in credential scopes.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Route53 => route53::SERVICE,
            Self::Sts => sts::SERVICE,
            Self::Domains => "route53domains",
        }
    }

    /// The service's name in audit events.
    pub(crate) const fn event_source(self) -> &'static str {
        match self {
            Self::Route53 => "route53.amazonaws.com",
            Self::Sts => "sts.amazonaws.com",
            Self::Domains => "route53domains.amazonaws.com",
        }
    }

    /// The media type of responses.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Route53 | Self::Sts => "text/xml",
            Self::Domains => "application/x-amz-json-1.1",
        }
    }

    /// The envelope of an error.
    pub(crate) fn envelope(self, error: &ErrorResponse, request_id: &str) -> String {
        let namespace = match self {
            Self::Route53 => NAMESPACE,
            Self::Sts => sts::NAMESPACE,
            Self::Domains => {
                return json!({"__type": error.code, "message": error.message}).to_string();
            }
        };
        let sender = error.status < 500;
        Document::render_in(namespace, "ErrorResponse", |doc| {
            doc.element("Error", |doc| {
                doc.text("Type", if sender { "Sender" } else { "Receiver" });
                doc.text("Code", error.code);
                doc.text("Message", &error.message);
                write_problems(doc, &error.problems);
            });
            doc.text("RequestId", request_id);
        })
    }
}

/// Writes `<Errors>`, which codes have that tell of several entries.
fn write_problems(doc: &mut Document, problems: &[ProtectionProblem]) {
    if problems.is_empty() {
        return;
    }
    doc.element("Errors", |doc| {
        for problem in problems {
            doc.element("ProtectionError", |doc| {
                doc.text("RecordName", &problem.name);
                doc.text("RecordType", problem.rtype);
                doc.text("Code", problem.code.as_str());
                doc.text("Message", &problem.message);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_the_root_has_other_services() {
        let dialect = |path: &str, header: &str| {
            let request = Request::post(path).header(header, "x");
            Dialect::of(&request.body(()).unwrap().into_parts().0)
        };
        for (path, header, expected) in [
            ("/", "accept", Dialect::Sts),
            ("/?Action=x", "accept", Dialect::Sts),
            // As it is signed.
            ("//a/..", "accept", Dialect::Sts),
            ("/", "x-amz-target", Dialect::Domains),
            ("/2013-04-01/change/C1", "x-amz-target", Dialect::Route53),
            ("/nothing", "accept", Dialect::Route53),
        ] {
            assert_eq!(dialect(path, header), expected, "{path} {header}");
        }
    }

    #[test]
    fn each_protocol_has_its_envelope() {
        let error = ErrorResponse::new("InvalidAction", "\"<no>\"");
        let (head, tail) = (
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://",
            "/\"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>&quot;&lt;no&gt;\
             &quot;</Message></Error><RequestId>id</RequestId></ErrorResponse>",
        );
        for (dialect, expected) in [
            (
                Dialect::Route53,
                format!("{head}route53.amazonaws.com/doc/2013-04-01{tail}"),
            ),
            (
                Dialect::Sts,
                format!("{head}sts.amazonaws.com/doc/2011-06-15{tail}"),
            ),
            (
                Dialect::Domains,
                r#"{"__type":"InvalidAction","message":"\"<no>\""}"#.to_owned(),
            ),
        ] {
            assert_eq!(dialect.envelope(&error, "id"), expected);
        }
    }
}
