//! Record sets drafted for callers: what is filled in for them, and what they need the right to.

use meridian_control::{
    Caller, ExistingRecord, NewPolicy, NewUser, OperationError, RecordAddition, RecordPolicy,
    RecordTarget, Refusal, RegionSource, ResourceRequest, TargetHealth, Unfilled,
};
use meridian_dns::RecordType;
use meridian_model::{FailoverRole, Policy, ResourceRefusal};

use crate::bench::{Bench, caller, code, ready_made};

const BALANCER: &str = "web-1.eu-west-1.elb.amazonaws.com";

fn values(zone: &str, name: &str, values: &[&str]) -> RecordAddition {
    RecordAddition {
        zone: zone.to_owned(),
        account: None,
        name: name.to_owned(),
        types: Vec::new(),
        target: RecordTarget::Values {
            values: values.iter().map(|&value| value.to_owned()).collect(),
            ttl: 60,
        },
        policy: RecordPolicy::Simple,
        set_identifier: None,
        health_check: None,
        existing: ExistingRecord::Refuse,
    }
}

fn alias(zone: &str, name: &str, target: &str, of: Option<&str>) -> RecordAddition {
    RecordAddition {
        target: RecordTarget::Alias {
            name: target.to_owned(),
            zone: of.map(str::to_owned),
            health: TargetHealth::Evaluate,
        },
        ..values(zone, name, &[])
    }
}

fn latency(addition: RecordAddition) -> RecordAddition {
    RecordAddition {
        policy: RecordPolicy::Latency(None),
        ..addition
    }
}

/// A user of the account "one" with these policies.
fn user(bench: &Bench, root: &Caller, name: &str, policies: Vec<NewPolicy>) -> Caller {
    let new = NewUser {
        account: "one".to_owned(),
        name: name.to_owned(),
        policies,
    };
    bench.control.create_user(&new).unwrap();
    Caller {
        user: Some(name.to_owned()),
        ..root.clone()
    }
}

fn policy(name: &str, statements: &str) -> NewPolicy {
    NewPolicy::Document(Policy {
        name: name.to_owned(),
        document: format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#),
    })
}

fn register(bench: &Bench, account: &str, name: &str, region: &str) {
    let request = ResourceRequest {
        account: Some(account.to_owned()),
        name: name.to_owned(),
        region: Some(region.to_owned()),
        health_check: None,
    };
    bench.control.add_resource(&request).unwrap();
}

fn refused(bench: &Bench, me: &Caller, addition: &RecordAddition) -> Unfilled {
    let entries = bench.entries();
    let error = bench.control.draft_record_sets(me, addition).unwrap_err();
    assert_eq!(bench.entries(), entries, "a draft writes nothing");
    error
}

#[track_caller]
fn refused_as(bench: &Bench, me: &Caller, addition: &RecordAddition) -> &'static str {
    match refused(bench, me, addition) {
        Unfilled::Operation(error) => code::<()>(Err(error)),
        other => panic!("not a refusal of an operation: {other}"),
    }
}

/// Why what is drafted would be refused.
fn checked(bench: &Bench, me: &Caller, addition: &RecordAddition) -> &'static str {
    let drafted = bench.control.draft_record_sets(me, addition).unwrap();
    let entries = bench.entries();
    let refused = code(bench.control.check_record_sets(me, &drafted.batch));
    assert_eq!(bench.entries(), entries, "a check writes nothing");
    refused
}

