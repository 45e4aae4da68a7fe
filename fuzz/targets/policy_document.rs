//! Documents of traffic policies: what is read is whole and leads somewhere, what is not is told in
//! few and short words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_dns::rdata;
use meridian_model::{Document, EndpointTarget, Node, NodeRef};

fuzz_target!(|text: &str| {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(faults) => {
            assert!((1..=100).contains(&faults.len()));
            for fault in faults {
                assert!(!fault.text.is_empty());
                assert!(fault.to_string().chars().count() < 4000, "{fault}");
            }
            return;
        }
    };
    let rtype = document.record_type();
    for endpoint in document.endpoints() {
        if let EndpointTarget::Value(value) = &endpoint.target {
            assert!(rdata::parse(rtype, value).is_ok());
        }
    }
    for rule in document.rules() {
        assert!(!rule.items.is_empty());
        for item in &rule.items {
            assert_eq!(item.routing.kind(), rule.kind);
            // It is there.
            document.node(item.to);
        }
    }
    // Each rule comes before those that it leads to.
    let used = document.used_rules();
    for (done, place) in used.iter().enumerate() {
        let rule = &document.rules()[*place];
        for item in &rule.items {
            if let NodeRef::Rule(next) = item.to {
                assert!(used[done + 1..].contains(&next));
            }
        }
    }
    assert_eq!(
        used.is_empty(),
        matches!(document.node(document.start()), Node::Endpoint(_))
    );
    let nodes = document.endpoints().len() + document.rules().len();
    assert!(document.unused().len() < nodes);
    drop((document.health_checks(), document.unknown_regions(&[])));
});
