//! GetCheckerIpRanges.

use super::call::{Call, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetCheckerIpRanges",
    method: "GET",
    pattern: "/checkeripranges",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let networks = call.operations.checker_networks();
    Ok(Reply::ok("GetCheckerIpRangesResponse", |doc| {
        doc.element("CheckerIpRanges", |doc| {
            for network in &networks {
                doc.text("member", network);
            }
        });
    }))
}
