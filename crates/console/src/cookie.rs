//! The one cookie: what names the session to the server that made it.

use axum::http::header::COOKIE;
use axum::http::request::Parts;
use meridian_control::Transport;

/// Where browsers send it.
const PATH: &str = "/console";
/// The most cookies that are looked through. Others on the same host may have set some.
const MAX_COOKIES: usize = 64;

/// Its name. Browsers take one that begins with `__Secure-` from nobody who has no TLS, so that what
/// stands in the clear on the same host cannot set it.
const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Plain => "meridian-session",
        Transport::Tls => "__Secure-meridian-session",
    }
}

/// The sessions' names that a request brings, the likeliest first. Of two, one was set by another host
/// or for another path.
pub(crate) fn read(parts: &Parts, transport: Transport) -> impl Iterator<Item = &str> {
    let lines = parts.headers.get_all(COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .take(MAX_COOKIES);
    pairs.filter_map(move |pair| {
        let (other, value) = pair.trim().split_once('=')?;
        (other == name(transport)).then_some(value)
    })
}

/// What sets it until the browser is closed: how long the session lasts is the server's business.
pub(crate) fn set(session: &str, transport: Transport) -> String {
    written(session, transport, "")
}

/// What takes it away.
pub(crate) fn unset(transport: Transport) -> String {
    written("", transport, "; Max-Age=0")
}

fn written(value: &str, transport: Transport, more: &str) -> String {
    let secure = match transport {
        Transport::Plain => "",
        Transport::Tls => "; Secure",
    };
    let name = name(transport);
    format!("{name}={value}; Path={PATH}; HttpOnly; SameSite=Strict{secure}{more}")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use proptest::prelude::*;

    use super::*;

    fn parts(lines: &[&[u8]]) -> Parts {
        let mut request = Request::get("/console/");
        for line in lines {
            request = request.header(COOKIE, *line);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn found(lines: &[&[u8]], transport: Transport) -> Vec<String> {
        let parts = parts(lines);
        read(&parts, transport).map(str::to_owned).collect()
    }

    #[test]
    fn it_is_for_our_pages_only_and_no_script_sees_it() {
        let plain = set("abc", Transport::Plain);
        assert_eq!(
            plain,
            "meridian-session=abc; Path=/console; HttpOnly; SameSite=Strict"
        );
        let tls = set("abc", Transport::Tls);
        assert!(tls.starts_with("__Secure-meridian-session=abc; "), "{tls}");
        assert!(tls.ends_with("; SameSite=Strict; Secure"), "{tls}");
        assert!(unset(Transport::Tls).ends_with("; Secure; Max-Age=0"));
    }

    #[test]
    fn it_is_found_among_others_and_a_plain_one_is_none_over_tls() {
        let lines: &[&[u8]] = &[b"a=1; meridian-session=abc;b", b"meridian-session=def"];
        assert_eq!(found(lines, Transport::Plain), ["abc", "def"]);
        assert!(found(lines, Transport::Tls).is_empty());
        let many = "x=1;".repeat(MAX_COOKIES) + "meridian-session=abc";
        assert!(found(&[many.as_bytes()], Transport::Plain).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(line in prop::collection::vec(0x20..0x7f_u8, 0..200)) {
            let found = found(&[&line], Transport::Plain);
            prop_assert!(found.len() <= MAX_COOKIES);
        }
    }
}
