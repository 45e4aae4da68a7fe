//! Files in MaxMind's format, of MaxMind or of others: what they say of places, and of who runs the
//! networks, becomes a layer. What
//! a record means is told by its fields, because every provider has types and names of its own.

mod record;

use std::collections::HashMap;
use std::net::IpAddr;

use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use meridian_model::Network;

use crate::atlas::EMBEDDING;
use crate::layer::{Layer, Source, TooLarge};
use crate::operator::Operator;
use crate::place::Place;
use record::Record;

/// The bytes are of no use.
#[derive(Debug, thiserror::Error)]
pub enum MmdbError {
    /// They are not in the format, or damaged.
    #[error("not in MaxMind's format, or damaged: {0}")]
    Format(#[from] MaxMindDbError),
    /// The format would allow more networks than any tree of this size has.
    #[error("damaged: its tree leads to more networks than it has nodes for")]
    Tangled,
    /// Nothing in them is of use here.
    #[error(
        "no record of this file, of type {0:?}, tells a country, a continent, a point or an operator"
    )]
    Nothing(String),
    /// There are more networks than an atlas takes.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Reads what a file says of places and operators. `name` is what people shall call it.
///
/// # Errors
///
/// If any part of it cannot be read, or nothing in it tells either.
pub fn read(name: &str, bytes: &[u8]) -> Result<Layer, MmdbError> {
    let reader = Reader::from_source(bytes)?;
    let metadata = reader.metadata();
    let kind = metadata.database_type.clone();
    let mut layer = Layer::new(Source {
        name: name.to_owned(),
        kind: Some(kind.clone()),
        made: Some(metadata.build_epoch),
        notice: None,
    });
    // A tree has at most one leaf more than nodes. Some writers let a few parts of the tree be
    // reached by more than one way; a tangle of such would not end in anybody's lifetime.
    let mut left = u64::from(metadata.node_count) * 3 + 1;
    let options = WithinOptions::default().include_networks_without_data();
    let mut known = HashMap::new();
    for found in reader.networks(options)? {
        left = left.checked_sub(1).ok_or(MmdbError::Tangled)?;
        let found = found?;
        let (place, operator) = match found.offset() {
            None => continue,
            // Many networks have the very same record.
            Some(offset) => match known.get(&offset) {
                Some(said) => said,
                None => &*known.entry(offset).or_insert(said(&found)?),
            },
        };
        let Some(network) = network(&found)? else {
            continue;
        };
        if place.is_known() {
            layer.add(network, *place)?;
        }
        if *operator != Operator::default() {
            layer.add_operator(network, operator)?;
        }
    }
    if layer.says_nothing() {
        return Err(MmdbError::Nothing(kind));
    }
    Ok(layer)
}

/// What a record says.
fn said(found: &LookupResult<'_, &[u8]>) -> Result<(Place, Operator), MmdbError> {
    let record = found.decode::<Record<'_>>()?.unwrap_or_default();
    Ok((record.place(), record.operator()))
}

/// The network of a record, unless it is one of those that an atlas knows by themselves: a file may
/// repeat there what it says of IPv4.
fn network(found: &LookupResult<'_, &[u8]>) -> Result<Option<Network>, MmdbError> {
    let network = found.network()?;
    let (address, len) = (network.ip(), network.prefix());
    let repeats = match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => EMBEDDING.iter().any(|(prefix, before)| {
            len >= *before && (v6.to_bits() ^ prefix) >> (128 - before) == 0
        }),
    };
    Ok(Network::new(address, len).filter(|_| !repeats))
}
