//! Documents of each kind as they are read, and one fault after the other.

use super::*;
use crate::routing::{Coordinates, FailoverRole, GeoLocation, GeoproximityPlace};

/// Three endpoints and these rules, beginning with rule `r`.
fn with_rules(format: &str, rules: &str) -> String {
    format!(
        r#"{{"AWSPolicyFormatVersion": "{format}", "RecordType": "A", "StartRule": "r",
            "Endpoints": {{
                "one": {{"Type": "value", "Value": "192.0.2.1"}},
                "two": {{"Type": "value", "Value": "192.0.2.2"}},
                "lb": {{"Type": "elastic-load-balancer", "Value": "LB-1.us-east-1.elb.amazonaws.com"}}
            }},
            "Rules": {{{rules}}}}}"#
    )
}

fn read(rules: &str) -> Document {
    Document::parse(&with_rules("2015-10-01", rules)).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let faults = Document::parse(text)
        .map(|_| "nothing is wrong")
        .unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn faults_of(rules: &str) -> Vec<String> {
    faults(&with_rules("2015-10-01", rules))
}

fn routings(document: &Document) -> Vec<&Routing> {
    let items = document.rules()[0].items.iter();
    items.map(|item| &item.routing).collect()
}

fn country(code: &str) -> Routing {
    Routing::Geolocation(GeoLocation {
        continent: None,
        country: Some(code.to_owned()),
        subdivision: None,
    })
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn a_policy_may_be_an_endpoint_alone() {
    let document = Document::parse(
        r#"{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "MX", "StartEndpoint": "mail",
            "Endpoints": {"mail": {"Type": "value", "Value": "10 mx.example.com"}}}"#,
    )
    .unwrap();
    assert_eq!(document.format(), DocumentFormat::V2015);
    assert_eq!(document.record_type(), RecordType::Mx);
    let Node::Endpoint(endpoint) = document.node(document.start()) else {
        panic!("the start is an endpoint");
    };
    assert_eq!(endpoint.id, "mail");
    let value = EndpointTarget::Value("10 mx.example.com".to_owned());
    assert_eq!(endpoint.target, value);
    assert!(document.rules().is_empty() && document.used_rules().is_empty());
    assert!(document.unused().is_empty());
}

#[test]
fn failover_has_two_branches_with_all_there_is_to_a_branch() {
    let document = read(
        r#""r": {"RuleType": "failover",
            "Primary": {"EndpointReference": "lb", "EvaluateTargetHealth": "true"},
            "Secondary": {"RuleReference": "s", "HealthCheck": "h-1", "EvaluateTargetHealth": null}},
           "s": {"RuleType": "weighted", "Items": [{"EndpointReference": "two", "Weight": "0"}]}"#,
    );
    let rule = &document.rules()[0];
    assert_eq!((rule.id.as_str(), rule.kind), ("r", RoutingKind::Failover));
    let expected = [
        RuleItem {
            routing: Routing::Failover(FailoverRole::Primary),
            to: NodeRef::Endpoint(2),
            evaluate_target_health: true,
            health_check: None,
        },
        RuleItem {
            routing: Routing::Failover(FailoverRole::Secondary),
            to: NodeRef::Rule(1),
            evaluate_target_health: false,
            health_check: Some("h-1".to_owned()),
        },
    ];
    assert_eq!(rule.items, expected);
    let Node::Endpoint(endpoint) = document.node(rule.items[0].to) else {
        panic!("the primary is an endpoint");
    };
    let host = EndpointTarget::Host {
        service: EndpointService::ElasticLoadBalancer,
        name: name("lb-1.us-east-1.elb.amazonaws.com"),
    };
    assert_eq!(endpoint.target, host);
    assert_eq!(document.used_rules(), [0, 1]);
    assert_eq!(document.unused(), [NodeRef::Endpoint(0)]);
    assert_eq!(document.health_checks(), ["h-1"]);
}

