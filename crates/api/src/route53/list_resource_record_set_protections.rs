//! ListResourceRecordSetProtections.

use meridian_control::ListProtections;
use meridian_dns::RecordType;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{DNS_NAME, PAGINATION_TOKEN, protection};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListResourceRecordSetProtections",
    method: "GET",
    pattern: "/hostedzone/{}/rrsetprotection",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_RESULTS: usize = 300;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    let request = ListProtections {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        name: query.checked("name", &DNS_NAME)?,
        rtype: query.choice("type", "startRecordType", types)?,
        max_results: query.max_results(MAX_RESULTS)?,
        next_token: query.checked("nexttoken", &PAGINATION_TOKEN)?,
    };
    let page = call.operations.list_protections(call.caller, &request)?;
    Ok(Reply::ok(
        "ListResourceRecordSetProtectionsResponse",
        |doc| {
            doc.element("ResourceRecordSetProtections", |doc| {
                for each in &page.protections {
                    protection(doc, each);
                }
            });
            doc.optional("NextToken", page.next_token.as_ref());
        },
    ))
}
