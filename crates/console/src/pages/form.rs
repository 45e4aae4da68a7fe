//! The form of a record set: what was typed, kept as it was, and what it means to control. Of what does
//! not belong to the chosen policy or target nothing is heeded.

mod of_set;

use meridian_control::{ExistingRecord, RecordAddition, RecordPolicy, RecordTarget, TargetHealth};
use meridian_dns::RecordType;
use meridian_model::{FailoverRole, GeoLocation};

use crate::fields::Fields;
use crate::words::Problem;

/// The longest time that resolvers may keep an answer, in seconds.
const MAX_TTL: u32 = 2_147_483_647;

/// What is in the form's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordForm {
    pub(super) name: String,
    /// `values` or `alias`.
    pub(super) target: String,
    /// Empty when the values or the target tell it.
    pub(super) rtype: String,
    pub(super) values: String,
    pub(super) ttl: String,
    pub(super) alias: String,
    pub(super) alias_zone: String,
    pub(super) target_health: bool,
    pub(super) policy: String,
    pub(super) region: String,
    pub(super) weight: String,
    pub(super) failover: String,
    pub(super) continent: String,
    pub(super) country: String,
    pub(super) subdivision: String,
    pub(super) near: String,
    pub(super) bias: String,
    pub(super) collection: String,
    pub(super) location: String,
    pub(super) identifier: String,
    pub(super) health_check: String,
    pub(super) replace: bool,
}

impl RecordForm {
    /// As it is before anything is typed.
    pub(super) fn empty() -> Self {
        let fields = "target=values&ttl=300&policy=simple&failover=PRIMARY&target_health=on";
        Self::read(&Fields::read(fields.as_bytes()))
    }