#[test]
fn places_are_countries_continents_parts_and_everywhere_else() {
    let document = read(
        r#""r": {"RuleType": "geo", "Locations": [
            {"EndpointReference": "one", "IsDefault": true},
            {"EndpointReference": "one", "Country": "FR", "IsDefault": false},
            {"EndpointReference": "two", "Continent": "AS"},
            {"EndpointReference": "lb", "Country": "US", "Subdivision": "CA"}]}"#,
    );
    assert_eq!(routings(&document)[..2], [&country("*"), &country("FR")]);
    for spelt in [
        r#""Country": "*""#,
        r#""Country": "*", "IsDefault": "true""#,
        r#""Country": "*", "IsDefault": false"#,
    ] {
        let rule =
            r#""r": {"RuleType": "geo", "Locations": [{"EndpointReference": "one", SPELT}]}"#;
        let document = read(&rule.replace("SPELT", spelt));
        assert_eq!(routings(&document), [&country("*")]);
    }
}

#[test]
fn geoproximity_names_places_in_both_formats() {
    let point = |latitude: &str, longitude: &str| {
        GeoproximityPlace::Coordinates(Coordinates {
            latitude: latitude.to_owned(),
            longitude: longitude.to_owned(),
        })
    };
    let places = |document: &Document| -> Vec<(GeoproximityPlace, Option<i8>)> {
        let routings = routings(document).into_iter();
        let places = routings.map(|routing| match routing {
            Routing::Geoproximity(location) => (location.place.clone(), location.bias),
            other => panic!("{other:?}"),
        });
        places.collect()
    };
    let region = GeoproximityPlace::Region("us-west-1".to_owned());
    let old = read(
        r#""r": {"RuleType": "geoproximity", "GeoproximityLocations": [
            {"EndpointReference": "one", "Region": "aws:route53:us-west-1", "Bias": "-99"},
            {"EndpointReference": "two", "Latitude": "51.50", "Longitude": -0.16, "Bias": 7},
            {"EndpointReference": "lb", "Latitude": 1, "Longitude": "2"}]}"#,
    );
    let expected = [
        (region.clone(), Some(-99)),
        (point("51.50", "-0.16"), Some(7)),
        (point("1", "2"), None),
    ];
    assert_eq!(places(&old), expected);
    let new = Document::parse(&with_rules(
        "2023-05-09",
        r#""r": {"RuleType": "geoproximity", "GeoproximityLocations": [
            {"EndpointReference": "one",
             "Location": {"Type": "Region", "LocationName": "aws:route53:us-west-1"}},
            {"EndpointReference": "two",
             "Location": {"Type": "LocalZone", "LocationName": "aws:route53:us-east-1-atl-1a"}},
            {"EndpointReference": "lb",
             "Location": {"Type": "Coordinate", "Latitude": "38.9", "Longitude": "-77.01"}}]}"#,
    ))
    .unwrap();
    assert_eq!(new.format(), DocumentFormat::V2023);
    let zone = GeoproximityPlace::LocalZoneGroup("us-east-1-atl-1".to_owned());
    let expected = [
        (region, None),
        (zone, None),
        (point("38.9", "-77.01"), None),
    ];
    assert_eq!(places(&new), expected);
}

