//! ListResourceRecordSets.

use meridian_control::ListRecordSets;
use meridian_dns::RecordType;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{DNS_NAME, SET_IDENTIFIER, record_set};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListResourceRecordSets",
    method: "GET",
    pattern: "/hostedzone/{}/rrset",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 300;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    let request = ListRecordSets {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        name: query.checked("name", &DNS_NAME)?,
        rtype: query.choice("type", "startRecordType", types)?,
        identifier: query.checked("identifier", &SET_IDENTIFIER)?,
        max_items: query.max_items(MAX_ITEMS)?,
    };
    let page = call.operations.list_record_sets(call.caller, &request)?;
    let next = page.next.as_ref();
    Ok(Reply::ok("ListResourceRecordSetsResponse", |doc| {
        doc.element("ResourceRecordSets", |doc| {
            for set in &page.sets {
                record_set(doc, set);
            }
        });
        doc.text("IsTruncated", next.is_some());
        doc.optional("NextRecordName", next.map(|key| &key.name));
        doc.optional("NextRecordType", next.map(|key| key.rtype));
        let identifier = next.and_then(|key| key.set_identifier.as_ref());
        doc.optional("NextRecordIdentifier", identifier);
        doc.text("MaxItems", request.max_items);
    }))
}
