//! Accounts, users, keys and policies, as operators handle them and requests meet them.

use meridian_control::{
    AdminError, Caller, Context, Decision, KeyUse, NewPolicy, NewUser, OperationError, Refusal,
};
use meridian_dns::RecordType;
use meridian_log::Journal;
use meridian_model::{Action, Draft, DraftChange, KeyStatus, Policy, Quota, Seq, Timestamp};

use crate::bench::{Bench, batch, caller, code, ready_made, zone};

fn document(name: &str, statement: &str) -> NewPolicy {
    NewPolicy::Document(Policy {
        name: name.to_owned(),
        document: format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#),
    })
}

fn everything(name: &str) -> NewPolicy {
    document(
        name,
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
    )
}

impl Bench {
    fn user(&self, account: &str, name: &str, policies: Vec<NewPolicy>) {
        let new = NewUser {
            account: account.to_owned(),
            name: name.to_owned(),
            policies,
        };
        self.control.create_user(&new).unwrap();
    }
}

fn user(root: &Caller, name: &str) -> Caller {
    Caller {
        user: Some(name.to_owned()),
        ..root.clone()
    }
}

#[test]
fn an_account_goes_when_nothing_is_in_it() {
    let bench = Bench::new();
    let control = &bench.control;
    let me = caller(&bench.account("one"));
    let id = bench.zone(&me, "site.test");
    bench.user("one", "ann", vec![]);
    let key = control.create_access_key("one", Some("ann")).unwrap();
    control
        .put_quota("one", Quota::HostedZonesByOwner, 1)
        .unwrap();
    let error = control.delete_account("one").unwrap_err().to_string();
    let expected = "the account 'one' is not empty: it has 1 hosted zone, 1 user, 1 access key";
    assert_eq!(error, expected);
    control.delete_hosted_zone(&me, &id).unwrap();
    control.delete_user("one", "ann").unwrap();
    assert!(control.credential(&key.key.id).unwrap().is_none());
    control.delete_account("one").unwrap();
    // On its way since before.
    let late = control.create_hosted_zone(&me, &zone("late.test"));
    assert_eq!(code(late), "AccessDenied");
    assert!(matches!(
        control.account("one"),
        Err(AdminError::UnknownAccount(_))
    ));
    bench.account("one");
    let operator = control.delete_account("operator").unwrap_err();
    assert!(matches!(operator, AdminError::OperatorAccount(_)));
}

#[test]
fn an_account_changes_its_name_and_nothing_else() {
    let bench = Bench::new();
    let control = &bench.control;
    let id = bench.account("one");
    bench.account("two");
    let error = control.rename_account("one", "two").unwrap_err();
    assert!(matches!(error, AdminError::AccountExists(_)));
    let error = control.rename_account("one", "a b").unwrap_err();
    assert!(matches!(error, AdminError::BadName(_)));
    control.rename_account("one", "three").unwrap();
    assert_eq!(control.account("three").unwrap().account.id, id);
    assert!(control.account("one").is_err());
    // To its own name, and by its id.
    control.rename_account(id.as_str(), "three").unwrap();
    assert_eq!(control.account(id.as_str()).unwrap().account.name, "three");
}

#[test]
fn a_user_takes_keys_and_secrets_along() {
    let bench = Bench::new();
    let control = &bench.control;
    bench.account("one");
    bench.user("one", "ann", vec![]);
    bench.user("one", "bob", vec![]);
    let of = |user| control.create_access_key("one", user).unwrap();
    let (first, second, root) = (of(Some("ann")), of(Some("ann")), of(None));
    let row = |key: &meridian_control::NewKey| key.key.vault_row.clone();
    let gone = control.delete_user("one", "ann").unwrap();
    assert_eq!(gone.keys.len(), 2);
    let left = bench.vault.ids().unwrap();
    assert!(!left.contains(&row(&first)) && !left.contains(&row(&second)));
    assert!(left.contains(&row(&root)));
    assert!(control.credential(&first.key.id).unwrap().is_none());
    assert!(control.credential(&root.key.id).unwrap().is_some());
    assert_eq!(control.users(Some("one")).unwrap().len(), 1);
    let error = control.delete_user("one", "ann").unwrap_err();
    assert!(matches!(error, AdminError::UnknownUser(..)));
}

