//! Random documents of traffic policies are read as what they were made of, however they are written,
//! and whatever is broken in one is told.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

use meridian_model::{
    Coordinates, Document, EndpointTarget, FailoverRole, GeoLocation, GeoproximityLocation,
    GeoproximityPlace, NodeRef, Region, Routing, RuleItem,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

const ENDPOINTS: usize = 3;

/// What a rule is made of: its kind, and for each item where it leads, its health, its parameter and
/// whether scalars are written as strings.
#[derive(Debug, Clone)]
struct Sketch {
    kind: &'static str,
    items: Vec<(Index, bool, Option<String>, u8, bool)>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let kinds = vec![
        "failover",
        "geo",
        "geoproximity",
        "latency",
        "multivalue",
        "weighted",
    ];
    let item = (
        any::<Index>(),
        any::<bool>(),
        prop::option::of("[a-z0-9-]{1,9}"),
        any::<u8>(),
        any::<bool>(),
    );
    (select(kinds), prop::collection::vec(item, 2..5))
        .prop_map(|(kind, items)| Sketch { kind, items })
}

/// A document of rules each of which leads to endpoints and later rules, with what it should be read
/// as.
fn written(sketches: &[Sketch]) -> (Value, Vec<Vec<RuleItem>>) {
    let mut rules = Map::new();
    let mut expected = Vec::new();
    for (place, sketch) in sketches.iter().enumerate() {
        let mut items = Vec::new();
        let mut texts = Vec::new();
        for (nth, (to, evaluate, check, number, as_text)) in sketch.items.iter().enumerate() {
            if sketch.kind == "failover" && nth == 2 {
                break;
            }
            let later = match sketch.kind {
                "multivalue" => 0,
                _ => sketches.len() - place - 1,
            };
            let to = to.index(ENDPOINTS + later);
            let (to, mut item) = match to.checked_sub(ENDPOINTS) {
                None => (
                    NodeRef::Endpoint(to),
                    json!({"EndpointReference": format!("e{to}")}),
                ),
                Some(further) => {
                    let rule = place + 1 + further;
                    (
                        NodeRef::Rule(rule),
                        json!({"RuleReference": format!("r{rule}")}),
                    )
                }
            };
            let (routing, own) = parameter(sketch.kind, nth, *number);
            let fields = item.as_object_mut().unwrap();
            fields.extend(own.as_object().unwrap().clone());
            fields.insert("EvaluateTargetHealth".to_owned(), json!(evaluate));
            fields.insert("HealthCheck".to_owned(), json!(check));
            if *as_text {
                fields.values_mut().for_each(as_string);
            }
            texts.push(item);
            items.push(RuleItem {
                routing,
                to,
                evaluate_target_health: *evaluate,
                health_check: check.clone(),
            });
        }
        rules.insert(format!("r{place}"), rule(sketch.kind, texts));
        expected.push(items);
    }
    let endpoint = |n: usize| {
        (
            format!("e{n}"),
            json!({"Type": "value", "Value": format!("192.0.2.{n}")}),
        )
    };
    let document = json!({
        "AWSPolicyFormatVersion": "2015-10-01",
        "RecordType": "A",
        "StartRule": "r0",
        "Endpoints": (0..ENDPOINTS).map(endpoint).collect::<Map<_, _>>(),
        "Rules": rules,
    });
    (document, expected)
}

fn rule(kind: &str, mut items: Vec<Value>) -> Value {
    match kind {
        "failover" => {
            let secondary = items.pop();
            json!({"RuleType": kind, "Primary": items.pop(), "Secondary": secondary})
        }
        "geo" => json!({"RuleType": kind, "Locations": items}),
        "geoproximity" => json!({"RuleType": kind, "GeoproximityLocations": items}),
        "latency" => json!({"RuleType": kind, "Regions": items}),
        _ => json!({"RuleType": kind, "Items": items}),
    }
}

fn as_string(value: &mut Value) {
    if let Value::Bool(_) | Value::Number(_) = value {
        *value = Value::String(value.to_string());
    }
}

/// What makes the nth item be chosen: as a routing, and as fields.
fn parameter(kind: &str, nth: usize, number: u8) -> (Routing, Value) {
    match kind {
        "failover" => {
            let roles = [FailoverRole::Primary, FailoverRole::Secondary];
            (Routing::Failover(roles[nth]), json!({}))
        }
        "geo" => {
            let code = ["*", "FR", "DE", "US", "JP"][nth];
            let location = GeoLocation {
                continent: None,
                country: Some(code.to_owned()),
                subdivision: None,
            };
            let fields = if code == "*" && number.is_multiple_of(2) {
                json!({"IsDefault": true})
            } else {
                json!({"Country": code})
            };
            (Routing::Geolocation(location), fields)
        }
        "geoproximity" => {
            let bias = i8::try_from(number % 199).unwrap_or(99).min(99);
            let (place, fields) = if nth == 0 {
                let place = GeoproximityPlace::Region("us-west-1".to_owned());
                (
                    place,
                    json!({"Region": "aws:route53:us-west-1", "Bias": bias}),
                )
            } else {
                let point = Coordinates {
                    latitude: nth.to_string(),
                    longitude: "-5".to_owned(),
                };
                let fields = json!({"Latitude": nth, "Longitude": -5, "Bias": bias});
                (GeoproximityPlace::Coordinates(point), fields)
            };
            let location = GeoproximityLocation {
                place,
                bias: Some(bias),
            };
            (Routing::Geoproximity(location), fields)
        }
        "latency" => {
            let name = Region::known().nth(nth).unwrap();
            (
                Routing::Latency(Region::new(name).unwrap()),
                json!({"Region": name}),
            )
        }
        "weighted" => (Routing::Weighted(number), json!({"Weight": number})),
        _ => (Routing::Multivalue, json!({})),
    }
}

/// The values in a value, itself included.
fn count(value: &Value) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}

/// Puts another value in the place of the nth.
fn replace(value: &mut Value, nth: &mut usize, by: &Value) {
    if *nth == 0 {
        *value = by.clone();
    }
    *nth = nth.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, nth, by)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| replace(field, nth, by)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn documents_are_read_as_what_they_were_made_of(
        sketches in prop::collection::vec(sketch(), 1..6),
    ) {
        let (document, expected) = written(&sketches);
        let read = Document::parse(&document.to_string()).unwrap();
        prop_assert_eq!(read.start(), NodeRef::Rule(0));
        let items: Vec<_> = read.rules().iter().map(|rule| rule.items.clone()).collect();
        prop_assert_eq!(items, expected);
        for (place, rule) in read.rules().iter().enumerate() {
            prop_assert_eq!(&rule.id, &format!("r{place}"));
        }
        for (place, endpoint) in read.endpoints().iter().enumerate() {
            let value = EndpointTarget::Value(format!("192.0.2.{place}"));
            prop_assert_eq!(&endpoint.target, &value);
        }
    }

    /// No value can be replaced by one of another kind without somebody being told, but for what
    /// does not have to be there.
    #[test]
    fn a_value_of_another_kind_is_a_fault(
        sketches in prop::collection::vec(sketch(), 1..4), at in any::<Index>(),
        by in select(vec![json!([]), json!({}), json!([1])]),
    ) {
        let (mut document, _) = written(&sketches);
        let mut nth = at.index(count(&document));
        replace(&mut document, &mut nth, &by);
        let faults = Document::parse(&document.to_string()).unwrap_err();
        prop_assert!((1..=100).contains(&faults.len()));
    }
}
