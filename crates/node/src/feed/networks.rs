//! The CIDR collections of the tables, as answers are chosen by them.

use std::collections::BTreeSet;

use meridian_answer::CidrCollections;
use meridian_log::{ReadError, Snapshot};
use meridian_model::CidrCollectionId;

/// All collections.
pub(super) fn read(
    snapshot: &Snapshot,
    mut collections: CidrCollections,
) -> Result<CidrCollections, ReadError> {
    for collection in snapshot.cidr_collections()? {
        put(snapshot, &collection.id, &mut collections)?;
    }
    Ok(collections)
}

/// The collections that were there, with these read anew.
pub(super) fn changed(
    snapshot: &Snapshot,
    before: &CidrCollections,
    touched: &BTreeSet<CidrCollectionId>,
) -> Result<CidrCollections, ReadError> {
    let mut collections = before.clone();
    for id in touched {
        put(snapshot, id, &mut collections)?;
    }
    Ok(collections)
}

/// One that is gone has no blocks, which is the same to whoever still names it.
fn put(
    snapshot: &Snapshot,
    id: &CidrCollectionId,
    collections: &mut CidrCollections,
) -> Result<(), ReadError> {
    let blocks = snapshot.cidr_blocks(id)?;
    if blocks.is_empty() {
        collections.remove(id.as_str());
        return Ok(());
    }
    let blocks = blocks.iter();
    let blocks =
        blocks.map(|(block, location)| (block.address(), block.prefix_len(), location.as_str()));
    collections.put(id.as_str(), blocks);
    Ok(())
}
