//! The regions that endpoints are probed from, and those whose alarms a check may name.

/// A region that endpoints are probed from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckerRegion(Box<str>);

/// Route 53's regions of checkers.
const CHECKER_REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];

/// `CloudWatchRegion`, in the order of the API's enumeration.
pub const ALARM_REGIONS: [&str; 46] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-east-1",
    "me-south-1",
    "me-central-1",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "eu-north-1",
    "sa-east-1",
    "cn-northwest-1",
    "cn-north-1",
    "af-south-1",
    "eu-south-1",
    "eu-south-2",
    "us-gov-west-1",
    "us-gov-east-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "ap-southeast-4",
    "il-central-1",
    "ca-west-1",
    "ap-southeast-5",
    "mx-central-1",
    "us-isof-south-1",
    "us-isof-east-1",
    "ap-southeast-7",
    "ap-east-2",
    "eu-isoe-west-1",
    "ap-southeast-6",
    "us-isob-west-1",
    "eusc-de-east-1",
];

impl CheckerRegion {
    /// The names of all, in the order of the API's enumeration.
    pub fn known() -> impl Iterator<Item = &'static str> {
        CHECKER_REGIONS.into_iter()
    }

    /// One of them.
    pub fn new(name: &str) -> Option<Self> {
        CHECKER_REGIONS.contains(&name).then(|| Self(name.into()))
    }

    /// A region as stored: checked when it was written, possibly by another version.
    pub fn stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
