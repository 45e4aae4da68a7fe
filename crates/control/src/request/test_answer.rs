//! What TestDNSAnswer takes.

use std::net::IpAddr;

use meridian_dns::RecordType;

/// `TestDNSAnswerRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestDnsAnswer {
    /// The zone whose name servers are asked.
    pub hosted_zone_id: String,
    /// The name asked for, as text.
    pub record_name: String,
    /// The type asked for.
    pub record_type: RecordType,
    /// Who asks; unless given a resolver in us-east-1.
    pub resolver: Option<IpAddr>,
    /// For whom.
    pub client: Option<IpAddr>,
    /// How many bits of that address are told; 24 or 64 unless given.
    pub client_mask: Option<u8>,
}
