//! From a document to record sets: each rule becomes the sets of one reserved name below the zone's
//! apex, each item of it one set, and the root an alias to the first rule. Whether the zone takes
//! these sets is the business of the plan that writes them.

use std::collections::HashMap;

use meridian_dns::Name;

use super::{Document, EndpointTarget, Node, NodeRef, PolicyRule};
use crate::id::{TrafficPolicyInstanceId, ZoneId};
use crate::record_set::{AliasTarget, RESERVED, RecordSet, SetData, SetKey};
use crate::routing::Routing;
use crate::service_zone::EXTERNAL;
use crate::zone::Zone;

/// The most characters of a node's id that stand in a set's identifier, which is for people.
const MAX_ID_CHARACTERS: usize = 64;

/// Where a tree is to stand.
#[derive(Debug, Clone, Copy)]
pub struct Plot<'a> {
    /// Whose tree it is.
    pub instance: &'a TrafficPolicyInstanceId,
    /// The root's name, in lower case.
    pub name: &'a Name,
    /// The TTL of all values, in seconds.
    pub ttl: u32,
    /// The zone that all its names lie in.
    pub zone: &'a Zone,
}

/// The record sets of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// All of them, the root last.
    pub sets: Vec<RecordSet>,
    /// How many reserved names they have: of `tree_name` the first so many.
    pub names: u32,
}

/// A zone's own name leaves no room for reserved names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The name of the hosted zone {0} is too long for traffic policies")]
pub struct NoRoom(Name);

/// The record sets that a document comes to. An item with a value is a set with this value, one with
/// a host or another rule an alias to that. A rule that several items lead to is there once.
///
/// # Errors
/// [`NoRoom`] in zones whose names are longer than some 200 bytes.
pub fn expand(document: &Document, plot: &Plot<'_>) -> Result<Tree, NoRoom> {
    let used = document.used_rules().into_iter().map(NodeRef::Rule);
    let rules = used.filter_map(|at| match document.node(at) {
        Node::Rule(rule) => Some(rule),
        Node::Endpoint(_) => None,
    });
    let rules: Vec<&PolicyRule> = rules.collect();
    let mut grove = Grove {
        document,
        plot,
        names: HashMap::new(),
    };
    let mut names = 0;
    for rule in &rules {
        let name = tree_name(plot.instance, names, plot.zone)?;
        grove.names.insert(&rule.id, name);
        names += 1;
    }
    let mut sets: Vec<RecordSet> = rules.iter().flat_map(|rule| grove.rule(rule)).collect();
    let data = grove.data(document.start(), None);
    let root = (plot.name.clone(), None);
    sets.push(grove.set(root, Routing::Simple, data, None));
    Ok(Tree { sets, names })
}

/// One of the names that are reserved for an instance's tree: `_tp-`, the instance and a number, right
/// below the zone's apex.
///
/// # Errors
/// [`NoRoom`] if the zone's name is too long for that.
pub(crate) fn tree_name(
    instance: &TrafficPolicyInstanceId,
    number: u32,
    zone: &Zone,
) -> Result<Name, NoRoom> {
    let label = format!("{RESERVED}{instance}-{number}");
    let no_room = || NoRoom(zone.name.clone());
    let len = u8::try_from(label.len()).map_err(|_| no_room())?;
    let wire = [&[len], label.as_bytes(), zone.name.as_wire()].concat();
    Name::from_wire(&wire).map_err(|_| no_room())
}

struct Grove<'a> {
    document: &'a Document,
    plot: &'a Plot<'a>,
    /// Where each rule that is used stands, by its id.
    names: HashMap<&'a str, Name>,
}

impl Grove<'_> {
    fn name(&self, rule: &PolicyRule) -> Name {
        let name = self.names.get(rule.id.as_str());
        name.unwrap_or(self.plot.name).clone()
    }

    fn rule(&self, rule: &PolicyRule) -> Vec<RecordSet> {
        let items = rule.items.iter().enumerate();
        let sets = items.map(|(place, item)| {
            let key = (self.name(rule), Some(self.identifier(place, item.to)));
            let data = self.data(item.to, Some(item.evaluate_target_health));
            self.set(key, item.routing.clone(), data, item.health_check.clone())
        });
        sets.collect()
    }

    fn set(
        &self,
        (name, set_identifier): (Name, Option<String>),
        routing: Routing,
        data: SetData,
        health_check_id: Option<String>,
    ) -> RecordSet {
        RecordSet {
            key: SetKey {
                name,
                rtype: self.document.record_type(),
                set_identifier,
            },
            routing,
            data,
            health_check_id,
            traffic_policy_instance_id: Some(self.plot.instance.to_string()),
        }
    }

    /// What a set that leads there answers with. Where nobody says whether health is evaluated, that
    /// of a rule is: an alias to the root is as healthy as the tree.
    fn data(&self, to: NodeRef, evaluate: Option<bool>) -> SetData {
        let alias = |zone, name, usual| {
            SetData::Alias(AliasTarget {
                zone,
                name,
                evaluate_target_health: evaluate.unwrap_or(usual),
            })
        };
        match self.document.node(to) {
            Node::Rule(rule) => alias(self.plot.zone.id.clone(), self.name(rule), true),
            Node::Endpoint(endpoint) => match &endpoint.target {
                EndpointTarget::Value(value) => SetData::Records {
                    ttl: self.plot.ttl,
                    values: vec![value.clone()],
                },
                EndpointTarget::Host { name, .. } => {
                    let elsewhere = ZoneId::new(EXTERNAL).expect("capital letters");
                    alias(elsewhere, name.clone(), false)
                }
            },
        }
    }

    /// Unique in its rule, and what people read in an explanation.
    fn identifier(&self, place: usize, to: NodeRef) -> String {
        let id = match self.document.node(to) {
            Node::Endpoint(endpoint) => &endpoint.id,
            Node::Rule(rule) => &rule.id,
        };
        let readable = id.chars().filter(|c| !c.is_control());
        let id: String = readable.take(MAX_ID_CHARACTERS).collect();
        format!("{}-{id}", place + 1)
    }
}