#[test]
fn policies_are_attached_replaced_and_detached() {
    let bench = Bench::new();
    let control = &bench.control;
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    bench.user("one", "ann", vec![]);
    let ann = user(&root, "ann");
    assert_eq!(code(control.hosted_zone(&ann, &id)), "AccessDenied");
    let attach = |policies: &[NewPolicy]| control.attach_policies("one", "ann", policies);
    attach(&[ready_made("read-only"), everything("own")]).unwrap();
    control.hosted_zone(&ann, &id).unwrap();
    let nothing = r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#;
    let policies = attach(&[document("own", nothing)]).unwrap().policies;
    assert_eq!(policies.len(), 2);
    assert_eq!(code(control.hosted_zone(&ann, &id)), "AccessDenied");
    control
        .detach_policies("one", "ann", &["own".to_owned()])
        .unwrap();
    control.hosted_zone(&ann, &id).unwrap();
    let error = control
        .detach_policies("one", "ann", &["own".to_owned()])
        .unwrap_err();
    assert!(matches!(error, AdminError::UnknownPolicy { .. }));
    let many: Vec<NewPolicy> = (0..10).map(|n| everything(&format!("p{n}"))).collect();
    assert!(matches!(attach(&many), Err(AdminError::TooManyPolicies)));
    attach(&many[..9]).unwrap();
    let twice = [everything("x"), everything("x")];
    assert!(matches!(attach(&twice), Err(AdminError::PolicyTwice(_))));
    assert!(matches!(
        attach(&[everything("a/b")]),
        Err(AdminError::BadPolicyName(_))
    ));
    let error = attach(&[document("p", "{}")]).unwrap_err().to_string();
    assert!(
        error.contains("'p' cannot be kept to: Statement: there is no Effect"),
        "{error}"
    );
}

#[test]
fn ready_made_policies_are_for_zones_of_the_account() {
    let bench = Bench::new();
    let control = &bench.control;
    let (one, two) = (caller(&bench.account("one")), caller(&bench.account("two")));
    let mine = bench.zone(&one, "mine.test");
    let other = bench.zone(&one, "other.test");
    let theirs = bench.zone(&two, "theirs.test");
    bench.user(
        "one",
        "ann",
        vec![ready_made(&format!("zone-editor={mine}"))],
    );
    let ann = user(&one, "ann");
    control
        .change_record_sets(&ann, &batch(&mine, "www.mine.test", "192.0.2.1"))
        .unwrap();
    let refused = control.change_record_sets(&ann, &batch(&other, "www.other.test", "192.0.2.1"));
    assert_eq!(code(refused), "AccessDenied");
    assert_eq!(
        code(control.delete_hosted_zone(&ann, &mine)),
        "AccessDenied"
    );
    for nobodys in [theirs.as_str(), "Z00NOWHERE"] {
        let policy = ready_made(&format!("acme={mine},{nobodys}"));
        let error = control
            .attach_policies("one", "ann", &[policy])
            .unwrap_err();
        assert!(matches!(error, AdminError::ForeignZone(..)), "{error}");
    }
}

#[test]
fn rights_end_at_the_account() {
    let bench = Bench::new();
    let (one, two) = (caller(&bench.account("one")), caller(&bench.account("two")));
    let theirs = bench.zone(&two, "theirs.test");
    let statement = format!(
        r#"{{"Effect": "Allow", "Action": "*", "Resource": ["*",
            "arn:aws:route53:::hostedzone/{theirs}"]}}"#
    );
    bench.user("one", "ann", vec![document("all", &statement)]);
    let ann = user(&one, "ann");
    let missing = bench.control.hosted_zone(&ann, &theirs);
    assert_eq!(code(missing), "NoSuchHostedZone");
    let change = batch(&theirs, "www.theirs.test", "192.0.2.1");
    let missing = bench.control.change_record_sets(&ann, &change);
    assert_eq!(code(missing), "NoSuchHostedZone");
}

