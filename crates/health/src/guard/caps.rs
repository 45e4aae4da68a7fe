//! How many probes run at once: in all, against one address, and for one account. Counted over all
//! checkers of a process, and given back by whoever drops what was taken.
//!
//! One that nobody answers yet is a socket and little else, and those that fall silent are many at
//! the same time: there may be far more of them than of conversations, which have buffers.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use meridian_model::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The most at once, and how long they wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapLimits {
    /// In all; each has a socket.
    pub in_all: usize,
    /// Against one address.
    pub per_address: usize,
    /// For one account.
    pub per_account: usize,
    /// With a connection that something is said over; each has up to a hundred kilobytes.
    pub talking: usize,
    /// Such for one account.
    pub talking_per_account: usize,
    /// How long a probe waits for its turn, at its address or to talk.
    pub patience: Duration,
}

/// However many probes there may be, so many of them may talk.
const TALKING: usize = 1000;
/// Beyond that one of so many.
const TALKING_PART: usize = 16;

impl CapLimits {
    /// For so many probes. A quarter is always left to other accounts.
    pub fn of(in_all: usize) -> Self {
        let talking = TALKING.max(in_all / TALKING_PART).min(in_all);
        Self {
            in_all,
            per_address: 250,
            per_account: three_quarters(in_all),
            talking,
            talking_per_account: three_quarters(talking),
            // As long as an endpoint may take to answer.
            patience: Duration::from_secs(2),
        }
    }
}

const fn three_quarters(whole: usize) -> usize {
    whole - whole / 4
}

impl Default for CapLimits {
    fn default() -> Self {
        Self::of(1000)
    }
}

/// Of what there are too many. It says nothing of the endpoint: the probe is made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many probes as {} may have are under way", match .0 {
    Cap::All => "all checks together",
    Cap::Address => "one address",
    Cap::Account => "one account",
})]
pub struct Busy(pub Cap);

/// What is capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// [`CapLimits::in_all`] or [`CapLimits::talking`].
    All,
    /// [`CapLimits::per_address`].
    Address,
    /// [`CapLimits::per_account`] or [`CapLimits::talking_per_account`].
    Account,
}

/// The probes under way. Clones count together.
#[derive(Debug, Clone)]
pub struct Caps {
    limits: CapLimits,
    all: Counts<()>,
    accounts: Counts<AccountId>,
    addresses: Lines<IpAddr>,
    talking: Arc<Semaphore>,
    talking_accounts: Lines<AccountId>,
}

/// A place among the probes under way, given back when it is dropped.
#[derive(Debug)]
pub struct Place<K: Hash + Eq> {
    counts: Counts<K>,
    key: K,
}

/// A turn that was waited for, given back when it is dropped.
#[derive(Debug)]
pub struct Admission {
    _turn: OwnedSemaphorePermit,
    /// That among those of one account.
    _own: Option<OwnedSemaphorePermit>,
}

impl Caps {
    /// Nothing is under way.
    pub fn new(limits: CapLimits) -> Self {
        Self {
            limits,
            all: Counts::default(),
            accounts: Counts::default(),
            addresses: Lines::new(limits.per_address),
            talking: semaphore(limits.talking),
            talking_accounts: Lines::new(limits.talking_per_account),
        }
    }

    /// How many more there may be: none while those that talk are as many as may, since others
    /// would only wait for them.
    pub fn room(&self) -> usize {
        if self.talking.available_permits() == 0 {
            return 0;
        }
        self.limits.in_all.saturating_sub(self.all.count(&()))
    }

    /// A place for a probe of anything.
    ///
    /// # Errors
    /// When there is none left.
    pub fn any(&self) -> Result<Place<()>, Busy> {
        let place = self.all.take((), self.limits.in_all);
        place.ok_or(Busy(Cap::All))
    }

    /// A place for a probe of this account.
    ///
    /// # Errors
    /// When there is none left.
    pub fn account(&self, account: &AccountId) -> Result<Place<AccountId>, Busy> {
        let place = self.accounts.take(account.clone(), self.limits.per_account);
        place.ok_or(Busy(Cap::Account))
    }

    /// A turn to connect to this address, after those who came before.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn address(&self, address: IpAddr) -> Result<Admission, Busy> {
        let until = Instant::now() + self.limits.patience;
        Ok(Admission {
            _turn: turn(self.addresses.of(address), until, Cap::Address).await?,
            _own: None,
        })
    }

    /// A turn to talk for this account, after those who came before.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn conversation(&self, account: &AccountId) -> Result<Admission, Busy> {
        let until = Instant::now() + self.limits.patience;
        let own = self.talking_accounts.of(account.clone());
        // Who waits for others of the account takes nobody else's turn.
        let own = turn(own, until, Cap::Account).await?;
        Ok(Admission {
            _turn: turn(Arc::clone(&self.talking), until, Cap::All).await?,
            _own: Some(own),
        })
    }
}

