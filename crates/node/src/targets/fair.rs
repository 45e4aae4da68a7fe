//! A line of targets in which accounts take turns: whose questions take long, or who has many, holds
//! up others little. Pure; how many may be under way `places` says.

use std::collections::{BTreeSet, HashMap};

use meridian_model::{AccountId, Timestamp};

/// Who needs a target, if that is known.
pub(crate) type Account = Option<AccountId>;

/// So many questions of an account may be under way for each place that is free: one that is alone
/// leaves an eighth to whoever comes next.
const SHARE: usize = 7;

/// When a target's time is, and its number.
type Place = (Timestamp, u64);

/// Those that wait. One that several accounts need waits with each of them, and is asked for when the
/// turn comes to the first.
#[derive(Debug, Default)]
pub(super) struct FairLine {
    /// Their time is yet to come.
    later: BTreeSet<Place>,
    /// Those that have targets whose time has come, or questions under way.
    accounts: HashMap<Account, Turn>,
    /// Who is next: the one with the fewest questions under way, and of those who waits longest. They
    /// all have targets whose time has come.
    turns: BTreeSet<(usize, u64, Account)>,
    next_turn: u64,
}

#[derive(Debug)]
struct Turn {
    ready: BTreeSet<Place>,
    under_way: usize,
    /// When its turn was.
    last: u64,
}

impl FairLine {
    /// It waits until its time comes.
    pub(super) fn insert(&mut self, place: Place) {
        self.later.insert(place);
    }

    /// It waits no more, with any of these accounts.
    pub(super) fn remove<'a>(&mut self, place: Place, of: impl IntoIterator<Item = &'a Account>) {
        if !self.later.remove(&place) {
            for account in of {
                self.change(account, |turn| {
                    turn.ready.remove(&place);
                });
            }
        }
    }

    /// One that waits is needed by this account, too.
    pub(super) fn claim(&mut self, place: Place, account: &Account) {
        if !self.later.contains(&place) {
            self.change(account, |turn| {
                turn.ready.insert(place);
            });
        }
    }

    /// One that waits is not needed by this account any more.
    pub(super) fn release(&mut self, place: Place, account: &Account) {
        self.change(account, |turn| {
            turn.ready.remove(&place);
        });
    }

    /// Whose turn it is, and with what, where so many places are free. What is next is taken out with
    /// [`Self::remove`]; until then it is still in its line.
    pub(super) fn next<'a, A: IntoIterator<Item = &'a Account>>(
        &mut self,
        (now, free): (Timestamp, usize),
        accounts_of: impl Fn(u64) -> A,
    ) -> Option<(Place, Account)> {
        // Each becomes ready once.
        while let Some(place) = self.later.first().copied().filter(|(due, _)| *due <= now) {
            self.later.remove(&place);
            for account in accounts_of(place.1) {
                self.change(account, |turn| {
                    turn.ready.insert(place);
                });
            }
        }
        let (under_way, _, account) = self.turns.first()?;
        if *under_way >= free.saturating_mul(SHARE) {
            return None;
        }
        let place = self.accounts.get(account)?.ready.first()?;
        Some((*place, account.clone()))
    }

    /// One of its questions is under way.
    pub(super) fn begin(&mut self, account: &Account) {
        let last = self.next_turn;
        self.next_turn += 1;
        self.change(account, |turn| {
            turn.under_way += 1;
            turn.last = last;
        });
    }

    /// That is over.
    pub(super) fn end(&mut self, account: &Account) {
        self.change(account, |turn| {
            turn.under_way = turn.under_way.saturating_sub(1);
        });
    }

    /// When the first of them is to be asked for.
    #[cfg(test)]
    pub(super) fn first(&self) -> Option<Timestamp> {
        let ready = self.accounts.values().filter_map(|turn| turn.ready.first());
        let all = ready.chain(self.later.first());
        all.map(|(due, _)| *due).min()
    }

    /// Changes what there is of an account, and puts it where it belongs.
    fn change(&mut self, account: &Account, change: impl FnOnce(&mut Turn)) {
        // Who comes back stands behind those that wait.
        let mut turn = self.accounts.remove(account).unwrap_or_else(|| Turn {
            ready: BTreeSet::new(),
            under_way: 0,
            last: self.next_turn,
        });
        self.turns
            .remove(&(turn.under_way, turn.last, account.clone()));
        change(&mut turn);
        if !turn.ready.is_empty() {
            self.turns
                .insert((turn.under_way, turn.last, account.clone()));
        }
        if !turn.ready.is_empty() || turn.under_way > 0 {
            self.accounts.insert(account.clone(), turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: usize) -> Account {
        Some(AccountId::new(&format!("{n:012}")).unwrap())
    }

    /// The accounts whose turn comes, one after the other, where nothing ends.
    fn turns(line: &mut FairLine, free: usize, of: &dyn Fn(u64) -> Vec<Account>) -> Vec<Account> {
        let accounts: HashMap<u64, Vec<Account>> = (0..1000).map(|id| (id, of(id))).collect();
        let mut told = Vec::new();
        while told.len() < free {
            let left = free - told.len();
            let next = line.next((Timestamp(0), left), |id| &accounts[&id]);
            let Some((place, account)) = next else {
                break;
            };
            line.remove(place, &accounts[&place.1]);
            line.begin(&account);
            told.push(account);
        }
        told
    }

    fn line(ids: std::ops::Range<u64>) -> FairLine {
        let mut line = FairLine::default();
        for id in ids {
            line.insert((Timestamp(0), id));
        }
        line
    }

    #[test]
    fn an_account_alone_leaves_places_to_who_comes_next() {
        for (free, begun) in [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (32, 28), (64, 56)] {
            let mut line = line(0..1000);
            let told = turns(&mut line, free, &|_| vec![account(1)]);
            assert_eq!(told.len(), begun, "{free}");
        }
    }

    #[test]
    fn who_has_many_has_no_more_places_than_who_has_few() {
        let of = |id| vec![account(usize::from(id >= 900))];
        let told = turns(&mut line(0..1000), 32, &of);
        let first = told.iter().filter(|told| **told == account(0)).count();
        assert_eq!((told.len(), first), (30, 15));
    }

    #[test]
    fn who_has_nothing_under_way_comes_before_who_has() {
        let mut line = line(0..100);
        let of = |id| vec![account(usize::from(id >= 100))];
        assert_eq!(turns(&mut line, 16, &of).len(), 14);
        for id in 100..110 {
            line.insert((Timestamp(0), id));
        }
        assert_eq!(turns(&mut line, 2, &of), [account(1), account(1)]);
        line.end(&account(0));
        assert_eq!(turns(&mut line, 1, &of), [account(1)]);
    }

    #[test]
    fn what_several_need_is_asked_for_once_with_who_comes_first() {
        let of = |id| match id {
            9 => vec![account(0), account(1)],
            _ => vec![account(0)],
        };
        let mut line = line(0..10);
        let told = turns(&mut line, 64, &of);
        let second = told.iter().filter(|told| **told == account(1)).count();
        assert_eq!((told.len(), second), (10, 1));
        for account in told {
            line.end(&account);
        }
        // Nothing is left of anybody.
        assert!(line.accounts.is_empty() && line.turns.is_empty() && line.later.is_empty());
    }
}
