//! `HostedZone` and `DelegationSet`.

use meridian_control::HostedZone;
use meridian_model::DelegationSet;

use crate::xml::Document;

/// Writes `<HostedZone>`. There is no `LinkedService`, and private zones have no `Features`.
pub(in crate::route53) fn hosted_zone(doc: &mut Document, hosted: &HostedZone) {
    let zone = &hosted.zone;
    doc.element("HostedZone", |doc| {
        doc.text("Id", format_args!("/hostedzone/{}", zone.id));
        doc.text("Name", &zone.name);
        doc.text("CallerReference", &zone.caller_reference);
        doc.element("Config", |doc| {
            doc.optional("Comment", zone.comment.as_ref());
            doc.text("PrivateZone", zone.private);
        });
        doc.text("ResourceRecordSetCount", hosted.record_set_count);
        if !zone.private {
            doc.element("Features", |doc| {
                let status = zone.accelerated_recovery.as_str();
                doc.text("AcceleratedRecoveryStatus", status);
            });
        }
    });
}

/// Writes `<HostedZones>`.
pub(in crate::route53) fn hosted_zones(doc: &mut Document, zones: &[HostedZone]) {
    doc.element("HostedZones", |doc| {
        for zone in zones {
            hosted_zone(doc, zone);
        }
    });
}

/// Writes `<DelegationSet>`: id and reference only when it is a reusable one, names without final
/// dot.
pub(in crate::route53) fn delegation_set(doc: &mut Document, set: &DelegationSet) {
    doc.element("DelegationSet", |doc| {
        doc.optional(
            "Id",
            set.id.as_ref().map(|id| format!("/delegationset/{id}")),
        );
        doc.optional("CallerReference", set.caller_reference.as_ref());
        doc.element("NameServers", |doc| {
            for name in &set.name_servers {
                doc.text("NameServer", name.to_string().trim_end_matches('.'));
            }
        });
    });
}