#[test]
fn latency_weights_and_many_values() {
    let document = read(
        r#""r": {"RuleType": "latency", "Regions": [
            {"RuleReference": "w", "Region": "eu-west-1"},
            {"RuleReference": "m", "Region": "here-1"}]},
           "w": {"RuleType": "weighted", "Items": [
            {"EndpointReference": "one", "Weight": "255"}, {"EndpointReference": "one", "Weight": 1}]},
           "m": {"RuleType": "multivalue", "Items": [
            {"EndpointReference": "one"}, {"EndpointReference": "two", "HealthCheck": "h"}]}"#,
    );
    let kinds: Vec<RoutingKind> = document.rules().iter().map(|rule| rule.kind).collect();
    let expected = [
        RoutingKind::Latency,
        RoutingKind::Weighted,
        RoutingKind::Multivalue,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(document.rules()[1].items[0].routing, Routing::Weighted(255));
    assert_eq!(document.rules()[2].items[1].routing, Routing::Multivalue);
    let own = OwnRegion {
        name: Region::stored("here-1"),
        at: Coordinates {
            latitude: "1".to_owned(),
            longitude: "1".to_owned(),
        },
    };
    assert_eq!(document.unknown_regions(&[own]), []);
    let unknown = document.unknown_regions(&[]);
    assert_eq!(
        unknown.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Rules.r.Regions[1].Region: there is no region 'here-1'"]
    );
}

#[test]
fn websites_are_at_the_host_of_their_region() {
    let host = |value: &str, region: &str| {
        let text = format!(
            r#"{{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A", "StartEndpoint": "w",
                "Endpoints": {{"w": {{"Type": "s3-website", "Value": "{value}", "Region": {region}}}}}}}"#
        );
        match Document::parse(&text).map(|document| document.endpoints()[0].target.clone()) {
            Ok(EndpointTarget::Host { name, .. }) => name.to_string(),
            Ok(other) => panic!("{other:?}"),
            Err(faults) => faults[0].to_string(),
        }
    };
    for (value, region, expected) in [
        (
            "www.a.com",
            "\"us-east-1\"",
            "s3-website-us-east-1.amazonaws.com.",
        ),
        (
            "www.a.com",
            "\"eu-north-1\"",
            "s3-website.eu-north-1.amazonaws.com.",
        ),
        (
            "www.a.com",
            "\"cn-north-1\"",
            "s3-website.cn-north-1.amazonaws.com.cn.",
        ),
        (
            "a.s3-website-us-west-2.amazonaws.com",
            "null",
            "s3-website-us-west-2.amazonaws.com.",
        ),
        (
            "a.s3-website.us-east-2.amazonaws.com",
            "null",
            "s3-website.us-east-2.amazonaws.com.",
        ),
        (
            "www.a.com",
            "null",
            "Endpoints.w.Region: is missing: the website is found by it where \
                               Value is a bucket's name",
        ),
        (
            "a.s3-website.evil.com",
            "null",
            "Endpoints.w.Region: is missing: the website is found by \
                                           it where Value is a bucket's name",
        ),
        (
            "www.a.com",
            "\"mars-1\"",
            "Endpoints.w.Region: there is no region 'mars-1'",
        ),
    ] {
        assert_eq!(host(value, region), expected);
    }
}

#[test]
fn what_is_no_document_is_told_so() {
    for (text, expected) in [
        (
            "",
            "it is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        ("[]", "is a list, not an object"),
        (
            "{} x",
            "it is not JSON: trailing characters at line 1 column 4",
        ),
        (
            &"[".repeat(500),
            "it is not JSON: recursion limit exceeded at line 1 column 128",
        ),
        (&" ".repeat(102_401), "it is longer than 102400 characters"),
    ] {
        assert_eq!(faults(text), [expected]);
    }
    assert_eq!(
        faults("{}"),
        [
            "AWSPolicyFormatVersion: is missing",
            "RecordType: is missing",
            "needs StartEndpoint or StartRule, not neither",
        ]
    );
}

#[test]
fn every_fault_is_told_at_its_place() {
    assert_eq!(
        faults(
            r#"{"AWSPolicyFormatVersion": "2012-10-17", "RecordType": "NS", "Rules": 1, "rules": {},
                "StartRule": "no", "RecordType": "A",
                "Endpoints": {
                    "a b": {"Type": "cdn", "Value": "x"},
                    "t": {"type": "value", "Value": 1},
                    "": "x", "t": {}}}"#
        ),
        [
            "RecordType: comes twice",
            "rules: is not known here; is Rules meant?",
            "AWSPolicyFormatVersion: '2012-10-17' is not 2015-10-01 or 2023-05-09",
            "RecordType: 'NS' is not a record type that can be routed",
            "Endpoints.t: comes twice",
            "Endpoints[\"\"]: an id has 1 to 128 characters",
            "Rules: is a number, not an object",
            "Endpoints[\"a b\"].Type: 'cdn' is not one of value, cloudfront, \
             application-load-balancer, elastic-load-balancer, network-load-balancer, \
             elastic-beanstalk, s3-website",
            "Endpoints.t.type: is not known here; is Type meant?",
            "Endpoints.t.Type: is missing",
            "Endpoints.t.Value: is a number, not a string",
            "Endpoints[\"\"]: is a string, not an object",
            "Endpoints.t.Type: is missing",
            "Endpoints.t.Value: is missing",
            "StartRule: there is no rule 'no'",
        ]
    );
}

