//! `CidrCollection`, the page of a list of them, and what identifies collections and locations.

use meridian_control::CidrPageStart;
use meridian_model::{CidrCollection, CidrLocation};

use super::PAGINATION_TOKEN;
use crate::fault::Failure;
use crate::route53::Query;
use crate::xml::{Document, TextFacets};

/// `UUID`: the id of a collection.
pub(in crate::route53) const COLLECTION_ID: TextFacets =
    TextFacets::new("UUID", 0, 36).pattern("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", is_uuid);
/// `CidrLocationNameDefaultNotAllowed`.
pub(in crate::route53) const LOCATION: TextFacets =
    TextFacets::new("CidrLocationNameDefaultNotAllowed", 1, 16)
        .pattern(r"[0-9A-Za-z_\-]+", |text| CidrLocation::new(text).is_ok());
/// The page size of each list, and the largest there is.
const MAX_RESULTS: usize = 100;

/// Writes what is in `<Collection>` and in a `<member>` of a list.
pub(in crate::route53) fn cidr_collection(doc: &mut Document, collection: &CidrCollection) {
    let id = &collection.id;
    doc.text("Arn", format_args!("arn:aws:route53:::cidrcollection/{id}"));
    doc.text("Id", id);
    doc.text("Name", &collection.name);
    doc.text("Version", collection.version);
}

/// Reads `nexttoken` and `maxresults`.
pub(in crate::route53) fn cidr_page_start(query: &Query) -> Result<CidrPageStart, Failure> {
    Ok(CidrPageStart {
        next_token: query.checked("nexttoken", &PAGINATION_TOKEN)?,
        max_results: query.max_results(MAX_RESULTS)?,
    })
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}
