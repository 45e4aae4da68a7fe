//! Routing policies as record sets carry them. Choosing by them is the business of `answer`.

use std::fmt;

/// The policy of one record set with its parameters. All sets of one name and type have the same
/// [`RoutingKind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    /// The one set of its name and type.
    Simple,
    /// Chosen in proportion to the weight, 0 to 255.
    Weighted(u8),
    /// Chosen when its region is the fastest for the client.
    Latency(Region),
    /// The first or the second of a pair.
    Failover(FailoverRole),
    /// Chosen by the client's place.
    Geolocation(GeoLocation),
    /// One of up to eight healthy sets that are answered together.
    Multivalue,
    /// Chosen by the client's network.
    Cidr {
        /// The collection's id.
        collection_id: String,
        /// A location of the collection, or `*` for every other client.
        location: String,
    },
    /// Chosen by biased distance.
    Geoproximity(GeoproximityLocation),
}

impl Routing {
    /// Which policy it is, without the parameters.
    pub fn kind(&self) -> RoutingKind {
        match self {
            Self::Simple => RoutingKind::Simple,
            Self::Weighted(_) => RoutingKind::Weighted,
            Self::Latency(_) => RoutingKind::Latency,
            Self::Failover(_) => RoutingKind::Failover,
            Self::Geolocation(_) => RoutingKind::Geolocation,
            Self::Multivalue => RoutingKind::Multivalue,
            Self::Cidr { .. } => RoutingKind::Cidr,
            Self::Geoproximity(_) => RoutingKind::Geoproximity,
        }
    }
}

/// The eight policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "described at Routing")]
pub enum RoutingKind {
    Simple,
    Weighted,
    Latency,
    Failover,
    Geolocation,
    Multivalue,
    Cidr,
    Geoproximity,
}

impl fmt::Display for RoutingKind {
    /// As in Route 53's messages: `non-weighted`, `weighted`, ….
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Weighted => "weighted",
            Self::Latency => "latency",
            Self::Failover => "failover",
            Self::Geolocation => "geolocation",
            Self::Multivalue => "multivalue",
            Self::Cidr => "cidr",
            Self::Geoproximity => "geoproximity",
        })
    }
}

/// A region's name, as in `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Box<str>);

/// The regions a latency record may name (Route 53's `ResourceRecordSetRegion`).
const AWS_REGIONS: [&str; 39] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "ca-west-1",
    "mx-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eusc-de-east-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "me-south-1",
    "me-central-1",
    "il-central-1",
    "af-south-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
];

impl Region {
    /// The names of the default list, in the order of the API's enumeration.
    pub fn known() -> impl Iterator<Item = &'static str> {
        AWS_REGIONS.into_iter()
    }

    /// A region of the default list.
    pub fn new(name: &str) -> Option<Self> {
        AWS_REGIONS.contains(&name).then(|| Self(name.into()))
    }

    /// A region by a name that one of the operator's own may have, whether there is one or not: of
    /// letters, digits and hyphens, all small, 64 at most.
    pub fn possible(name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let has_form = (1..=64).contains(&name.len()) && name.bytes().all(fits);
        has_form.then(|| Self(name.into()))
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

/// The half of a failover pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum FailoverRole {
    Primary,
    Secondary,
}

impl FailoverRole {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }
}

/// Where a geolocation set applies. At least one field is present.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GeoLocation {
    /// AF AN AS EU OC NA SA; alone.
    pub continent: Option<String>,
    /// Two letters, or `*` for the default.
    pub country: Option<String>,
    /// With a country only.
    pub subdivision: Option<String>,
}

/// Where a geoproximity set stands, and how far its reach is stretched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeoproximityLocation {
    /// The place.
    pub place: GeoproximityPlace,
    /// −99 to 99; absent and 0 act alike but are echoed as given.
    pub bias: Option<i8>,
}

/// The three ways to name a place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GeoproximityPlace {
    /// An AWS region.
    Region(String),
    /// A local zone group.
    LocalZoneGroup(String),
    /// A point.
    Coordinates(Coordinates),
}

impl GeoproximityPlace {
    /// Whether both are the same place, however the coordinates are spelt.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Coordinates(a), Self::Coordinates(b)) => a.degrees() == b.degrees(),
            _ => self == other,
        }
    }
}

/// A point, kept as the text it was given in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coordinates {
    /// −90 to 90, at most two decimals.
    pub latitude: String,
    /// −180 to 180, at most two decimals.
    pub longitude: String,
}

impl Coordinates {
    /// Latitude and longitude; none where a text is no number of at most two decimals, or lies
    /// beyond the poles or the date line.
    pub(crate) fn degrees(&self) -> Option<(f64, f64)> {
        Some((
            degrees(&self.latitude, 90.0)?,
            degrees(&self.longitude, 180.0)?,
        ))
    }
}

fn degrees(text: &str, most: f64) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_form = (1..=3).contains(&whole.len()) && fraction.len() <= 2;
    let number: f64 = text.parse().ok()?;
    (has_form && is_number(whole) && is_number(fraction) && number.abs() <= most).then_some(number)
}