#[test]
fn endpoints_are_values_of_the_type_or_hosts() {
    let fault = |rtype: &str, of: &str, value: &str| {
        faults(&format!(
            r#"{{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "{rtype}",
                "StartEndpoint": "e",
                "Endpoints": {{"e": {{"Type": "{of}", "Value": "{value}"}}}}}}"#
        ))
        .join("; ")
    };
    for (rtype, of, value, expected) in [
        (
            "A",
            "value",
            "a.b",
            "Endpoints.e.Value: is no value of type A: ",
        ),
        (
            "AAAA",
            "value",
            "192.0.2.1",
            "Endpoints.e.Value: is no value of type AAAA: ",
        ),
        (
            "A",
            "cloudfront",
            "192.0.2.1",
            "Endpoints.e.Value: '192.0.2.1' is not the name of a host",
        ),
        (
            "A",
            "cloudfront",
            "*.a",
            "Endpoints.e.Value: '*.a' is not the name of a host",
        ),
        (
            "A",
            "cloudfront",
            ".",
            "Endpoints.e.Value: '.' is not the name of a host",
        ),
        (
            "CNAME",
            "cloudfront",
            "d.cloudfront.net",
            "Endpoints.e.Type: cloudfront has addresses, so RecordType has to be A or AAAA",
        ),
    ] {
        let said = fault(rtype, of, value);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn faults_of_rules() {
    let one = r#""EndpointReference": "one""#;
    for (rule, expected) in [
        (r#""x""#.to_owned(), "Rules.r: is a string, not an object"),
        (r#"{}"#.to_owned(), "Rules.r.RuleType: is missing"),
        (
            r#"{"RuleType": "cidr"}"#.to_owned(),
            "Rules.r.RuleType: 'cidr' is not one of failover, geo, geoproximity, latency, \
             multivalue, weighted",
        ),
        (
            format!(r#"{{"RuleType": "failover", "Primary": {{{one}}}}}"#),
            "Rules.r.Secondary: is missing",
        ),
        (
            r#"{"RuleType": "weighted", "Items": []}"#.to_owned(),
            "Rules.r.Items: has to have 1 to 1000 items",
        ),
        (
            r#"{"RuleType": "weighted", "Items": {}}"#.to_owned(),
            "Rules.r.Items: is an object, not a list",
        ),
        (
            format!(r#"{{"RuleType": "geoproximity", "GeoProximityLocations": [{{{one}}}]}}"#),
            "Rules.r.GeoProximityLocations: is not known here; is GeoproximityLocations meant?; \
             Rules.r.GeoproximityLocations: is missing",
        ),
        (
            format!(
                r#"{{"RuleType": "weighted", "Items": [{{{one}}}, {{{one}, "Weight": "256"}}]}}"#
            ),
            "Rules.r.Items[0].Weight: is missing; \
             Rules.r.Items[1].Weight: '256' is not a whole number from 0 to 255",
        ),
        (
            r#"{"RuleType": "weighted", "Items": [{"EndpointReference": "x", "RuleReference": "y",
                "Weight": 1}, {"EndpointReference": "x", "Weight": 1, "HealthCheck": "",
                "EvaluateTargetHealth": "yes"}]}"#
                .to_owned(),
            "Rules.r.Items[0]: needs EndpointReference or RuleReference, not both; \
             Rules.r.Items[1].EndpointReference: there is no endpoint 'x'; \
             Rules.r.Items[1].EvaluateTargetHealth: is 'yes', not true or false; \
             Rules.r.Items[1].HealthCheck: the id of a health check has 1 to 64 characters",
        ),
        (
            r#"{"RuleType": "multivalue", "Items": [{"EndpointReference": "lb"},
                {"RuleReference": "r"}]}"#
                .to_owned(),
            "Rules.r.Items[0]: a multivalue rule leads to endpoints of type value only; \
             Rules.r.Items[1]: a multivalue rule leads to endpoints of type value only; \
             Rules.r: it leads back to itself: r → r",
        ),
    ] {
        assert_eq!(faults_of(&format!(r#""r": {rule}"#)).join("; "), expected);
    }
}

#[test]
fn faults_of_places() {
    let one = r#""EndpointReference": "one""#;
    for (rule, expected) in [
        (
            format!(
                r#"{{"RuleType": "latency", "Regions": [{{{one}, "Region": "EU"}},
                {{{one}, "Region": "eu-west-1"}}, {{{one}, "Region": "eu-west-1"}}]}}"#
            ),
            "Rules.r.Regions[0].Region: 'EU' is not the name of a region; \
             Rules.r.Regions[2]: is for the same as an item before it",
        ),
        (
            format!(
                r#"{{"RuleType": "geo", "Locations": [{{{one}}}, {{{one}, "Country": "de"}},
                {{{one}, "Country": "FR", "IsDefault": true}}, {{{one}, "IsDefault": true}},
                {{{one}, "Country": "*"}}, {{{one}, "Continent": "EU", "Country": "FR"}}]}}"#
            ),
            "Rules.r.Locations[0]: needs Continent, Country or IsDefault; \
             Rules.r.Locations[1]: Route 53 has no such place: a Continent alone, a Country, or a \
             Country with a Subdivision, by their codes; \
             Rules.r.Locations[2]: IsDefault is for every other place, and goes with Country * \
             alone; \
             Rules.r.Locations[4]: is for the same as an item before it; \
             Rules.r.Locations[5]: Route 53 has no such place: a Continent alone, a Country, or a \
             Country with a Subdivision, by their codes",
        ),
        (
            format!(
                r#"{{"RuleType": "geoproximity", "GeoproximityLocations": [{{{one}}},
                {{{one}, "Region": "aws:route53:us-west-1", "Latitude": 1}},
                {{{one}, "Region": "aws:route53:mars-1", "Bias": 100}},
                {{{one}, "Latitude": "51.501", "Longitude": "0"}},
                {{{one}, "Latitude": "1.0", "Longitude": "0"}},
                {{{one}, "Latitude": "1", "Longitude": "0"}},
                {{{one}, "Latitude": "1"}},
                {{{one}, "Location": {{}}}}]}}"#
            ),
            "Rules.r.GeoproximityLocations[0]: needs Region, or Latitude and Longitude, not both; \
             Rules.r.GeoproximityLocations[1]: needs Region, or Latitude and Longitude, not both; \
             Rules.r.GeoproximityLocations[2].Bias: '100' is not a whole number from -99 to 99; \
             Rules.r.GeoproximityLocations[2].Region: 'aws:route53:mars-1' is not a region of AWS, \
             as in aws:route53:us-west-1; \
             Rules.r.GeoproximityLocations[3]: Latitude lies between -90 and 90 and Longitude \
             between -180 and 180, with two decimals at most; \
             Rules.r.GeoproximityLocations[5]: is for the same as an item before it; \
             Rules.r.GeoproximityLocations[6].Longitude: is missing; \
             Rules.r.GeoproximityLocations[7].Location: is not known here; EndpointReference, \
             RuleReference, EvaluateTargetHealth, HealthCheck, Region, Latitude, Longitude, Bias \
             are; \
             Rules.r.GeoproximityLocations[7]: needs Region, or Latitude and Longitude, not both",
        ),
    ] {
        assert_eq!(faults_of(&format!(r#""r": {rule}"#)).join("; "), expected);
    }
}

#[test]
fn locations_of_the_newer_format_are_checked() {
    let one = r#""EndpointReference": "one""#;
    let rules = format!(
        r#""r": {{"RuleType": "geoproximity", "GeoproximityLocations": [
            {{{one}, "Region": "aws:route53:us-west-1"}},
            {{{one}, "Location": {{"Type": "Zone"}}}},
            {{{one}, "Location": {{"Type": "LocalZone", "LocationName": "us-east-1-atl-1abc"}}}},
            {{{one}, "Location": {{"Type": "Coordinate", "Latitude": "91", "Longitude": "0"}}}}]}}"#
    );
    let at = "Rules.r.GeoproximityLocations";
    assert_eq!(
        faults(&with_rules("2023-05-09", &rules)),
        [
            format!(
                "{at}[0].Region: is not known here; EndpointReference, RuleReference, \
                 EvaluateTargetHealth, HealthCheck, Location, Bias are"
            ),
            format!("{at}[0].Location: is missing"),
            format!("{at}[1].Location.Type: 'Zone' is not Region, LocalZone or Coordinate"),
            format!(
                "{at}[2].Location.LocationName: 'us-east-1-atl-1abc' is not a local zone of AWS"
            ),
            format!(
                "{at}[3].Location: Latitude lies between -90 and 90 and Longitude between -180 and \
                 180, with two decimals at most"
            ),
        ]
    );
}

