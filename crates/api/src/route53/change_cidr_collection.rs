//! ChangeCidrCollection.

use meridian_control::ChangeCidrCollection;
use meridian_model::{CidrAction, CidrChange, CidrLocation};

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{COLLECTION_ID, LOCATION};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Element, Fields, TextFacets, XmlError, list, parse};

pub(super) const ROUTE: Route = Route {
    operation: "ChangeCidrCollection",
    method: "POST",
    pattern: "/cidrcollection/{}",
    handler: Some(handle),
};

/// Which networks it may be is the operation's to say.
const CIDR: TextFacets =
    TextFacets::new("Cidr", 1, 50).pattern(r".*\S.*", |text| !text.trim().is_empty());

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&COLLECTION_ID)?;
    let request = read(id, call.body)?;
    let outcome = call
        .operations
        .change_cidr_collection(call.caller, &request)?;
    Ok(Reply::ok("ChangeCidrCollectionResponse", |doc| {
        doc.text("Id", format_args!("/change/{}", outcome.change.id));
    }))
}

fn read(id: String, body: &[u8]) -> Result<ChangeCidrCollection, XmlError> {
    let root = parse(body, "ChangeCidrCollectionRequest", "CidrCollection")?;
    let fields = Fields::of(&root, &[Optional("CollectionVersion"), Required("Changes")])?;
    let version =
        fields.optional_number("CollectionVersion", "CollectionVersion", (1, i64::MAX))?;
    let changes = items(&fields, "Changes", "member")?;
    Ok(ChangeCidrCollection {
        id,
        version: version.and_then(|version| u64::try_from(version).ok()),
        changes: changes.iter().map(read_change).collect::<Result<_, _>>()?,
    })
}

fn read_change(element: &Element) -> Result<CidrChange, XmlError> {
    let shape = [
        Required("LocationName"),
        Required("Action"),
        Required("CidrList"),
    ];
    let fields = Fields::of(element, &shape)?;
    let actions = [
        ("PUT", CidrAction::Put),
        ("DELETE_IF_EXISTS", CidrAction::DeleteIfExists),
    ];
    let location = fields.text("LocationName", &LOCATION)?;
    let blocks = items(&fields, "CidrList", "Cidr")?;
    Ok(CidrChange {
        location: CidrLocation::stored(&location),
        action: fields.choice("Action", actions)?,
        blocks: blocks
            .iter()
            .map(|block| CIDR.check_leaf(block))
            .collect::<Result<_, _>>()?,
    })
}

/// The items of a list, at least one.
fn items<'a>(
    fields: &Fields<'a>,
    name: &'static str,
    item: &'static str,
) -> Result<&'a [Element], XmlError> {
    let element = fields.required(name)?;
    match list(element, item)? {
        [] => Fields::of(element, &[])?.incomplete(&[item]),
        items => Ok(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(inner: &str) -> Result<ChangeCidrCollection, String> {
        let body = format!("<ChangeCidrCollectionRequest>{inner}</ChangeCidrCollectionRequest>");
        read("id".to_owned(), body.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn changes_are_read_in_their_order() {
        let read = change(
            "<Changes><member><LocationName>a</LocationName><Action>PUT</Action><CidrList>\
             <Cidr>10.0.0.0/8</Cidr><Cidr>::/1</Cidr></CidrList></member><member><CidrList>\
             <Cidr>11.0.0.0/8</Cidr></CidrList><Action>DELETE_IF_EXISTS</Action>\
             <LocationName>b</LocationName></member></Changes>\
             <CollectionVersion>7</CollectionVersion>",
        )
        .unwrap();
        assert_eq!(read.version, Some(7));
        let seen: Vec<_> = read
            .changes
            .iter()
            .map(|change| (change.location.as_str(), change.action, change.blocks.len()))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", CidrAction::Put, 2),
                ("b", CidrAction::DeleteIfExists, 1)
            ]
        );
    }

    #[test]
    fn what_is_no_change_is_refused() {
        let one = |location: &str, action: &str, list: &str| {
            format!(
                "<Changes><member><LocationName>{location}</LocationName><Action>{action}</Action>\
                 <CidrList>{list}</CidrList></member></Changes>"
            )
        };
        let long = "1".repeat(51);
        for (inner, text) in [
            (String::new(), ":Changes}' is expected"),
            ("<Changes/>".to_owned(), ":member}' is expected"),
            (one("a", "PUT", ""), ":Cidr}' is expected"),
            (one("*", "PUT", "<Cidr>::/1</Cidr>"), "DefaultNotAllowed"),
            (
                one("a", "ADD", "<Cidr>::/1</Cidr>"),
                "'[PUT, DELETE_IF_EXISTS]'",
            ),
            (one("a", "PUT", "<Cidr> </Cidr>"), "'Cidr'"),
            (one("a", "PUT", &format!("<Cidr>{long}</Cidr>")), "'Cidr'"),
            (
                one("a", "PUT", "<Cidr>::/1</Cidr>") + "<CollectionVersion>0</CollectionVersion>",
                "'CollectionVersion'",
            ),
        ] {
            let error = change(&inner).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
