//! What queries would be answered with: asked of whoever answers them in this process.
//!
//! How answers come about is the other plane's business; here is only what is asked and told.

use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_model::Zone;

use crate::control::Control;

/// A query as a resolver would send it to the name servers of a zone.
#[derive(Debug, Clone)]
pub struct TestQuery<'a> {
    /// Whose name servers are asked.
    pub zone: &'a Zone,
    /// The name asked for.
    pub name: &'a Name,
    /// The type asked for.
    pub rtype: RecordType,
    /// Who asks.
    pub resolver: IpAddr,
    /// For whom, as the resolver tells it: an address and how many of its bits (RFC 7871).
    pub client: Option<(IpAddr, u8)>,
}

/// What is taken for granted, whatever it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supposed {
    /// The region that the client is in.
    pub region: Option<String>,
    /// Health checks by id, and whether they are up.
    pub health: Vec<(String, bool)>,
}

/// What the reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestAnswer {
    /// One of the zone's name servers, which is asked.
    pub name_server: Name,
    /// The response code, as in `NXDOMAIN`.
    pub rcode: String,
    /// The data of the records in the answer section, in Route 53's text form.
    pub data: Vec<String>,
    /// How it came in the end.
    pub protocol: TestProtocol,
}

/// How a reply comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum TestProtocol {
    Udp,
    Tcp,
}

/// Whoever answers queries in this process.
pub trait Answering: Send + Sync {
    /// What the name servers would answer now; none when nothing of that zone is served here.
    fn test(&self, query: &TestQuery<'_>) -> Option<TestAnswer>;

    /// Why they would answer that, as a JSON document that tells of this zone's owner alone.
    fn explain(&self, query: &TestQuery<'_>, supposed: &Supposed) -> Option<String>;
}

/// Answers nothing: there is no data plane.
#[derive(Debug)]
pub(crate) struct Silent;

impl Answering for Silent {
    fn test(&self, _: &TestQuery<'_>) -> Option<TestAnswer> {
        None
    }

    fn explain(&self, _: &TestQuery<'_>, _: &Supposed) -> Option<String> {
        None
    }
}

impl Control {
    /// The same, with somebody to ask what is answered.
    #[must_use]
    pub fn with_answering(mut self, answering: Box<dyn Answering>) -> Self {
        self.answering = answering;
        self
    }
}
