//! Documents and questions: what policies say, and what is refused with its place.

use meridian_model::Policy;

use super::{Context, Decision, Question, ReadyMade, check_policy, evaluate, zone_arn};

fn policy(document: &str) -> Policy {
    Policy {
        name: "p".to_owned(),
        document: document.to_owned(),
    }
}

/// A document of one statement that allows changes, with this condition.
fn conditional(condition: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Resource": "*",
            "Action": "route53:ChangeResourceRecordSets", "Condition": {condition}}}}}"#
    )
}

fn context(values: &[(&str, &[&str])]) -> Context {
    let mut context = Context::default();
    for (key, values) in values {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        context.set(key, values).unwrap();
    }
    context
}

fn decide(policies: &[Policy], action: &str, resource: &str, context: &Context) -> Decision {
    let question = Question {
        action,
        resource,
        context,
    };
    evaluate(policies, &question).unwrap().decision
}

fn holds(condition: &str, context: &Context) -> bool {
    let policies = [policy(&conditional(condition))];
    let action = "route53:ChangeResourceRecordSets";
    decide(&policies, action, &zone_arn("Z1"), context) == Decision::Allowed
}

#[test]
fn deny_wins_and_silence_denies() {
    let allow = r#"{"Statement": {"Effect": "Allow", "Action": "route53:*", "Resource": "*"}}"#;
    let deny = r#"{"Statement": [{"Effect": "Deny", "Action": ["route53:Delete*"],
                   "Resource": "arn:aws:route53:::hostedzone/Z1"}]}"#;
    let both = [policy(allow), policy(deny)];
    let none = Context::default();
    let delete = "route53:DeleteHostedZone";
    let about = |id| decide(&both, delete, &zone_arn(id), &none);
    assert_eq!(about("Z1"), Decision::ExplicitDeny);
    assert_eq!(about("Z2"), Decision::Allowed);
    let silent = decide(&[], delete, &zone_arn("Z2"), &none);
    assert_eq!(silent, Decision::ImplicitDeny);
    let other = decide(&both, "route53domains:ListDomains", "*", &none);
    assert_eq!(other, Decision::ImplicitDeny);
}

#[test]
fn what_is_not_named_can_be_meant() {
    let document = r#"{"Statement": {"Effect": "Allow", "NotAction": "route53:Delete*",
                       "NotResource": "arn:aws:route53:::hostedzone/Z1"}}"#;
    let policies = [policy(document)];
    let about = |action, resource: &str| decide(&policies, action, resource, &Context::default());
    let get = "route53:GetHostedZone";
    assert_eq!(about(get, &zone_arn("Z2")), Decision::Allowed);
    assert_eq!(about(get, &zone_arn("Z1")), Decision::ImplicitDeny);
    let delete = "route53:deletehostedzone";
    assert_eq!(about(delete, &zone_arn("Z2")), Decision::ImplicitDeny);
    assert_eq!(about("route53:ListHostedZones", "*"), Decision::Allowed);
}

#[test]
fn the_verdict_says_which_statements_and_which_keys_are_missing() {
    let document = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "route53:Get*", "Resource": "*"},
        {"Sid": "Own", "Effect": "Allow", "Action": "*",
         "Resource": "arn:aws:route53:::hostedzone/${aws:username}",
         "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        {"Effect": "Deny", "Action": "route53:List*", "Resource": "*",
         "Condition": {"Null": {"route53:VPCs": true}}}]}"#;
    let context = context(&[("aws:SourceIp", &["192.0.2.7"]), ("aws:username", &["Z1"])]);
    let ask = |context: &Context| {
        let question = Question {
            action: "route53:GetHostedZone",
            resource: &zone_arn("Z1"),
            context,
        };
        evaluate(&[policy(document)], &question).unwrap()
    };
    let verdict = ask(&context);
    let matched: Vec<_> = verdict
        .matched
        .iter()
        .map(|m| (m.statement, m.sid.as_deref()))
        .collect();
    assert_eq!(matched, [(0, None), (1, Some("Own"))]);
    assert!(verdict.missing.is_empty());
    let verdict = ask(&Context::default());
    assert_eq!(verdict.matched.len(), 1);
    assert_eq!(verdict.missing, ["aws:username", "aws:SourceIp"]);
}

