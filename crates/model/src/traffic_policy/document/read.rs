//! From a document's JSON to the document: its outermost object, and names becoming places.

use std::collections::HashMap;

use meridian_dns::RecordType;

use super::fault::{DocumentFault, Faults, Path, echo};
use super::fields::{Fields, named};
use super::{Document, DocumentFormat, EndpointTarget, NodeRef, PolicyEndpoint, PolicyRule};
use super::{endpoint, graph, rule};
use crate::json::{Json, JsonNames};

const KNOWN: [&str; 6] = [
    "AWSPolicyFormatVersion",
    "RecordType",
    "StartEndpoint",
    "StartRule",
    "Endpoints",
    "Rules",
];

/// The types that no policy can be used with, as all but the simple ones.
const UNROUTED: [RecordType; 3] = [RecordType::Ns, RecordType::Soa, RecordType::Ds];
/// The most characters of the id of an endpoint or rule.
const MAX_ID: usize = 128;

/// Reads a document.
pub(super) fn document(text: &str) -> Result<Document, Vec<DocumentFault>> {
    let mut faults = Faults::default();
    let document = checked(text, &mut faults);
    faults.or(document)
}

fn checked(text: &str, faults: &mut Faults) -> Option<Document> {
    let whole = &Path::WHOLE;
    if text.chars().nth(Document::MAX_CHARACTERS).is_some() {
        let most = Document::MAX_CHARACTERS;
        faults.add(whole, format!("it is longer than {most} characters"));
        return None;
    }
    let json = Json::parse(text, JsonNames::AsWritten)
        .map_err(|error| faults.add(whole, format!("it is not JSON: {error}")))
        .ok()?;
    let fields = Fields::of(&json, whole, &KNOWN, faults)?;
    let format = format(&fields, faults);
    let record_type = record_type(&fields, faults);
    let nodes = Nodes::of(&fields, faults);
    let mut endpoints = Vec::with_capacity(nodes.endpoints.len());
    for (id, json) in nodes.endpoints {
        let path = whole.field("Endpoints");
        endpoints.push(endpoint::read(
            id,
            json,
            &path.field(id),
            record_type,
            faults,
        ));
    }
    let context = rule::Context {
        format: format.unwrap_or(DocumentFormat::V2015),
        record_type,
        values: &endpoints.iter().map(has_value).collect::<Vec<_>>(),
        nodes: &nodes,
    };
    let mut edges = Vec::with_capacity(nodes.rules.len());
    let mut rules = Vec::with_capacity(nodes.rules.len());
    for (id, json) in nodes.rules {
        let path = whole.field("Rules");
        let mut next = Vec::new();
        rules.push(rule::read(
            id,
            json,
            &path.field(id),
            &context,
            &mut next,
            faults,
        ));
        edges.push(next);
    }
    let start = start(&fields, &nodes, faults);
    check_shape(&nodes, &edges, start, faults);
    Some(Document {
        format: format?,
        record_type: record_type?,
        start: start?,
        endpoints: endpoints.into_iter().collect::<Option<Vec<_>>>()?,
        rules: rules.into_iter().collect::<Option<Vec<PolicyRule>>>()?,
    })
}

/// Whether an endpoint is at a value; true also of one that is none, as that was told already.
fn has_value(endpoint: &Option<PolicyEndpoint>) -> bool {
    endpoint
        .as_ref()
        .is_none_or(|endpoint| matches!(endpoint.target, EndpointTarget::Value(_)))
}

/// The endpoints and rules by their ids, as the document has them.
pub(super) struct Nodes<'a> {
    endpoints: &'a [(String, Json)],
    rules: &'a [(String, Json)],
    endpoint_places: HashMap<&'a str, usize>,
    rule_places: HashMap<&'a str, usize>,
}

impl<'a> Nodes<'a> {
    fn of(fields: &Fields<'a>, faults: &mut Faults) -> Self {
        let endpoints = Self::ids(fields, "Endpoints", faults);
        let rules = Self::ids(fields, "Rules", faults);
        Self {
            endpoints,
            rules,
            endpoint_places: places(endpoints),
            rule_places: places(rules),
        }
    }

