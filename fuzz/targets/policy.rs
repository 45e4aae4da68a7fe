//! Policies: a document that can be attached can be kept to and no other, a denial wins whatever
//! stands beside it, and saying a thing twice changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_control::{Context, Decision, Question, check_policy, evaluate};
use meridian_model::Policy;

const DENY: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
const ALLOW: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

fn policy(document: &str) -> Policy {
    Policy {
        name: "p".to_owned(),
        document: document.to_owned(),
    }
}

// A question on the first lines (action, resource, context as key=value), then an empty line and a
// document.
fuzz_target!(|text: &str| {
    let (question, document) = text.split_once("\n\n").unwrap_or(("", text));
    let mut lines = question.lines();
    let action = lines.next().unwrap_or("route53:GetHostedZone");
    let resource = lines.next().unwrap_or("*");
    let mut context = Context::default();
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        if let Err(error) = context.set(key, vec![value.to_owned()]) {
            drop(error.to_string());
        }
    }
    let question = Question {
        action,
        resource,
        context: &context,
    };
    let decide = |documents: &[&str]| {
        let policies: Vec<Policy> = documents.iter().map(|text| policy(text)).collect();
        evaluate(&policies, &question).map(|verdict| verdict.decision)
    };
    let alone = decide(&[document]);
    match check_policy(document) {
        Ok(()) => assert!(alone.is_ok()),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(alone.is_err() && decide(&[document, ALLOW]).is_err());
            return;
        }
    }
    assert_eq!(decide(&[document, document]), alone);
    assert_eq!(decide(&[document, DENY]), Ok(Decision::ExplicitDeny));
    let beside = match alone {
        Ok(Decision::ExplicitDeny) => Decision::ExplicitDeny,
        _ => Decision::Allowed,
    };
    assert_eq!(decide(&[document, ALLOW]), Ok(beside));
    assert_eq!(decide(&[ALLOW, document]), Ok(beside));
});
