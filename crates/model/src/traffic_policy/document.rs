//! A traffic policy's document once it is read: a start, endpoints and rules, every reference
//! resolved, no loops. Reading it, with everything that can be wrong, is done by the files below;
//! record sets are made of it elsewhere.

mod endpoint;
mod fault;
mod fields;
mod graph;
mod read;
mod rule;

use meridian_dns::{Name, RecordType};

use crate::own_region::OwnRegion;
use crate::routing::{Region, Routing, RoutingKind};

pub use fault::DocumentFault;

/// What a document says. It is complete: endpoints and rules that are referred to are there, each
/// value is one of [`Document::record_type`], and rules come back to themselves nowhere.
///
/// Only regions can still be unknown, as an operator may have added some: see
/// [`Document::unknown_regions`]. Whether health checks exist is nobody's question before the
/// document is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    format: DocumentFormat,
    record_type: RecordType,
    start: NodeRef,
    endpoints: Vec<PolicyEndpoint>,
    rules: Vec<PolicyRule>,
}

/// `AWSPolicyFormatVersion`. Formats differ in how geoproximity rules name places, which cannot be
/// seen in what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// `2015-10-01`.
    V2015,
    /// `2023-05-09`, which knows local zones.
    V2023,
}

/// One thing of a document by its place: in [`Document::endpoints`] or [`Document::rules`] of the
/// document that it came from, and of no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeRef {
    /// The endpoint of this place.
    Endpoint(usize),
    /// The rule of this place.
    Rule(usize),
}

/// What a reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node<'a> {
    /// Where traffic ends up.
    Endpoint(&'a PolicyEndpoint),
    /// A choice between further nodes.
    Rule(&'a PolicyRule),
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEndpoint {
    /// What the document calls it.
    pub id: String,
    /// Where it is.
    pub target: EndpointTarget,
    /// `Region` as it is written, if it is. It matters to websites in S3 alone, whose host is made
    /// of it.
    pub region: Option<String>,
}

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointTarget {
    /// At this value: the text of one record of the document's type, which reads as such.
    Value(String),
    /// At the addresses of a host; the document's type is A or AAAA.
    Host {
        /// What the document takes it for.
        service: EndpointService,
        /// The host, in lower case. Of a website in S3 it is the one of all websites of the region.
        name: Name,
    },
}

/// What there may be at a host. To us they are all the same: a name to be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum EndpointService {
    CloudFront,
    ApplicationLoadBalancer,
    ElasticLoadBalancer,
    NetworkLoadBalancer,
    ElasticBeanstalk,
    S3Website,
}

/// A rule: a group of sets under one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// What the document calls it.
    pub id: String,
    /// Its policy: failover, geolocation, geoproximity, latency, multivalue or weighted, and so that
    /// of all items' [`RuleItem::routing`].
    pub kind: RoutingKind,
    /// In the document's order, at least one; of a failover rule the primary and the secondary. No
    /// two are for the same place or region.
    pub items: Vec<RuleItem>,
}

/// One branch of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleItem {
    /// When it is chosen, as a record set would say it.
    pub routing: Routing,
    /// Where it leads. From a multivalue rule it is always an endpoint with a value.
    pub to: NodeRef,
    /// Whether the health of what it leads to counts; false where the document says nothing. It
    /// means nothing for endpoints with a value.
    pub evaluate_target_health: bool,
    /// The health check that decides whether the branch counts: 1 to 64 characters.
    pub health_check: Option<String>,
}

impl Document {
    /// The most characters of a document.
    pub const MAX_CHARACTERS: usize = 102_400;
    /// The most rules on the way from the start to an endpoint: an alias goes with each, and answers
    /// follow sixteen, of which one leads to the start. Three are left for aliases that lead to the
    /// root: they have to go on when an instance gets a deeper document.
    pub const MAX_RULE_DEPTH: usize = 12;
    /// The most items of a rule: so many sets may have one name and type, whatever an account's
    /// limit is.
    pub const MAX_RULE_ITEMS: usize = 1000;

    /// Reads a document in JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, up to a hundred faults; there is at least one.
    pub fn parse(text: &str) -> Result<Self, Vec<DocumentFault>> {
        read::document(text)
    }

