//! `VPC`.

use meridian_control::{Vpc, ZoneAndVpc};
use meridian_model::{AssociatedVpc, VpcRegion};

use crate::route53::call::{Call, RESOURCE_ID};
use crate::xml::Field::{Optional, Required};
use crate::xml::{Document, Element, Fields, TextFacets, XmlError, parse};

/// `VPCId`.
pub(in crate::route53) const VPC_ID: TextFacets = TextFacets::new("VPCId", 0, 1024);
/// `AssociateVPCComment` and `DisassociateVPCComment`, which have no bound of their own; kept to
/// that of other comments.
const COMMENT: TextFacets = TextFacets::new("AssociateVPCComment", 0, 256);

/// `VPCRegion`.
pub(in crate::route53) fn vpc_regions() -> impl Iterator<Item = (&'static str, &'static str)> {
    VpcRegion::ALL.into_iter().map(|region| (region, region))
}

/// Reads `<VPC>`; none for an element that says nothing.
pub(in crate::route53) fn read_vpc(element: &Element) -> Result<Option<Vpc>, XmlError> {
    let fields = Fields::of(element, &[Optional("VPCRegion"), Optional("VPCId")])?;
    // An empty one is none of the words.
    let region = match fields.element("VPCRegion") {
        Some(_) => Some(fields.choice("VPCRegion", vpc_regions())?),
        None => None,
    };
    let vpc = Vpc {
        region: region.map(str::to_owned),
        id: fields.optional_text("VPCId", &VPC_ID)?,
    };
    Ok(Some(vpc).filter(|vpc| vpc.region.is_some() || vpc.id.is_some()))
}

/// Reads a request about the zone in the path and a VPC.
pub(in crate::route53) fn read_zone_and_vpc(
    call: &Call<'_>,
    root: &str,
) -> Result<ZoneAndVpc, XmlError> {
    let root = parse(call.body, root, "HostedZone")?;
    let fields = Fields::of(&root, &[Required("VPC"), Optional("Comment")])?;
    Ok(ZoneAndVpc {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        vpc: read_vpc(fields.required("VPC")?)?.unwrap_or_default(),
        comment: fields.optional_text("Comment", &COMMENT)?,
    })
}

/// Writes `<VPC>`.
pub(in crate::route53) fn vpc(doc: &mut Document, vpc: &AssociatedVpc) {
    doc.element("VPC", |doc| {
        doc.text("VPCRegion", &vpc.region);
        doc.text("VPCId", &vpc.id);
    });
}

/// Writes `<VPCs>`.
pub(in crate::route53) fn vpcs(doc: &mut Document, vpcs: &[AssociatedVpc]) {
    doc.element("VPCs", |doc| {
        for each in vpcs {
            vpc(doc, each);
        }
    });
}
