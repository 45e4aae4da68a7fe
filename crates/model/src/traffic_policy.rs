//! Traffic policies: what is routed where, written down once for the names of many zones. Making
//! record sets of a policy is the business of its instances.

mod document;

pub use document::{
    Document, DocumentFault, DocumentFormat, EndpointService, EndpointTarget, Node, NodeRef,
    PolicyEndpoint, PolicyRule, RuleItem,
};