    /// The format it was written in.
    pub fn format(&self) -> DocumentFormat {
        self.format
    }

    /// The type of all record sets that it stands for; never NS, SOA or DS.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// Where it begins.
    pub fn start(&self) -> NodeRef {
        self.start
    }

    /// All endpoints, in the document's order.
    pub fn endpoints(&self) -> &[PolicyEndpoint] {
        &self.endpoints
    }

    /// All rules, in the document's order.
    pub fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }

    /// What a reference of this document leads to.
    ///
    /// # Panics
    /// With the reference of another document, which may be to a place that is not there.
    pub fn node(&self, at: NodeRef) -> Node<'_> {
        match at {
            NodeRef::Endpoint(place) => Node::Endpoint(&self.endpoints[place]),
            NodeRef::Rule(place) => Node::Rule(&self.rules[place]),
        }
    }

    /// The places of the rules that the start leads to, each once and before those that it leads to
    /// itself. It is empty where the start is an endpoint.
    pub fn used_rules(&self) -> Vec<usize> {
        let edges: Vec<Vec<usize>> = self.rules.iter().map(PolicyRule::next_rules).collect();
        match self.start {
            NodeRef::Endpoint(_) => Vec::new(),
            NodeRef::Rule(start) => graph::in_order(&edges, start),
        }
    }

    /// The endpoints and rules that the start does not lead to. There is nothing wrong with them, but
    /// somebody may have meant something.
    pub fn unused(&self) -> Vec<NodeRef> {
        let rules = self.used_rules();
        let items = rules.iter().flat_map(|place| &self.rules[*place].items);
        let mut used: Vec<NodeRef> = items.map(|item| item.to).collect();
        used.push(self.start);
        let endpoints = (0..self.endpoints.len()).map(NodeRef::Endpoint);
        let all = endpoints.chain((0..self.rules.len()).map(NodeRef::Rule));
        all.filter(|node| !used.contains(node)).collect()
    }

    /// The ids of the health checks that it names, each once, in order.
    pub fn health_checks(&self) -> Vec<&str> {
        let items = self.rules.iter().flat_map(|rule| &rule.items);
        let mut ids: Vec<&str> = items
            .filter_map(|item| item.health_check.as_deref())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The regions of latency rules that there are none of: neither AWS's nor one of these.
    pub fn unknown_regions(&self, own: &[OwnRegion]) -> Vec<DocumentFault> {
        let is_known = |region: &Region| {
            Region::new(region.as_str()).is_some() || own.iter().any(|other| other.name == *region)
        };
        let mut faults = Vec::new();
        for rule in &self.rules {
            for (place, item) in rule.items.iter().enumerate() {
                if let Routing::Latency(region) = &item.routing
                    && !is_known(region)
                {
                    faults.push(fault::unknown_region(&rule.id, place, region));
                }
            }
        }
        faults.truncate(fault::MAX_FAULTS);
        faults
    }
}

impl PolicyRule {
    /// The places of the rules that it leads to, in the order of its items.
    fn next_rules(&self) -> Vec<usize> {
        let rule = |item: &RuleItem| match item.to {
            NodeRef::Rule(place) => Some(place),
            NodeRef::Endpoint(_) => None,
        };
        self.items.iter().filter_map(rule).collect()
    }
}

impl DocumentFormat {
    const ALL: [Self; 2] = [Self::V2015, Self::V2023];

    /// As documents have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2015 => "2015-10-01",
            Self::V2023 => "2023-05-09",
        }
    }
}

impl EndpointService {
    const ALL: [Self; 6] = [
        Self::CloudFront,
        Self::ApplicationLoadBalancer,
        Self::ElasticLoadBalancer,
        Self::NetworkLoadBalancer,
        Self::ElasticBeanstalk,
        Self::S3Website,
    ];

    /// The format's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::ApplicationLoadBalancer => "application-load-balancer",
            Self::ElasticLoadBalancer => "elastic-load-balancer",
            Self::NetworkLoadBalancer => "network-load-balancer",
            Self::ElasticBeanstalk => "elastic-beanstalk",
            Self::S3Website => "s3-website",
        }
    }
}

#[cfg(test)]
mod tests;
