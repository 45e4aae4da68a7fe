//! Signing in with an access key, and out again.

use std::time::Instant;

use askama::Template;
use axum::http::StatusCode;
use axum::http::request::Parts;
use meridian_control::{Credential, Fault};
use meridian_model::AccessKeyId;

use super::{ROOT, SIGN_IN, Shell};
use crate::fields::Fields;
use crate::happening::Happening;
use crate::reply::Reply;
use crate::service::Desk;
use crate::visit::{Seen, Visit};
use crate::words::Problem;
use crate::{cookie, random};

const LOGIN: &str = "ConsoleLogin";
/// What a key of nobody's is compared with: as long as secrets are.
const NOBODYS: &str = "0123456789012345678901234567890123456789";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    shell: Shell,
    to: &'a str,
    /// What was typed, if it is one; the secret is typed again.
    key: &'a str,
    refusal: Option<&'a str>,
}

/// The form, or what comes of it. The fields are of no session: who can send them knows a secret.
pub(crate) fn sign_in(
    desk: &Desk,
    (parts, seen): (&Parts, &Seen),
    query: &Fields,
    fields: Option<&Fields>,
) -> Reply {
    let Some(fields) = fields else {
        let lost = "The session is over, and what you sent was not done. Sign in to do it again.";
        let lost = query.said("lost").map(|_| lost);
        return page(StatusCode::OK, ours(query.text("to")), "", lost);
    };
    let to = ours(fields.text("to"));
    let id = fields.text("access_key_id").trim();
    let shown = key_id(id).unwrap_or_default();
    let secret = fields.text("secret_access_key").trim();
    match verified(desk, id, secret) {
        Ok(Some((key, credential))) => {
            let caller = seen.caller(key, credential);
            desk.control.note_use(&caller);
            // The one before is of no use to this browser any more.
            end_sessions(desk, parts, seen);
            let (key, account) = (caller.access_key.clone(), caller.account.clone());
            let session = desk
                .sessions
                .begin(key, account, seen.transport, Instant::now());
            desk.tell(|| Happening {
                caller: Some(caller),
                read_only: false,
                ..seen.happening(LOGIN, None)
            });
            Reply::to(to).with_cookie(cookie::set(&session, seen.transport))
        }
        Ok(None) => {
            let throttle = desk.control.throttle();
            // Only who fails waits: whoever knows a secret is not kept out by others at the address.
            if !throttle.answers_failed_sign_in(seen.address(), Instant::now()) {
                // Who tries many is not written about, either.
                let text = "Too many attempts from this address have failed. Wait some minutes.";
                return page(StatusCode::TOO_MANY_REQUESTS, to, shown, Some(text));
            }
            let text = "There is no active access key with this id and this secret.";
            let key = AccessKeyId::new(shown).ok();
            desk.tell(|| Happening {
                error: Some(("AuthFailure".to_owned(), text.to_owned())),
                ..seen.happening(LOGIN, key.as_ref())
            });
            page(StatusCode::FORBIDDEN, to, shown, Some(text))
        }
        Err(fault) => {
            let problem = Problem::from(fault);
            page(problem.status, to, shown, Some(&problem.text))
        }
    }
}

/// Ends the session, whichever of several cookies it was.
pub(super) fn sign_out(visit: &Visit<'_>, parts: &Parts) -> Reply {
    end_sessions(visit.desk, parts, visit.seen);
    let happening = visit.seen.happening("ConsoleLogout", None);
    visit.desk.tell(|| Happening {
        caller: Some(visit.caller.clone()),
        read_only: false,
        ..happening
    });
    Reply::to(SIGN_IN).with_cookie(cookie::unset(visit.seen.transport))
}

/// Ends the sessions of all cookies that a request brings.
fn end_sessions(desk: &Desk, parts: &Parts, seen: &Seen) {
    for cookie in cookie::read(parts, seen.transport) {
        desk.sessions.end(cookie);
    }
}

/// The key and whose it is, if the secret is its. As much is done for one that nobody has.
fn verified(
    desk: &Desk,
    id: &str,
    secret: &str,
) -> Result<Option<(AccessKeyId, Credential)>, Fault> {
    let found = match AccessKeyId::new(id) {
        Ok(id) => desk.control.credential(&id)?.map(|known| (id, known)),
        Err(_) => None,
    };
    let kept = found.as_ref().map(|(_, known)| &**known.secret.0);
    let is_right = random::same(kept.unwrap_or(NOBODYS), secret);
    Ok(found.filter(|_| is_right))
}

fn page(status: StatusCode, to: &str, key: &str, refusal: Option<&str>) -> Reply {
    let shell = Shell::of_nobody("Sign in");
    let page = SignInPage {
        shell,
        to,
        key,
        refusal,
    };
    Reply::page(status, &page)
}

/// What has the form of our access key ids. Something else may be a secret in the wrong field, and is
/// neither shown again nor told of.
fn key_id(typed: &str) -> Option<&str> {
    let has_form = typed.starts_with("AKIA") && typed.len() <= 20;
    Some(typed).filter(|_| has_form)
}

/// Where somebody wanted to go, if that is one of our pages; else where all begins.
fn ours(to: &str) -> &str {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte);
    let rest = to.get(path.len()..).unwrap_or_default();
    let is_ours = path.starts_with(ROOT)
        && path.bytes().all(plain)
        && rest.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours { to } else { ROOT }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for to in [
            "/console/",
            "/console/zones/Z1?name=a%5C052.b&type=A",
            "/console/changes/C1",
        ] {
            assert_eq!(ours(to), to);
        }
        for to in [
            "",
            "/",
            "//evil.test/console/",
            "https://evil.test/console/",
            "/console",
            "/consoles/",
            "/console/../x",
            "/console/%2e%2e/x",
            "/console/x\r\nSet-Cookie: a=b",
            "/console/x?y\r\nz",
            "/console/\\evil.test",
        ] {
            assert_eq!(ours(to), ROOT, "{to}");
        }
    }

    proptest! {
        #[test]
        fn where_one_is_led_is_a_header_and_ours(to in ".{0,60}") {
            let to = ours(&to);
            prop_assert!(to.starts_with(ROOT) && to.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
}
