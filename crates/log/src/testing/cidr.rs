//! CIDR collections and their blocks.

use super::*;

/// Of a collection that there may be, or of none.
pub(super) fn collection_name() -> impl Strategy<Value = String> {
    prop_oneof![text(), cidr_collection_id().prop_map(|id| id.to_string())]
}

pub(crate) fn cidr_collection_id() -> impl Strategy<Value = CidrCollectionId> {
    select(vec!["a", "b", "ab"]).prop_map(|id| CidrCollectionId::new(id).expect("letters"))
}

/// Named by its id, so that plans could have made all of them.
pub(super) fn cidr_collection() -> impl Strategy<Value = CidrCollection> {
    (cidr_collection_id(), account_id(), any::<u64>()).prop_map(|(id, account, version)| {
        CidrCollection {
            account,
            name: format!("name of {id}"),
            caller_reference: format!("reference of {id}"),
            version,
            id,
        }
    })
}

pub(crate) fn cidr_location() -> impl Strategy<Value = CidrLocation> {
    select(vec!["x", "y", "xy"]).prop_map(CidrLocation::stored)
}

pub(crate) fn cidr_block() -> impl Strategy<Value = CidrBlock> {
    let texts = vec![
        "10.0.0.0/8",
        "10.0.0.0/16",
        "0.0.0.0/1",
        "2001:db8::/32",
        "::/1",
    ];
    select(texts).prop_map(|text| text.parse().expect("a block"))
}

pub(super) fn cidr_blocks() -> impl Strategy<Value = CidrBlocks> {
    let blocks = prop::collection::vec(cidr_block(), 0..4);
    (cidr_collection_id(), cidr_location(), blocks).prop_map(|(collection, location, blocks)| {
        CidrBlocks {
            collection,
            location,
            blocks,
        }
    })
}
