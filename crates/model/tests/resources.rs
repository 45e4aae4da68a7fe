//! Resources: registering and forgetting them, and the regions of targets.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_model::{
    Coordinates, Effect, HealthCheckDraft, HealthCheckSettings, HealthCheckType, NewHealthCheck,
    NewResource, PlanError, Resource, ResourceName, ResourceRefusal, plan_add_region,
    plan_add_resource, plan_create_health_check, plan_remove_resource, region_of_target,
};

const BALANCER: &str = "web-1.eu-west-1.elb.amazonaws.com";

fn new(name: &str, region: Option<&str>) -> NewResource {
    NewResource {
        account: account("111111111111", true).id,
        name: name.to_owned(),
        region: region.map(str::to_owned),
        health_check: None,
    }
}

fn add(memory: &mut Memory, new: &NewResource) -> Result<Resource, ResourceRefusal> {
    match plan_add_resource(memory, new) {
        Ok((effects, resource)) => {
            memory.apply(effects);
            Ok(resource)
        }
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

fn region(memory: &Memory, target: &str) -> Result<String, ResourceRefusal> {
    match region_of_target(memory, &account("111111111111", true).id, target) {
        Ok(region) => Ok(region.as_str().to_owned()),
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::State(never)) => match never {},
    }
}

#[test]
fn what_is_registered_has_a_region() {
    let mut memory = Memory::default();
    add(&mut memory, &new("LB.example.net", Some("us-east-1"))).unwrap();
    add(&mut memory, &new("192.0.2.7", Some("ap-south-1"))).unwrap();
    for spelt in ["lb.example.net", "lb.EXAMPLE.net."] {
        assert_eq!(region(&memory, spelt).unwrap(), "us-east-1");
    }
    assert_eq!(region(&memory, "192.0.2.7").unwrap(), "ap-south-1");
    // The last word counts, before what a name tells.
    assert_eq!(region(&memory, BALANCER).unwrap(), "eu-west-1");
    let told = add(&mut memory, &new(BALANCER, None)).unwrap();
    assert_eq!(told.region.as_str(), "eu-west-1");
    add(&mut memory, &new(BALANCER, Some("eu-north-1"))).unwrap();
    assert_eq!(region(&memory, BALANCER).unwrap(), "eu-north-1");
    // It is the account's alone.
    let stranger = account("222222222222", false).id;
    let found = region_of_target(&memory, &stranger, "192.0.2.7");
    assert!(found.is_err(), "{found:?}");
}

#[test]
fn own_regions_count_like_those_of_aws() {
    let mut memory = Memory::default();
    let home = new("192.0.2.7", Some("home"));
    let unknown = ResourceRefusal::UnknownRegion("home".to_owned());
    assert_eq!(add(&mut memory, &home), Err(unknown));
    let (latitude, longitude) = ("50.1".to_owned(), "8.6".to_owned());
    let at = Coordinates {
        latitude,
        longitude,
    };
    let effects = plan_add_region(&memory, "home", at).unwrap();
    memory.apply(effects);
    assert_eq!(add(&mut memory, &home).unwrap().region.as_str(), "home");
}

#[test]
fn nobody_guesses_a_region() {
    let mut memory = Memory::default();
    let address = ResourceName::parse("192.0.2.7").unwrap();
    let bare = ResourceRefusal::BareAddress(address);
    let text = bare.to_string();
    assert!(text.contains("say --region, or register it with `meridian resource add 192.0.2.7"));
    assert_eq!(region(&memory, "192.0.2.7"), Err(bare.clone()));
    assert_eq!(add(&mut memory, &new("192.0.2.7", None)), Err(bare));
    for (name, refusal) in [
        (
            "lb.example.net",
            ResourceRefusal::Untold(ResourceName::parse("lb.example.net").unwrap()),
        ),
        (
            "x.mars-north-1.elb.amazonaws.com",
            ResourceRefusal::UnknownRegion("mars-north-1".to_owned()),
        ),
        ("a b", ResourceRefusal::BadName("a b".to_owned())),
        ("*.net", ResourceRefusal::BadName("*.net".to_owned())),
    ] {
        assert_eq!(region(&memory, name), Err(refusal.clone()));
        assert_eq!(add(&mut memory, &new(name, None)), Err(refusal));
    }
}

#[test]
fn a_health_check_is_one_of_the_account() {
    let mut memory = Memory::with_pool(0);
    let settings = HealthCheckSettings {
        domain_name: Some("www.example.test".to_owned()),
        ..HealthCheckSettings::default()
    };
    let check = NewHealthCheck {
        caller_reference: "r".to_owned(),
        config: HealthCheckDraft {
            check_type: HealthCheckType::Http,
            settings,
        },
    };
    let mut with_check = new(BALANCER, None);
    let planned = plan_create_health_check(&memory, &mut facts(1), &with_check.account, check);
    let planned = planned.unwrap();
    memory.apply(planned.effects);
    let id = planned.check.id;
    with_check.health_check = Some(id.to_string());
    let added = add(&mut memory, &with_check).unwrap();
    assert_eq!(added.health_check, Some(id));
    // It is another account's for this one.
    let stranger = NewResource {
        account: account("222222222222", false).id,
        ..with_check.clone()
    };
    assert!(add(&mut memory, &stranger).is_err());
    for id in ["no-such-check", "0f0c1f5e-0000-4000-8000-000000000000"] {
        with_check.health_check = Some(id.to_owned());
        let unknown = ResourceRefusal::UnknownHealthCheck(id.to_owned());
        assert_eq!(add(&mut memory, &with_check), Err(unknown));
    }
}

#[test]
fn what_is_forgotten_is_gone() {
    let mut memory = Memory::default();
    let owner = account("111111111111", true).id;
    add(&mut memory, &new("192.0.2.7", Some("us-east-1"))).unwrap();
    for name in ["192.0.2.8", "", "."] {
        let unknown = PlanError::Refused(ResourceRefusal::Unknown(name.to_owned()));
        assert_eq!(plan_remove_resource(&memory, &owner, name), Err(unknown));
    }
    let (effects, gone) = plan_remove_resource(&memory, &owner, "192.0.2.7").unwrap();
    assert_eq!(gone.region.as_str(), "us-east-1");
    assert!(matches!(effects[..], [Effect::DeleteResource { .. }]));
    memory.apply(effects);
    assert!(plan_remove_resource(&memory, &owner, "192.0.2.7").is_err());
}

#[test]
fn an_account_has_so_many() {
    let mut memory = Memory::default();
    memory.resources_claimed = Resource::MAX;
    let one = new("192.0.2.7", Some("us-east-1"));
    assert_eq!(add(&mut memory, &one), Err(ResourceRefusal::TooMany));
    memory.resources_claimed = 0;
    add(&mut memory, &one).unwrap();
    memory.resources_claimed = Resource::MAX;
    assert!(add(&mut memory, &one).is_ok(), "it is only changed");
}
