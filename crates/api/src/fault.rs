//! What failures become: code, HTTP status and text. The envelopes around them are in `dialect`.
//!
//! A batch that is refused for many reasons uses the ordinary envelope, its message a list in
//! brackets: the `<InvalidChangeBatch>` root of the documentation makes botocore show nothing.

use meridian_control::{Fault, OperationError, Refusal};
use meridian_model::ProtectionProblem;

use crate::sigv4::SignatureError;
use crate::xml::XmlError;

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// `Errors`, where the code has them: what is wrong with each of several entries.
    pub(crate) problems: Vec<ProtectionProblem>,
    /// Methods that there are at the path, where another one was sent.
    pub(crate) allow: Vec<&'static str>,
}

impl ErrorResponse {
    /// An error of this code, with the status that belongs to it.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: status_of(code),
            code,
            message: message.into(),
            problems: Vec::new(),
            allow: Vec::new(),
        }
    }

    /// `MethodNotAllowed`, at a path that has these methods.
    pub(crate) fn method_not_allowed(allow: Vec<&'static str>, message: &str) -> Self {
        Self {
            allow,
            ..Self::new("MethodNotAllowed", message)
        }
    }

    /// `InvalidInput`, for what is wrong in a path or a query.
    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInput", message)
    }
}

/// Why a request has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client gets this.
    Refused(ErrorResponse),
    /// We get this into the log, the client only hears that it happened.
    Fault(Fault),
}

