//! Numbers of the DNS registries that this server has to know by name. Stored record types are
//! in [`RecordType`](crate::RecordType).

/// Operation codes (RFC 6895 section 2.2).
pub mod opcode {
    /// A standard query.
    pub const QUERY: u8 = 0;
}

/// Response codes; those above 15 need an OPT record (RFC 6895 section 2.3).
pub mod rcode {
    /// No error.
    pub const NOERROR: u16 = 0;
    /// The query could not be read.
    pub const FORMERR: u16 = 1;
    /// The server has a problem of its own.
    pub const SERVFAIL: u16 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u16 = 3;
    /// This kind of query is not supported.
    pub const NOTIMP: u16 = 4;
    /// The server does not answer this by policy.
    pub const REFUSED: u16 = 5;
    /// The EDNS version is not supported (RFC 6891 section 9).
    pub const BADVERS: u16 = 16;
    /// The server cookie is missing or wrong (RFC 7873 section 8).
    pub const BADCOOKIE: u16 = 23;
}

/// Types that are asked for or met but never stored.
pub mod qtype {
    /// Host information; the answer to ANY (RFC 8482).
    pub const HINFO: u16 = 13;
    /// EDNS pseudo-record (RFC 6891).
    pub const OPT: u16 = 41;
    /// Transaction signature pseudo-record (RFC 8945).
    pub const TSIG: u16 = 250;
    /// Incremental zone transfer (RFC 1995).
    pub const IXFR: u16 = 251;
    /// Full zone transfer (RFC 5936).
    pub const AXFR: u16 = 252;
    /// Any type that is there (RFC 8482).
    pub const ANY: u16 = 255;
}

/// Classes.
pub mod class {
    /// The Internet.
    pub const IN: u16 = 1;
    /// Chaos; used for `version.bind` and the like.
    pub const CH: u16 = 3;
    /// Any class.
    pub const ANY: u16 = 255;
}

/// EDNS option codes.
pub mod option {
    /// Name server identifier (RFC 5001).
    pub const NSID: u16 = 3;
    /// Client subnet (RFC 7871).
    pub const CLIENT_SUBNET: u16 = 8;
    /// Cookie (RFC 7873).
    pub const COOKIE: u16 = 10;
    /// How long an idle connection is kept (RFC 7828).
    pub const TCP_KEEPALIVE: u16 = 11;
    /// Padding (RFC 7830).
    pub const PADDING: u16 = 12;
    /// Extended DNS error (RFC 8914).
    pub const EXTENDED_ERROR: u16 = 15;
    /// Version of the zone (RFC 9660).
    pub const ZONEVERSION: u16 = 19;
}

/// Extended DNS error codes (RFC 8914 section 4).
pub mod ede {
    /// Something that has no code.
    pub const OTHER: u16 = 0;
    /// The answer is stale data.
    pub const STALE_ANSWER: u16 = 3;
    /// The server is not ready yet.
    pub const NOT_READY: u16 = 14;
    /// The domain is blocked by the operator.
    pub const BLOCKED: u16 = 15;
    /// The client may not ask this.
    pub const PROHIBITED: u16 = 18;
    /// The server is not responsible for the name.
    pub const NOT_AUTHORITATIVE: u16 = 20;
    /// This kind of query is not supported.
    pub const NOT_SUPPORTED: u16 = 21;
    /// No authority could be reached.
    pub const NO_REACHABLE_AUTHORITY: u16 = 22;
    /// Data of the zone is invalid.
    pub const INVALID_DATA: u16 = 24;
}
