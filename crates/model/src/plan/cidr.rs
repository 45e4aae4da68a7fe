//! CreateCidrCollection, ChangeCidrCollection and DeleteCidrCollection. Blocks are looked up one
//! by one, so that a change costs what it changes and not what the collection holds.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanError;
use crate::cidr::{CidrBlock, CidrBlocks, CidrCollection, CidrLocation};
use crate::effect::Effect;
use crate::facts::Facts;
use crate::id::{AccountId, CidrCollectionId};
use crate::quota::Quota;
use crate::state::State;

/// What a collection is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCidrCollection {
    /// 1 to 64 letters, digits, hyphens and underscores.
    pub name: String,
    /// 1 to 64 characters.
    pub caller_reference: String,
}

/// Why a collection is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateCidrRefusal {
    /// `CidrCollectionAlreadyExistsException`: the name is taken, by another reference.
    NameTaken,
    /// `CidrCollectionAlreadyExistsException`: the reference stands for another name.
    ReferenceUsed,
    /// `LimitsExceeded`.
    TooMany,
}

/// The effect that makes a collection. One that the same request made before is put as it is now.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_cidr_collection<S: State>(
    state: &S,
    facts: &mut Facts,
    account: &AccountId,
    new: NewCidrCollection,
) -> Result<Vec<Effect>, PlanError<CreateCidrRefusal, S::Error>> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    if let Some(known) = state.cidr_collection_named(account, &new.name)? {
        if known.caller_reference != new.caller_reference {
            return refused(CreateCidrRefusal::NameTaken);
        }
        return Ok(vec![Effect::PutCidrCollection(known)]);
    }
    if state
        .cidr_collection_by_reference(account, &new.caller_reference)?
        .is_some()
    {
        return refused(CreateCidrRefusal::ReferenceUsed);
    }
    let limit = state.limit(account, Quota::CidrCollectionsByOwner)?;
    if state.cidr_collection_count(account)? >= limit {
        return refused(CreateCidrRefusal::TooMany);
    }
    Ok(vec![Effect::PutCidrCollection(CidrCollection {
        id: facts.cidr_collection_id(),
        account: account.clone(),
        name: new.name,
        caller_reference: new.caller_reference,
        version: 1,
    })])
}

/// `Action` of a change of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum CidrAction {
    Put,
    DeleteIfExists,
}

/// What is done to some blocks at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrChange {
    /// The location.
    pub location: CidrLocation,
    /// What is done.
    pub action: CidrAction,
    /// The blocks, as sent.
    pub blocks: Vec<String>,
}

/// Why a collection is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeCidrRefusal {
    /// `InvalidInput`: these are no blocks that a collection may have.
    NotBlocks(Vec<String>),
    /// `InvalidInput`: more blocks than the account may name at once.
    TooManyInRequest {
        /// How many it may.
        most: u64,
    },
    /// `CidrCollectionVersionMismatchException`.
    VersionMismatch {
        /// The collection's.
        current: u64,
    },
    /// `CidrBlockInUseException`: the blocks that would be at two locations, with both.
    InUse(Vec<(CidrBlock, [CidrLocation; 2])>),
    /// `LimitsExceeded`.
    TooMany,
}

/// The effects that change a collection's blocks. The changes are played through in order, and
/// judged by what is there in the end: a block may be put before it is taken from where it was.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_change_cidr_collection<S: State>(
    state: &S,
    collection: &CidrCollection,
    version: Option<u64>,
    changes: &[CidrChange],
) -> Result<Vec<Effect>, PlanError<ChangeCidrRefusal, S::Error>> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    let most = state.limit(&collection.account, Quota::CidrBlocksByChange)?;
    let changes = match read(changes, most) {
        Ok(changes) => changes,
        Err(refusal) => return refused(refusal),
    };
    let current = collection.version;
    if version.is_some_and(|version| version != current) {
        return refused(ChangeCidrRefusal::VersionMismatch { current });
    }
    let touched = played(state, &collection.id, changes)?;
    let doubled: Vec<_> = touched.iter().filter_map(twice).collect();
    if !doubled.is_empty() {
        return refused(ChangeCidrRefusal::InUse(doubled));
    }
    let before = touched.values().filter(|it| it.before.is_some()).count() as u64;
    let after = touched.values().filter(|it| !it.after.is_empty()).count() as u64;
    if after > before {
        let limit = state.limit(&collection.account, Quota::CidrBlocksByCollection)?;
        if state.cidr_block_count(&collection.id)? + after - before > limit {
            return refused(ChangeCidrRefusal::TooMany);
        }
    }
    Ok(effects(collection, touched))
}

