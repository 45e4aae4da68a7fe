//! CreateCidrCollection.

use meridian_model::NewCidrCollection;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::cidr_collection;
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, TextFacets, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateCidrCollection",
    method: "POST",
    pattern: "/cidrcollection",
    handler: Some(handle),
};

const COLLECTION_NAME: TextFacets =
    TextFacets::new("CollectionName", 1, 64).pattern(r"[0-9A-Za-z_\-]+", |text| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        !text.is_empty() && text.bytes().all(known)
    });
const CIDR_NONCE: TextFacets = TextFacets::new("CidrNonce", 1, 64)
    .pattern(r"\p{ASCII}+", |text| !text.is_empty() && text.is_ascii());

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let collection = call
        .operations
        .create_cidr_collection(call.caller, &request)?;
    let location = format!(
        "{}/2013-04-01/cidrcollection/{}",
        call.endpoint, collection.id
    );
    Ok(Reply::created(
        location,
        "CreateCidrCollectionResponse",
        |doc| doc.element("Collection", |doc| cidr_collection(doc, &collection)),
    ))
}

fn read(body: &[u8]) -> Result<NewCidrCollection, XmlError> {
    let root = parse(body, "CreateCidrCollectionRequest", "CidrCollection")?;
    let fields = Fields::of(&root, &[Required("Name"), Required("CallerReference")])?;
    Ok(NewCidrCollection {
        name: fields.text("Name", &COLLECTION_NAME)?,
        caller_reference: fields.text("CallerReference", &CIDR_NONCE)?,
    })
}
