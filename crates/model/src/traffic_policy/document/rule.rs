//! Rules: for each policy the list of its branches, and what makes one be chosen.

use meridian_dns::RecordType;

use super::fault::{Faults, Path, echo};
use super::fields::Fields;
use super::read::Nodes;
use super::{Document, DocumentFormat, NodeRef, PolicyRule, RuleItem};
use crate::geo::GeoPlace;
use crate::json::Json;
use crate::local_zone_group::local_zone_groups;
use crate::routing::{
    Coordinates, FailoverRole, GeoLocation, GeoproximityLocation, GeoproximityPlace, Region,
    Routing, RoutingKind,
};

/// What a rule is read by, beside itself.
pub(super) struct Context<'a> {
    pub(super) format: DocumentFormat,
    pub(super) record_type: Option<RecordType>,
    /// Of each endpoint whether it is at a value.
    pub(super) values: &'a [bool],
    pub(super) nodes: &'a Nodes<'a>,
}

/// The words of `RuleType`, and the list that goes with each. A failover rule has no list.
const TYPES: [(&str, RoutingKind, &str); 6] = [
    ("failover", RoutingKind::Failover, ""),
    ("geo", RoutingKind::Geolocation, "Locations"),
    (
        "geoproximity",
        RoutingKind::Geoproximity,
        "GeoproximityLocations",
    ),
    ("latency", RoutingKind::Latency, "Regions"),
    ("multivalue", RoutingKind::Multivalue, "Items"),
    ("weighted", RoutingKind::Weighted, "Items"),
];

/// Where a branch leads.
const REFERENCE: (&str, &str) = ("EndpointReference", "RuleReference");
const ROLES: [(&str, FailoverRole); 2] = [
    ("Primary", FailoverRole::Primary),
    ("Secondary", FailoverRole::Secondary),
];

/// Reads a rule. The rules that it leads to are told even where something else is wrong with it.
pub(super) fn read(
    id: &str,
    json: &Json,
    path: &Path<'_>,
    context: &Context<'_>,
    next: &mut Vec<usize>,
    faults: &mut Faults,
) -> Option<PolicyRule> {
    let mut reader = Reader {
        context,
        next,
        faults,
    };
    let (kind, list) = reader.rule_type(json, path)?;
    let known = match kind {
        RoutingKind::Failover => &["RuleType", "Primary", "Secondary"][..],
        _ => &["RuleType", list][..],
    };
    let fields = Fields::of(json, path, known, reader.faults)?;
    if kind == RoutingKind::Multivalue && context.record_type == Some(RecordType::Cname) {
        let text = "a multivalue rule has no RecordType CNAME";
        reader.faults.add(&path.field("RuleType"), text);
    }
    let items = match kind {
        RoutingKind::Failover => reader.pair(&fields),
        _ => reader.list(&fields, list, kind),
    };
    Some(PolicyRule {
        id: id.to_owned(),
        kind,
        items: items?,
    })
}