    /// As it was sent.
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            name: text("name"),
            target: text("target"),
            rtype: text("type"),
            values: text("values"),
            ttl: text("ttl"),
            alias: text("alias"),
            alias_zone: text("alias_zone"),
            target_health: fields.said("target_health").is_some(),
            policy: text("policy"),
            region: text("region"),
            weight: text("weight"),
            failover: text("failover"),
            continent: text("continent"),
            country: text("country"),
            subdivision: text("subdivision"),
            near: text("near"),
            bias: text("bias"),
            collection: text("collection"),
            location: text("location"),
            identifier: text("identifier"),
            health_check: text("health_check"),
            replace: fields.said("replace").is_some(),
        }
    }

    /// Its fields by their names, as they are sent again.
    pub(super) fn hidden(&self) -> Vec<(&'static str, &str)> {
        let on = |wanted: bool| if wanted { "on" } else { "" };
        let all = [
            ("name", self.name.as_str()),
            ("target", &self.target),
            ("type", &self.rtype),
            ("values", &self.values),
            ("ttl", &self.ttl),
            ("alias", &self.alias),
            ("alias_zone", &self.alias_zone),
            ("target_health", on(self.target_health)),
            ("policy", &self.policy),
            ("region", &self.region),
            ("weight", &self.weight),
            ("failover", &self.failover),
            ("continent", &self.continent),
            ("country", &self.country),
            ("subdivision", &self.subdivision),
            ("near", &self.near),
            ("bias", &self.bias),
            ("collection", &self.collection),
            ("location", &self.location),
            ("identifier", &self.identifier),
            ("health_check", &self.health_check),
            ("replace", on(self.replace)),
        ];
        let said = all.into_iter().filter(|(_, value)| !value.is_empty());
        said.collect()
    }

    /// Whether it is an alias that is asked for.
    pub(super) fn is_alias(&self) -> bool {
        self.target == "alias"
    }

    /// What it means in this zone.
    pub(super) fn addition(&self, zone: &str) -> Result<RecordAddition, Problem> {
        Ok(RecordAddition {
            zone: zone.to_owned(),
            account: None,
            name: trimmed(&self.name).unwrap_or_else(|| "@".to_owned()),
            types: self.types()?,
            target: self.answers()?,
            policy: self.routing()?,
            set_identifier: trimmed(&self.identifier).filter(|_| self.policy != "simple"),
            health_check: trimmed(&self.health_check),
            existing: match self.replace {
                true => ExistingRecord::Replace,
                false => ExistingRecord::Refuse,
            },
        })
    }

    fn types(&self) -> Result<Vec<RecordType>, Problem> {
        match self.rtype.as_str() {
            "" => Ok(Vec::new()),
            said => match said.parse() {
                Ok(rtype) => Ok(vec![rtype]),
                Err(_) => Err(Problem::input("Choose one of the record types.")),
            },
        }
    }

    fn answers(&self) -> Result<RecordTarget, Problem> {
        match self.target.as_str() {
            "alias" => Ok(RecordTarget::Alias {
                name: trimmed(&self.alias)
                    .ok_or_else(|| Problem::input("Give the name that the alias leads to."))?,
                zone: trimmed(&self.alias_zone),
                health: match self.target_health {
                    true => TargetHealth::Evaluate,
                    false => TargetHealth::Ignore,
                },
            }),
            "values" => {
                let values: Vec<String> = self.values.lines().filter_map(trimmed).collect();
                if values.is_empty() {
                    return Err(Problem::input(
                        "Give at least one value, each on its own line.",
                    ));
                }
                let ttl = self.ttl.trim().parse().ok().filter(|ttl| *ttl <= MAX_TTL);
                let ttl = ttl.ok_or_else(|| {
                    Problem::input(format!("The TTL is a number of seconds, 0 to {MAX_TTL}."))
                })?;
                Ok(RecordTarget::Values { values, ttl })
            }
            _ => Err(Problem::input("Choose between values and an alias.")),
        }
    }

    fn routing(&self) -> Result<RecordPolicy, Problem> {
        Ok(match self.policy.as_str() {
            "simple" => RecordPolicy::Simple,
            "latency" => {
                RecordPolicy::Latency(trimmed(&self.region).map(|name| name.to_ascii_lowercase()))
            }
            "weighted" => {
                let weight = self.weight.trim().parse();
                let wrong = |_| Problem::input("The weight is a number, 0 to 255.");
                RecordPolicy::Weighted(weight.map_err(wrong)?)
            }
            "failover" => {
                let roles = [FailoverRole::Primary, FailoverRole::Secondary];
                let mut roles = roles.into_iter();
                let role = roles.find(|role| role.as_str() == self.failover);
                let missing = || Problem::input("Choose between primary and secondary.");
                RecordPolicy::Failover(role.ok_or_else(missing)?)
            }
            "geolocation" => {
                let place = GeoLocation {
                    continent: trimmed(&self.continent),
                    country: trimmed(&self.country).map(|code| code.to_ascii_uppercase()),
                    subdivision: trimmed(&self.subdivision).map(|code| code.to_ascii_uppercase()),
                };
                if place.continent.is_none() && place.country.is_none() {
                    let text =
                        "Give a continent, or a country; the country * is for everybody else.";
                    return Err(Problem::input(text));
                }
                RecordPolicy::Geolocation(place)
            }
            "geoproximity" => RecordPolicy::Geoproximity {
                near: trimmed(&self.near),
                bias: self.bias()?,
            },
            "ip-based" => {
                let said = trimmed(&self.collection).zip(trimmed(&self.location));
                let missing = "Give the id of a CIDR collection and a location in it; the location * is for \
                     addresses in none.";
                let (collection, location) = said.ok_or_else(|| Problem::input(missing))?;
                RecordPolicy::IpBased {
                    collection,
                    location,
                }
            }
            "multivalue" => RecordPolicy::Multivalue,
            _ => return Err(Problem::input("Choose a routing policy.")),
        })
    }

    fn bias(&self) -> Result<Option<i8>, Problem> {
        let Some(said) = trimmed(&self.bias) else {
            return Ok(None);
        };
        let bias = said.parse().ok().filter(|bias| (-99..=99).contains(bias));
        let wrong = || Problem::input("The bias is a number, -99 to 99.");
        bias.map(Some).ok_or_else(wrong)
    }
}

