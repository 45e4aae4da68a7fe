//! The canonical request: the one spelling of a request that both sides sign.

use super::{SignedRequest, form::Form};
use crate::uri;

/// None when a signed header is not there.
pub(super) fn request(
    request: &SignedRequest<'_>,
    form: &Form,
    payload_hash: &str,
) -> Option<Vec<u8>> {
    let mut canonical = format!(
        "{}\n{}\n{}\n",
        request.method,
        path(request.path),
        query(&form.query)
    )
    .into_bytes();
    for name in &form.signed_headers {
        canonical.extend_from_slice(name.as_bytes());
        canonical.push(b':');
        header_into(&mut canonical, request, name)?;
        canonical.push(b'\n');
    }
    canonical.push(b'\n');
    canonical.extend_from_slice(form.signed_headers.join(";").as_bytes());
    canonical.push(b'\n');
    canonical.extend_from_slice(payload_hash.as_bytes());
    Some(canonical)
}

/// The normalised path, encoded once more than it was sent.
fn path(sent: &str) -> String {
    let mut text = String::with_capacity(sent.len() + 16);
    for segment in uri::normal_segments(sent) {
        text.push('/');
        uri::encode_into(&mut text, segment.as_bytes());
    }
    if text.is_empty() || sent.ends_with('/') {
        text.push('/');
    }
    text
}

/// All parameters but the signature itself, encoded, then sorted.
fn query(decoded: &[(Vec<u8>, Vec<u8>)]) -> String {
    let encoded = |bytes: &[u8]| {
        let mut text = String::with_capacity(bytes.len() + 8);
        uri::encode_into(&mut text, bytes);
        text
    };
    let mut pairs: Vec<(String, String)> = decoded
        .iter()
        .filter(|(name, _)| name != b"X-Amz-Signature")
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The values of a header, each trimmed and with inner blanks collapsed, joined by commas.
fn header_into(canonical: &mut Vec<u8>, request: &SignedRequest<'_>, name: &str) -> Option<()> {
    let mut values = request.header(name).peekable();
    values.peek()?;
    for (index, value) in values.enumerate() {
        if index > 0 {
            canonical.push(b',');
        }
        let words = value
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                canonical.push(b' ');
            }
            canonical.extend_from_slice(word);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_a_second_time() {
        assert_eq!(path("/"), "/");
        assert_eq!(path(""), "/");
        assert_eq!(path("/a/./b/../c//d/"), "/a/c/d/");
        assert_eq!(path("/../.."), "/");
        assert_eq!(
            path("/2013-04-01/tags/hostedzone/%2Fhostedzone%2FZ1"),
            "/2013-04-01/tags/hostedzone/%252Fhostedzone%252FZ1"
        );
    }

    #[test]
    fn parameters_are_sorted_by_their_encoded_form() {
        let decoded = uri::decode_query("b=2&a=%7Ez&a=A&X-Amz-Signature=1&%2A=").unwrap();
        assert_eq!(query(&decoded), "%2A=&a=A&a=~z&b=2");
    }
}