#[test]
fn a_region_comes_from_the_resource_then_from_the_name_then_from_the_zone_of_the_service() {
    let bench = Bench::new();
    let me = caller(&bench.account("one"));
    let id = bench.zone(&me, "site.test");
    let drafted = |addition: &RecordAddition| {
        let sets = bench.control.draft_record_sets(&me, addition).unwrap();
        let sets = sets.sets.into_iter().map(|set| {
            let region = set.draft.region.map(|it| it.as_str().to_owned());
            (set.draft.rtype, region.unwrap(), set.region_source.unwrap())
        });
        sets.collect::<Vec<_>>()
    };
    let (a, aaaa) = (RecordType::A, RecordType::Aaaa);
    let west = |rtype| (rtype, "eu-west-1".to_owned(), RegionSource::Name);
    let to_balancer = latency(alias(&id, "www", BALANCER, None));
    assert_eq!(drafted(&to_balancer), [west(a), west(aaaa)]);
    register(&bench, "one", BALANCER, "eu-north-1");
    let north = |rtype| (rtype, "eu-north-1".to_owned(), RegionSource::Resource);
    assert_eq!(drafted(&to_balancer), [north(a), north(aaaa)]);
    register(&bench, "one", "192.0.2.7", "us-east-1");
    let east = (a, "us-east-1".to_owned(), RegionSource::Resource);
    let to_address = latency(values(&id, "www", &["192.0.2.7"]));
    assert_eq!(drafted(&to_address), [east]);
    // CloudFront is in no region.
    let service = Some("Z2FDTNDATAQYW2");
    let cloudfront = latency(alias(&id, "www", "d111.cloudfront.net", service));
    assert!(matches!(
        refused(&bench, &me, &cloudfront),
        Unfilled::Resource(ResourceRefusal::Untold(_))
    ));
    // The published zone of load balancers in this region.
    let of_region = latency(alias(&id, "www", "lb.example.net", Some("Z32O12XQLNTSW2")));
    let told = (a, "eu-west-1".to_owned(), RegionSource::ServiceZone);
    assert_eq!(drafted(&of_region)[0], told);
}

#[test]
fn what_nobody_can_know_is_said_by_its_cause() {
    let bench = Bench::new();
    let me = caller(&bench.account("one"));
    let id = bench.zone(&me, "site.test");
    let why = |addition: &RecordAddition| refused(&bench, &me, addition);
    let bare = why(&latency(values(&id, "www", &["192.0.2.9"])));
    assert!(bare.to_string().contains("bare address"), "{bare}");
    assert!(matches!(
        bare,
        Unfilled::Resource(ResourceRefusal::BareAddress(_))
    ));
    let text = why(&values(&id, "www", &["not an address"]));
    assert!(matches!(text, Unfilled::NoType(_)), "{text}");
    let weighted = RecordAddition {
        policy: RecordPolicy::Weighted(1),
        ..values(&id, "www", &["192.0.2.9"])
    };
    assert!(matches!(why(&weighted), Unfilled::NoIdentifier));
    let outside = why(&values(&id, "www.other.test.", &["192.0.2.9"]));
    assert!(matches!(outside, Unfilled::OutsideZone { .. }), "{outside}");
    // What the rules of the batch refuse is refused before anything is written.
    let mut lonely = values(&id, "www", &["192.0.2.9"]);
    lonely.types = vec![RecordType::Aaaa];
    assert_eq!(checked(&bench, &me, &lonely), "InvalidChangeBatch");
}

#[test]
fn what_is_drafted_can_be_written_as_it_is() {
    let bench = Bench::new();
    let me = caller(&bench.account("one"));
    let id = bench.zone(&me, "site.test");
    let failover = RecordAddition {
        policy: RecordPolicy::Failover(FailoverRole::Primary),
        ..values(&id, "@", &["192.0.2.1", "2001:db8::1"])
    };
    let drafted = bench.control.draft_record_sets(&me, &failover).unwrap();
    let said = drafted.sets.iter().map(|set| &set.draft.set_identifier);
    assert!(said.eq([&Some("primary".to_owned()); 2]));
    let entries = bench.entries();
    let accepted = bench.control.check_record_sets(&me, &drafted.batch);
    accepted.unwrap();
    assert_eq!(bench.entries(), entries, "a check writes nothing");
    let written = bench.control.change_record_sets(&me, &drafted.batch);
    written.unwrap();
    assert_eq!(bench.entries(), entries + 1);
    assert_eq!(checked(&bench, &me, &failover), "InvalidChangeBatch");
}