/// A user may change addresses and texts below its own name, from its own network, for a day.
const OWN_NAMES: &str = r#"{
    "Effect": "Allow", "Resource": "*", "Action": "route53:ChangeResourceRecordSets",
    "Condition": {
        "ForAllValues:StringLike": {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": "*.${aws:username}.site.test"},
        "ForAllValues:StringEquals": {
            "route53:ChangeResourceRecordSetsRecordTypes": ["A", "TXT"],
            "route53:ChangeResourceRecordSetsActions": ["CREATE", "UPSERT"]},
        "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
        "DateLessThan": {"aws:CurrentTime": "1970-01-02T00:00:00Z"}}}"#;

type Line = (Action, &'static str, RecordType, &'static str);

/// Sends a batch; returns the code of its refusal, or `done`.
fn send(bench: &Bench, caller: &Caller, id: &str, lines: &[Line]) -> &'static str {
    let mut request = batch(id, "x", "x");
    request.changes = lines
        .iter()
        .map(|(action, name, rtype, value)| DraftChange {
            action: *action,
            set: Draft::simple(name, *rtype, 60, &[value]),
        })
        .collect();
    match bench.control.change_record_sets(caller, &request) {
        Ok(_) => "done",
        refused => code(refused),
    }
}

#[test]
fn conditions_see_the_batch_and_the_caller() {
    let bench = Bench::new();
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    bench.user("one", "ann", vec![document("own", OWN_NAMES)]);
    let ann = user(&root, "ann");
    let away = Caller {
        source: "198.51.100.1".to_owned(),
        ..ann.clone()
    };
    let late = Caller {
        received_at: Timestamp(24 * 60 * 60 * 1000),
        ..ann.clone()
    };
    let (upsert, a) = (Action::Upsert, RecordType::A);
    let own = (upsert, "Www.ANN.site.test.", a, "192.0.2.1");
    let text = (Action::Create, "*.ann.site.test", RecordType::Txt, "\"x\"");
    let others = (upsert, "www.bob.site.test", a, "192.0.2.1");
    let mx = (upsert, "www.ann.site.test", RecordType::Mx, "1 mx.test");
    let gone = (Action::Delete, "www.ann.site.test", a, "192.0.2.1");
    // What is no name at all is asked for all the same, and refused.
    let wrong = (upsert, "a..ann.site.test", a, "192.0.2.1");
    for (caller, lines, expected) in [
        (&ann, vec![own, text], "done"),
        (&ann, vec![own, others], "AccessDenied"),
        (&root, vec![own, others], "done"),
        (&ann, vec![mx], "AccessDenied"),
        (&ann, vec![gone], "AccessDenied"),
        (&away, vec![own], "AccessDenied"),
        (&late, vec![own], "AccessDenied"),
        (&ann, vec![wrong], "InvalidChangeBatch"),
    ] {
        assert_eq!(send(&bench, caller, &id, &lines), expected, "{lines:?}");
    }
}

#[test]
fn refusals_are_worded_as_aws_words_them() {
    let bench = Bench::new();
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    bench.user("one", "ann", vec![]);
    let deny = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"},
                   {"Effect": "Deny", "Action": "route53:Get*", "Resource": "*"}]"#;
    bench.user("one", "bob", vec![document("deny", deny)]);
    let text = |outcome| match outcome {
        Err(OperationError::Refused(refusal @ Refusal::AccessDenied { .. })) => refusal.to_string(),
        other => panic!("{other:?}"),
    };
    let account = root.account.as_str();
    let control = &bench.control;
    assert_eq!(
        text(control.hosted_zone(&user(&root, "ann"), &id).map(drop)),
        format!(
            "User: arn:aws:iam::{account}:user/ann is not authorized to perform: \
             route53:GetHostedZone on resource: arn:aws:route53:::hostedzone/{id} because no \
             identity-based policy allows the route53:GetHostedZone action"
        )
    );
    assert_eq!(
        text(
            control
                .create_hosted_zone(&user(&root, "ann"), &zone("x.test"))
                .map(drop)
        ),
        format!(
            "User: arn:aws:iam::{account}:user/ann is not authorized to perform: \
             route53:CreateHostedZone because no identity-based policy allows the \
             route53:CreateHostedZone action"
        )
    );
    assert_eq!(
        text(control.hosted_zone(&user(&root, "bob"), &id).map(drop)),
        format!(
            "User: arn:aws:iam::{account}:user/bob is not authorized to perform: \
             route53:GetHostedZone on resource: arn:aws:route53:::hostedzone/{id} with an \
             explicit deny in an identity-based policy"
        )
    );
}

