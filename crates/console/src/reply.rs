//! Answers as HTTP has them, with what every page says to browsers about how far to trust it.

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};

/// On every answer. Pages load our style and nothing else, send forms to us alone and are in nobody's
/// frame. Browsers tell other sites nothing of where they come from; ours they do, as `origin` wants.
const ALWAYS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// What a browser gets.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: String,
    more: Vec<(HeaderName, String)>,
}

impl Reply {
    /// A page.
    pub(crate) fn page(status: StatusCode, page: &impl Template) -> Self {
        // Templates write into memory, and nothing that they show fails to.
        let (status, body) = match page.render() {
            Ok(body) => (status, body),
            Err(error) => {
                tracing::error!(%error, "a page cannot be made: {error}");
                let text = "This page cannot be made.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        };
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            body,
            more: Vec::new(),
        }
    }

    /// The style sheet.
    pub(crate) fn style(css: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/css; charset=utf-8",
            body: css.to_owned(),
            more: Vec::new(),
        }
    }

    /// Leads on, to be asked for with GET.
    pub(crate) fn to(path: &str) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            content_type: "text/plain; charset=utf-8",
            body: String::new(),
            more: vec![(LOCATION, path.to_owned())],
        }
    }

    /// The same with a cookie.
    pub(crate) fn with_cookie(self, cookie: String) -> Self {
        self.with(SET_COOKIE, cookie)
    }

    /// The same with the methods there are.
    pub(crate) fn with_allow(self, methods: &str) -> Self {
        self.with(ALLOW, methods.to_owned())
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.more.push((name, value));
        self
    }

    /// As HTTP has it. The server adds `Content-Length`.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in ALWAYS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let content_type = HeaderValue::from_static(self.content_type);
        headers.insert(CONTENT_TYPE, content_type);
        for (name, value) in self.more {
            // All that is put there is printable ASCII.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