    fn ids(fields: &Fields<'a>, name: &str, faults: &mut Faults) -> &'a [(String, Json)] {
        let Some(json) = fields.get(name) else {
            return &[];
        };
        let path = fields.path.field(name);
        let named = named(json, &path, faults).unwrap_or_default();
        for (id, _) in named {
            if id.is_empty() || id.chars().nth(MAX_ID).is_some() {
                let text = format!("an id has 1 to {MAX_ID} characters");
                faults.add(&path.field(id), text);
            }
        }
        named
    }

    /// The one of two fields that is there leads somewhere.
    pub(super) fn reference(
        &self,
        fields: &Fields<'_>,
        (endpoint, rule): (&str, &str),
        faults: &mut Faults,
    ) -> Option<NodeRef> {
        match (fields.get(endpoint), fields.get(rule)) {
            (Some(_), None) => {
                let id = fields.text(endpoint, faults)?;
                let place = self.endpoint_places.get(id).copied();
                if place.is_none() {
                    let text = format!("there is no endpoint '{}'", echo(id));
                    faults.add(&fields.path.field(endpoint), text);
                }
                place.map(NodeRef::Endpoint)
            }
            (None, Some(_)) => {
                let id = fields.text(rule, faults)?;
                let place = self.rule_places.get(id).copied();
                if place.is_none() {
                    let text = format!("there is no rule '{}'", echo(id));
                    faults.add(&fields.path.field(rule), text);
                }
                place.map(NodeRef::Rule)
            }
            (found, _) => {
                let which = if found.is_some() {
                    "not both"
                } else {
                    "not neither"
                };
                faults.add(fields.path, format!("needs {endpoint} or {rule}, {which}"));
                None
            }
        }
    }
}

fn places(named: &[(String, Json)]) -> HashMap<&str, usize> {
    let places = named.iter().enumerate();
    places
        .map(|(place, (id, _))| (id.as_str(), place))
        .collect()
}

fn start(fields: &Fields<'_>, nodes: &Nodes<'_>, faults: &mut Faults) -> Option<NodeRef> {
    nodes.reference(fields, ("StartEndpoint", "StartRule"), faults)
}

fn format(fields: &Fields<'_>, faults: &mut Faults) -> Option<DocumentFormat> {
    let name = "AWSPolicyFormatVersion";
    let text = fields.required_text(name, faults)?;
    let mut all = DocumentFormat::ALL.into_iter();
    let format = all.find(|format| format.as_str() == text);
    if format.is_none() {
        let text = format!("'{}' is not 2015-10-01 or 2023-05-09", echo(text));
        faults.add(&fields.path.field(name), text);
    }
    format
}

fn record_type(fields: &Fields<'_>, faults: &mut Faults) -> Option<RecordType> {
    let name = "RecordType";
    let text = fields.required_text(name, faults)?;
    let mut routed = RecordType::ALL
        .into_iter()
        .filter(|t| !UNROUTED.contains(t));
    let found = routed.find(|rtype| rtype.as_str() == text);
    if found.is_none() {
        let text = format!("'{}' is not a record type that can be routed", echo(text));
        faults.add(&fields.path.field(name), text);
    }
    found
}

/// Rules lead nowhere back to themselves, and are not nested too deep.
fn check_shape(
    nodes: &Nodes<'_>,
    edges: &[Vec<usize>],
    start: Option<NodeRef>,
    faults: &mut Faults,
) {
    let path = Path::WHOLE.field("Rules");
    let id = |place: usize| nodes.rules.get(place).map_or("", |(id, _)| id.as_str());
    if let Some(round) = graph::round(edges) {
        let first = round.first().copied().unwrap_or_default();
        let way: Vec<String> = round.iter().map(|place| echo(id(*place))).collect();
        let text = format!("it leads back to itself: {}", shortened(&way));
        faults.add(&path.field(id(first)), text);
        return;
    }
    if let Some(NodeRef::Rule(start)) = start
        && graph::depth(edges, start) > Document::MAX_RULE_DEPTH
    {
        let most = Document::MAX_RULE_DEPTH;
        faults.add(
            &path.field(id(start)),
            format!("more than {most} rules follow each other from here"),
        );
    }
}

/// A way through rules of which only the beginning is told when it is long.
fn shortened(way: &[String]) -> String {
    const MOST: usize = 16;
    let shown = way.get(..way.len().min(MOST)).unwrap_or_default();
    let more = if way.len() > MOST { " → …" } else { "" };
    format!("{}{more}", shown.join(" → "))
}