/// What a client of this operation hears about a fault: whether to try again, and nothing of our
/// insides.
pub(crate) fn response_to(fault: &Fault, operation: &str) -> ErrorResponse {
    match fault {
        Fault::Storage(_) => ErrorResponse::new(
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        Fault::Contention if ONE_AFTER_ANOTHER.contains(&operation) => ErrorResponse::new(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        ),
        Fault::Contention if NOT_TOGETHER.contains(&operation) => ErrorResponse::new(
            "ConcurrentModification",
            "Another user submitted a request to create, update, or delete the object at the same \
             time that you did. Retry the request.",
        ),
        // Not to be tried again, until an operator has done something.
        Fault::NotFinalized { .. } => ErrorResponse::new("NotImplemented", fault.to_string()),
        Fault::TooLarge { .. } => ErrorResponse::new("RequestEntityTooLarge", fault.to_string()),
        Fault::DiskFull | Fault::NotApplied | Fault::Contention => {
            ErrorResponse::new("ServiceUnavailable", fault.to_string())
        }
    }
}

/// The operations that declare PriorRequestNotComplete.
const ONE_AFTER_ANOTHER: [&str; 12] = [
    "AssociateVPCWithHostedZone",
    "ChangeResourceRecordSets",
    "ChangeTagsForResource",
    "CreateResourceRecordSetProtections",
    "DeleteHostedZone",
    "DeleteResourceRecordSetProtections",
    "DeleteTrafficPolicyInstance",
    "ListTagsForResource",
    "ListTagsForResources",
    "UpdateHostedZoneComment",
    "UpdateHostedZoneFeatures",
    "UpdateTrafficPolicyInstance",
];

/// The operations that declare ConcurrentModification.
const NOT_TOGETHER: [&str; 16] = [
    "ActivateKeySigningKey",
    "ChangeCidrCollection",
    "CreateCidrCollection",
    "CreateKeySigningKey",
    "CreateQueryLoggingConfig",
    "CreateTrafficPolicyVersion",
    "CreateVPCAssociationAuthorization",
    "DeactivateKeySigningKey",
    "DeleteCidrCollection",
    "DeleteKeySigningKey",
    "DeleteQueryLoggingConfig",
    "DeleteTrafficPolicy",
    "DeleteVPCAssociationAuthorization",
    "DisableHostedZoneDNSSEC",
    "EnableHostedZoneDNSSEC",
    "UpdateTrafficPolicyComment",
];

/// What an account hears that sends more requests than it may.
pub(crate) fn throttled(operation: &str) -> ErrorResponse {
    let code = match operation {
        "ChangeTagsForResource" | "ListTagsForResource" | "ListTagsForResources" => {
            "ThrottlingException"
        }
        _ => "Throttling",
    };
    ErrorResponse::new(code, "Rate exceeded")
}

/// Route 53's status of each code (400 for every one not named here), and AWS's common ones.
fn status_of(code: &str) -> u16 {
    match code {
        "AccessDenied"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "SignatureDoesNotMatch" => 403,
        "NoSuchChange"
        | "NoSuchCidrCollectionException"
        | "NoSuchCidrLocationException"
        | "NoSuchCloudWatchLogsLogGroup"
        | "NoSuchGeoLocation"
        | "NoSuchHealthCheck"
        | "NoSuchHostedZone"
        | "NoSuchQueryLoggingConfig"
        | "NoSuchTrafficPolicy"
        | "NoSuchTrafficPolicyInstance"
        | "UnknownOperationException"
        | "VPCAssociationAuthorizationNotFound"
        | "VPCAssociationNotFound" => 404,
        "NotAuthorizedException" => 401,
        "MethodNotAllowed" => 405,
        "RequestTimeout" => 408,
        "CidrCollectionVersionMismatchException"
        | "HealthCheckAlreadyExists"
        | "HealthCheckVersionMismatch"
        | "HostedZoneAlreadyExists"
        | "ProtectionAlreadyExists"
        | "QueryLoggingConfigAlreadyExists"
        | "TrafficPolicyAlreadyExists"
        | "TrafficPolicyInstanceAlreadyExists" => 409,
        "RequestEntityTooLarge" => 413,
        "InternalFailure" => 500,
        // Not one of AWS's. Clients repeat 500, 502, 503 and 504, but not this.
        "NotImplemented" => 501,
        "ServiceUnavailable" => 503,
        _ => 400,
    }
}

impl From<ErrorResponse> for Failure {
    fn from(response: ErrorResponse) -> Self {
        Self::Refused(response)
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refusal) => Self::Refused(refusal.into()),
            OperationError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<XmlError> for Failure {
    fn from(error: XmlError) -> Self {
        Self::Refused(ErrorResponse::new(error.code(), error.to_string()))
    }
}

impl From<SignatureError> for Failure {
    fn from(error: SignatureError) -> Self {
        Self::Refused(ErrorResponse::new(error.code(), error.to_string()))
    }
}

impl From<Refusal> for ErrorResponse {
    fn from(refusal: Refusal) -> Self {
        let mut response = Self::new(refusal.code(), refusal.to_string());
        if let Refusal::InvalidProtectionBatch(problems)
        | Refusal::ProtectionAlreadyExists(problems) = refusal
        {
            response.problems = problems;
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    #[test]
    fn a_refused_batch_uses_the_ordinary_envelope() {
        let refusal = Refusal::InvalidChangeBatch(vec!["one".to_owned(), "<two>".to_owned()]);
        let response = ErrorResponse::from(refusal);
        assert_eq!(response.status, 400);
        assert_eq!(
            Dialect::Route53.envelope(&response, "id"),
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/\
             2013-04-01/\"><Error><Type>Sender</Type><Code>InvalidChangeBatch</Code><Message>[one, \
             &lt;two&gt;]</Message></Error><RequestId>id</RequestId></ErrorResponse>"
        );
    }

    #[test]
    fn statuses_are_those_of_the_model() {
        let status = |refusal: Refusal| ErrorResponse::from(refusal).status;
        assert_eq!(status(Refusal::NoSuchHostedZone(String::new())), 404);
        assert_eq!(status(Refusal::NoSuchChange(String::new())), 404);
        assert_eq!(status(Refusal::NoSuchDelegationSet(String::new())), 400);
        assert_eq!(status(Refusal::HostedZoneAlreadyExists), 409);
        assert_eq!(status(Refusal::TooManyHostedZones), 400);
        assert_eq!(status(Refusal::HostedZoneNotEmpty), 400);
    }

    #[test]
    fn faults_say_nothing_of_our_insides() {
        let fault = Fault::Storage("/secret/path: no space".to_owned());
        let response = response_to(&fault, "GetChange");
        assert_eq!((response.status, response.code), (500, "InternalFailure"));
        let body = Dialect::Route53.envelope(&response, "id");
        assert!(!body.contains("secret") && body.contains("<Type>Receiver</Type>"));
        let fault = Fault::NotFinalized {
            needed: 2,
            finalized: 1,
        };
        let not_finalized = response_to(&fault, "CreateHostedZone");
        assert_eq!(not_finalized.status, 501);
        let command = "`meridian journal finalize`";
        assert!(not_finalized.message.contains(command));
        let too_large = response_to(&Fault::TooLarge { bytes: 2_000_000 }, "CreateHostedZone");
        assert_eq!(too_large.status, 413);
        assert!(
            too_large.message.contains("2000000 bytes"),
            "{}",
            too_large.message
        );
    }

    #[test]
    fn contention_is_told_in_the_words_that_an_operation_declares() {
        let told = |fault: &Fault, operation| {
            let response = response_to(fault, operation);
            (response.status, response.code)
        };
        for (operation, status, code) in [
            ("ChangeResourceRecordSets", 400, "PriorRequestNotComplete"),
            ("CreateQueryLoggingConfig", 400, "ConcurrentModification"),
            ("CreateHostedZone", 503, "ServiceUnavailable"),
        ] {
            assert_eq!(told(&Fault::Contention, operation), (status, code));
            assert_eq!(
                told(&Fault::NotApplied, operation),
                (503, "ServiceUnavailable")
            );
        }
    }
}