#[test]
fn rules_lead_to_an_end_and_not_too_far() {
    let rule = |place: usize, to: &str| {
        format!(r#""{place}": {{"RuleType": "weighted", "Items": [{{{to}, "Weight": 1}}]}}"#)
    };
    let chain = |rules: usize| {
        let next = |place: usize| match place + 1 < rules {
            true => rule(place, &format!(r#""RuleReference": "{}""#, place + 1)),
            false => rule(place, r#""EndpointReference": "one""#),
        };
        let rules: Vec<String> = (0..rules).map(next).collect();
        with_rules("2015-10-01", &rules.join(",")).replace(r#""r""#, r#""0""#)
    };
    assert!(Document::parse(&chain(Document::MAX_RULE_DEPTH)).is_ok());
    assert_eq!(
        faults(&chain(13)),
        ["Rules.0: more than 12 rules follow each other from here"]
    );
    let looped = [
        rule(0, r#""RuleReference": "1""#),
        rule(1, r#""RuleReference": "2""#),
        rule(2, r#""RuleReference": "1""#),
    ];
    let looped = with_rules("2015-10-01", &looped.join(",")).replace(r#""r""#, r#""0""#);
    assert_eq!(
        faults(&looped),
        ["Rules.1: it leads back to itself: 1 → 2 → 1"]
    );
}

#[test]
fn faults_are_as_few_and_short_as_can_be_read() {
    let items = vec![r#"{"Weight": "x"}"#; 500].join(",");
    let rule = format!(r#""r": {{"RuleType": "weighted", "Items": [{items}]}}"#);
    assert_eq!(faults_of(&rule).len(), 100);
    let long = "y".repeat(50_000);
    let all = faults(&format!(
        r#"{{"{long}": 1, "AWSPolicyFormatVersion": "{long}"}}"#
    ));
    assert!(all.iter().all(|fault| fault.len() < 300), "{all:?}");
}
