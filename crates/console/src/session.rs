//! Who is signed in: in memory, of bounded number, until nothing comes any more or the day is over.
//! A restart ends them all.
//!
//! What a session may do is not kept: its access key is looked up again for each request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meridian_control::Transport;
use meridian_model::{AccessKeyId, AccountId};

use crate::random;

/// How long a session lasts in which nothing is asked.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How long one lasts at most.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How many there are, and how many of an account. With one more the one goes that was used least
/// recently.
const MAX_SESSIONS: usize = 4096;
const MAX_OF_ACCOUNT: usize = 64;

/// All sessions, by digests of what the cookies say: whoever reads this memory cannot take one over.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

/// Who signed in, and when.
#[derive(Clone)]
struct Session {
    key: AccessKeyId,
    account: AccountId,
    transport: Transport,
    token: String,
    began: Instant,
    used: Instant,
}

/// What a request's session says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// The key that it was begun with.
    pub(crate) key: AccessKeyId,
    /// What every form of the session has in it, and nobody else can know.
    pub(crate) token: String,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Session {
    fn lasts(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < LONGEST
    }
}

impl Sessions {
    /// Begins a session; what its cookie says.
    pub(crate) fn begin(
        &self,
        key: AccessKeyId,
        account: AccountId,
        transport: Transport,
        now: Instant,
    ) -> String {
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.lasts(now));
        let of_account = |session: &Session| session.account == account;
        if sessions.values().filter(|it| of_account(it)).count() >= MAX_OF_ACCOUNT {
            end_oldest(&mut sessions, of_account);
        } else if sessions.len() >= MAX_SESSIONS {
            end_oldest(&mut sessions, |_| true);
        }
        let cookie = random::secret();
        let session = Session {
            key,
            account,
            transport,
            token: random::secret(),
            began: now,
            used: now,
        };
        sessions.insert(digest(&cookie), session);
        cookie
    }

    /// The session of a cookie that came in this way, which lasts on for it.
    pub(crate) fn find(
        &self,
        cookie: &str,
        transport: Transport,
        now: Instant,
    ) -> Option<SignedIn> {
        let mut sessions = self.sessions();
        let session = sessions.get_mut(&digest(cookie))?;
        if !session.lasts(now) || session.transport != transport {
            return None;
        }
        session.used = session.used.max(now);
        Some(SignedIn {
            key: session.key.clone(),
            token: session.token.clone(),
        })
    }

    /// Ends the session of a cookie.
    pub(crate) fn end(&self, cookie: &str) {
        self.sessions().remove(&digest(cookie));
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        // Sessions are put in and taken out as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(cookie: &str) -> [u8; 32] {
    random::digest_of(&[cookie.as_bytes()])
}

fn end_oldest(sessions: &mut HashMap<[u8; 32], Session>, among: impl Fn(&Session) -> bool) {
    let found = sessions.iter().filter(|(_, session)| among(session));
    let oldest = found.min_by_key(|(_, session)| session.used);
    if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
        sessions.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Transport = Transport::Plain;

    fn begin(sessions: &Sessions, account: &str, now: Instant) -> String {
        let key = AccessKeyId::new("AKIATEST").unwrap();
        sessions.begin(key, AccountId::new(account).unwrap(), PLAIN, now)
    }

    #[test]
    fn a_session_lasts_while_it_is_used_and_no_longer_than_a_day_of_work() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let cookie = begin(&sessions, "000000000001", start);
        let other = begin(&sessions, "000000000001", start);
        let lasts = |cookie: &str, minutes| sessions.find(cookie, PLAIN, at(minutes)).is_some();
        for minutes in (0..12 * 60).step_by(29) {
            assert!(lasts(&cookie, minutes), "{minutes}");
        }
        assert!(lasts(&cookie, 12 * 60 - 1) && !lasts(&cookie, 12 * 60));
        assert!(!lasts(&other, 30));
        // A clock that a request read earlier turns nothing back.
        let cookie = begin(&sessions, "000000000001", at(20));
        assert!(lasts(&cookie, 19) && lasts(&cookie, 49) && !lasts(&cookie, 79));
    }

    #[test]
    fn only_its_cookie_opens_a_session_and_only_as_it_was_begun() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let (one, two) = (
            begin(&sessions, "000000000001", now),
            begin(&sessions, "000000000001", now),
        );
        let token = |cookie: &str| sessions.find(cookie, PLAIN, now).map(|it| it.token);
        assert!(
            token(&one).is_some() && token(&one) != token(&two) && token(&one) != Some(one.clone())
        );
        assert!(sessions.find(&one, Transport::Tls, now).is_none());
        for guess in ["", "0", &one[1..], &one.to_uppercase()] {
            assert!(token(guess).is_none(), "{guess}");
        }
        sessions.end(&one);
        assert!(token(&one).is_none() && token(&two).is_some());
        assert!(!format!("{:?}", sessions.find(&two, PLAIN, now)).contains(&token(&two).unwrap()));
    }

    #[test]
    fn with_too_many_the_one_goes_that_was_used_least_recently() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let at = |ms: usize| start + Duration::from_millis(ms as u64);
        let of_one: Vec<String> = (0..MAX_OF_ACCOUNT)
            .map(|ms| begin(&sessions, "000000000001", at(ms)))
            .collect();
        let lasts = |cookie: &String| sessions.find(cookie, PLAIN, at(100)).is_some();
        assert!(lasts(&of_one[0]), "used, so the second is the oldest now");
        begin(&sessions, "000000000001", at(101));
        assert!(lasts(&of_one[0]) && !lasts(&of_one[1]) && lasts(&of_one[2]));
        for number in 0..MAX_SESSIONS + 10 {
            begin(&sessions, &format!("1{number:011}"), at(200 + number));
        }
        assert_eq!(sessions.sessions().len(), MAX_SESSIONS);
        assert!(!lasts(&of_one[0]));
        // Those that are over make room before anybody has to go.
        begin(&sessions, "000000000001", start + LONGEST);
        assert_eq!(sessions.sessions().len(), 1);
    }
}