#[test]
fn a_key_is_changed_over_to_its_second() {
    let bench = Bench::new();
    let control = &bench.control;
    bench.account("one");
    bench.user("one", "ann", vec![]);
    let old = control
        .create_access_key("one", Some("ann"))
        .unwrap()
        .key
        .id;
    let new = control.rotate_access_key(old.as_str()).unwrap();
    assert_eq!(new.key.user.as_deref(), Some("ann"));
    assert!(control.credential(&old).unwrap().is_some());
    assert!(control.credential(&new.key.id).unwrap().is_some());
    let error = control.rotate_access_key(old.as_str()).unwrap_err();
    assert!(matches!(error, AdminError::TooManyKeys));
    control
        .set_access_key_status(old.as_str(), KeyStatus::Inactive)
        .unwrap();
    assert!(control.credential(&old).unwrap().is_none());
    control.delete_access_key(old.as_str()).unwrap();
    assert_eq!(control.user("one", "ann").unwrap().keys, [new.key]);
    let error = control.rotate_access_key(old.as_str()).unwrap_err();
    assert!(matches!(error, AdminError::UnknownKey(_)));
}

#[test]
fn the_last_use_of_a_key_is_known_and_costs_no_entry() {
    let bench = Bench::new();
    let control = &bench.control;
    bench.account("one");
    let keys = [(); 2].map(|()| control.create_access_key("one", None).unwrap().key.id);
    let by = |key: usize, at| Caller {
        access_key: keys[key].clone(),
        received_at: Timestamp(at),
        ..caller(&bench.operator)
    };
    let noted = |at| KeyUse {
        at: Timestamp(at),
        source: "192.0.2.1".to_owned(),
    };
    let entries = bench.entries();
    assert_eq!(control.last_use(&keys[0]), None);
    control.note_use(&by(0, 5));
    control.restore_uses([(keys[0].clone(), noted(1)), (keys[1].clone(), noted(2))]);
    assert_eq!(control.last_use(&keys[0]), Some(noted(5)));
    assert_eq!(control.last_use(&keys[1]), Some(noted(2)));
    assert_eq!(bench.journal.head().unwrap().seq, Seq(entries));
    assert_eq!(control.uses_to_keep().unwrap().unwrap().len(), 2);
    assert_eq!(
        control.uses_to_keep().unwrap(),
        None,
        "nothing was noted since"
    );
    control.uses_were_not_kept();
    control.delete_access_key(keys[1].as_str()).unwrap();
    let kept = control.uses_to_keep().unwrap().unwrap();
    assert_eq!(kept, [(keys[0].clone(), noted(5))]);
}

#[test]
fn a_simulation_says_what_a_request_would_hear() {
    let bench = Bench::new();
    let root = caller(&bench.account("one"));
    let id = bench.zone(&root, "site.test");
    bench.user("one", "ann", vec![ready_made(&format!("acme={id}"))]);
    let arn = format!("arn:aws:route53:::hostedzone/{id}");
    let ask = |action, context| {
        let verdict = bench
            .control
            .simulate(("one", "ann"), (action, &arn), context);
        verdict.unwrap()
    };
    let change = "route53:ChangeResourceRecordSets";
    let verdict = ask(change, Context::default());
    assert_eq!(verdict.decision, Decision::ImplicitDeny);
    assert_eq!(verdict.missing.len(), 3);
    let mut context = Context::default();
    for (key, value) in [
        (
            "route53:ChangeResourceRecordSetsNormalizedRecordNames",
            "_acme-challenge.site.test",
        ),
        ("route53:ChangeResourceRecordSetsRecordTypes", "TXT"),
        ("route53:ChangeResourceRecordSetsActions", "UPSERT"),
    ] {
        context.set(key, vec![value.to_owned()]).unwrap();
    }
    let verdict = ask(change, context);
    assert_eq!(verdict.decision, Decision::Allowed);
    let sid = verdict.matched[0].sid.as_deref();
    assert_eq!((verdict.matched.len(), sid), (1, Some("Challenge")));
    let error = bench
        .control
        .simulate(("one", "nobody"), (change, "*"), Context::default())
        .unwrap_err();
    assert!(matches!(error, AdminError::UnknownUser(..)));
}
