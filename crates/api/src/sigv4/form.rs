//! The two places a signature can stand: the `Authorization` header and the query.

use meridian_model::Timestamp;

use super::{SKEW_MS, SignatureError, SignedRequest, date};
use crate::uri;

/// The only algorithm. Asymmetric signatures (SigV4A) are refused like any other.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of every credential scope.
const TERMINATOR: &str = "aws4_request";
/// The longest `Authorization` header.
const MAX_AUTHORIZATION_LEN: usize = 4096;
/// A presigned request is good for a week at most, in seconds.
const MAX_EXPIRES_S: i64 = 604_800;

/// The parts of a signature, wherever they stood.
#[derive(Debug)]
pub(super) struct Form {
    credential: Credential,
    /// Names in lower case, strictly ascending.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// As `X-Amz-Date` has it.
    pub(super) date: String,
    signed_at: Timestamp,
    /// How long a presigned request is good for; none for the header form.
    expires_ms: Option<i64>,
    /// The decoded query.
    pub(super) query: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Form {
    pub(super) fn read(request: &SignedRequest<'_>) -> Result<Self, SignatureError> {
        let query = uri::decode_query(request.query).ok_or_else(|| {
            SignatureError::Incomplete("The query string is not percent-encoded.".to_owned())
        })?;
        let presigned = query.iter().any(|(name, _)| name == b"X-Amz-Algorithm");
        let authorization = only(request.header("authorization"), "Authorization")?;
        let has_token = |name: &[u8]| name.eq_ignore_ascii_case(b"x-amz-security-token");
        if request
            .headers
            .iter()
            .any(|(name, _)| has_token(name.as_bytes()))
            || query.iter().any(|(name, _)| has_token(name))
        {
            return Err(SignatureError::InvalidToken);
        }
        match (authorization, presigned) {
            (None, false) => Err(SignatureError::Missing),
            (Some(value), false) => Self::read_header(request, value, query),
            (None, true) => Self::read_query(query),
            (Some(_), true) => incomplete(
                "The request is signed twice: in its Authorization header and in its query string.",
            ),
        }
    }

    fn read_header(
        request: &SignedRequest<'_>,
        authorization: &str,
        query: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, SignatureError> {
        if authorization.len() > MAX_AUTHORIZATION_LEN {
            return incomplete("The Authorization header is too long.");
        }
        let (algorithm, fields) = authorization
            .trim()
            .split_once(char::is_whitespace)
            .unwrap_or_else(|| (authorization.trim(), ""));
        if algorithm != ALGORITHM {
            return incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'."));
        }
        let field = |name: &str| {
            let mut values = fields
                .split(',')
                .filter_map(|field| field.split_once('='))
                .filter(|(other, _)| other.trim() == name)
                .map(|(_, value)| value.trim());
            match (values.next(), values.next()) {
                (Some(value), None) if !value.is_empty() => Ok(value),
                _ => incomplete(format!(
                    "Authorization header requires '{name}' parameter. \
                     Authorization={algorithm}"
                )),
            }
        };
        let date = match only(request.header("x-amz-date"), "X-Amz-Date")? {
            Some(date) => date.trim().to_owned(),
            None => http_date(request)?,
        };
        Self::assemble(
            &Parts {
                credential: field("Credential")?,
                signed_headers: field("SignedHeaders")?,
                signature: field("Signature")?,
                date: &date,
                expires_ms: None,
            },
            query,
        )
    }

    fn read_query(query: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Self, SignatureError> {
        let parameter = |name: &str| {
            let values = query
                .iter()
                .filter(|(other, _)| other == name.as_bytes())
                .map(|(_, value)| value.as_slice());
            only(values, name)?.map_or_else(
                || {
                    incomplete(format!(
                        "AWS query-string parameters must include '{name}'. Re-examine the \
                         query-string parameters."
                    ))
                },
                |value| Ok(value.to_owned()),
            )
        };
        let algorithm = parameter("X-Amz-Algorithm")?;
        if algorithm != ALGORITHM {
            return incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'."));
        }
        let expires = parameter("X-Amz-Expires")?;
        let expires_s = Some(&expires)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|seconds| (1..=MAX_EXPIRES_S).contains(seconds));
        let Some(expires_s) = expires_s else {
            return incomplete(format!(
                "X-Amz-Expires must be a number of seconds from 1 to {MAX_EXPIRES_S}."
            ));
        };
        let (credential, signed_headers) = (
            parameter("X-Amz-Credential")?,
            parameter("X-Amz-SignedHeaders")?,
        );
        let (signature, date) = (parameter("X-Amz-Signature")?, parameter("X-Amz-Date")?);
        Self::assemble(
            &Parts {
                credential: &credential,
                signed_headers: &signed_headers,
                signature: &signature,
                date: &date,
                expires_ms: Some(expires_s * 1000),
            },
            query,
        )
    }

    fn assemble(parts: &Parts<'_>, query: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Self, SignatureError> {
        let Some(signed_at) = date::parse(parts.date) else {
            return incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See \
                 http://en.wikipedia.org/wiki/ISO_8601",
                parts.date
            ));
        };
        let signed_headers = parts.signed_headers.split(';').map(str::to_owned).collect();
        Ok(Self {
            credential: Credential::read(parts.credential)?,
            signed_headers,
            signature: parts.signature.to_owned(),
            date: parts.date.to_owned(),
            signed_at,
            expires_ms: parts.expires_ms,
            query,
        })
    }

