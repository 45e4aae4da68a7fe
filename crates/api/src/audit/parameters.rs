//! Requests and responses as CloudTrail shows them: JSON with the members of the SDKs' model, each
//! with its first letter in lower case (so `TTL` is `tTL`). Large ones are cut.

use serde_json::{Map, Value};

use super::cut;
use super::names::{LISTS, NAMES, NUMBERS, TRUTHS};
use crate::uri;
use crate::xml::{Element, outline};

/// How much of a body is shown, in bytes.
const MAX_BODY_LEN: usize = 32 * 1024;
/// How many elements of it.
const MAX_ELEMENTS: usize = 1024;

/// What a request asks for: the variable parts of its path, its query and its body.
pub(crate) fn request_parameters(
    operation: &str,
    ids: &[String],
    query: &str,
    body: &[u8],
) -> Option<Value> {
    let mut shown = Map::new();
    let names = NAMES.iter().find(|names| names.operation == operation);
    if let Some(names) = names {
        for (name, id) in names.path.iter().zip(ids) {
            shown.insert((*name).to_owned(), cut(id).into());
        }
        for (wire, value) in uri::decode_query(query).unwrap_or_default() {
            let known = names
                .query
                .iter()
                .find(|(known, _)| known.as_bytes() == wire);
            if let Some((_, name)) = known {
                let value = cut(&String::from_utf8_lossy(&value));
                shown.entry(*name).or_insert_with(|| value.into());
            }
        }
    }
    if !body.is_empty() {
        put_document(&mut shown, body);
    }
    Some(shown)
        .filter(|shown| !shown.is_empty())
        .map(Value::Object)
}

/// What a call that changed something answered.
pub(crate) fn response_elements(location: Option<&str>, body: &str) -> Option<Value> {
    let mut shown = Map::new();
    if let Some(location) = location {
        shown.insert("location".to_owned(), cut(location).into());
    }
    put_document(&mut shown, body.as_bytes());
    Some(shown)
        .filter(|shown| !shown.is_empty())
        .map(Value::Object)
}

/// The children of the root, and how much is not among them.
fn put_document(shown: &mut Map<String, Value>, body: &[u8]) {
    let start = body.get(..MAX_BODY_LEN).unwrap_or(body);
    let (root, whole) = outline(start, MAX_ELEMENTS);
    for child in root.iter().flat_map(|root| &root.children) {
        put(shown, child);
    }
    if !whole || start.len() < body.len() {
        // Whether there was too much of it or it cannot be read.
        shown.insert("incompleteBodyBytes".to_owned(), body.len().into());
    }
}

fn put(object: &mut Map<String, Value>, element: &Element) {
    let name = lower_first(&element.name);
    object.entry(name).or_insert_with(|| value(element));
}

fn value(element: &Element) -> Value {
    let name = element.name.as_str();
    if LISTS.contains(&name) {
        return element.children.iter().map(value).collect();
    }
    if !element.children.is_empty() {
        let mut object = Map::new();
        for child in &element.children {
            put(&mut object, child);
        }
        return Value::Object(object);
    }
    let text = element.text.trim();
    if NUMBERS.contains(&name)
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    match text {
        "true" if TRUTHS.contains(&name) => true.into(),
        "false" if TRUTHS.contains(&name) => false.into(),
        _ => cut(&element.text).into(),
    }
}

/// A name in CloudTrail's manner: `TTL` becomes `tTL`.
pub fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_batch_looks_as_cloudtrail_shows_it() {
        let body = b"<?xml version=\"1.0\"?><ChangeResourceRecordSetsRequest \
            xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Comment>why</Comment>\
            <Changes><Change><Action>CREATE</Action><ResourceRecordSet><Name>a.b</Name><Type>A</Type>\
            <TTL>300</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>\
            </ResourceRecords><AliasTarget><DNSName>c</DNSName><EvaluateTargetHealth>false\
            </EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change></Changes></ChangeBatch>\
            </ChangeResourceRecordSetsRequest>";
        let shown = request_parameters("ChangeResourceRecordSets", &["Z1".to_owned()], "", body);
        let expected = json!({
            "hostedZoneId": "Z1",
            "changeBatch": {
                "comment": "why",
                "changes": [{
                    "action": "CREATE",
                    "resourceRecordSet": {
                        "name": "a.b",
                        "type": "A",
                        "tTL": 300,
                        "resourceRecords": [{ "value": "192.0.2.1" }],
                        "aliasTarget": { "dNSName": "c", "evaluateTargetHealth": false },
                    },
                }],
            },
        });
        assert_eq!(shown, Some(expected));
    }

    #[test]
    fn paths_and_queries_have_the_names_of_the_model_and_nothing_else_is_shown() {
        let query = "name=%2A.a&type=A&X-Amz-Signature=5ec2e7&name=other";
        let shown = request_parameters("ListResourceRecordSets", &["Z1".to_owned()], query, b"");
        let expected =
            json!({ "hostedZoneId": "Z1", "startRecordName": "*.a", "startRecordType": "A" });
        assert_eq!(shown, Some(expected));
        assert_eq!(request_parameters("GetHostedZoneCount", &[], "", b""), None);
        assert_eq!(request_parameters("-", &[], "a=b", b""), None);
    }

    #[test]
    fn responses_show_what_was_made() {
        let body = "<CreateHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Config>\
            <PrivateZone>false</PrivateZone></Config></HostedZone><DelegationSet><NameServers>\
            <NameServer>a.b</NameServer></NameServers></DelegationSet></CreateHostedZoneResponse>";
        let expected = json!({
            "location": "http://x/",
            "hostedZone": { "id": "/hostedzone/Z1", "config": { "privateZone": false } },
            "delegationSet": { "nameServers": ["a.b"] },
        });
        assert_eq!(response_elements(Some("http://x/"), body), Some(expected));
        assert_eq!(response_elements(None, "<DeleteHostedZoneResponse/>"), None);
    }

    #[test]
    fn what_is_large_or_broken_is_cut_and_says_so() {
        let change = "<Change><Action>CREATE</Action><ResourceRecordSet><Name>a.b</Name>\
                      </ResourceRecordSet></Change>";
        let changes = |count| {
            let body = format!(
                "<R><ChangeBatch><Changes>{}</Changes></ChangeBatch></R>",
                change.repeat(count)
            );
            let shown =
                request_parameters("ChangeResourceRecordSets", &[], "", body.as_bytes()).unwrap();
            let listed = shown["changeBatch"]["changes"].as_array().unwrap().len();
            (listed, shown["incompleteBodyBytes"].as_u64())
        };
        assert_eq!(changes(10), (10, None));
        let (listed, of) = changes(9000);
        assert!(
            (200..400).contains(&listed) && of > Some(800_000),
            "{listed} {of:?}"
        );
        for (broken, bytes) in [
            ("<R><Name>a</Name><Name", 22),
            ("<R><Name>a</Name>\u{0}</R>", 22),
            ("<R><Name>a</Name>&x;</R>", 24),
        ] {
            let shown = request_parameters("CreateHostedZone", &[], "", broken.as_bytes());
            let expected = json!({ "name": "a", "incompleteBodyBytes": bytes });
            assert_eq!(shown, Some(expected), "{broken}");
        }
        let long = format!("<R><Name>{}</Name></R>", "é".repeat(9000));
        let shown = request_parameters("CreateHostedZone", &[], "", long.as_bytes()).unwrap();
        assert_eq!(shown["name"].as_str().unwrap().chars().count(), 1025);
    }
}
