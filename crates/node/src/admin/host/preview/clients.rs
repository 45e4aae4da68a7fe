//! The clients that a change is looked at for: every country, those that are nowhere known, and the
//! subdivisions and CIDR locations that some set tells apart. Of a private zone its VPCs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use meridian_answer::GroupSeen;
use meridian_atlas::Place;
use meridian_control::{ChangePreview, PreviewedCollection};
use meridian_model::{CidrBlock, Country, Routing, Subdivision};
use serde_json::{Value, json};

/// Addresses of nobody, for clients that are known by their country alone.
const NOBODY: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(240, 0, 0, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1)),
];

/// A client, and how it is called.
#[derive(Debug, Clone)]
pub(super) struct PreviewedClient {
    pub(super) label: Label,
    pub(super) address: IpAddr,
    /// Where it is supposed to be; none where its VPC says that.
    pub(super) place: Option<Place>,
}

/// What a client is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// Nothing is known of where it is.
    Unknown,
    Country(Country),
    Subdivision(Country, Subdivision),
    /// The collection's name and the location.
    Location(String, String),
    /// Its id.
    Vpc(String),
}

/// Whoever may ask.
#[derive(Debug)]
pub(super) struct Clients {
    usual: Vec<PreviewedClient>,
    collections: Vec<PreviewedCollection>,
    nobody: IpAddr,
}

impl Clients {
    pub(super) fn of(change: &ChangePreview) -> Result<Self> {
        let collections = change.collections()?;
        let blocks = || collections.iter().flat_map(|found| &found.blocks);
        let free = |address: &IpAddr| !blocks().any(|(block, _)| holds(block, *address));
        let nobody = NOBODY.into_iter().find(free).unwrap_or(NOBODY[0]);
        let usual = if change.zone.private {
            let vpcs = change.vpcs()?.into_iter();
            let clients = vpcs.filter_map(|vpc| {
                Some(PreviewedClient {
                    label: Label::Vpc(vpc.id.to_string()),
                    address: vpc.networks.first()?.address(),
                    place: None,
                })
            });
            clients.collect()
        } else {
            let countries = Country::all().map(|country| PreviewedClient {
                label: Label::Country(country),
                address: nobody,
                place: Some(Place::in_country(country).completed()),
            });
            let unknown = PreviewedClient {
                label: Label::Unknown,
                address: nobody,
                place: Some(Place::UNKNOWN),
            };
            std::iter::once(unknown).chain(countries).collect()
        };
        Ok(Self {
            usual,
            collections,
            nobody,
        })
    }

    /// Those that are always looked at, where answers depend on the client at all.
    pub(super) fn usual(&self) -> &[PreviewedClient] {
        &self.usual
    }

    /// Those that only sets of these groups tell apart, each once and in the order of the groups.
    pub(super) fn told_apart(
        &self,
        change: &ChangePreview,
        groups: &[GroupSeen],
    ) -> Result<Vec<PreviewedClient>> {
        let mut found: Vec<PreviewedClient> = Vec::new();
        if change.zone.private {
            return Ok(found);
        }
        for group in groups.iter().filter(|group| group.by_client) {
            for set in change.sets_at(&group.zone, &group.name)? {
                let client = match &set.routing {
                    Routing::Geolocation(place) => {
                        let country = place.country.as_deref().and_then(Country::new);
                        let part = place.subdivision.as_deref().and_then(Subdivision::new);
                        country.zip(part).map(|place| self.in_subdivision(place))
                    }
                    Routing::Cidr {
                        collection_id,
                        location,
                    } => self.at_location(collection_id, location),
                    _ => None,
                };
                if let Some(client) = client
                    && !found.iter().any(|known| known.label == client.label)
                {
                    found.push(client);
                }
            }
        }
        Ok(found)
    }

    fn in_subdivision(&self, (country, part): (Country, Subdivision)) -> PreviewedClient {
        let place = Place {
            subdivision: Some(part),
            ..Place::in_country(country)
        };
        PreviewedClient {
            label: Label::Subdivision(country, part),
            address: self.nobody,
            place: Some(place.completed()),
        }
    }

    /// A client at a location: the first or the last address of one of its blocks that no longer
    /// block takes away; none where all of them are taken.
    fn at_location(&self, collection: &str, location: &str) -> Option<PreviewedClient> {
        let mut collections = self.collections.iter();
        let found = collections.find(|found| found.collection.id.as_str() == collection)?;
        let (collection, blocks) = (&found.collection, &found.blocks);
        let own = blocks.iter().filter(|(_, name)| name.as_str() == location);
        let mut ends = own.flat_map(|(block, _)| [block.address(), last_of(block)]);
        let address = ends.find(|address| {
            let holding = blocks.iter().filter(|(block, _)| holds(block, *address));
            let longest = holding.max_by_key(|(block, _)| block.prefix_len());
            longest.is_some_and(|(_, name)| name.as_str() == location)
        })?;
        Some(PreviewedClient {
            label: Label::Location(collection.name.clone(), location.to_owned()),
            address,
            place: Some(Place::UNKNOWN),
        })
    }

    /// Clients as JSON. `whole`: they are all that there are.
    pub(super) fn shown(&self, labels: &[Label], whole: bool) -> Value {
        if whole {
            return json!({ "everyone": true });
        }
        let mut labels = labels.to_vec();
        labels.sort();
        let (mut countries, mut parts) = (Vec::new(), Vec::new());
        let (mut locations, mut vpcs) = (Vec::new(), Vec::new());
        let mut unknown = false;
        for label in labels {
            match label {
                Label::Unknown => unknown = true,
                Label::Country(country) => countries.push(country.to_string()),
                Label::Subdivision(country, part) => {
                    parts.push(format!("{country}-{}", part.as_str()));
                }
                Label::Location(collection, location) => {
                    locations.push(json!({ "collection": collection, "location": location }));
                }
                Label::Vpc(id) => vpcs.push(id),
            }
        }
        let all = self.usual.iter();
        let all: Vec<String> = all
            .filter_map(|client| match &client.label {
                Label::Country(country) => Some(country.to_string()),
                _ => None,
            })
            .collect();
        let others: Vec<&String> = all
            .iter()
            .filter(|code| !countries.contains(code))
            .collect();
        json!({
            "everyone": false,
            "all_countries_but": if others.len() < countries.len() { json!(others) } else { Value::Null },
            "countries": countries,
            "subdivisions": parts,
            "locations": locations,
            "unknown": unknown,
            "vpcs": vpcs,
        })
    }
}

fn holds(block: &CidrBlock, address: IpAddr) -> bool {
    let shared = match (block.address(), address) {
        (IpAddr::V4(block), IpAddr::V4(address)) => {
            (block.to_bits() ^ address.to_bits()).leading_zeros()
        }
        (IpAddr::V6(block), IpAddr::V6(address)) => {
            (block.to_bits() ^ address.to_bits()).leading_zeros()
        }
        _ => return false,
    };
    shared >= u32::from(block.prefix_len())
}

fn last_of(block: &CidrBlock) -> IpAddr {
    let len = u32::from(block.prefix_len());
    match block.address() {
        IpAddr::V4(first) => {
            let last = first.to_bits() | u32::MAX.checked_shr(len).unwrap_or(0);
            IpAddr::V4(last.into())
        }
        IpAddr::V6(first) => {
            let last = first.to_bits() | u128::MAX.checked_shr(len).unwrap_or(0);
            IpAddr::V6(last.into())
        }
    }
}
