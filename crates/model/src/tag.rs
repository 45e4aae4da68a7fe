//! Tags: texts that users put on zones and health checks. Nothing is decided by them here.

/// The tags of one resource. A resource without any has no such set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSet {
    /// Whose they are.
    pub resource: TaggedResource,
    /// Each key once, in the order of the keys' bytes.
    pub tags: Vec<Tag>,
}

/// What tags are put on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaggedResource {
    /// What it is.
    pub kind: TaggedKind,
    /// Its bare id.
    pub id: String,
}

/// `TagResourceType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum TaggedKind {
    HealthCheck,
    HostedZone,
}

impl TaggedKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::HealthCheck, Self::HostedZone];

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HealthCheck => "healthcheck",
            Self::HostedZone => "hostedzone",
        }
    }
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// 1 to 128 characters, unique in the resource; case matters.
    pub key: String,
    /// At most 256 characters.
    pub value: String,
}