    /// The form of a request that is yet to be signed: in its header, over all headers that it has.
    pub(super) fn unsigned(
        request: &SignedRequest<'_>,
        access_key: &str,
        (region, service): (&str, &str),
        now: Timestamp,
    ) -> Result<Self, SignatureError> {
        let query = uri::decode_query(request.query).ok_or_else(|| {
            SignatureError::Incomplete("The query string is not percent-encoded.".to_owned())
        })?;
        let mut names: Vec<&str> = request.headers.iter().map(|&(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        let date = date::format(now);
        let day = date.get(..8).unwrap_or_default();
        let credential = format!("{access_key}/{day}/{region}/{service}/{TERMINATOR}");
        let parts = Parts {
            credential: &credential,
            signed_headers: &names.join(";"),
            signature: "",
            date: &date,
            expires_ms: None,
        };
        let form = Self::assemble(&parts, query)?;
        form.check_signed_headers(request)?;
        Ok(form)
    }

    pub(super) fn access_key(&self) -> &str {
        &self.credential.access_key
    }

    /// `date/region/service/aws4_request`.
    pub(super) fn scope(&self) -> &str {
        &self.credential.scope
    }

    pub(super) fn region(&self) -> &str {
        let [_, region, ..] = self.credential.parts();
        region
    }

    pub(super) fn check_scope(&self, service: &str) -> Result<(), SignatureError> {
        let [date, _region, scoped_service, terminator] = self.credential.parts();
        let day = self.date.get(..8).unwrap_or_default();
        if terminator != TERMINATOR {
            return unacceptable(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not \
                 '{terminator}'."
            ));
        }
        if scoped_service != service {
            return unacceptable(format!(
                "Credential should be scoped to correct service: '{service}'."
            ));
        }
        if date != day {
            return unacceptable(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{date}' != '{day}', from '{}'.",
                self.date
            ));
        }
        Ok(())
    }

    /// The host and every `x-amz-*` header have to be part of the signature.
    pub(super) fn check_signed_headers(
        &self,
        request: &SignedRequest<'_>,
    ) -> Result<(), SignatureError> {
        let signed = &self.signed_headers;
        // One spelling per request: otherwise the canonical form would not be canonical.
        if !signed.is_sorted_by(|a, b| a < b)
            || signed
                .iter()
                .any(|name| name.bytes().any(|b| b.is_ascii_uppercase()))
        {
            return incomplete(
                "SignedHeaders must be in lower case, sorted and without repetition.",
            );
        }
        let present = request.headers.iter().map(|&(name, _)| name);
        let mut required = present.filter(|name| name.starts_with("x-amz-"));
        let unsigned = |name: &&str| !signed.iter().any(|other| other == name);
        let missing = Some("host")
            .filter(unsigned)
            .or_else(|| required.find(unsigned));
        missing.map_or(Ok(()), |name| {
            let name = if name == "host" { "Host" } else { name };
            unacceptable(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            ))
        })
    }

    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let text = date::format;
        let (earliest, latest) = (Timestamp(now.0 - SKEW_MS), Timestamp(now.0 + SKEW_MS));
        if self.signed_at > latest {
            return unacceptable(format!(
                "Signature not yet current: {} is still later than {} ({} + 15 min.)",
                self.date,
                text(latest),
                text(now)
            ));
        }
        match self.expires_ms {
            Some(expires_ms) => {
                let end = Timestamp(self.signed_at.0 + expires_ms);
                if end < now {
                    return unacceptable(format!(
                        "Signature expired: {} is now earlier than {}",
                        text(end),
                        text(now)
                    ));
                }
            }
            None if self.signed_at < earliest => {
                return unacceptable(format!(
                    "Signature expired: {} is now earlier than {} ({} - 15 min.)",
                    self.date,
                    text(earliest),
                    text(now)
                ));
            }
            None => {}
        }
        Ok(())
    }
}

/// What both forms consist of, still as text.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    date: &'a str,
    expires_ms: Option<i64>,
}

/// `Credential`: the access key and its scope.
#[derive(Debug)]
struct Credential {
    access_key: String,
    /// Exactly four parts.
    scope: String,
}

impl Credential {
    fn read(text: &str) -> Result<Self, SignatureError> {
        match text.split_once('/') {
            Some((access_key, scope)) if scope.split('/').count() == 4 => Ok(Self {
                access_key: access_key.to_owned(),
                scope: scope.to_owned(),
            }),
            _ => incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{text}'"
            )),
        }
    }

    fn parts(&self) -> [&str; 4] {
        let mut parts = self.scope.split('/');
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }
}

/// The time in `Date`, by which those requests are signed that have no `X-Amz-Date`, as it is signed.
fn http_date(request: &SignedRequest<'_>) -> Result<String, SignatureError> {
    let Some(text) = only(request.header("date"), "Date")? else {
        return incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        );
    };
    Ok(date::of_http(text.trim()).map_or_else(|| text.trim().to_owned(), date::format))
}

/// The only value there is, as text; none when there is none.
fn only<'a>(
    mut values: impl Iterator<Item = &'a [u8]>,
    name: &str,
) -> Result<Option<&'a str>, SignatureError> {
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => std::str::from_utf8(value)
            .map(Some)
            .or_else(|_| incomplete(format!("'{name}' is not a text."))),
        (Some(_), Some(_)) => incomplete(format!("'{name}' must be given once only.")),
    }
}

fn incomplete<T>(message: impl Into<String>) -> Result<T, SignatureError> {
    Err(SignatureError::Incomplete(message.into()))
}

fn unacceptable<T>(message: String) -> Result<T, SignatureError> {
    Err(SignatureError::Unacceptable(message))
}
