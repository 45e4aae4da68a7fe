//! AWS Signature Version 4: verification, in the header and in the presigned query form, and
//! signing for those who ask others.
//!
//! Pure: the request, the time and the secret are arguments. [`Claim::read`] checks everything
//! that needs no secret, [`Claim::verify`] the signature. Who the key belongs to is control's
//! business; temporary credentials (session tokens) do not exist here and are refused.
//!
//! Reference: "Create a signed AWS API request" (AWS IAM User Guide), non-S3 rules: the path is
//! encoded once more and normalised, the body is always part of the signature.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod canonical;
mod date;
mod form;
mod sign;

use meridian_model::Timestamp;
use ring::{digest, hmac};

use crate::uri;
use form::Form;
pub use sign::Signer;

/// How far a client's clock may be off, in milliseconds.
const SKEW_MS: i64 = 15 * 60 * 1000;
/// The longest query that is looked at: three names of 1,024 escaped characters and a signature.
const MAX_QUERY_LEN: usize = 16 * 1024;
/// The most headers, and the most bytes of all header names and values together.
const MAX_HEADERS: usize = 128;
const MAX_HEADERS_LEN: usize = 64 * 1024;

/// A request as it was received.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// In capitals.
    pub method: &'a str,
    /// The path as it stood in the request line, still encoded.
    pub path: &'a str,
    /// The query as it stood in the request line, without `?`; empty when there is none.
    pub query: &'a str,
    /// All headers, names in lower case, repeated ones repeated.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    fn header(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(other, _)| *other == name)
            .map(|&(_, value)| value)
    }
}

/// Why a request is not who it says it is. `Display` is the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// The signature's parts are not all there, or cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// The access key is not known, not active, or comes with a session token.
    #[error("The security token included in the request is invalid.")]
    InvalidToken,
    /// The signature is another one than the secret makes.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details."
    )]
    Mismatch,
    /// The signature cannot be right: wrong time, scope or headers.
    #[error("{0}")]
    Unacceptable(String),
}

impl SignatureError {
    /// AWS's error code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationToken",
            Self::Incomplete(_) => "IncompleteSignature",
            Self::InvalidToken => "InvalidClientTokenId",
            Self::Mismatch | Self::Unacceptable(_) => "SignatureDoesNotMatch",
        }
    }
}

/// What a request claims about its signature, with everything checked but the signature itself.
#[derive(Debug)]
pub struct Claim<'a> {
    request: SignedRequest<'a>,
    form: Form,
}

impl<'a> Claim<'a> {
    /// Reads the signature's parts and checks scope, clock and the choice of signed headers.
    ///
    /// Any region is accepted: clients with an endpoint of their own sign with the region they
    /// happen to be configured for.
    ///
    /// # Errors
    /// Every [`SignatureError`] except [`SignatureError::Mismatch`].
    pub fn read(
        request: SignedRequest<'a>,
        service: &str,
        now: Timestamp,
    ) -> Result<Self, SignatureError> {
        let headers_len = |total: usize, &(name, value): &(&str, &[u8])| {
            total.saturating_add(name.len()).saturating_add(value.len())
        };
        if request.query.len() > MAX_QUERY_LEN
            || request.headers.len() > MAX_HEADERS
            || request.headers.iter().fold(0, headers_len) > MAX_HEADERS_LEN
        {
            return Err(SignatureError::Incomplete(
                "The request has too many headers, or they or its query are too long.".to_owned(),
            ));
        }
        let form = Form::read(&request)?;
        form.check_scope(service)?;
        form.check_signed_headers(&request)?;
        form.check_time(now)?;
        Ok(Self { request, form })
    }

    /// The access key id it is signed with.
    pub fn access_key(&self) -> &str {
        self.form.access_key()
    }

    /// The region it is signed for.
    pub fn region(&self) -> &str {
        self.form.region()
    }

    /// Whether `secret` makes this signature.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`] when not.
    pub fn verify(&self, secret: &str) -> Result<(), SignatureError> {
        let payload_hash = hex(digest::digest(&digest::SHA256, self.request.body).as_ref());
        let declared = self.request.header("x-amz-content-sha256");
        if declared.into_iter().any(|d| d != payload_hash.as_bytes()) {
            return Err(SignatureError::Mismatch);
        }
        let text = self.text(&payload_hash).ok_or(SignatureError::Mismatch)?;
        let signature = decode_signature(&self.form.signature).ok_or(SignatureError::Mismatch)?;
        // ring compares in constant time.
        hmac::verify(&self.signing_key(secret), text.as_bytes(), &signature)
            .map_err(|_| SignatureError::Mismatch)
    }

    /// What is signed; none when a signed header is not there.
    fn text(&self, payload_hash: &str) -> Option<String> {
        let canonical = canonical::request(&self.request, &self.form, payload_hash)?;
        Some(format!(
            "{}\n{}\n{}\n{}",
            form::ALGORITHM,
            self.form.date,
            self.form.scope(),
            hex(digest::digest(&digest::SHA256, &canonical).as_ref()),
        ))
    }

    fn signing_key(&self, secret: &str) -> hmac::Key {
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
        for part in self.form.scope().split('/') {
            let tag = hmac::sign(&key, part.as_bytes());
            key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
        }
        key
    }
}

/// The access key id and the region that a request names, whether or not anything is right about
/// them: for whoever tells of requests that were refused.
pub(crate) fn claimed(request: &SignedRequest<'_>) -> Option<(String, String)> {
    let form = Form::read(request).ok()?;
    Some((form.access_key().to_owned(), form.region().to_owned()))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |bits: u8| char::from_digit(u32::from(bits), 16).expect("four bits");
    bytes
        .iter()
        .flat_map(|&b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

/// The 32 bytes of a signature: 64 hexadecimal digits in lower case, as every client sends them.
fn decode_signature(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        let [high, low] = *pair;
        *byte = uri::hex_digit(high)? << 4 | uri::hex_digit(low)?;
    }
    Some(signature)
}
