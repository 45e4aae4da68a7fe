//! VPCs and the private zones that they see.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_model::{
    Action, AssociationRefusal, AuthorizationRefusal, BatchRefusal, CreateZoneRefusal, Draft,
    DraftChange, Effect, NewZone, PlanError, Quota, State, Vpc, VpcId, VpcRefusal, VpcRegion, Zone,
    plan_associate_vpc, plan_authorize_vpc, plan_batch, plan_create_vpc, plan_create_zone,
    plan_delete_vpc, plan_delete_zone, plan_disassociate_vpc, plan_set_vpc_networks,
};

const OWNER: &str = "111111111111";

fn vpc(id: &str, networks: &[&str]) -> Vpc {
    Vpc {
        id: VpcId::new(id).unwrap(),
        region: VpcRegion::new("eu-west-1").unwrap(),
        account: account(OWNER, false).id,
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn create(state: &mut Memory, vpc: &Vpc) -> Result<(), VpcRefusal> {
    match plan_create_vpc(state, vpc) {
        Ok(effects) => {
            state.apply(effects);
            Ok(())
        }
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

fn private_zone(state: &mut Memory, name: &str, vpc: &Vpc) -> Result<Zone, CreateZoneRefusal> {
    let new = NewZone {
        name: name.to_owned(),
        caller_reference: format!("{name} {}", vpc.id),
        comment: None,
        delegation_set: None,
        vpc: Some(vpc.clone()),
    };
    // Of one seed all ids would be one.
    let seed = u8::try_from(state.zones_below(&Name::root()).unwrap().len()).unwrap();
    match plan_create_zone(state, &mut facts(seed), &account(OWNER, false), new) {
        Ok((zone, effects)) => {
            state.apply(effects);
            Ok(zone)
        }
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

#[test]
fn a_private_zone_may_have_one_label() {
    let mut state = Memory::with_pool(4);
    let home = vpc("vpc-1", &["10.0.0.0/8"]);
    create(&mut state, &home).unwrap();
    assert_eq!(
        private_zone(&mut state, "corp", &home)
            .unwrap()
            .name
            .to_string(),
        "corp."
    );
    assert!(matches!(
        private_zone(&mut state, ".", &home),
        Err(CreateZoneRefusal::InvalidDomainName(_))
    ));
}

#[test]
fn networks_of_no_two_vpcs_overlap() {
    let mut state = Memory::with_pool(4);
    create(
        &mut state,
        &vpc("vpc-1", &["10.1.0.0/16", "2001:db8:1::/48"]),
    )
    .unwrap();
    create(&mut state, &vpc("vpc-2", &["10.2.0.0/16"])).unwrap();
    create(&mut state, &vpc("vpc-3", &[])).unwrap();
    for overlapping in [
        &["10.2.3.0/24"][..],
        &["10.0.0.0/8"],
        &["192.0.2.0/24", "2001:db8::/32"],
        &["192.0.2.0/24", "192.0.2.1"],
    ] {
        let refusal = create(&mut state, &vpc("vpc-4", overlapping)).unwrap_err();
        assert!(matches!(refusal, VpcRefusal::Overlap(..)), "{refusal}");
    }
    let networks = vec!["10.2.3.0/24".parse().unwrap()];
    let third = VpcId::new("vpc-3").unwrap();
    plan_set_vpc_networks(&state, &third, networks.clone()).unwrap_err();
    // Its own networks are not in its way.
    let second = VpcId::new("vpc-2").unwrap();
    plan_set_vpc_networks(&state, &second, networks).unwrap();
    let twice = create(&mut state, &vpc("vpc-1", &[])).unwrap_err();
    assert!(matches!(twice, VpcRefusal::Exists(_)));
    let no_id = create(&mut state, &vpc("network-1", &[])).unwrap_err();
    assert!(matches!(no_id, VpcRefusal::BadId(_)));
}

#[test]
fn a_private_zone_has_the_name_servers_that_all_have() {
    let mut state = Memory::default();
    let vpc = vpc("vpc-1", &["10.1.0.0/16"]);
    create(&mut state, &vpc).unwrap();
    let zone = private_zone(&mut state, "a.test", &vpc).unwrap();
    assert!(zone.private && zone.is_seen_by(&vpc.id));
    let sets = state.sets_at(zone.generation, &zone.name).unwrap();
    let drafts: Vec<_> = sets
        .iter()
        .map(|set| Draft::from(set).records.unwrap())
        .collect();
    let servers = [
        "ns-1536.awsdns-00.co.uk.",
        "ns-0.awsdns-00.com.",
        "ns-1024.awsdns-00.org.",
        "ns-512.awsdns-00.net.",
    ];
    assert_eq!(drafts[0], servers);
    let soa = "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
    assert_eq!(drafts[1], [soa]);
    // A VPC sees no two zones of one name, but one inside the other.
    let refusal = private_zone(&mut state, "A.test", &vpc).unwrap_err();
    assert!(matches!(refusal, CreateZoneRefusal::ConflictingVpc(..)));
    private_zone(&mut state, "b.a.test", &vpc).unwrap();
    let refusal = plan_delete_vpc(&state, &vpc.id).unwrap_err();
    assert!(matches!(
        refusal,
        PlanError::Refused(VpcRefusal::InUse(_, 1))
    ));
}

#[test]
fn zones_are_associated_as_often_as_the_quota_says() {
    let mut state = Memory::default();
    let vpcs: Vec<Vpc> = (1..=4).map(|n| vpc(&format!("vpc-{n}"), &[])).collect();
    for vpc in &vpcs {
        create(&mut state, vpc).unwrap();
    }
    let mut zone = private_zone(&mut state, "a.test", &vpcs[0]).unwrap();
    let other = private_zone(&mut state, "a.test", &vpcs[1]).unwrap();
    let refusal = plan_associate_vpc(&state, &zone, &vpcs[1]).unwrap_err();
    let conflict = AssociationRefusal::Conflict(vpcs[1].associated(), zone.name.clone());
    assert_eq!(refusal, PlanError::Refused(conflict));
    state.apply(vec![Effect::PutQuota {
        account: zone.account.clone(),
        quota: Quota::VpcsByZone,
        limit: 2,
    }]);
    let effects = plan_associate_vpc(&state, &zone, &vpcs[2]).unwrap();
    let [Effect::PutZone(associated)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    zone = associated.clone();
    state.apply(effects);
    let refusal = plan_associate_vpc(&state, &zone, &vpcs[3]).unwrap_err();
    assert_eq!(refusal, PlanError::Refused(AssociationRefusal::TooMany));

    let disassociate = |zone: &Zone, vpc: &Vpc| plan_disassociate_vpc(zone, &vpc.id);
    assert_eq!(
        disassociate(&zone, &vpcs[3]),
        Err(AssociationRefusal::NotFound)
    );
    assert_eq!(
        disassociate(&other, &vpcs[1]),
        Err(AssociationRefusal::Last)
    );
    state.apply(disassociate(&zone, &vpcs[0]).unwrap());
    assert!(state.zones_of_vpc(&vpcs[0].id).unwrap().is_empty());
}

#[test]
fn authorizations_are_counted_and_go_with_their_zone() {
    let mut state = Memory::default();
    let vpcs: Vec<Vpc> = (1..=3).map(|n| vpc(&format!("vpc-{n}"), &[])).collect();
    for vpc in &vpcs {
        create(&mut state, vpc).unwrap();
    }
    let zone = private_zone(&mut state, "a.test", &vpcs[0]).unwrap();
    state.apply(vec![Effect::PutQuota {
        account: zone.account.clone(),
        quota: Quota::VpcAuthorizationsByZone,
        limit: 1,
    }]);
    state.apply(plan_authorize_vpc(&state, &zone, &vpcs[1]).unwrap());
    assert_eq!(plan_authorize_vpc(&state, &zone, &vpcs[1]), Ok(vec![]));
    let refusal = plan_authorize_vpc(&state, &zone, &vpcs[2]).unwrap_err();
    assert_eq!(refusal, PlanError::Refused(AuthorizationRefusal::TooMany));
    state.apply(plan_delete_zone(&state, &zone).unwrap());
    assert!(state.vpc_authorizations(&zone.id).unwrap().is_empty());
    let public = Zone {
        private: false,
        ..zone
    };
    let refusal = plan_authorize_vpc(&state, &public, &vpcs[2]).unwrap_err();
    assert_eq!(refusal, PlanError::Refused(AuthorizationRefusal::Public));
}

#[test]
fn a_private_zone_does_not_delegate_nor_choose_by_network() {
    let mut state = Memory::default();
    let vpc = vpc("vpc-1", &[]);
    create(&mut state, &vpc).unwrap();
    let zone = private_zone(&mut state, "a.test", &vpc).unwrap();
    let refused = |set: Draft| {
        let change = DraftChange {
            action: Action::Create,
            set,
        };
        match plan_batch(&state, &zone, &[change]) {
            Err(PlanError::Refused(BatchRefusal::InvalidChangeBatch(texts))) => texts.join("; "),
            other => panic!("{other:?}"),
        }
    };
    let cut = Draft::simple(
        "b.a.test",
        meridian_dns::RecordType::Ns,
        60,
        &["ns.b.a.test"],
    );
    assert!(refused(cut).contains("cannot delegate"));
    let mut by_network = Draft::simple("b.a.test", meridian_dns::RecordType::A, 60, &["192.0.2.1"]);
    by_network.set_identifier = Some("one".to_owned());
    by_network.cidr_routing_config = Some(("known".to_owned(), "*".to_owned()));
    assert!(refused(by_network).contains("CidrRoutingConfig is not supported"));
}
