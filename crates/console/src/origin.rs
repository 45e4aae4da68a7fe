//! Whether a form was sent from a page of ours, as far as browsers say. Those that say nothing are no
//! browsers, or old ones: they have the session's token to show.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

/// Whether the browser says that another site's page sent this.
pub(crate) fn is_foreign(parts: &Parts) -> bool {
    let said = |name: &str| {
        let value = parts.headers.get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    if said("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return true;
    }
    let Some(origin) = said(ORIGIN.as_str()) else {
        return false;
    };
    // The scheme is left to the other header: a proxy that nobody named ends TLS without our knowing.
    let (_, from) = origin.split_once("://").unwrap_or_default();
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let host = said(HOST.as_str()).or(authority).unwrap_or_default();
    from.is_empty() || !from.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn foreign(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::post("/console/sign-in").header(HOST, "127.0.0.1:5380");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_foreign(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_another_site_sends_is_told_from_our_own() {
        for (headers, expected) in [
            (&[][..], false),
            (&[("origin", "http://127.0.0.1:5380")], false),
            (&[("origin", "https://127.0.0.1:5380")], false),
            (&[("origin", "http://127.0.0.1:8080")], true),
            (&[("origin", "http://evil.test")], true),
            (&[("origin", "http://127.0.0.1:5380.evil.test")], true),
            (&[("origin", "null")], true),
            (&[("origin", "")], true),
            (&[("origin", "://")], true),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "none")], true),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:5380"),
                ],
                true,
            ),
        ] {
            assert_eq!(foreign(headers), expected, "{headers:?}");
        }
    }
}