/// Whether it holds, for which context, the operator, the key and what it is compared with.
const CONDITIONS: &str = r#"
yes | two  | ForAllValues:StringEquals | NAMES | ["a.example", "b.example"]
no  | two  | ForAllValues:StringEquals | NAMES | "a.example"
yes | two  | ForAllValues:StringLike | NAMES | "*.example"
no  | two  | ForAllValues:StringEquals | NAMES | "*.example"
yes | none | ForAllValues:StringEquals | NAMES | "x"
no  | two  | ForAllValues:StringNotEquals | NAMES | "a.example"
yes | two  | ForAllValues:StringNotEquals | NAMES | "c.example"
yes | two  | ForAnyValue:StringEquals | NAMES | "a.example"
no  | none | ForAnyValue:StringEquals | NAMES | "x"
no  | none | ForAnyValue:StringEqualsIfExists | NAMES | "x"
yes | two  | ForAnyValue:StringNotEquals | NAMES | "a.example"
no  | two  | ForAnyValue:StringNotLike | NAMES | "*.example"
no  | none | ForAnyValue:StringNotLike | NAMES | "x"
yes | none | Null | NAMES | true
no  | two  | Null | NAMES | "true"
yes | two  | Null | NAMES | false
yes | user | StringEquals | aws:username | "Ann"
no  | user | StringEquals | aws:username | "ann"
yes | user | StringEquals | aws:username | "${aws:username}"
no  | none | StringEquals | aws:username | "Ann"
yes | none | StringEqualsIfExists | aws:username | "Ann"
no  | user | StringNotEquals | aws:username | ["Ann", "Bob"]
yes | none | StringNotEquals | aws:username | "Ann"
yes | user | StringEqualsIgnoreCase | AWS:UserName | "aNN"
no  | user | StringNotEqualsIgnoreCase | aws:username | "aNN"
yes | user | StringLike | aws:username | "A?n*"
yes | user | StringNotLike | aws:username | "B*"
yes | user | IpAddress | aws:SourceIp | ["192.0.2.0/24", "2001:db8::/32"]
no  | user | NotIpAddress | aws:SourceIp | "2001:db8::/32"
yes | none | NotIpAddress | aws:SourceIp | "192.0.2.1"
yes | user | DateLessThan | aws:CurrentTime | "2026-11-21T10:00:01Z"
no  | user | DateLessThan | aws:CurrentTime | "2026-11-21T10:00:00Z"
yes | user | DateLessThanEquals | aws:CurrentTime | 1795255200
yes | user | DateGreaterThan | aws:CurrentTime | "2026-11-21"
yes | user | DateNotEquals | aws:CurrentTime | "2026-11-21"
yes | user | ArnLike | aws:PrincipalArn | "arn:aws:iam::*:user/A*"
no  | user | ArnNotLike | aws:PrincipalArn | "arn:aws:iam::*:user/A*"
yes | user | Bool | aws:ViaAWSService | false
no  | user | Bool | aws:SecureTransport | true
yes | user | Bool | aws:SecureTransport | "false"
no  | none | Bool | aws:SecureTransport | false
no  | user | Bool | aws:MultiFactorAuthPresent | true
yes | user | BoolIfExists | aws:MultiFactorAuthPresent | true
no  | none | StringLike | route53:VPCs | "VPCId=vpc-*,VPCRegion=eu-west-1"
"#;

