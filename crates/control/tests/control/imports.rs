//! Imports of zones by operators: what they stay away from.

use meridian_control::{
    AdminError, ChangeProtections, ExistingSets, ImportOutcome, ImportRequest, ImportRoom,
    ImportTarget, ImportedApex, ImportedSet, InvalidSets,
};
use meridian_dns::RecordType;
use meridian_model::{Draft, ProtectionDraft};

use crate::bench::{Bench, caller};

fn request(id: &str, existing: ExistingSets) -> ImportRequest {
    ImportRequest {
        target: ImportTarget::Zone(id.to_owned()),
        account: None,
        existing,
        apex: ImportedApex::Keep,
        invalid: InvalidSets::Refuse,
        room: ImportRoom::Quota,
        outcome: ImportOutcome::Publish,
    }
}

fn protection(id: &str) -> ChangeProtections {
    ChangeProtections {
        hosted_zone_id: id.to_owned(),
        protections: vec![ProtectionDraft {
            name: "a.site.test".to_owned(),
            rtype: RecordType::A,
            comment: None,
        }],
    }
}

#[test]
fn a_zone_with_protections_is_not_imported_to() {
    let bench = Bench::new();
    let (control, me) = (&bench.control, caller(&bench.operator));
    let id = bench.zone(&me, "site.test");
    control.create_protections(&me, &protection(&id)).unwrap();
    for existing in [ExistingSets::Replace, ExistingSets::Merge] {
        let refused = control.begin_import(request(&id, existing)).unwrap_err();
        assert!(matches!(refused, AdminError::Import(_)), "{refused}");
        assert!(refused.to_string().contains("1 protections"), "{refused}");
    }
    control.delete_protections(&me, &protection(&id)).unwrap();
    let mut import = control
        .begin_import(request(&id, ExistingSets::Replace))
        .unwrap();
    let draft = Draft::simple("a.site.test", RecordType::A, 60, &["192.0.2.1"]);
    assert_eq!(
        import.name(vec![ImportedSet { place: 1, draft }]).unwrap(),
        []
    );
    // Somebody protects a set while it is read.
    control.create_protections(&me, &protection(&id)).unwrap();
    let refused = import.finish().unwrap_err();
    assert!(refused.to_string().contains("protections"), "{refused}");
    assert_eq!(control.hosted_zone(&me, &id).unwrap().record_set_count, 2);
}
