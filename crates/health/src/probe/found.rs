//! What a probe found, small enough to be kept for every check, and the text it is told by.

use std::fmt;

use crate::guard::Denial;
use crate::resolve::ResolveFailure;

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// A connection came about, and no more was wanted.
    Connected,
    /// The status is that of success, and what else was wanted is there.
    Answered(u16),
    /// The name led to no address.
    Unresolved(ResolveFailure),
    /// The address may not be probed.
    Denied(Denial),
    /// Nothing listens there.
    Refused,
    /// No connection in time.
    ConnectTimedOut,
    /// No way there.
    Unreachable,
    /// No connection for another reason.
    NotConnected,
    /// TLS did not come about.
    Tls(TlsFailure),
    /// No status in time.
    StatusTimedOut,
    /// The connection was reset.
    Reset,
    /// The connection ended before the response did.
    Closed,
    /// The head of the response is longer than 16,384 bytes.
    HeadTooLarge,
    /// The response is not HTTP.
    Malformed(Malformation),
    /// The status is not that of success.
    BadStatus(u16),
    /// The string did not come in time.
    BodyTimedOut(u16),
    /// The string is not in the body's first 5,120 bytes.
    StringMissing(u16),
    /// The body cannot be decoded.
    Undecodable(u16),
}

/// Why TLS did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFailure {
    /// The endpoint said so, with this alert.
    Alert(u8),
    /// Not in time.
    TimedOut,
    /// What came is not TLS.
    NotTls,
    /// There is no version or cipher that both know.
    Incompatible,
    /// The endpoint broke the protocol.
    Misbehaved,
    /// The certificate is not valid, and was to be.
    Certificate(CertificateFault),
}

/// What is wrong with a certificate that was to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum CertificateFault {
    Expired,
    NotYetValid,
    OtherName,
    UnknownIssuer,
    Other,
}

/// In what a response is not HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum Malformation {
    StatusLine,
    Header,
    Framing,
}

impl Found {
    /// Whether that is what a healthy endpoint does.
    pub const fn is_healthy(self) -> bool {
        matches!(self, Self::Connected | Self::Answered(_))
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_healthy() {
            "Success: "
        } else {
            "Failure: "
        })?;
        match *self {
            Self::Connected => f.write_str("TCP connection established"),
            Self::Answered(status) | Self::BadStatus(status) => write_status(f, status),
            Self::Unresolved(why) => write_unresolved(f, why),
            Self::Denied(why) => write!(f, "Not probed: {why}"),
            Self::Refused => f.write_str("Connection refused"),
            Self::ConnectTimedOut => f.write_str("Connection timed out"),
            Self::Unreachable => f.write_str("No route to the endpoint"),
            Self::NotConnected => f.write_str("No connection"),
            Self::Tls(failure) => write!(f, "{failure}"),
            Self::StatusTimedOut => f.write_str("Response timed out"),
            Self::Reset => f.write_str("Connection reset"),
            Self::Closed => f.write_str("Connection closed before the end of the response"),
            Self::HeadTooLarge => f.write_str("Response headers exceed 16384 bytes"),
            Self::Malformed(what) => f.write_str(match what {
                Malformation::StatusLine => "Response is not HTTP",
                Malformation::Header => "Response has a malformed header",
                Malformation::Framing => "Response has a malformed length",
            }),
            Self::BodyTimedOut(status) => {
                write_status(f, status)?;
                f.write_str(". Response body timed out")
            }
            Self::StringMissing(status) => {
                write_status(f, status)?;
                f.write_str(". Search string not found in the first 5120 bytes")
            }
            Self::Undecodable(status) => {
                write_status(f, status)?;
                f.write_str(". Response body cannot be decoded")
            }
        }
    }
}

/// The phrase is IANA's, not what the endpoint sent: that would be anybody's text.
fn write_status(f: &mut fmt::Formatter<'_>, status: u16) -> fmt::Result {
    write!(f, "HTTP Status Code {status}")?;
    match phrase(status) {
        "" => Ok(()),
        phrase => write!(f, ", {phrase}"),
    }
}

fn write_unresolved(f: &mut fmt::Formatter<'_>, why: ResolveFailure) -> fmt::Result {
    f.write_str("DNS resolution failed")?;
    match why {
        ResolveFailure::NoAddress => Ok(()),
        ResolveFailure::NoSuchName => f.write_str(": the name does not exist"),
        ResolveFailure::Rcode(2) => f.write_str(": SERVFAIL"),
        ResolveFailure::Rcode(5) => f.write_str(": REFUSED"),
        ResolveFailure::Rcode(code) => write!(f, ": response code {code}"),
        ResolveFailure::NoReply => f.write_str(": no reply"),
        ResolveFailure::Unreadable => f.write_str(": the reply is unreadable"),
        ResolveFailure::NoResolver => f.write_str(": no resolver"),
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Alert(code) => match alert(code) {
                "" => write!(f, "SSL alert {code}"),
                name => write!(f, "SSL alert {name}"),
            },
            Self::TimedOut => f.write_str("SSL handshake timed out"),
            Self::NotTls => f.write_str("SSL handshake failed: what came is not TLS"),
            Self::Incompatible => {
                f.write_str("SSL handshake failed: no version or cipher in common")
            }
            Self::Misbehaved => f.write_str("SSL handshake failed: protocol violated"),
            Self::Certificate(fault) => f.write_str(match fault {
                CertificateFault::Expired => "SSL certificate expired",
                CertificateFault::NotYetValid => "SSL certificate not valid yet",
                CertificateFault::OtherName => "SSL certificate is for another name",
                CertificateFault::UnknownIssuer => "SSL certificate is from an unknown issuer",
                CertificateFault::Other => "SSL certificate is not valid",
            }),
        }
    }
}

/// The names of alerts (RFC 8446, section 6, and what earlier versions had).
const fn alert(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "",
    }
}

/// The reason phrases of RFC 9110, section 15, and of the statuses that proxies add to it.
const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