#[test]
fn operators_hold_as_iam_says() {
    let names = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
    let two = context(&[(names, &["a.example", "b.example"])]);
    let none = Context::default();
    let user = context(&[
        ("aws:username", &["Ann"]),
        ("aws:PrincipalType", &["User"]),
        ("aws:SourceIp", &["2001:db8::1"]),
        ("aws:CurrentTime", &["2026-11-21T10:00:00Z"]),
        ("aws:PrincipalArn", &["arn:aws:iam::123456789012:user/Ann"]),
        ("aws:ViaAWSService", &["false"]),
        ("aws:SecureTransport", &["false"]),
    ]);
    for line in CONDITIONS.trim().lines() {
        let fields: Vec<&str> = line.splitn(5, '|').map(str::trim).collect();
        let [expected, context, operator, key, value] = fields[..] else {
            panic!("{line}");
        };
        let context = match context {
            "two" => &two,
            "user" => &user,
            _ => &none,
        };
        let key = if key == "NAMES" { names } else { key };
        let condition = format!(r#"{{"{operator}": {{"{key}": {value}}}}}"#);
        assert_eq!(holds(&condition, context), expected == "yes", "{line}");
    }
    let every = |name| {
        format!(r#"{{"StringEquals": {{"aws:username": "{name}", "aws:PrincipalType": "User"}}}}"#)
    };
    assert!(holds(&every("Ann"), &user) && !holds(&every("Bob"), &user));
}

/// What a statement that is otherwise right must not have, and what is said about it.
const REFUSED: &str = r#"
"Principal": "*" | Statement[0].Principal: there is no such element
"NotAction": "*" | Statement[0]: there are both Action and NotAction
"Sid": "a b" | Statement[0].Sid: 'a b' has other
"Sid": 1 | Statement[0].Sid: this is a number, not a string
"Condition": [] | Statement[0].Condition: this is a list
"Condition": {"StringEqual": {"aws:username": "x"}} | Statement[0].Condition.StringEqual: there is no such condition operator
"Condition": {"StringEquals": {"aws:nothing": "x"}} | Statement[0].Condition.StringEquals.aws:nothing: there is no such condition key
"Condition": {"StringEquals": {"aws:SourceIp": "192.0.2.1"}} | the key is an address
"Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.1", "x"]}} | 'x' is no range
"Condition": {"DateLessThan": {"aws:CurrentTime": "noon"}} | 'noon' is no time
"Condition": {"Null": {"aws:username": "maybe"}} | 'maybe' is neither true nor false
"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}} | six parts
"Condition": {"StringLike": {"aws:username": []}} | there are no values
"Condition": {"StringLike": {"route53:ChangeResourceRecordSetsActions": "DELETE"}} | say ForAllValues:StringLike or ForAnyValue:StringLike
"Condition": {"StringLike": {"aws:username": ["x", {}]}} | Statement[0].Condition.StringLike.aws:username[1]: a value is an object
"Condition": {"StringLike": {"aws:username": "${aws:nothing}"}} | there is no policy variable 'aws:nothing'
"Condition": {"StringLike": {"aws:username": "${aws:username"}} | has no closing brace
"#;

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let refused = |document: &str, expected: &str| {
        let error = check_policy(document).unwrap_err().to_string();
        assert!(error.contains(expected), "{document}\n{error}");
    };
    let statement = r#""Effect": "Allow", "Action": "*", "Resource": "*""#;
    for line in REFUSED.trim().lines() {
        let (more, expected) = line.split_once(" | ").unwrap();
        let document =
            format!(r#"{{"Version": "2012-10-17", "Statement": [{{{statement}, {more}}}]}}"#);
        refused(&document, expected);
    }
    let document = format!(r#"{{"Statement": [{{{statement}}}]}}"#);
    check_policy(&document).unwrap();
    for (old, new, expected) in [
        (
            r#""Action": "*""#,
            r#""Action": ["*", "Get"]"#,
            "Statement[0].Action[1]: 'Get' is neither",
        ),
        (
            r#""Resource": "*""#,
            r#""Resource": "Z1""#,
            "Statement[0].Resource: 'Z1' is neither",
        ),
        (
            r#""Action": "*""#,
            r#""Action": []"#,
            "Statement[0].Action: the list is empty",
        ),
        (
            r#""Action": "*","#,
            "",
            "there is neither Action nor NotAction",
        ),
        ("Allow", "allow", "'allow' is neither Allow nor Deny"),
    ] {
        refused(&document.replace(old, new), expected);
    }
    for (document, expected) in [
        ("", "not JSON"),
        ("[]", "the policy document: this is a list, not an object"),
        (
            r#"{"Version": "2008-10-17", "Statement": []}"#,
            "Statement: there are no",
        ),
        (
            r#"{"Version": "2012", "Statement": []}"#,
            "Version: '2012' is neither",
        ),
        (
            r#"{"Statement": [], "Statement": []}"#,
            "'Statement' comes twice",
        ),
        (r#"{"Statements": []}"#, "there is no Statement"),
        (r#"{"Statement": {}}"#, "Statement: there is no Effect"),
        (&"[".repeat(5000), "not JSON"),
    ] {
        refused(document, expected);
    }
    let old = conditional(r#"{"StringLike": {"aws:username": "${aws:username}"}}"#);
    let old = old.replace("2012-10-17", "2008-10-17");
    refused(&old, r#"policy variables need "Version": "2012-10-17""#);
}

#[test]
fn names_of_statements_are_unique_and_may_be_empty() {
    let statement =
        |sid| format!(r#"{{"Sid": "{sid}", "Effect": "Deny", "Action": "*", "Resource": "*"}}"#);
    let document = |sid| {
        format!(
            r#"{{"Statement": [{}, {}]}}"#,
            statement(sid),
            statement(sid)
        )
    };
    check_policy(&document("")).unwrap();
    let error = check_policy(&document("A")).unwrap_err().to_string();
    assert_eq!(error, "Statement[1].Sid: 'A' comes twice");
}

#[test]
fn documents_are_as_long_as_iams() {
    let long = |id: usize, space: usize| {
        let (id, space) = ("x".repeat(id), " ".repeat(space));
        format!(
            r#"{{"Id":"{id}",{space}"Statement":{{"Effect":"Deny","Action":"*","Resource":"*"}}}}"#
        )
    };
    let fixed = long(0, 0).len();
    check_policy(&long(super::MAX_CHARACTERS - fixed, 1000)).unwrap();
    for document in [long(super::MAX_CHARACTERS - fixed + 1, 0), long(0, 100_000)] {
        let error = check_policy(&document).unwrap_err().to_string();
        assert!(error.contains("the most there may be is 6144"), "{error}");
    }
}

#[test]
fn one_document_that_is_not_understood_allows_nothing_beside_it() {
    let admin = ReadyMade::parse("admin").unwrap().policy();
    let context = Context::default();
    let question = Question {
        action: "route53:GetChange",
        resource: "*",
        context: &context,
    };
    let error = evaluate(&[admin, policy("{}")], &question).unwrap_err();
    assert_eq!(error.policy, "p");
}

#[test]
fn the_acme_policy_lets_nothing_by_but_challenges() {
    let acme = [ReadyMade::parse("acme=Z1,Z2").unwrap().policy()];
    let change = |zone, names: &[&str], types: &[&str], actions: &[&str]| {
        let context = context(&[
            (
                "route53:ChangeResourceRecordSetsNormalizedRecordNames",
                names,
            ),
            ("route53:ChangeResourceRecordSetsRecordTypes", types),
            ("route53:ChangeResourceRecordSetsActions", actions),
        ]);
        let action = "route53:ChangeResourceRecordSets";
        decide(&acme, action, &zone_arn(zone), &context) == Decision::Allowed
    };
    let challenge = "_acme-challenge.www.example.com";
    assert!(change("Z1", &[challenge], &["TXT"], &["UPSERT", "DELETE"]));
    assert!(change(
        "Z2",
        &["_acme-challenge.example.com", challenge],
        &["TXT"],
        &["CREATE"]
    ));
    assert!(!change("Z3", &[challenge], &["TXT"], &["CREATE"]));
    assert!(!change(
        "Z1",
        &[challenge, "www.example.com"],
        &["TXT"],
        &["CREATE"]
    ));
    assert!(!change(
        "Z1",
        &["x._acme-challenge.example.com"],
        &["TXT"],
        &["CREATE"]
    ));
    assert!(!change("Z1", &[challenge], &["TXT", "A"], &["CREATE"]));
    assert!(
        !change("Z1", &[], &[], &[]),
        "a question without changes is about no challenge"
    );
    let may = |action, resource: &str| {
        decide(&acme, action, resource, &Context::default()) == Decision::Allowed
    };
    assert!(may("route53:ListHostedZones", "*") && may("route53:ListHostedZonesByName", "*"));
    assert!(may("route53:GetChange", "arn:aws:route53:::change/C1"));
    assert!(may("route53:ListResourceRecordSets", &zone_arn("Z2")));
    assert!(!may("route53:ListResourceRecordSets", &zone_arn("Z3")));
    assert!(!may("route53:DeleteHostedZone", &zone_arn("Z1")));
    assert!(!may("route53:CreateHostedZone", "*"));
}