/// A text without the space around it; none if that is all.
fn trimmed(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(more: &str) -> RecordForm {
        RecordForm::read(&Fields::read(more.as_bytes()))
    }

    fn text(more: &str) -> String {
        match form(more).addition("Z1") {
            Ok(addition) => panic!("{addition:?}"),
            Err(problem) => problem.text,
        }
    }

    #[test]
    fn what_is_typed_is_what_is_meant() {
        let values =
            "target=values&values=+192.0.2.1%0D%0A%0D%0A192.0.2.2&ttl=60&policy=latency&region=";
        let addition = form(values).addition("Z1").unwrap();
        assert_eq!(
            (addition.zone.as_str(), addition.name.as_str()),
            ("Z1", "@")
        );
        let expected = RecordTarget::Values {
            values: vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()],
            ttl: 60,
        };
        assert_eq!(addition.target, expected);
        assert_eq!(addition.policy, RecordPolicy::Latency(None));
        // Names of regions and countries have one case, whichever is typed.
        let region = form("target=values&values=192.0.2.1&ttl=60&policy=latency&region=EU-West-1");
        let region = region.addition("Z1").unwrap().policy;
        assert_eq!(region, RecordPolicy::Latency(Some("eu-west-1".to_owned())));
        let place = form(
            "target=values&values=192.0.2.1&ttl=60&policy=geolocation&country=us&subdivision=ca",
        );
        match place.addition("Z1").unwrap().policy {
            RecordPolicy::Geolocation(place) => {
                assert_eq!(place.country.as_deref(), Some("US"));
                assert_eq!(place.subdivision.as_deref(), Some("CA"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(addition.existing, ExistingRecord::Refuse);
        let alias =
            "name=www&target=alias&alias=lb.test&type=AAAA&policy=simple&identifier=x&replace=on";
        let addition = form(alias).addition("Z1").unwrap();
        assert_eq!(
            (addition.types, addition.set_identifier),
            (vec![RecordType::Aaaa], None)
        );
        assert_eq!(addition.existing, ExistingRecord::Replace);
        assert!(matches!(
            addition.target,
            RecordTarget::Alias {
                health: TargetHealth::Ignore,
                zone: None,
                ..
            }
        ));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        assert!(text("").contains("record type") || text("").contains("between values"));
        let values = "target=values&values=192.0.2.1&ttl=60";
        assert!(text("target=values&values=%0A+&ttl=60").contains("at least one value"));
        for ttl in ["-1", "x", "2147483648", "99999999999999999999", ""] {
            assert!(
                text(&format!("target=values&values=a&ttl={ttl}")).contains("TTL"),
                "{ttl}"
            );
        }
        assert!(text("target=alias&alias=+").contains("leads to"));
        for (policy, part) in [
            ("", "routing policy"),
            ("weighted&weight=256", "0 to 255"),
            ("failover&failover=THIRD", "primary and secondary"),
            ("geolocation&subdivision=X", "Give a continent"),
            ("geoproximity&bias=100", "-99 to 99"),
            ("ip-based&collection=x", "a location in it"),
        ] {
            assert!(
                text(&format!("{values}&policy={policy}")).contains(part),
                "{policy}"
            );
        }
        assert!(text(&format!("{values}&policy=simple&type=MINFO")).contains("record types"));
    }

    #[test]
    fn an_empty_form_lacks_nothing_but_values() {
        let mut form = RecordForm::empty();
        form.values = "192.0.2.1".to_owned();
        assert!(form.addition("Z1").is_ok());
    }

    const NAMES: [&str; 22] = [
        "name",
        "target",
        "type",
        "values",
        "ttl",
        "alias",
        "alias_zone",
        "target_health",
        "policy",
        "region",
        "weight",
        "failover",
        "continent",
        "country",
        "subdivision",
        "near",
        "bias",
        "collection",
        "location",
        "identifier",
        "health_check",
        "replace",
    ];

    /// What a browser makes of fields.
    fn sent<'a>(fields: impl IntoIterator<Item = (&'static str, &'a str)>) -> Fields {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(fields);
        Fields::read(encoded.finish().as_bytes())
    }

    proptest! {
        #[test]
        fn a_form_comes_back_as_it_was_sent(texts in prop::collection::vec("(.|\n){0,20}", NAMES.len())) {
            let form = RecordForm::read(&sent(NAMES.into_iter().zip(texts.iter().map(String::as_str))));
            let _ = form.addition("Z1");
            prop_assert_eq!(RecordForm::read(&sent(form.hidden())), form);
        }

        #[test]
        fn any_text_in_any_field_is_taken_or_refused(
            name in ".{0,40}", values in "(.|\n){0,80}", ttl in ".{0,6}", policy in "simple|latency|weighted|failover|geolocation|geoproximity|ip-based|multivalue|.{0,3}",
        ) {
            let form = RecordForm { name, values, ttl, policy, ..RecordForm::empty() };
            if let Ok(addition) = form.addition("Z1") {
                prop_assert!(!addition.name.is_empty());
            }
        }
    }
}
