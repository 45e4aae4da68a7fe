//! The stored form of record sets and their keys.

use meridian_model::{
    AliasTarget, Coordinates, FailoverRole, GeoLocation, GeoproximityLocation, GeoproximityPlace,
    RecordSet, Region, Routing, SetData, SetKey,
};
use prost::{Message, Oneof};

use super::zone::zone_id;
use super::{DecodeError, Stored, name, plain, record_type, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SetKeyMessage {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
    #[prost(uint32, tag = "2")]
    rtype: u32,
    #[prost(string, optional, tag = "3")]
    set_identifier: Option<String>,
}

impl Stored for SetKey {
    type Message = SetKeyMessage;

    fn to_message(&self) -> SetKeyMessage {
        SetKeyMessage {
            name: self.name.as_wire().into(),
            rtype: u32::from(self.rtype.code()),
            set_identifier: self.set_identifier.clone(),
        }
    }

    fn from_message(message: SetKeyMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            name: name(&message.name, "set name")?,
            rtype: record_type(message.rtype)?,
            set_identifier: message.set_identifier,
        })
    }
}

/// The key's fields stand in the set's own message: sets are read by the million.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RecordSetMessage {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
    #[prost(uint32, tag = "2")]
    rtype: u32,
    #[prost(string, optional, tag = "3")]
    set_identifier: Option<String>,
    #[prost(oneof = "RoutingMessage", tags = "4, 5, 6, 7, 8, 9, 10, 11")]
    routing: Option<RoutingMessage>,
    #[prost(oneof = "DataMessage", tags = "12, 13")]
    data: Option<DataMessage>,
    #[prost(string, optional, tag = "14")]
    health_check_id: Option<String>,
    #[prost(string, optional, tag = "15")]
    traffic_policy_instance_id: Option<String>,
}