struct Reader<'a> {
    context: &'a Context<'a>,
    next: &'a mut Vec<usize>,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn rule_type(&mut self, json: &Json, path: &Path<'_>) -> Option<(RoutingKind, &'static str)> {
        let Json::Object(fields) = json else {
            let text = format!("is {}, not an object", json.kind());
            self.faults.add(path, text);
            return None;
        };
        let given = fields.iter().find(|(name, _)| name == "RuleType");
        let word = match given.map(|(_, value)| value) {
            Some(Json::Text(word)) => word.as_str(),
            None | Some(Json::Null) => {
                self.faults.add(&path.field("RuleType"), "is missing");
                return None;
            }
            Some(other) => {
                let text = format!("is {}, not a string", other.kind());
                self.faults.add(&path.field("RuleType"), text);
                return None;
            }
        };
        let found = TYPES.into_iter().find(|(other, ..)| *other == word);
        if found.is_none() {
            let words = TYPES.map(|(word, ..)| word).join(", ");
            let text = format!("'{}' is not one of {words}", echo(word));
            self.faults.add(&path.field("RuleType"), text);
        }
        found.map(|(_, kind, list)| (kind, list))
    }

    fn pair(&mut self, fields: &Fields<'_>) -> Option<Vec<RuleItem>> {
        let items = ROLES.map(|(name, role)| {
            let json = fields.required(name, self.faults)?;
            let path = fields.path.field(name);
            let branch = self.branch(json, &path, &[])?;
            Some(branch.item(Routing::Failover(role)))
        });
        items.into_iter().collect()
    }

    fn list(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        kind: RoutingKind,
    ) -> Option<Vec<RuleItem>> {
        let path = fields.path.field(name);
        let list = match fields.required(name, self.faults)? {
            Json::List(list) => list,
            other => {
                let text = format!("is {}, not a list", other.kind());
                self.faults.add(&path, text);
                return None;
            }
        };
        let most = Document::MAX_RULE_ITEMS;
        if list.is_empty() || list.len() > most {
            self.faults
                .add(&path, format!("has to have 1 to {most} items"));
            return None;
        }
        let mut items: Vec<RuleItem> = Vec::with_capacity(list.len());
        let mut whole = true;
        for (place, json) in list.iter().enumerate() {
            let path = path.item(place);
            let Some(item) = self.item(json, &path, kind) else {
                whole = false;
                continue;
            };
            if items
                .iter()
                .any(|other| is_same(&other.routing, &item.routing))
            {
                self.faults
                    .add(&path, "is for the same as an item before it");
            }
            items.push(item);
        }
        whole.then_some(items)
    }

    fn item(&mut self, json: &Json, path: &Path<'_>, kind: RoutingKind) -> Option<RuleItem> {
        let own: &[&str] = match (kind, self.context.format) {
            (RoutingKind::Geolocation, _) => &["IsDefault", "Continent", "Country", "Subdivision"],
            (RoutingKind::Geoproximity, DocumentFormat::V2015) => {
                &["Region", "Latitude", "Longitude", "Bias"]
            }
            (RoutingKind::Geoproximity, DocumentFormat::V2023) => &["Location", "Bias"],
            (RoutingKind::Latency, _) => &["Region"],
            (RoutingKind::Weighted, _) => &["Weight"],
            _ => &[],
        };
        let branch = self.branch(json, path, own);
        // What makes it be chosen is read in any case, to tell all faults.
        let fields = Fields::again(json, path)?;
        let routing = match kind {
            RoutingKind::Geolocation => self.place(&fields),
            RoutingKind::Geoproximity => self.near(&fields),
            RoutingKind::Latency => self.region(&fields),
            RoutingKind::Weighted => self.weight(&fields),
            _ => Some(Routing::Multivalue),
        };
        let branch = branch?;
        if kind == RoutingKind::Multivalue {
            self.check_value(&branch, path)?;
        }
        routing.map(|routing| branch.item(routing))
    }

    /// What all branches have.
    fn branch(&mut self, json: &Json, path: &Path<'_>, own: &[&str]) -> Option<Branch> {
        let common = [
            REFERENCE.0,
            REFERENCE.1,
            "EvaluateTargetHealth",
            "HealthCheck",
        ];
        let known: Vec<&str> = common.iter().chain(own).copied().collect();
        let fields = Fields::of(json, path, &known, self.faults)?;
        let to = self
            .context
            .nodes
            .reference(&fields, REFERENCE, self.faults);
        if let Some(NodeRef::Rule(place)) = to {
            self.next.push(place);
        }
        let evaluate_target_health = fields.flag("EvaluateTargetHealth", self.faults);
        let health_check = fields.text("HealthCheck", self.faults);
        if let Some(id) = health_check
            && (id.is_empty() || id.chars().nth(64).is_some())
        {
            let text = "the id of a health check has 1 to 64 characters";
            self.faults.add(&path.field("HealthCheck"), text);
        }
        Some(Branch {
            to: to?,
            evaluate_target_health,
            health_check: health_check.map(str::to_owned),
        })
    }

    /// Sets that are answered together are no aliases.
    fn check_value(&mut self, branch: &Branch, path: &Path<'_>) -> Option<()> {
        let is_value = |place| self.context.values.get(place).copied().unwrap_or(false);
        match branch.to {
            NodeRef::Endpoint(place) if is_value(place) => Some(()),
            _ => {
                let text = "a multivalue rule leads to endpoints of type value only";
                self.faults.add(path, text);
                None
            }
        }
    }

    fn place(&mut self, fields: &Fields<'_>) -> Option<Routing> {
        let mut word = |name| fields.text(name, self.faults).map(str::to_owned);
        let given = GeoLocation {
            continent: word("Continent"),
            country: word("Country"),
            subdivision: word("Subdivision"),
        };
        let is_default = fields.flag("IsDefault", self.faults);
        let nowhere = given.continent.is_none() && given.country.is_none();
        let location = match (is_default, nowhere && given.subdivision.is_none()) {
            (true, true) => GeoPlace::Default.location(),
            (true, false) if given != GeoPlace::Default.location() => {
                let text = "IsDefault is for every other place, and goes with Country * alone";
                self.faults.add(fields.path, text);
                return None;
            }
            (false, true) => {
                let text = "needs Continent, Country or IsDefault";
                self.faults.add(fields.path, text);
                return None;
            }
            _ => given,
        };
        if GeoPlace::of(&location).is_none() {
            let text = "Route 53 has no such place: a Continent alone, a Country, or a Country \
                        with a Subdivision, by their codes";
            self.faults.add(fields.path, text);
            return None;
        }
        Some(Routing::Geolocation(location))
    }

    fn region(&mut self, fields: &Fields<'_>) -> Option<Routing> {
        let name = fields.required_text("Region", self.faults)?;
        let region = Region::possible(name);
        if region.is_none() {
            let text = format!("'{}' is not the name of a region", echo(name));
            self.faults.add(&fields.path.field("Region"), text);
        }
        region.map(Routing::Latency)
    }

    fn weight(&mut self, fields: &Fields<'_>) -> Option<Routing> {
        fields.required("Weight", self.faults)?;
        let weight = fields.whole("Weight", (0, 255), self.faults)?;
        u8::try_from(weight).ok().map(Routing::Weighted)
    }

    fn near(&mut self, fields: &Fields<'_>) -> Option<Routing> {
        let bias = fields.whole("Bias", (-99, 99), self.faults);
        let place = match self.context.format {
            DocumentFormat::V2015 => self.place_of_2015(fields),
            DocumentFormat::V2023 => self.place_of_2023(fields),
        };
        Some(Routing::Geoproximity(GeoproximityLocation {
            place: place?,
            bias: bias.and_then(|bias| i8::try_from(bias).ok()),
        }))
    }

    fn place_of_2015(&mut self, fields: &Fields<'_>) -> Option<GeoproximityPlace> {
        let point = fields.get("Latitude").or_else(|| fields.get("Longitude"));
        match (fields.get("Region"), point) {
            (Some(_), None) => self.aws_region(fields, "Region"),
            (None, Some(_)) => self.point(fields),
            _ => {
                let text = "needs Region, or Latitude and Longitude, not both";
                self.faults.add(fields.path, text);
                None
            }
        }
    }

    fn place_of_2023(&mut self, fields: &Fields<'_>) -> Option<GeoproximityPlace> {
        let json = fields.required("Location", self.faults)?;
        let path = fields.path.field("Location");
        let known = ["Type", "LocationName", "Latitude", "Longitude"];
        let fields = Fields::of(json, &path, &known, self.faults)?;
        match fields.required_text("Type", self.faults)? {
            "Region" => self.aws_region(&fields, "LocationName"),
            "LocalZone" => self.local_zone(&fields),
            "Coordinate" => self.point(&fields),
            other => {
                let text = format!("'{}' is not Region, LocalZone or Coordinate", echo(other));
                self.faults.add(&path.field("Type"), text);
                None
            }
        }
    }

    fn aws_region(&mut self, fields: &Fields<'_>, field: &str) -> Option<GeoproximityPlace> {
        let given = fields.required_text(field, self.faults)?;
        let region = Region::new(bare(given));
        if region.is_none() {
            let text = format!(
                "'{}' is not a region of AWS, as in aws:route53:us-west-1",
                echo(given)
            );
            self.faults.add(&fields.path.field(field), text);
        }
        region.map(|region| GeoproximityPlace::Region(region.as_str().to_owned()))
    }

    fn local_zone(&mut self, fields: &Fields<'_>) -> Option<GeoproximityPlace> {
        let given = fields.required_text("LocationName", self.faults)?;
        let name = bare(given);
        // A zone is its group and a letter.
        let group = name.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let is_zone = name.len() - group.len() <= 1;
        let known = local_zone_groups().find(|known| is_zone && *known == group);
        if known.is_none() {
            let text = format!("'{}' is not a local zone of AWS", echo(given));
            self.faults.add(&fields.path.field("LocationName"), text);
        }
        known.map(|group| GeoproximityPlace::LocalZoneGroup(group.to_owned()))
    }

    fn point(&mut self, fields: &Fields<'_>) -> Option<GeoproximityPlace> {
        let mut number = |name| {
            fields.required(name, self.faults)?;
            fields.number(name, self.faults).map(str::to_owned)
        };
        let (latitude, longitude) = (number("Latitude"), number("Longitude"));
        let point = Coordinates {
            latitude: latitude?,
            longitude: longitude?,
        };
        if point.degrees().is_none() {
            let text = "Latitude lies between -90 and 90 and Longitude between -180 and 180, with \
                        two decimals at most";
            self.faults.add(fields.path, text);
            return None;
        }
        Some(GeoproximityPlace::Coordinates(point))
    }
}

/// A branch without what makes it be chosen.
struct Branch {
    to: NodeRef,
    evaluate_target_health: bool,
    health_check: Option<String>,
}

impl Branch {
    fn item(self, routing: Routing) -> RuleItem {
        RuleItem {
            routing,
            to: self.to,
            evaluate_target_health: self.evaluate_target_health,
            health_check: self.health_check,
        }
    }
}

/// A region or zone without what the format puts before it.
fn bare(name: &str) -> &str {
    name.strip_prefix("aws:route53:").unwrap_or(name)
}

/// Whether two items would be for the same clients, so that there could not be a record set for each.
fn is_same(one: &Routing, other: &Routing) -> bool {
    match (one, other) {
        (Routing::Geolocation(a), Routing::Geolocation(b)) => a == b,
        (Routing::Geoproximity(a), Routing::Geoproximity(b)) => a.place.is(&b.place),
        (Routing::Latency(a), Routing::Latency(b)) => a == b,
        _ => false,
    }
}
