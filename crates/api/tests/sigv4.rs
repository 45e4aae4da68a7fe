//! Signature verification against requests signed by botocore (`data/sigv4.py`).
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

use meridian_api::sigv4::{Claim, SignatureError, SignedRequest, Signer};
use meridian_model::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

/// 2015-08-30T12:36:00Z, when the fixtures were signed.
const NOW: i64 = 1_440_938_160_000;
const MINUTE: i64 = 60_000;

#[derive(Debug, Clone)]
struct Case {
    name: String,
    service: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Case {
    fn check(&self, secret: &str, now: i64) -> Result<(), SignatureError> {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = SignedRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let claim = Claim::read(request, &self.service, Timestamp(now))?;
        assert_eq!(claim.access_key(), "AKIDEXAMPLE");
        claim.verify(secret)
    }

    fn header(&mut self, name: &str) -> &mut String {
        &mut self
            .headers
            .iter_mut()
            .find(|(other, _)| other == name)
            .unwrap()
            .1
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

fn fixtures() -> (String, Vec<Case>) {
    let document: Value = serde_json::from_str(include_str!("data/sigv4.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cases = document["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| Case {
            name: text(&case["name"]),
            service: text(&case["service"]),
            method: text(&case["method"]),
            path: text(&case["path"]),
            query: text(&case["query"]),
            headers: case["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (text(&pair[0]), text(&pair[1])))
                .collect(),
            body: text(&case["body"]),
        });
    (text(&document["secret"]), cases.collect())
}

fn case(name: &str) -> (String, Case) {
    let (secret, cases) = fixtures();
    (
        secret,
        cases.into_iter().find(|case| case.name == name).unwrap(),
    )
}

fn message(result: Result<(), SignatureError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn everything_botocore_signs_is_accepted() {
    let (secret, cases) = fixtures();
    assert!(cases.len() > 20);
    for case in cases {
        assert_eq!(case.check(&secret, NOW), Ok(()), "{}", case.name);
    }
}

#[test]
fn another_secret_is_a_mismatch() {
    for case in fixtures().1 {
        assert_eq!(
            case.check("other", NOW),
            Err(SignatureError::Mismatch),
            "{}",
            case.name
        );
    }
}

#[test]
fn every_changed_part_breaks_the_signature() {
    let (secret, cases) = fixtures();
    for case in cases {
        let changes: [fn(&mut Case); 6] = [
            |c| c.method = "PUT".to_owned(),
            |c| c.path.insert_str(0, "/x"),
            |c| c.query.push_str("&x=1"),
            |c| c.body.push('x'),
            |c| c.header("host").push('x'),
            |c| match c
                .headers
                .iter_mut()
                .find(|(name, _)| name == "authorization")
            {
                // The last digit of the signature, in either form.
                Some((_, value)) => flip_last(value),
                None => flip_last(&mut c.query),
            },
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let changed = case.clone().with(change);
            assert_eq!(
                changed.check(&secret, NOW),
                Err(SignatureError::Mismatch),
                "{} {index}",
                case.name
            );
        }
    }
}

fn flip_last(text: &mut String) {
    let last = text.pop().unwrap();
    text.push(if last == '0' { '1' } else { '0' });
}

#[test]
fn signed_headers_and_dates_cannot_be_changed() {
    let (secret, trim) = case("get-header-value-trim");
    assert_eq!(
        trim.clone()
            .with(|c| *c.header("my-header1") = "  value1 ".to_owned())
            .check(&secret, NOW),
        Ok(()),
        "blanks around a value mean nothing"
    );
    for change in [
        |c: &mut Case| *c.header("my-header1") = "value2".to_owned(),
        |c: &mut Case| c.headers.retain(|(name, _)| name != "my-header1"),
        |c: &mut Case| {
            c.headers
                .push(("my-header1".to_owned(), "value1".to_owned()));
        },
        |c: &mut Case| *c.header("x-amz-date") = "20150830T123601Z".to_owned(),
    ] {
        assert_eq!(
            trim.clone().with(change).check(&secret, NOW),
            Err(SignatureError::Mismatch)
        );
    }
}

#[test]
fn clocks_may_differ_by_fifteen_minutes() {
    let (secret, case) = case("port");
    assert_eq!(case.check(&secret, NOW + 15 * MINUTE), Ok(()));
    assert_eq!(case.check(&secret, NOW - 15 * MINUTE), Ok(()));
    assert_eq!(
        message(case.check(&secret, NOW + 15 * MINUTE + 1000)),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        message(case.check(&secret, NOW - 15 * MINUTE - 1000)),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn presigned_requests_live_as_long_as_they_say() {
    let (secret, hour) = case("presigned-3600");
    assert_eq!(hour.check(&secret, NOW + 60 * MINUTE), Ok(()));
    assert_eq!(
        message(hour.check(&secret, NOW + 61 * MINUTE)),
        "Signature expired: 20150830T133600Z is now earlier than 20150830T133700Z"
    );
    assert!(message(hour.check(&secret, NOW - 16 * MINUTE)).starts_with("Signature not yet"));
    for expires in ["0", "604801", "-1", "+1", "1h", "99999999999999999999", ""] {
        let changed = hour.clone().with(|c| {
            c.query = c
                .query
                .replace("Expires=3600", &format!("Expires={expires}"));
        });
        let error = changed.check(&secret, NOW).unwrap_err();
        assert_eq!(error.code(), "IncompleteSignature", "{expires}");
    }
    let twice = hour
        .clone()
        .with(|c| c.query.push_str("&X-Amz-Expires=604800"));
    assert_eq!(
        twice.check(&secret, NOW).unwrap_err().code(),
        "IncompleteSignature"
    );
    let unsigned =
        hour.with(|c| c.query = c.query.split("&X-Amz-Signature").next().unwrap().into());
    assert_eq!(
        message(unsigned.check(&secret, NOW)),
        "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string \
         parameters."
    );
}

/// The code and message when the fixture `port` is changed.
fn refusal(change: impl FnOnce(&mut Case)) -> (&'static str, String) {
    let (secret, port) = case("port");
    let error = port.with(change).check(&secret, NOW).unwrap_err();
    (error.code(), error.to_string())
}

/// The same with a replacement in the Authorization header.
fn refusal_of(from: &str, to: &str) -> (&'static str, String) {
    refusal(|c| {
        let value = c.header("authorization");
        *value = value.replace(from, to);
    })
}

#[test]
fn what_is_missing_is_said_in_awss_words() {
    assert_eq!(
        refusal(|c| c.headers.retain(|(name, _)| name != "authorization")),
        (
            "MissingAuthenticationToken",
            "Missing Authentication Token".to_owned()
        )
    );
    assert_eq!(
        refusal(|c| c
            .headers
            .push(("x-amz-security-token".to_owned(), "x".to_owned()))),
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.".to_owned()
        )
    );
    for (from, to) in [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("AWS4-HMAC-SHA256 ", "Basic "),
        ("Signature=", "Sig="),
        ("Credential=", "Credentials="),
        ("/aws4_request", ""),
        ("host;x-amz-date", "Host;X-Amz-Date"),
        ("host;x-amz-date", "x-amz-date;host"),
        ("host;x-amz-date", "host;host;x-amz-date"),
    ] {
        assert_eq!(refusal_of(from, to).0, "IncompleteSignature", "{from} {to}");
    }
}

#[test]
fn what_is_wrong_is_said_in_awss_words() {
    assert_eq!(
        refusal_of("host;x-amz-date", "x-amz-date").1,
        "'Host' must be a 'SignedHeader' in the AWS Authorization."
    );
    assert_eq!(
        refusal_of("/route53/", "/s3/").1,
        "Credential should be scoped to correct service: 'route53'."
    );
    assert_eq!(
        refusal_of("/20150830/", "/20150831/").1,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20150831' != '20150830', from '20150830T123600Z'."
    );
    assert_eq!(
        refusal(|c| c.headers.push(("x-amz-target".to_owned(), "x".to_owned()))).1,
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."
    );
    assert_eq!(
        refusal(|c| *c.header("x-amz-date") = "Sun, 30 Aug 2015 12:36:00 GMT".to_owned()).0,
        "IncompleteSignature"
    );
    assert_eq!(
        refusal(|c| c.query = "a=%zz".to_owned()).0,
        "IncompleteSignature"
    );
    assert_eq!(
        refusal(|c| c.query = "a".repeat(20_000)).0,
        "IncompleteSignature"
    );
}

#[test]
fn blanks_between_the_parts_of_the_header_are_optional() {
    let (secret, port) = case("port");
    for separator in [",", ",   "] {
        let changed = port.clone().with(|c| {
            let value = c.header("authorization");
            *value = value.replace(", ", separator);
        });
        assert_eq!(changed.check(&secret, NOW), Ok(()));
    }
}

proptest! {
    #[test]
    fn no_request_panics(
        path in "\\PC*",
        query in "(\\PC|&|=|%|X-Amz-Algorithm=AWS4-HMAC-SHA256)*",
        authorization in "(AWS4-HMAC-SHA256 )?(Credential=|SignedHeaders=|Signature=|,|/|;|\\PC)*",
        date in "[0-9]{8}T[0-9]{6}Z|\\PC*",
        now in any::<i32>(),
    ) {
        let headers: [(&str, &[u8]); 3] = [
            ("host", b"x"),
            ("authorization", authorization.as_bytes()),
            ("x-amz-date", date.as_bytes()),
        ];
        for headers in [&headers[..], &headers[..1]] {
            let request = SignedRequest { method: "GET", path: &path, query: &query, headers, body: b"" };
            if let Ok(claim) = Claim::read(request, "route53", Timestamp(i64::from(now) * 1000)) {
                let _ = claim.verify("secret");
            }
        }
    }

    #[test]
    fn no_changed_fixture_panics(index in 0usize..20, at in 0usize..600, byte in any::<char>()) {
        let (secret, cases) = fixtures();
        let mut case = cases[index].clone();
        for text in [&mut case.path, &mut case.query] {
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(0);
            text.insert(at, byte);
        }
        for (_, value) in &mut case.headers {
            let at = value.char_indices().map(|(i, _)| i).nth(at).unwrap_or(0);
            value.insert(at, byte);
        }
        let headers: Vec<(&str, &[u8])> =
            case.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        let request = SignedRequest {
            method: &case.method,
            path: &case.path,
            query: &case.query,
            headers: &headers,
            body: b"",
        };
        if let Ok(claim) = Claim::read(request, &case.service, Timestamp(NOW)) {
            prop_assert!(claim.verify(&secret).is_err());
        }
    }
}

/// What a case looks like before it is signed; none for one that is not signed in its header.
fn unsigned(mut case: Case) -> Option<(Case, String)> {
    let at = |case: &Case, name: &str| case.headers.iter().position(|(other, _)| other == name);
    let place = at(&case, "authorization")?;
    let (_, authorization) = case.headers.remove(place);
    let place = at(&case, "x-amz-date")?;
    case.headers.remove(place);
    Some((case, authorization))
}

#[test]
fn what_is_signed_here_is_what_botocore_signs() {
    let (secret, cases) = fixtures();
    let mut same = 0;
    for (mut case, expected) in cases.into_iter().filter_map(unsigned) {
        let fields = |name: &str| {
            let (_, rest) = expected.split_once(name).unwrap();
            rest.split(", ").next().unwrap().to_owned()
        };
        let names: Vec<String> = fields("SignedHeaders=")
            .split(';')
            .map(str::to_owned)
            .collect();
        // botocore leaves some headers out; here all that are given are signed.
        case.headers.retain(|(name, _)| names.contains(name));
        let headers: Vec<(&str, &[u8])> = case
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let scope = fields("Credential=");
        let signer = Signer {
            access_key: "AKIDEXAMPLE",
            secret: &secret,
            session_token: None,
            region: scope.split('/').nth(2).unwrap(),
            service: &case.service,
        };
        let request = SignedRequest {
            method: &case.method,
            path: &case.path,
            query: &case.query,
            headers: &headers,
            body: case.body.as_bytes(),
        };
        let added = signer.sign(request, Timestamp(NOW)).unwrap();
        assert_eq!(added.last().unwrap().1, expected, "{}", case.name);
        let more = added
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        case.headers.extend(more);
        assert_eq!(case.check(&secret, NOW), Ok(()), "{}", case.name);
        same += 1;
    }
    assert!(same > 10, "{same}");
}

#[test]
fn a_session_token_is_signed_and_a_request_without_host_is_not() {
    let signer = Signer {
        access_key: "ASIAEXAMPLE",
        secret: "secret",
        session_token: Some("a token"),
        region: "us-east-1",
        service: "route53",
    };
    let headers: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let request = SignedRequest {
        method: "GET",
        path: "/",
        query: "",
        headers: &headers,
        body: b"",
    };
    let added = signer.sign(request, Timestamp(NOW)).unwrap();
    assert_eq!(added[1], ("x-amz-security-token", "a token".to_owned()));
    assert!(
        added[2]
            .1
            .contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"),
        "{}",
        added[2].1
    );
    let bare = SignedRequest {
        headers: &[],
        ..request
    };
    assert!(signer.sign(bare, Timestamp(NOW)).is_err());
}
