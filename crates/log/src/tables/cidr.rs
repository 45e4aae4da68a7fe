//! CIDR collections in the tables: writing and reading them, their blocks, and how many record
//! sets name them. Every block has rows of its own, so that a change writes what it changes.

use std::ops::ControlFlow;

use meridian_model::{
    AccountId, CidrBlock, CidrBlocks, CidrCollection, CidrCollectionId, CidrLocation, Generation,
    RecordSet, Routing, UnseenState,
};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::{Rows, number};
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a collection with its indices.
pub(super) fn put(rows: &mut Rows<'_>, collection: &CidrCollection) -> Result<(), ApplyError> {
    delete(rows, &collection.id)?;
    let key = layout::cidr_collection(&collection.id);
    rows.put(Table::CidrCollections, &key, &collection.to_bytes())?;
    for (index, of) in indices(collection) {
        rows.put(index, &of, &key)?;
    }
    rows.count_up(&layout::cidr_collection_counter(&collection.account))
}

/// Removes a collection, if it is there.
pub(super) fn delete(rows: &mut Rows<'_>, id: &CidrCollectionId) -> Result<(), ApplyError> {
    let key = layout::cidr_collection(id);
    let old: Option<CidrCollection> = rows.get_stored(Table::CidrCollections, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    rows.delete(Table::CidrCollections, &key)?;
    for (index, of) in indices(&old) {
        // What is a later collection's by now stays so.
        if rows.get(index, &of)?.as_deref() == Some(key.as_slice()) {
            rows.delete(index, &of)?;
        }
    }
    rows.count_down(&layout::cidr_collection_counter(&old.account))
}

fn indices(collection: &CidrCollection) -> [(Table, Vec<u8>); 2] {
    let account = &collection.account;
    let reference = layout::in_account(account, &collection.caller_reference);
    [
        (
            Table::CidrCollectionNames,
            layout::in_account(account, &collection.name),
        ),
        (Table::CidrCollectionReferences, reference),
    ]
}

/// Has a location have the blocks, which no other location has from then on.
pub(super) fn put_blocks(rows: &mut Rows<'_>, put: &CidrBlocks) -> Result<(), ApplyError> {
    let (collection, location) = (&put.collection, &put.location);
    for block in &put.blocks {
        let key = layout::cidr_block(collection, block);
        let old = rows.put(Table::CidrBlocks, &key, location.as_str().as_bytes())?;
        match old {
            None => rows.count_up(&layout::cidr_block_counter(collection))?,
            Some(old) => {
                let old = location_of(&old).ok_or_else(|| ApplyError::number(Table::CidrBlocks))?;
                let index = layout::cidr_location_block(collection, &old, block);
                rows.delete(Table::CidrLocationBlocks, &index)?;
            }
        }
        let index = layout::cidr_location_block(collection, location, block);
        rows.put(Table::CidrLocationBlocks, &index, b"")?;
    }
    Ok(())
}

/// Takes from a location what it has of the blocks.
pub(super) fn delete_blocks(rows: &mut Rows<'_>, gone: &CidrBlocks) -> Result<(), ApplyError> {
    let (collection, location) = (&gone.collection, &gone.location);
    for block in &gone.blocks {
        let index = layout::cidr_location_block(collection, location, block);
        if rows.delete(Table::CidrLocationBlocks, &index)?.is_some() {
            let key = layout::cidr_block(collection, block);
            rows.delete(Table::CidrBlocks, &key)?;
            rows.count_down(&layout::cidr_block_counter(collection))?;
        }
    }
    Ok(())
}

/// Notes that a record set of a generation was this and is that now.
pub(super) fn note_set(
    rows: &mut Rows<'_>,
    generation: Generation,
    old: Option<&RecordSet>,
    new: Option<&RecordSet>,
) -> Result<(), ApplyError> {
    let (old, new) = (old.and_then(named), new.and_then(named));
    if old == new {
        return Ok(());
    }
    if let Some(id) = old {
        rows.count_down(&layout::cidr_set_counter(id, generation))?;
    }
    if let Some(id) = new {
        rows.count_up(&layout::cidr_set_counter(id, generation))?;
    }
    Ok(())
}

/// The id of the collection that a set is routed by.
fn named(set: &RecordSet) -> Option<&str> {
    match &set.routing {
        Routing::Cidr { collection_id, .. } => Some(collection_id),
        _ => None,
    }
}

impl Snapshot {
    /// All CIDR collections, of every account, by id.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn cidr_collections(&self) -> Result<Vec<CidrCollection>, ReadError> {
        self.scan_stored(Table::CidrCollections, b"", b"", usize::MAX)
    }

    /// The account's CIDR collections from this name on, by name.
    ///
    /// # Errors
    /// As for all methods.
    pub fn cidr_collections_of(
        &self,
        account: &AccountId,
        from: Option<&str>,
        limit: usize,
    ) -> Result<Vec<CidrCollection>, ReadError> {
        let prefix = layout::of_account(account);
        let start = from.map_or_else(|| prefix.clone(), |name| layout::in_account(account, name));
        let mut found = Vec::new();
        self.scan(Table::CidrCollectionNames, &prefix, &start, |_, id| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let row = self.stored(Table::CidrCollections, id)?;
            found.push(row.ok_or_else(|| ReadError::broken(Table::CidrCollectionNames))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// How many record sets are routed by the collection, where that matters: not in generations
    /// that are only kept for their history, or not even that.
    pub(super) fn cidr_sets(&self, collection: &CidrCollectionId) -> Result<u64, ReadError> {
        let prefix = layout::cidr_set_counters(collection.as_str());
        let mut sets = 0_u64;
        self.scan(Table::Counters, &prefix, &prefix, |key, value| {
            let broken = || ReadError::broken(Table::Counters);
            let generation = <[u8; 8]>::try_from(&key[prefix.len()..]).map_err(|_| broken())?;
            let generation = Generation(u64::from_be_bytes(generation));
            let unseen = self.unseen_generation(generation)?;
            if unseen.is_none_or(|unseen| unseen.state == UnseenState::Draft) {
                sets = sets.saturating_add(number(value).ok_or_else(broken)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(sets)
    }

    /// The collection that a row of an index names.
    pub(super) fn indexed_cidr_collection(
        &self,
        index: Table,
        key: &[u8],
    ) -> Result<Option<CidrCollection>, ReadError> {
        let Some(id) = self.get(index, key)? else {
            return Ok(None);
        };
        let row = self.stored(Table::CidrCollections, &id)?;
        row.map(Some).ok_or_else(|| ReadError::broken(index))
    }

    /// The collection's blocks with their locations, by address, a shorter block before the longer
    /// ones in it.
    ///
    /// # Errors
    /// As for all methods.
    pub fn cidr_blocks(
        &self,
        collection: &CidrCollectionId,
    ) -> Result<Vec<(CidrBlock, CidrLocation)>, ReadError> {
        let prefix = layout::of_cidr_collection(collection);
        let mut blocks = Vec::new();
        self.scan(Table::CidrBlocks, &prefix, &prefix, |key, location| {
            let block = layout::cidr_block_of(&key[prefix.len()..]);
            let row = block.zip(location_of(location));
            blocks.push(row.ok_or_else(|| ReadError::broken(Table::CidrBlocks))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(blocks)
    }

    /// The collection's blocks by location, and at each as [`Snapshot::cidr_blocks`] has them, from
    /// a block at a location on.
    ///
    /// # Errors
    /// As for all methods.
    pub fn cidr_blocks_by_location(
        &self,
        collection: &CidrCollectionId,
        from: Option<(&CidrLocation, &CidrBlock)>,
        limit: usize,
    ) -> Result<Vec<(CidrLocation, CidrBlock)>, ReadError> {
        let prefix = layout::of_cidr_collection(collection);
        let start = from.map_or_else(
            || prefix.clone(),
            |(location, block)| layout::cidr_location_block(collection, location, block),
        );
        self.cidr_location_blocks(collection, &prefix, &start, limit)
    }

    /// The blocks of one location, as [`Snapshot::cidr_blocks`] has them, from a block on.
    ///
    /// # Errors
    /// As for all methods.
    pub fn cidr_blocks_at(
        &self,
        collection: &CidrCollectionId,
        location: &CidrLocation,
        from: Option<&CidrBlock>,
        limit: usize,
    ) -> Result<Vec<(CidrLocation, CidrBlock)>, ReadError> {
        let prefix = layout::of_cidr_location(collection, location);
        let start = from.map_or_else(
            || prefix.clone(),
            |block| layout::cidr_location_block(collection, location, block),
        );
        self.cidr_location_blocks(collection, &prefix, &start, limit)
    }

    fn cidr_location_blocks(
        &self,
        collection: &CidrCollectionId,
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<(CidrLocation, CidrBlock)>, ReadError> {
        let before = layout::of_cidr_collection(collection).len();
        let mut found = Vec::new();
        self.scan(Table::CidrLocationBlocks, prefix, start, |key, _| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let row = location_and_block(&key[before..]);
            found.push(row.ok_or_else(|| ReadError::broken(Table::CidrLocationBlocks))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The collection's locations from this one on, by name: a look-up for each.
    ///
    /// # Errors
    /// As for all methods.
    pub fn cidr_locations(
        &self,
        collection: &CidrCollectionId,
        from: Option<&CidrLocation>,
        limit: usize,
    ) -> Result<Vec<CidrLocation>, ReadError> {
        let prefix = layout::of_cidr_collection(collection);
        let mut start = from.map_or_else(
            || prefix.clone(),
            |location| layout::of_cidr_location(collection, location),
        );
        let mut found = Vec::new();
        while found.len() < limit {
            let mut next = None;
            self.scan(Table::CidrLocationBlocks, &prefix, &start, |key, _| {
                next = Some(location_and_block(&key[prefix.len()..]));
                Ok(ControlFlow::Break(()))
            })?;
            let Some(row) = next else {
                break;
            };
            let (location, _) = row.ok_or_else(|| ReadError::broken(Table::CidrLocationBlocks))?;
            // Names end with a zero, so this is behind all blocks of the one found.
            start = layout::of_cidr_location(collection, &location);
            start.pop();
            start.push(1);
            found.push(location);
        }
        Ok(found)
    }
}

pub(super) fn location_of(bytes: &[u8]) -> Option<CidrLocation> {
    std::str::from_utf8(bytes).ok().map(CidrLocation::stored)
}

/// What follows the collection in a key: a location, a zero and a block.
fn location_and_block(rest: &[u8]) -> Option<(CidrLocation, CidrBlock)> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (location, block) = rest.split_at(end);
    Some((location_of(location)?, layout::cidr_block_of(&block[1..])?))
}