async fn turn(
    line: Arc<Semaphore>,
    until: Instant,
    cap: Cap,
) -> Result<OwnedSemaphorePermit, Busy> {
    match timeout_at(until, line.acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Busy(cap)),
    }
}

fn semaphore(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}

/// Turns by key.
#[derive(Debug)]
struct Lines<K> {
    most: usize,
    open: Arc<Mutex<Open<K>>>,
}

#[derive(Debug)]
struct Open<K> {
    lines: HashMap<K, Weak<Semaphore>>,
    /// With so many it is looked which of them are still anybody's: twice as many as were at the
    /// last time, so that looking costs each who comes the same.
    sweep_at: usize,
}

/// The fewest lines that are looked through.
const SWEEP_LEAST: usize = 64;

impl<K> Clone for Lines<K> {
    fn clone(&self) -> Self {
        Self {
            most: self.most,
            open: Arc::clone(&self.open),
        }
    }
}

impl<K: Hash + Eq> Lines<K> {
    fn new(most: usize) -> Self {
        let open = Open {
            lines: HashMap::new(),
            sweep_at: SWEEP_LEAST,
        };
        Self {
            most,
            open: Arc::new(Mutex::new(open)),
        }
    }

    /// The line of this key; it is gone when nobody has or waits for a turn.
    fn of(&self, key: K) -> Arc<Semaphore> {
        // Nothing in here is ever half done.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = open.lines.get(&key).and_then(Weak::upgrade) {
            return line;
        }
        if open.lines.len() >= open.sweep_at {
            open.lines.retain(|_, line| line.strong_count() > 0);
            open.sweep_at = SWEEP_LEAST.max(2 * open.lines.len());
        }
        let line = semaphore(self.most);
        open.lines.insert(key, Arc::downgrade(&line));
        line
    }
}

/// Counts by key. There are no more keys than places taken.
#[derive(Debug)]
struct Counts<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Counts<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone> Counts<K> {
    fn count(&self, key: &K) -> usize {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(key).copied().unwrap_or(0)
    }

    fn take(&self, key: K, limit: usize) -> Option<Place<K>> {
        // Counting cannot leave it half done: after a panic elsewhere it is as good as before.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_insert(0);
        if *count >= limit {
            if *count == 0 {
                counts.remove(&key);
            }
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place {
            counts: self.clone(),
            key,
        })
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        AccountId::new("123456789012").unwrap()
    }

    #[test]
    fn places_are_given_back_and_nothing_is_kept() {
        let caps = Caps::new(CapLimits {
            in_all: 2,
            per_account: 1,
            ..CapLimits::default()
        });
        let first = caps.account(&account()).unwrap();
        let refused = caps.account(&account());
        assert_eq!(refused.unwrap_err(), Busy(Cap::Account));
        drop(first);
        assert!(caps.account(&account()).is_ok());
        let places = [caps.any().unwrap(), caps.any().unwrap()];
        assert_eq!((caps.room(), caps.any().unwrap_err()), (0, Busy(Cap::All)));
        drop(places);
        assert_eq!(caps.room(), 2);
        assert!(caps.accounts.0.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_waited_for_and_not_for_ever() {
        let caps = Caps::new(CapLimits {
            per_address: 1,
            talking: 1,
            talking_per_account: 1,
            ..CapLimits::default()
        });
        let (own, other) = (account(), AccountId::new("999999999999").unwrap());
        let (here, there) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let turns = (
            caps.address(here).await.unwrap(),
            caps.conversation(&own).await.unwrap(),
        );
        // Whatever would be begun would wait for it.
        assert_eq!(caps.room(), 0);
        assert!(caps.address(there).await.is_ok());
        let late = tokio::join!(
            caps.address(here),
            caps.conversation(&own),
            caps.conversation(&other),
        );
        assert_eq!(late.0.unwrap_err(), Busy(Cap::Address));
        assert_eq!(late.1.unwrap_err(), Busy(Cap::Account));
        assert_eq!(late.2.unwrap_err(), Busy(Cap::All));
        let (address, talk, ()) =
            tokio::join!(caps.address(here), caps.conversation(&own), async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(turns);
            });
        assert!(address.is_ok() && talk.is_ok());
        drop((address, talk));
        assert_eq!(caps.room(), 1000);
    }

    #[tokio::test]
    async fn lines_that_nobody_stands_in_are_let_go() {
        let caps = Caps::new(CapLimits::default());
        let kept = caps.address([192, 0, 2, 1].into()).await.unwrap();
        for number in 0..10_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            drop(caps.address(address).await.unwrap());
        }
        assert!(caps.addresses.open.lock().unwrap().lines.len() <= SWEEP_LEAST);
        drop(kept);
    }

    #[test]
    fn a_quarter_is_left_to_other_accounts() {
        for (in_all, of_it, talking) in [(16_000, 12_000, 750), (1000, 750, 750), (3, 3, 3)] {
            let limits = CapLimits::of(in_all);
            let shares = (limits.per_account, limits.talking_per_account);
            assert_eq!((limits.in_all, shares), (in_all, (of_it, talking)));
        }
    }
}