#[test]
fn zones_and_resources_of_other_accounts_are_not_there() {
    let bench = Bench::new();
    let me = caller(&bench.account("one"));
    let other = caller(&bench.account("two"));
    let (mine, theirs) = (
        bench.zone(&me, "site.test"),
        bench.zone(&other, "their.test"),
    );
    register(&bench, "two", "192.0.2.7", "us-east-1");
    let into = |zone: &str| refused(&bench, &me, &values(zone, "www", &["192.0.2.1"])).to_string();
    let unknown = "Z00AAAAAAAAAAAAAAAAAA";
    assert_eq!(into(&theirs), into(unknown).replace(unknown, &theirs));
    assert!(into(&theirs).contains("No hosted zone found with ID"));
    let bare = refused(&bench, &me, &latency(values(&mine, "www", &["192.0.2.7"])));
    assert!(bare.to_string().contains("bare address"), "{bare}");
    for said in [theirs.as_str(), "their.test", unknown] {
        let error = refused(
            &bench,
            &me,
            &alias(&mine, "www", "a.their.test", Some(said)),
        );
        assert!(
            matches!(&error, Unfilled::UnknownZone(it) if it == said),
            "{error}"
        );
    }
}

#[test]
fn a_user_drafts_what_the_user_may_write_and_sees_what_the_user_may_read() {
    let bench = Bench::new();
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    let secret = bench.zone(&root, "secret.test");
    let address = values(&id, "www", &["192.0.2.1"]);

    let reader = user(&bench, &root, "reader", vec![ready_made("read-only")]);
    assert_eq!(refused_as(&bench, &reader, &address), "AccessDenied");
    // What is registered is not told by the way in which it is refused.
    register(&bench, root.account.as_str(), "192.0.2.201", "us-east-1");
    for target in ["192.0.2.201", "192.0.2.222"] {
        let fastest = latency(values(&id, "www", &[target]));
        assert_eq!(
            refused_as(&bench, &reader, &fastest),
            "AccessDenied",
            "{target}"
        );
    }

    let editor = ready_made(&format!("zone-editor={id}"));
    let limited = policy(
        "names",
        r#"{"Effect": "Deny", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
            "Condition": {"ForAnyValue:StringNotLike":
                {"route53:ChangeResourceRecordSetsNormalizedRecordNames": "dev*"}}}"#,
    );
    let editor = user(&bench, &root, "editor", vec![editor, limited]);
    assert_eq!(refused_as(&bench, &editor, &address), "AccessDenied");
    let allowed = values(&id, "dev", &["192.0.2.1"]);
    bench.control.draft_record_sets(&editor, &allowed).unwrap();
    // Elsewhere the editor hears the same of what is there as of what is not.
    for zone in [secret.as_str(), "Z00AAAAAAAAAAAAAAAAAA"] {
        let denied = refused_as(&bench, &editor, &values(zone, "dev", &["192.0.2.1"]));
        assert_eq!(denied, "AccessDenied", "{zone}");
        let into = alias(&id, "dev", "www.secret.test", Some(zone));
        assert_eq!(refused_as(&bench, &editor, &into), "AccessDenied", "{zone}");
    }

    // Who may write and not read: what is there would be told by what is filled in.
    let writer = policy(
        "write",
        r#"{"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*"}"#,
    );
    let writer = user(&bench, &root, "writer", vec![writer]);
    match refused(&bench, &writer, &address) {
        Unfilled::Operation(OperationError::Refused(Refusal::AccessDenied { action, .. })) => {
            assert_eq!(action, "route53:ListResourceRecordSets");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_zone_of_an_alias_is_looked_up_by_its_name_only_for_those_who_may_list_zones() {
    let bench = Bench::new();
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    bench.zone(&root, "other.test");
    let blind = policy(
        "blind",
        r#"{"Effect": "Allow", "Action": ["route53:ChangeResourceRecordSets",
            "route53:ListResourceRecordSets"], "Resource": "*"}"#,
    );
    let blind = user(&bench, &root, "blind", vec![blind]);
    for name in ["other.test", "nowhere.test"] {
        let into = alias(&id, "www", "www.other.test", Some(name));
        assert_eq!(refused_as(&bench, &blind, &into), "AccessDenied", "{name}");
    }
}
