//! Signing what is asked of another service: the header form only, by the code that verifies.

use meridian_model::Timestamp;
use ring::{digest, hmac};

use super::form::{ALGORITHM, Form};
use super::{Claim, SignatureError, SignedRequest, date, hex};

/// An access key and what it signs for.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// Its id.
    pub access_key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// Beside it, if the key is a temporary one.
    pub session_token: Option<&'a str>,
    /// The region in the scope.
    pub region: &'a str,
    /// The service in the scope.
    pub service: &'a str,
}

impl Signer<'_> {
    /// The headers that make `request` a signed one, in addition to those it has, which are all
    /// signed: `host` has to be among them, the ones made here must not.
    ///
    /// # Errors
    /// When the request cannot be signed: its query is not encoded, its host is missing.
    pub fn sign(
        &self,
        request: SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, SignatureError> {
        let mut added = vec![("x-amz-date", date::format(now))];
        if let Some(token) = self.session_token {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        let both = added
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .chain(request.headers.iter().copied());
        let headers: Vec<(&str, &[u8])> = both.collect();
        let request = SignedRequest {
            headers: &headers,
            ..request
        };
        let scope = (self.region, self.service);
        let form = Form::unsigned(&request, self.access_key, scope, now)?;
        let claim = Claim { request, form };
        let payload_hash = hex(digest::digest(&digest::SHA256, request.body).as_ref());
        let text = claim.text(&payload_hash).ok_or(SignatureError::Missing)?;
        let signature = hmac::sign(&claim.signing_key(self.secret), text.as_bytes());
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
            self.access_key,
            claim.form.scope(),
            claim.form.signed_headers.join(";"),
            hex(signature.as_ref())
        );
        added.push(("authorization", authorization));
        Ok(added)
    }
}
