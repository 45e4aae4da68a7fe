//! The form as a record set that is there fills it in, to be changed.

use meridian_model::{Draft, GeoproximityPlace, Routing};

use super::RecordForm;
use crate::pages::set::as_typed;

impl RecordForm {
    /// What writes this set of the zone of this name once more.
    pub(in crate::pages) fn of(set: &Draft, zone: &str) -> Self {
        let mut form = Self::empty();
        form.name = relative(&as_typed(&set.name), zone);
        form.rtype = set.rtype.as_str().to_owned();
        form.values = set.records.as_deref().unwrap_or_default().join("\n");
        form.ttl = set.ttl.map(|ttl| ttl.to_string()).unwrap_or(form.ttl);
        if let Some(alias) = &set.alias_target {
            form.target = "alias".to_owned();
            form.alias.clone_from(&alias.dns_name);
            form.alias_zone = alias.hosted_zone_id.to_string();
            form.target_health = alias.evaluate_target_health;
        }
        form.identifier = set.set_identifier.clone().unwrap_or_default();
        form.health_check = set.health_check_id.clone().unwrap_or_default();
        form.replace = true;
        if let Some(routing) = set.policies().first() {
            form.fill_in(routing);
        }
        form
    }

    fn fill_in(&mut self, routing: &Routing) {
        let policy = match routing {
            Routing::Simple => "simple",
            Routing::Weighted(weight) => {
                self.weight = weight.to_string();
                "weighted"
            }
            Routing::Latency(region) => {
                region.as_str().clone_into(&mut self.region);
                "latency"
            }
            Routing::Failover(role) => {
                role.as_str().clone_into(&mut self.failover);
                "failover"
            }
            Routing::Geolocation(place) => {
                self.continent = place.continent.clone().unwrap_or_default();
                self.country = place.country.clone().unwrap_or_default();
                self.subdivision = place.subdivision.clone().unwrap_or_default();
                "geolocation"
            }
            Routing::Multivalue => "multivalue",
            Routing::Cidr {
                collection_id,
                location,
            } => {
                self.collection.clone_from(collection_id);
                self.location.clone_from(location);
                "ip-based"
            }
            Routing::Geoproximity(location) => {
                self.near = match &location.place {
                    GeoproximityPlace::Region(name) | GeoproximityPlace::LocalZoneGroup(name) => {
                        name.clone()
                    }
                    GeoproximityPlace::Coordinates(at) => {
                        format!("{},{}", at.latitude, at.longitude)
                    }
                };
                let bias = location.bias.map(|bias| bias.to_string());
                self.bias = bias.unwrap_or_default();
                "geoproximity"
            }
        };
        policy.clone_into(&mut self.policy);
    }
}

