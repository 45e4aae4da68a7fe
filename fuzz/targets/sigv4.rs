//! Signatures: any request is refused or taken, and one that is taken is of this secret, method,
//! body and time only.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_api::sigv4::{Claim, SignedRequest};
use meridian_fuzz::lines;
use meridian_model::Timestamp;

/// When and with what the committed inputs were signed.
const NOW: Timestamp = Timestamp(1_440_938_160_000);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const WEEK_MS: i64 = 8 * 24 * 60 * 60 * 1000;

fuzz_target!(|bytes: &[u8]| {
    let Some(request) = lines::request(bytes) else {
        return;
    };
    let headers = request.headers.iter();
    let headers: Vec<(&str, &[u8])> = headers
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let signed = SignedRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: &headers,
        body: request.body,
    };
    let taken = |signed: SignedRequest<'_>, secret: &str, now| {
        let outcome = Claim::read(signed, "route53", now).and_then(|claim| {
            assert!(!claim.access_key().contains('/') && !claim.region().contains('/'));
            claim.verify(secret)
        });
        if let Err(error) = &outcome {
            assert!(!error.code().is_empty() && error.to_string().len() < 64 * 1024 + 256);
        }
        outcome.is_ok()
    };
    if !taken(signed, SECRET, NOW) {
        return;
    }
    assert!(!taken(signed, "another", NOW));
    assert!(!taken(signed, SECRET, Timestamp(NOW.0 + WEEK_MS)));
    assert!(!taken(signed, SECRET, Timestamp(NOW.0 - WEEK_MS)));
    let body = [request.body, b" "].concat();
    assert!(!taken(
        SignedRequest {
            body: &body,
            ..signed
        },
        SECRET,
        NOW
    ));
    assert!(!taken(
        SignedRequest {
            method: "PATCH",
            ..signed
        },
        SECRET,
        NOW
    ));
    let path = format!("{}/x", request.path);
    assert!(!taken(
        SignedRequest {
            path: &path,
            ..signed
        },
        SECRET,
        NOW
    ));
    let query = format!("{}&x=y", request.query);
    assert!(!taken(
        SignedRequest {
            query: &query,
            ..signed
        },
        SECRET,
        NOW
    ));
});
