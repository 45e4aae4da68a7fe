//! Record sets as a request spells them, before it is known whether they make sense.

use meridian_dns::RecordType;

use crate::id::ZoneId;
use crate::record_set::{RecordSet, SetData};
use crate::routing::{FailoverRole, GeoLocation, GeoproximityLocation, Region, Routing};

/// One element of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftChange {
    /// What to do with the set.
    pub action: Action,
    /// The set.
    pub set: Draft,
}

/// `ChangeAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum Action {
    Create,
    Delete,
    Upsert,
}

impl Action {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        }
    }
}

/// `ResourceRecordSet` of a request: fields are read, their types and ranges hold, how they go
/// together is not checked. Absent is `None`; an empty list of records is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// As sent.
    pub name: String,
    /// The type.
    pub rtype: RecordType,
    /// 1 to 128 characters.
    pub set_identifier: Option<String>,
    /// 0 to 255.
    pub weight: Option<u8>,
    /// For latency.
    pub region: Option<Region>,
    /// For geolocation, as sent.
    pub geo_location: Option<GeoLocation>,
    /// For failover.
    pub failover: Option<FailoverRole>,
    /// `true` asks for multivalue; `false` is the same as absent.
    pub multi_value_answer: Option<bool>,
    /// Seconds, 0 to 2147483647.
    pub ttl: Option<u32>,
    /// The values, as sent.
    pub records: Option<Vec<String>>,
    /// The alias.
    pub alias_target: Option<DraftAlias>,
    /// At most 64 characters.
    pub health_check_id: Option<String>,
    /// 1 to 36 characters.
    pub traffic_policy_instance_id: Option<String>,
    /// Collection id and location name.
    pub cidr_routing_config: Option<(String, String)>,
    /// For geoproximity.
    pub geo_proximity_location: Option<GeoproximityLocation>,
}

/// `AliasTarget` of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftAlias {
    /// The bare zone id.
    pub hosted_zone_id: ZoneId,
    /// As sent.
    pub dns_name: String,
    /// As sent.
    pub evaluate_target_health: bool,
}

impl Draft {
    /// A set without a policy; what zone imports and tests start from.
    pub fn simple(name: &str, rtype: RecordType, ttl: u32, values: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            rtype,
            set_identifier: None,
            weight: None,
            region: None,
            geo_location: None,
            failover: None,
            multi_value_answer: None,
            ttl: Some(ttl),
            records: Some(values.iter().map(|&v| v.to_owned()).collect()),
            alias_target: None,
            health_check_id: None,
            traffic_policy_instance_id: None,
            cidr_routing_config: None,
            geo_proximity_location: None,
        }
    }

    /// The policies that the request names, in the order of the API's model: one at most, if it makes
    /// sense.
    pub fn policies(&self) -> Vec<Routing> {
        let mut policies = Vec::new();
        policies.extend(self.weight.map(Routing::Weighted));
        policies.extend(self.region.clone().map(Routing::Latency));
        policies.extend(self.failover.map(Routing::Failover));
        policies.extend(self.geo_location.clone().map(Routing::Geolocation));
        policies.extend(
            self.multi_value_answer
                .filter(|&wanted| wanted)
                .map(|_| Routing::Multivalue),
        );
        policies.extend(
            self.cidr_routing_config
                .clone()
                .map(|(collection_id, location)| Routing::Cidr {
                    collection_id,
                    location,
                }),
        );
        policies.extend(
            self.geo_proximity_location
                .clone()
                .map(Routing::Geoproximity),
        );
        policies
    }
}

impl From<&RecordSet> for Draft {
    /// The request that would make this set again.
    fn from(set: &RecordSet) -> Self {
        let mut draft = Self::simple("", set.key.rtype, 0, &[]);
        draft.name = set.key.name.to_string();
        draft.set_identifier.clone_from(&set.key.set_identifier);
        draft.health_check_id.clone_from(&set.health_check_id);
        if set.traffic_policy_instance_id.is_some() {
            // What it leads to is the instance's business.
            draft
                .traffic_policy_instance_id
                .clone_from(&set.traffic_policy_instance_id);
            (draft.ttl, draft.records) = (None, None);
            return draft;
        }
        (draft.ttl, draft.records, draft.alias_target) = match &set.data {
            SetData::Records { ttl, values } => (Some(*ttl), Some(values.clone()), None),
            SetData::Alias(target) => (
                None,
                None,
                Some(DraftAlias {
                    hosted_zone_id: target.zone.clone(),
                    dns_name: target.name.to_string(),
                    evaluate_target_health: target.evaluate_target_health,
                }),
            ),
        };
        match set.routing.clone() {
            Routing::Simple => {}
            Routing::Weighted(weight) => draft.weight = Some(weight),
            Routing::Latency(region) => draft.region = Some(region),
            Routing::Failover(role) => draft.failover = Some(role),
            Routing::Geolocation(place) => draft.geo_location = Some(place),
            Routing::Multivalue => draft.multi_value_answer = Some(true),
            Routing::Cidr {
                collection_id,
                location,
            } => {
                draft.cidr_routing_config = Some((collection_id, location));
            }
            Routing::Geoproximity(place) => draft.geo_proximity_location = Some(place),
        }
        draft
    }
}