/// A name as it is typed before the zone's; whole where that would mean another.
fn relative(name: &str, zone: &str) -> String {
    if name == zone {
        return String::new();
    }
    let ending = format!(".{zone}");
    match name.strip_suffix(&ending) {
        Some(before) if !format!(".{before}.").ends_with(&ending) => before.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use meridian_control::{ExistingRecord, RecordPolicy, RecordTarget, TargetHealth};
    use meridian_dns::RecordType;
    use meridian_model::{
        Coordinates, DraftAlias, FailoverRole, GeoLocation, GeoproximityLocation, Region, ZoneId,
    };

    use super::*;

    fn near(place: GeoproximityPlace, bias: Option<i8>) -> Option<GeoproximityLocation> {
        Some(GeoproximityLocation { place, bias })
    }

    /// The policies by what a set says of them.
    fn policies() -> Vec<(Draft, RecordPolicy)> {
        let set = Draft::simple(
            r"\052.x.test.",
            RecordType::A,
            60,
            &["192.0.2.1", "192.0.2.2"],
        );
        let with = |change: &dyn Fn(&mut Draft)| {
            let mut set = set.clone();
            change(&mut set);
            set
        };
        let place = GeoLocation {
            continent: None,
            country: Some("US".to_owned()),
            subdivision: Some("CA".to_owned()),
        };
        let region = GeoproximityPlace::Region("eu-west-1".to_owned());
        let point = GeoproximityPlace::Coordinates(Coordinates {
            latitude: "-52.3".to_owned(),
            longitude: "4".to_owned(),
        });
        let office = ("c1".to_owned(), "*".to_owned());
        vec![
            (with(&|set| set.weight = Some(0)), RecordPolicy::Weighted(0)),
            (
                with(&|set| set.region = Region::new("eu-west-1")),
                RecordPolicy::Latency(Some("eu-west-1".to_owned())),
            ),
            (
                with(&|set| set.failover = Some(FailoverRole::Secondary)),
                RecordPolicy::Failover(FailoverRole::Secondary),
            ),
            (
                with(&|set| set.geo_location = Some(place.clone())),
                RecordPolicy::Geolocation(place.clone()),
            ),
            (
                with(&|set| set.multi_value_answer = Some(true)),
                RecordPolicy::Multivalue,
            ),
            (
                with(&|set| set.cidr_routing_config = Some(office.clone())),
                RecordPolicy::IpBased {
                    collection: office.0.clone(),
                    location: office.1.clone(),
                },
            ),
            (
                with(&|set| set.geo_proximity_location = near(region.clone(), None)),
                RecordPolicy::Geoproximity {
                    near: Some("eu-west-1".to_owned()),
                    bias: None,
                },
            ),
            (
                with(&|set| set.geo_proximity_location = near(point.clone(), Some(-20))),
                RecordPolicy::Geoproximity {
                    near: Some("-52.3,4".to_owned()),
                    bias: Some(-20),
                },
            ),
        ]
    }

    #[test]
    fn a_set_is_written_again_as_it_is() {
        for (mut set, policy) in policies() {
            set.set_identifier = Some("one".to_owned());
            set.health_check_id = Some("check".to_owned());
            let again = RecordForm::of(&set, "test.").addition("Z1").unwrap();
            assert_eq!(again.policy, policy);
            assert_eq!(again.name, "*.x");
            assert_eq!(again.types, [RecordType::A]);
            assert_eq!(again.set_identifier, set.set_identifier);
            assert_eq!(again.health_check, set.health_check_id);
            assert_eq!(again.existing, ExistingRecord::Replace);
            let values = set.records.unwrap();
            assert_eq!(again.target, RecordTarget::Values { values, ttl: 60 });
        }
    }

    #[test]
    fn a_name_stands_before_that_of_the_zone() {
        for (name, typed) in [
            ("test.", ""),
            ("a.test.", "a"),
            ("a.b.test.", "a.b"),
            ("a.test.test.", "a.test.test."),
            ("test.test.", "test.test."),
            ("atest.test.", "atest"),
            ("other.", "other."),
        ] {
            assert_eq!(relative(name, "test."), typed);
        }
    }

    #[test]
    fn an_alias_is_written_again_as_it_is() {
        for (evaluate, health) in [
            (true, TargetHealth::Evaluate),
            (false, TargetHealth::Ignore),
        ] {
            let mut set = Draft::simple("x.test.", RecordType::Aaaa, 0, &[]);
            (set.ttl, set.records) = (None, None);
            set.alias_target = Some(DraftAlias {
                hosted_zone_id: ZoneId::new("Z2").unwrap(),
                dns_name: "y.test.".to_owned(),
                evaluate_target_health: evaluate,
            });
            let again = RecordForm::of(&set, "test.").addition("Z1").unwrap();
            let target = RecordTarget::Alias {
                name: "y.test.".to_owned(),
                zone: Some("Z2".to_owned()),
                health,
            };
            assert_eq!(again.target, target);
            assert_eq!(again.policy, RecordPolicy::Simple);
        }
    }
}
