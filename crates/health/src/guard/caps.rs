//! How many probes run at once: in all, against one address, and for one account. Counted over all
//! checkers of a process, and given back by whoever drops what was taken.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use meridian_model::AccountId;

/// The most at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapLimits {
    /// In all: each has a socket, and up to a hundred kilobytes.
    pub in_all: usize,
    /// Against one address.
    pub per_address: usize,
    /// For one account.
    pub per_account: usize,
}

impl Default for CapLimits {
    fn default() -> Self {
        Self {
            in_all: 1000,
            per_address: 250,
            per_account: 500,
        }
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
    /// [`CapLimits::in_all`].
    All,
    /// [`CapLimits::per_address`].
    Address,
    /// [`CapLimits::per_account`].
    Account,
}

/// The probes under way. Clones count together.
#[derive(Debug, Clone)]
pub struct Caps {
    limits: CapLimits,
    all: Counts<()>,
    addresses: Counts<IpAddr>,
    accounts: Counts<AccountId>,
}

/// A place among the probes under way, given back when it is dropped.
#[derive(Debug)]
pub struct Place<K: Hash + Eq> {
    counts: Counts<K>,
    key: K,
}

impl Caps {
    /// Nothing is under way.
    pub fn new(limits: CapLimits) -> Self {
        Self {
            limits,
            all: Counts::default(),
            addresses: Counts::default(),
            accounts: Counts::default(),
        }
    }

    /// How many more there may be.
    pub fn room(&self) -> usize {
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

    /// A place for a probe of this address.
    ///
    /// # Errors
    /// When there is none left.
    pub fn address(&self, address: IpAddr) -> Result<Place<IpAddr>, Busy> {
        let place = self.addresses.take(address, self.limits.per_address);
        place.ok_or(Busy(Cap::Address))
    }

    /// A place for a probe of this account.
    ///
    /// # Errors
    /// When there is none left.
    pub fn account(&self, account: &AccountId) -> Result<Place<AccountId>, Busy> {
        let place = self.accounts.take(account.clone(), self.limits.per_account);
        place.ok_or(Busy(Cap::Account))
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

    #[test]
    fn places_are_given_back_and_nothing_is_kept() {
        let caps = Caps::new(CapLimits {
            in_all: 1,
            per_address: 2,
            per_account: 0,
        });
        let here: IpAddr = [192, 0, 2, 1].into();
        let there: IpAddr = [192, 0, 2, 2].into();
        let first = caps.address(here).unwrap();
        let second = caps.address(here).unwrap();
        assert_eq!(caps.address(here).unwrap_err(), Busy(Cap::Address));
        assert!(caps.address(there).is_ok());
        drop(first);
        let third = caps.address(here).unwrap();
        assert!(caps.address(here).is_err());
        drop((second, third));
        let account = AccountId::new("123456789012").unwrap();
        assert!(caps.account(&account).is_err());
        let any = caps.any().unwrap();
        assert_eq!((caps.room(), caps.any().unwrap_err()), (0, Busy(Cap::All)));
        drop(any);
        assert_eq!(caps.room(), 1);
        assert!(caps.addresses.0.lock().unwrap().is_empty());
        assert!(caps.accounts.0.lock().unwrap().is_empty());
    }
}
