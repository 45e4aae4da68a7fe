//! The control plane's one object: fresh reads, and plan-then-append.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_log::{
    AppendError, Commit, Entry, Head, Journal, RetryKey, Snapshot, Tables, Vault, VaultError,
};
use meridian_model::{
    AccessKeyId, Effect, Facts, Generation, KeyStatus, Quota, Seq, State, Timestamp,
};
use zeroize::Zeroizing;

use crate::acks::Acks;
use crate::admin::SECRETS;
use crate::answering::{Answering, Silent};
use crate::caller::{Caller, Credential, Secret};
use crate::environment::Environment;
use crate::group::{Basis, Verdict};
use crate::last_used::LastUsed;
use crate::observations::{Observations, Unseen};
use crate::query_logging::QueryLogging;
use crate::refusal::{Fault, OperationError};
use crate::throttle::Throttle;
use crate::turns::{Crowded, Errand, Turns};

/// How long a request waits for this node to apply what is in the journal.
const APPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request is planned anew because others appended first.
const MAX_ATTEMPTS: usize = 16;

/// The control plane. Operations block on disk: call them off the async threads.
pub struct Control {
    pub(crate) journal: Arc<dyn Journal>,
    tables: Arc<Tables>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) acks: Arc<Acks>,
    pub(crate) environment: Box<dyn Environment>,
    /// A turn lasts from planning to appending, so that requests of this process do not race for
    /// the head. Several may have it, whose commits then share an entry.
    pub(crate) turns: Turns,
    pub(crate) query_logging: QueryLogging,
    pub(crate) answering: Box<dyn Answering>,
    pub(crate) observations: Box<dyn Observations>,
    /// The time of an entry, the last one unless others wrote since.
    last: Mutex<Option<(Head, Timestamp)>>,
    /// Generations that somebody in this process is writing.
    pub(crate) drafts: Mutex<BTreeSet<Generation>>,
    pub(crate) last_used: LastUsed,
    throttle: Throttle,
}

/// Who a commit is written for.
pub(crate) struct Author<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) principal: String,
}

/// A commit that is in the journal.
pub(crate) enum Committed<T> {
    /// Just now.
    Now(T),
    /// By an earlier try of the same request, with these effects.
    Before(Vec<Effect>),
}

impl Control {
    /// A control plane over this journal and the tables that follow it.
    pub fn new(
        journal: Arc<dyn Journal>,
        tables: Arc<Tables>,
        vault: Arc<Vault>,
        acks: Arc<Acks>,
        environment: Box<dyn Environment>,
    ) -> Self {
        Self {
            journal,
            tables,
            vault,
            acks,
            environment,
            turns: Turns::default(),
            query_logging: QueryLogging::default(),
            answering: Box::new(Silent),
            observations: Box::new(Unseen),
            last: Mutex::default(),
            drafts: Mutex::default(),
            last_used: LastUsed::default(),
            throttle: Throttle::default(),
        }
    }

    /// What is needed to check a signature of this key; none for unknown and inactive keys.
    ///
    /// A fresh read like any other: a key opens doors as soon as it is handed out, and none once
    /// it is closed.
    ///
    /// # Errors
    /// When the tables or the vault cannot be read.
    pub fn credential(&self, id: &AccessKeyId) -> Result<Option<Credential>, Fault> {
        let snapshot = self.fresh()?;
        let key = snapshot.access_key(id).map_err(Fault::storage)?;
        let Some(key) = key.filter(|key| key.status == KeyStatus::Active) else {
            return Ok(None);
        };
        let account = snapshot.account(&key.account).map_err(Fault::storage)?;
        let secret = self
            .vault
            .get(&key.vault_row, &SECRETS)
            .map_err(Fault::storage)?;
        // Deleted in between: the journal says so before the secret goes.
        if secret.is_none()
            && self
                .fresh()?
                .access_key(id)
                .map_err(Fault::storage)?
                .is_none()
        {
            return Ok(None);
        }
        let (Some(account), Some(secret)) = (account, secret) else {
            return Err(Fault::Storage(format!(
                "access key {id} lost its account or secret"
            )));
        };
        let secret = String::from_utf8(secret.expose().to_vec()).map_err(Fault::storage)?;
        let requests_per_second = snapshot
            .limit(&account.id, Quota::RequestsPerSecond)
            .map_err(Fault::storage)?;
        Ok(Some(Credential {
            account: account.id,
            operator: account.operator,
            user: key.user,
            requests_per_second,
            secret: Secret(Zeroizing::new(secret)),
        }))
    }

    /// The acknowledgements that [`Acks::report`] feeds.
    pub fn acks(&self) -> &Acks {
        &self.acks
    }

    /// How much of whom is let through all doors together.
    pub fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// The state at the journal's head, or later.
    pub(crate) fn fresh(&self) -> Result<Snapshot, Fault> {
        let head = self.journal.head().map_err(Fault::storage)?;
        if !self.tables.wait_applied(head.seq, APPLY_TIMEOUT) {
            return Err(Fault::NotApplied);
        }
        self.tables.read().map_err(Fault::storage)
    }

