//! ListCidrCollections, ListCidrLocations and ListCidrBlocks: pages by tokens, each of which names
//! the first item of the next page.

use meridian_model::{CidrBlock, CidrLocation, State};

use super::Outcome;
use super::cidr::{MAX_RESULTS, cidr_collection_arn, own_cidr_collection, token_parts};
use crate::caller::Caller;
use crate::control::Control;
use crate::page_token;
use crate::refusal::Refusal;
use crate::request::{
    CidrBlockPage, CidrCollectionPage, CidrLocationPage, CidrPage, CidrPageStart,
};
use crate::rights::authorize;

/// What the lists' tokens are told by.
const COLLECTIONS: &str = "cidr collections";
const LOCATIONS: &str = "cidr locations";
const BLOCKS: &str = "cidr blocks";

impl Control {
    /// ListCidrCollections: the account's, by name.
    ///
    /// # Errors
    /// `InvalidInput` for another list's token.
    pub fn list_cidr_collections(
        &self,
        caller: &Caller,
        start: &CidrPageStart,
    ) -> Outcome<CidrCollectionPage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListCidrCollections", "*")?;
        let token = start.next_token.as_deref();
        let from = token
            .map(|token| token_parts(COLLECTIONS, token))
            .transpose()?;
        let from = from.as_ref().map(|[name]: &[String; 1]| name.as_str());
        let limit = size(start);
        let found = snapshot.cidr_collections_of(&caller.account, from, limit + 1)?;
        Ok(page(found, limit, |collection| {
            page_token::write(COLLECTIONS, &[collection.name.as_bytes()])
        }))
    }

    /// ListCidrLocations: the names of the locations of a collection, in their order.
    ///
    /// # Errors
    /// `NoSuchCidrCollectionException`, `InvalidInput` for another list's token.
    pub fn list_cidr_locations(
        &self,
        caller: &Caller,
        id: &str,
        start: &CidrPageStart,
    ) -> Outcome<CidrLocationPage> {
        let snapshot = self.fresh()?;
        let arn = cidr_collection_arn(id);
        authorize(&snapshot, caller, "route53:ListCidrLocations", &arn)?;
        let collection = own_cidr_collection(&snapshot, caller, id)?;
        let token = start.next_token.as_deref();
        let from = token
            .map(|token| token_parts(LOCATIONS, token))
            .transpose()?;
        let from = from.map(|[name]: [String; 1]| CidrLocation::stored(&name));
        let limit = size(start);
        let found = snapshot.cidr_locations(&collection.id, from.as_ref(), limit + 1)?;
        Ok(page(found, limit, |location| {
            page_token::write(LOCATIONS, &[location.as_str().as_bytes()])
        }))
    }

    /// ListCidrBlocks: the blocks of a collection, or of one location, by location and address.
    ///
    /// # Errors
    /// `NoSuchCidrCollectionException`, `NoSuchCidrLocationException`, `InvalidInput` for another
    /// list's token.
    pub fn list_cidr_blocks(
        &self,
        caller: &Caller,
        id: &str,
        location: Option<&str>,
        start: &CidrPageStart,
    ) -> Outcome<CidrBlockPage> {
        let snapshot = self.fresh()?;
        let arn = cidr_collection_arn(id);
        authorize(&snapshot, caller, "route53:ListCidrBlocks", &arn)?;
        let collection = own_cidr_collection(&snapshot, caller, id)?.id;
        let token = start.next_token.as_deref();
        let from = token.map(first_block).transpose()?;
        let limit = size(start);
        let found = match location {
            None => {
                let from = from.as_ref().map(|(location, block)| (location, block));
                snapshot.cidr_blocks_by_location(&collection, from, limit + 1)?
            }
            Some(name) => {
                if !snapshot.cidr_location_exists(&collection, name)? {
                    let (location, collection) = (name.to_owned(), id.to_owned());
                    return Err(Refusal::NoSuchCidrLocation {
                        location,
                        collection,
                    }
                    .into());
                }
                // A token says where in the location to go on; which one says the request.
                let (location, from) = (CidrLocation::stored(name), from.map(|(_, block)| block));
                snapshot.cidr_blocks_at(&collection, &location, from.as_ref(), limit + 1)?
            }
        };
        Ok(page(found, limit, |(location, block)| {
            let block = block.to_string();
            page_token::write(BLOCKS, &[location.as_str().as_bytes(), block.as_bytes()])
        }))
    }
}

fn size(start: &CidrPageStart) -> usize {
    start.max_results.clamp(1, MAX_RESULTS)
}

/// As many as fit, and the token of the first that does not.
fn page<T>(mut items: Vec<T>, limit: usize, token: impl FnOnce(&T) -> String) -> CidrPage<T> {
    let rest = items.split_off(limit.min(items.len()));
    CidrPage {
        items,
        next_token: rest.first().map(token),
    }
}

fn first_block(token: &str) -> Result<(CidrLocation, CidrBlock), Refusal> {
    let [location, block] = token_parts(BLOCKS, token)?;
    let wrong = |_| Refusal::InvalidInput(Refusal::InvalidPaginationToken.to_string());
    Ok((
        CidrLocation::stored(&location),
        block.parse().map_err(wrong)?,
    ))
}
