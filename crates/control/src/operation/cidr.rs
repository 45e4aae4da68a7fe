//! What the operations on CIDR collections have in common: whose a collection is, what it is
//! called in rights, and the line its changes wait in.

use meridian_log::Snapshot;
use meridian_model::{CidrCollection, CidrCollectionId, State};

use super::Outcome;
use crate::caller::Caller;
use crate::page_token;
use crate::refusal::Refusal;

/// The line for all changes of an account's CIDR collections: those of one wait for each other as
/// those of a zone do, and no zone has this for its id.
pub(super) const LINE: &str = "cidrcollection";
/// The longest page of each list.
pub(super) const MAX_RESULTS: usize = 100;

/// The collection, if it exists and belongs to the caller's account.
pub(super) fn own_cidr_collection(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<CidrCollection> {
    let missing = || Refusal::NoSuchCidrCollection(id.to_owned());
    let known = CidrCollectionId::new(id).map_err(|_| missing())?;
    let collection = snapshot.cidr_collection(&known)?;
    let own = collection.filter(|it| it.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The ARN of a CIDR collection.
pub(crate) fn cidr_collection_arn(id: &str) -> String {
    format!("arn:aws:route53:::cidrcollection/{id}")
}

/// The parts of a token, as texts. These lists do not declare a code of their own for others.
pub(super) fn token_parts<const N: usize>(list: &str, token: &str) -> Result<[String; N], Refusal> {
    let wrong = |refusal: Refusal| Refusal::InvalidInput(refusal.to_string());
    let parts: [Vec<u8>; N] = page_token::read(list, token).map_err(wrong)?;
    let texts: Option<Vec<String>> = parts
        .into_iter()
        .map(|part| String::from_utf8(part).ok())
        .collect();
    texts
        .and_then(|texts| texts.try_into().ok())
        .ok_or_else(|| wrong(Refusal::InvalidPaginationToken))
}