/// Simple routing is written, not left out: a policy that this version does not know must fail to
/// decode instead of turning into a simple one.
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum RoutingMessage {
    #[prost(bool, tag = "4")]
    Simple(bool),
    #[prost(uint32, tag = "5")]
    Weighted(u32),
    #[prost(string, tag = "6")]
    Latency(String),
    /// 1 primary, 2 secondary.
    #[prost(uint32, tag = "7")]
    Failover(u32),
    #[prost(message, tag = "8")]
    Geolocation(GeoLocationMessage),
    #[prost(bool, tag = "9")]
    Multivalue(bool),
    #[prost(message, tag = "10")]
    Cidr(CidrMessage),
    #[prost(message, tag = "11")]
    Geoproximity(GeoproximityMessage),
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum DataMessage {
    #[prost(message, tag = "12")]
    Records(RecordsMessage),
    #[prost(message, tag = "13")]
    Alias(AliasMessage),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RecordsMessage {
    #[prost(uint32, tag = "1")]
    ttl: u32,
    #[prost(string, repeated, tag = "2")]
    values: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AliasMessage {
    #[prost(string, tag = "1")]
    zone: String,
    #[prost(bytes = "vec", tag = "2")]
    name: Vec<u8>,
    #[prost(bool, tag = "3")]
    evaluate_target_health: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GeoLocationMessage {
    #[prost(string, optional, tag = "1")]
    continent: Option<String>,
    #[prost(string, optional, tag = "2")]
    country: Option<String>,
    #[prost(string, optional, tag = "3")]
    subdivision: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CidrMessage {
    #[prost(string, tag = "1")]
    collection_id: String,
    #[prost(string, tag = "2")]
    location: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GeoproximityMessage {
    #[prost(oneof = "PlaceMessage", tags = "1, 2, 3")]
    place: Option<PlaceMessage>,
    #[prost(sint32, optional, tag = "4")]
    bias: Option<i32>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum PlaceMessage {
    #[prost(string, tag = "1")]
    Region(String),
    #[prost(string, tag = "2")]
    LocalZoneGroup(String),
    #[prost(message, tag = "3")]
    Coordinates(CoordinatesMessage),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CoordinatesMessage {
    #[prost(string, tag = "1")]
    pub(super) latitude: String,
    #[prost(string, tag = "2")]
    pub(super) longitude: String,
}

impl Stored for RecordSet {
    type Message = RecordSetMessage;

    fn to_message(&self) -> RecordSetMessage {
        let SetKeyMessage {
            name,
            rtype,
            set_identifier,
        } = self.key.to_message();
        RecordSetMessage {
            name,
            rtype,
            set_identifier,
            routing: Some(store_routing(&self.routing)),
            data: Some(store_data(&self.data)),
            health_check_id: self.health_check_id.clone(),
            traffic_policy_instance_id: self.traffic_policy_instance_id.clone(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        match plain::decode(bytes) {
            Some(set) => Ok(set),
            None => Self::from_message(RecordSetMessage::decode(bytes)?),
        }
    }

    fn from_message(message: RecordSetMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            key: SetKey {
                name: name(&message.name, "set name")?,
                rtype: record_type(message.rtype)?,
                set_identifier: message.set_identifier,
            },
            routing: load_routing(required(message.routing, "routing")?)?,
            data: load_data(required(message.data, "data")?)?,
            health_check_id: message.health_check_id,
            traffic_policy_instance_id: message.traffic_policy_instance_id,
        })
    }
}

fn store_data(data: &SetData) -> DataMessage {
    match data {
        SetData::Records { ttl, values } => DataMessage::Records(RecordsMessage {
            ttl: *ttl,
            values: values.clone(),
        }),
        SetData::Alias(target) => DataMessage::Alias(AliasMessage {
            zone: target.zone.as_str().into(),
            name: target.name.as_wire().into(),
            evaluate_target_health: target.evaluate_target_health,
        }),
    }
}

fn load_data(message: DataMessage) -> Result<SetData, DecodeError> {
    Ok(match message {
        DataMessage::Records(RecordsMessage { ttl, values }) => SetData::Records { ttl, values },
        DataMessage::Alias(alias) => SetData::Alias(AliasTarget {
            zone: zone_id(&alias.zone)?,
            name: name(&alias.name, "alias name")?,
            evaluate_target_health: alias.evaluate_target_health,
        }),
    })
}

fn store_routing(routing: &Routing) -> RoutingMessage {
    match routing {
        Routing::Simple => RoutingMessage::Simple(true),
        Routing::Weighted(weight) => RoutingMessage::Weighted(u32::from(*weight)),
        Routing::Latency(region) => RoutingMessage::Latency(region.as_str().into()),
        Routing::Failover(FailoverRole::Primary) => RoutingMessage::Failover(1),
        Routing::Failover(FailoverRole::Secondary) => RoutingMessage::Failover(2),
        Routing::Geolocation(location) => RoutingMessage::Geolocation(GeoLocationMessage {
            continent: location.continent.clone(),
            country: location.country.clone(),
            subdivision: location.subdivision.clone(),
        }),
        Routing::Multivalue => RoutingMessage::Multivalue(true),
        Routing::Cidr {
            collection_id,
            location,
        } => RoutingMessage::Cidr(CidrMessage {
            collection_id: collection_id.clone(),
            location: location.clone(),
        }),
        Routing::Geoproximity(location) => RoutingMessage::Geoproximity(GeoproximityMessage {
            place: Some(store_place(&location.place)),
            bias: location.bias.map(i32::from),
        }),
    }
}

fn load_routing(message: RoutingMessage) -> Result<Routing, DecodeError> {
    Ok(match message {
        RoutingMessage::Simple(_) => Routing::Simple,
        RoutingMessage::Weighted(weight) => {
            Routing::Weighted(u8::try_from(weight).map_err(|_| DecodeError::Field("weight"))?)
        }
        RoutingMessage::Latency(region) => Routing::Latency(Region::stored(&region)),
        RoutingMessage::Failover(1) => Routing::Failover(FailoverRole::Primary),
        RoutingMessage::Failover(2) => Routing::Failover(FailoverRole::Secondary),
        RoutingMessage::Failover(_) => return Err(DecodeError::Field("failover")),
        RoutingMessage::Geolocation(location) => Routing::Geolocation(GeoLocation {
            continent: location.continent,
            country: location.country,
            subdivision: location.subdivision,
        }),
        RoutingMessage::Multivalue(_) => Routing::Multivalue,
        RoutingMessage::Cidr(cidr) => Routing::Cidr {
            collection_id: cidr.collection_id,
            location: cidr.location,
        },
        RoutingMessage::Geoproximity(location) => Routing::Geoproximity(GeoproximityLocation {
            place: load_place(required(location.place, "place")?),
            bias: location
                .bias
                .map(i8::try_from)
                .transpose()
                .map_err(|_| DecodeError::Field("bias"))?,
        }),
    })
}

fn store_place(place: &GeoproximityPlace) -> PlaceMessage {
    match place {
        GeoproximityPlace::Region(region) => PlaceMessage::Region(region.clone()),
        GeoproximityPlace::LocalZoneGroup(group) => PlaceMessage::LocalZoneGroup(group.clone()),
        GeoproximityPlace::Coordinates(point) => PlaceMessage::Coordinates(CoordinatesMessage {
            latitude: point.latitude.clone(),
            longitude: point.longitude.clone(),
        }),
    }
}

fn load_place(message: PlaceMessage) -> GeoproximityPlace {
    match message {
        PlaceMessage::Region(region) => GeoproximityPlace::Region(region),
        PlaceMessage::LocalZoneGroup(group) => GeoproximityPlace::LocalZoneGroup(group),
        PlaceMessage::Coordinates(point) => GeoproximityPlace::Coordinates(Coordinates {
            latitude: point.latitude,
            longitude: point.longitude,
        }),
    }
}
