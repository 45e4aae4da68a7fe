//! Requests as text: a line with method and target, in some targets headers, an empty line, a body.

/// A request in its parts.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// As it stands there.
    pub method: &'a str,
    /// In front of the question mark.
    pub path: &'a str,
    /// Behind it.
    pub query: &'a str,
    /// Names in lower case.
    pub headers: Vec<(String, &'a [u8])>,
    /// Everything after the empty line.
    pub body: &'a [u8],
}

/// Splits bytes into a request, if they begin like one.
pub fn request(bytes: &[u8]) -> Option<Request<'_>> {
    let (first, mut rest) = line(bytes)?;
    let first = std::str::from_utf8(first).ok()?;
    let (method, target) = first.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::new();
    // Each turn takes a line away.
    while let Some((text, more)) = line(rest) {
        rest = more;
        if text.is_empty() {
            break;
        }
        let colon = text.iter().position(|b| *b == b':')?;
        let name = std::str::from_utf8(&text[..colon]).ok()?;
        headers.push((name.to_ascii_lowercase(), &text[colon + 1..]));
    }
    Some(Request {
        method,
        path,
        query,
        headers,
        body: rest,
    })
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