/// One change whose blocks are understood.
struct Read<'a> {
    location: &'a CidrLocation,
    action: CidrAction,
    blocks: Vec<CidrBlock>,
}

fn read(changes: &[CidrChange], most: u64) -> Result<Vec<Read<'_>>, ChangeCidrRefusal> {
    let named: usize = changes.iter().map(|change| change.blocks.len()).sum();
    if named as u64 > most {
        return Err(ChangeCidrRefusal::TooManyInRequest { most });
    }
    let mut wrong = Vec::new();
    let mut read = Vec::with_capacity(changes.len());
    for change in changes {
        let mut blocks = Vec::with_capacity(change.blocks.len());
        for text in &change.blocks {
            match text.parse() {
                Ok(block) => blocks.push(block),
                Err(_) => wrong.push(text.clone()),
            }
        }
        read.push(Read {
            location: &change.location,
            action: change.action,
            blocks,
        });
    }
    if wrong.is_empty() {
        Ok(read)
    } else {
        Err(ChangeCidrRefusal::NotBlocks(wrong))
    }
}

/// Where a block was, and where it is after the changes so far.
#[derive(Default)]
struct Touched {
    before: Option<CidrLocation>,
    after: BTreeSet<CidrLocation>,
}

fn played<S: State>(
    state: &S,
    collection: &CidrCollectionId,
    changes: Vec<Read<'_>>,
) -> Result<BTreeMap<CidrBlock, Touched>, S::Error> {
    use std::collections::btree_map::Entry;
    let mut touched = BTreeMap::new();
    for change in changes {
        for block in change.blocks {
            let it: &mut Touched = match touched.entry(block) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(first) => {
                    let before = state.cidr_location_of(collection, &block)?;
                    first.insert(Touched {
                        after: before.clone().into_iter().collect(),
                        before,
                    })
                }
            };
            match change.action {
                CidrAction::Put => it.after.insert(change.location.clone()),
                CidrAction::DeleteIfExists => it.after.remove(change.location),
            };
        }
    }
    Ok(touched)
}

/// Where a block is at more than one location, two of them.
fn twice((block, it): (&CidrBlock, &Touched)) -> Option<(CidrBlock, [CidrLocation; 2])> {
    let mut locations = it.after.iter();
    let (first, second) = (locations.next()?, locations.next()?);
    Some((*block, [first.clone(), second.clone()]))
}

/// The next version, then what went and what came, location by location.
fn effects(collection: &CidrCollection, touched: BTreeMap<CidrBlock, Touched>) -> Vec<Effect> {
    let (mut gone, mut come) = (BTreeMap::new(), BTreeMap::new());
    for (block, it) in touched {
        let after = it.after.into_iter().next();
        if it.before == after {
            continue;
        }
        let note = |to: &mut BTreeMap<_, Vec<_>>, location: Option<CidrLocation>| {
            if let Some(location) = location {
                to.entry(location).or_default().push(block);
            }
        };
        note(&mut gone, it.before);
        note(&mut come, after);
    }
    let of = |(location, blocks)| CidrBlocks {
        collection: collection.id.clone(),
        location,
        blocks,
    };
    let put = Effect::PutCidrCollection(CidrCollection {
        version: collection.version.saturating_add(1),
        ..collection.clone()
    });
    let gone = gone.into_iter().map(of).map(Effect::DeleteCidrBlocks);
    let come = come.into_iter().map(of).map(Effect::PutCidrBlocks);
    std::iter::once(put).chain(gone).chain(come).collect()
}

/// A collection cannot go: `CidrCollectionInUseException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CidrCollectionInUse {
    /// It has blocks.
    NotEmpty,
    /// Record sets are routed by it.
    RecordSets,
}

/// The effects that remove a collection without blocks that no record set names.
///
/// # Errors
/// [`CidrCollectionInUse`], or the state's error.
pub fn plan_delete_cidr_collection<S: State>(
    state: &S,
    collection: &CidrCollection,
) -> Result<Vec<Effect>, PlanError<CidrCollectionInUse, S::Error>> {
    let id = &collection.id;
    if state.cidr_block_count(id)? > 0 {
        return Err(PlanError::Refused(CidrCollectionInUse::NotEmpty));
    }
    if state.cidr_set_count(id)? > 0 {
        return Err(PlanError::Refused(CidrCollectionInUse::RecordSets));
    }
    Ok(vec![Effect::DeleteCidrCollection(id.clone())])
}
