//! How requests are signed: as Standard Webhooks 1.0.0 has it (symmetric signatures), so that
//! receivers can judge them by the libraries there are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign};

/// The header `webhook-signature`: of the id, the time of this request in seconds since 1970, and
/// the body.
pub(super) fn signature(secret: &[u8], id: &str, at_s: i64, body: &[u8]) -> String {
    let mut signed = format!("{id}.{at_s}.").into_bytes();
    signed.extend_from_slice(body);
    let tag = sign(&Key::new(HMAC_SHA256, secret), &signed);
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's hmac.
    #[test]
    fn the_signature_is_an_hmac_over_id_time_and_body() {
        let secret: Vec<u8> = (0..32).collect();
        assert_eq!(
            signature(&secret, "msg_1", 1_700_000_000, b"{\"a\":1}"),
            "v1,AMaOha7DUT/0J0JMycRuYOBSvbx3WtwLd2khXXbaVj4="
        );
    }
}