    /// Plans at the head and appends what comes out. `plan` may run several times; an error of it
    /// ends the request with nothing written.
    pub(crate) fn commit<T, E: From<Fault>>(
        &self,
        author: &Author<'_>,
        plan: impl FnMut(&Snapshot, &mut Facts) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<Committed<T>, E> {
        self.commit_on(Errand::Any, author, plan)
    }

    /// The same on an errand: what is planned and written keeps to what that says.
    pub(crate) fn commit_on<T, E: From<Fault>>(
        &self,
        errand: Errand<'_>,
        author: &Author<'_>,
        mut plan: impl FnMut(&Snapshot, &mut Facts) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<Committed<T>, E> {
        let retry = author.caller.and_then(|caller| caller.retry).map(RetryKey);
        let account = author.caller.map(|caller| caller.account.clone());
        let mut turn = self.turns.wait(account, errand).map_err(Fault::from)?;
        for _ in 0..MAX_ATTEMPTS {
            let basis = turn.basis(|| self.basis())?;
            let mut facts = self.environment.facts();
            facts.now = basis.now;
            if let Some(effects) = self.done_before(&basis, retry)? {
                return Ok(Committed::Before(effects));
            }
            let (effects, outcome) = plan(&basis.snapshot, &mut facts)?;
            let commit = author.commit(retry, effects);
            let append = |commits| self.append(&basis, commits);
            match turn.write(commit, append) {
                Verdict::Written => return Ok(Committed::Now(outcome)),
                Verdict::Again => {}
                Verdict::Failed(fault) => return Err(fault.into()),
            }
        }
        Err(Fault::Contention.into())
    }

    /// What to plan on: the state at the head, and the time.
    fn basis(&self) -> Result<Basis, Fault> {
        let snapshot = self.fresh()?;
        // The clock may have been set back; nothing happens before what was done already.
        let now = self.environment.now().max(self.time_of(snapshot.head())?);
        Ok(Basis { snapshot, now })
    }

    /// The effects of an earlier try of the same request.
    fn done_before(
        &self,
        basis: &Basis,
        retry: Option<RetryKey>,
    ) -> Result<Option<Vec<Effect>>, Fault> {
        let Some(key) = retry else {
            return Ok(None);
        };
        let seq = basis.snapshot.retry(&key, basis.now);
        match seq.map_err(Fault::storage)? {
            Some(seq) => self.effects_of(seq, key),
            None => Ok(None),
        }
    }

    /// The time of the journal's entry at `head`. It is read only after others wrote.
    fn time_of(&self, head: Head) -> Result<Timestamp, Fault> {
        let mut last = self.last();
        if let Some((known, time)) = *last
            && known == head
        {
            return Ok(time);
        }
        let Some(before) = head.seq.0.checked_sub(1) else {
            return Ok(Timestamp(i64::MIN));
        };
        let entries = self.journal.read(Seq(before), 1).map_err(Fault::storage)?;
        // A journal that ends before is told by appending.
        let time = entries
            .first()
            .map_or(Timestamp(i64::MIN), |entry| entry.time);
        *last = Some((head, time));
        Ok(time)
    }

    pub(crate) fn last(&self) -> MutexGuard<'_, Option<(Head, Timestamp)>> {
        // It is replaced as a whole.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entry of the journal.
    pub(crate) fn entry(&self, seq: Seq) -> Result<Option<Entry>, Fault> {
        let before = Seq(seq.0.saturating_sub(1));
        let entries = self.journal.read(before, 1).map_err(Fault::storage)?;
        Ok(entries.into_iter().find(|entry| entry.seq == seq))
    }

    /// The effects of the commit of this retry key in an entry.
    fn effects_of(&self, seq: Seq, key: RetryKey) -> Result<Option<Vec<Effect>>, Fault> {
        let entries = self
            .journal
            .read(Seq(seq.0 - 1), 1)
            .map_err(Fault::storage)?;
        let commits = entries
            .into_iter()
            .take(1)
            .flat_map(|entry: Entry| entry.commits);
        let mut mine = commits.filter(|commit| commit.retry == Some(key));
        Ok(mine.next().map(|commit| commit.effects))
    }
}

/// Whether the journal went on from where this node is. One that ends before, or with another
/// entry, is another journal or an older copy: no plan made here will ever fit it.
pub(crate) fn check_behind(applied: Head, head: Head) -> Result<(), Fault> {
    if head.seq > applied.seq {
        return Ok(());
    }
    Err(Fault::Storage(format!(
        "the journal ends with entry {} of hash {}, but this node's tables hold entry {} of hash \
         {}: an older or another journal was put in place",
        head.seq, head.hash, applied.seq, applied.hash
    )))
}

/// The fault behind an entry that was not appended.
pub(crate) fn not_appended(error: AppendError) -> Fault {
    match error {
        AppendError::Level { needed, finalized } => Fault::NotFinalized { needed, finalized },
        AppendError::TooLarge { bytes } => Fault::TooLarge { bytes },
        AppendError::Storage(error) if error.is_full() => Fault::DiskFull,
        error => Fault::storage(error),
    }
}

impl Author<'_> {
    pub(crate) fn of(caller: &Caller) -> Author<'_> {
        Author {
            request_id: &caller.request_id,
            principal: caller.arn(),
            caller: Some(caller),
        }
    }

    fn commit(&self, retry: Option<RetryKey>, effects: Vec<Effect>) -> Commit {
        let source = self.caller.map(|caller| caller.source.clone());
        Commit {
            request_id: self.request_id.to_owned(),
            account: self.caller.map(|caller| caller.account.clone()),
            principal: self.principal.clone(),
            source: source.unwrap_or_default(),
            retry,
            effects,
        }
    }
}

impl From<Crowded> for Fault {
    fn from(_: Crowded) -> Self {
        Self::Contention
    }
}

impl Fault {
    /// The fault behind a secret that was not kept.
    pub(crate) fn vault(error: VaultError) -> Self {
        match error {
            VaultError::Storage(error) if error.is_full() => Self::DiskFull,
            error => Self::storage(error),
        }
    }

    pub(crate) fn storage(error: impl fmt::Display) -> Self {
        Self::Storage(error.to_string())
    }
}

/// Reading the tables fails only by our fault.
impl From<meridian_log::ReadError> for OperationError {
    fn from(error: meridian_log::ReadError) -> Self {
        Fault::storage(error).into()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
