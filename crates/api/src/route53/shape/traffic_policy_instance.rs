//! `TrafficPolicyInstance`, and what its operations read.

use meridian_control::{InstancePage, InstanceStatus, PolicyVersion};
use meridian_dns::RecordType;
use meridian_model::TrafficPolicy;

use super::POLICY_ID;

use crate::fault::ErrorResponse;
use crate::route53::query::Query;
use crate::xml::{Document, Fields, TextFacets, XmlError};

/// `TrafficPolicyInstanceId`.
pub(in crate::route53) const INSTANCE_ID: TextFacets =
    TextFacets::new("TrafficPolicyInstanceId", 1, 36);

/// Writes `<TrafficPolicyInstance>`.
pub(in crate::route53) fn traffic_policy_instance(doc: &mut Document, status: &InstanceStatus) {
    let InstanceStatus { instance, state } = status;
    doc.element("TrafficPolicyInstance", |doc| {
        doc.text("Id", &instance.id);
        doc.text("HostedZoneId", &instance.zone);
        doc.text("Name", &instance.name);
        doc.text("TTL", instance.ttl);
        doc.text("State", state.as_str());
        doc.text("Message", state.message());
        doc.text("TrafficPolicyId", &instance.policy);
        doc.text("TrafficPolicyVersion", instance.version);
        doc.text("TrafficPolicyType", instance.rtype);
    });
}

/// Whether a list tells the zone where its next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::route53) enum ZoneMarker {
    /// It is of many zones.
    Told,
    /// It is of one.
    Known,
}

/// Writes the content of a list of instances.
pub(in crate::route53) fn traffic_policy_instances(
    doc: &mut Document,
    page: &InstancePage,
    zone: ZoneMarker,
    max_items: usize,
) {
    doc.element("TrafficPolicyInstances", |doc| {
        for status in &page.instances {
            traffic_policy_instance(doc, status);
        }
    });
    if let Some(next) = &page.next {
        if zone == ZoneMarker::Told {
            doc.text("HostedZoneIdMarker", &next.zone);
        }
        doc.text("TrafficPolicyInstanceNameMarker", &next.name);
        doc.text("TrafficPolicyInstanceTypeMarker", next.rtype);
    }
    doc.text("IsTruncated", page.next.is_some());
    doc.text("MaxItems", max_items);
}

/// `trafficpolicyinstancetype` of a query.
pub(in crate::route53) fn type_marker(query: &Query) -> Result<Option<RecordType>, ErrorResponse> {
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    let member = "trafficPolicyInstanceTypeMarker";
    query.choice("trafficpolicyinstancetype", member, types)
}

/// `TTL` of a request.
pub(in crate::route53) fn read_ttl(fields: &Fields<'_>) -> Result<u32, XmlError> {
    let ttl = fields.number("TTL", "TTL", (0, i64::from(i32::MAX)))?;
    Ok(u32::try_from(ttl).unwrap_or(0))
}

/// `TrafficPolicyId` and `TrafficPolicyVersion` of a request.
pub(in crate::route53) fn read_policy_version(
    fields: &Fields<'_>,
) -> Result<PolicyVersion, XmlError> {
    let name = "TrafficPolicyVersion";
    let most = i64::from(TrafficPolicy::MAX_VERSIONS);
    let version = fields.number(name, name, (1, most))?;
    Ok(PolicyVersion {
        id: fields.text("TrafficPolicyId", &POLICY_ID)?,
        version: u32::try_from(version).unwrap_or(1),
    })
}
