//! A record set as people read it.

use meridian_control::RegionSource;
use meridian_model::{
    Draft, EXTERNAL, GeoLocation, GeoproximityPlace, RecordSet, Routing, external,
};

use super::form::RecordForm;
use crate::fields::link;

/// What a point is called that a record set stands at; a region of the operator's own is one, too.
const AT: &str = "At";

/// A record set, in words.
#[derive(Debug, Clone, Default)]
pub(super) struct ShownSet {
    pub(super) name: String,
    pub(super) rtype: &'static str,
    pub(super) type_filled_in: bool,
    pub(super) policy: &'static str,
    /// What belongs to the policy.
    pub(super) details: Vec<Detail>,
    pub(super) values: Vec<String>,
    pub(super) alias: Option<ShownAlias>,
    pub(super) ttl: Option<u32>,
    pub(super) health_check: Option<Detail>,
    /// The traffic policy instance that made it.
    pub(super) instance: Option<String>,
    /// Where it is changed, if it may be at all.
    pub(super) edit: Option<String>,
    /// Where it is taken away, if it may be at all.
    pub(super) remove: Option<String>,
}

/// Something with its name, and where it comes from if nobody said it.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) filled_in: Option<&'static str>,
}

/// What an alias leads to.
#[derive(Debug, Clone)]
pub(super) struct ShownAlias {
    pub(super) name: String,
    pub(super) zone: String,
    /// Whose zone it is, if it is none here.
    pub(super) service: Option<String>,
    pub(super) zone_filled_in: bool,
    pub(super) health: bool,
}

impl Detail {
    fn said(label: &'static str, value: impl Into<String>) -> Self {
        Self {
            label,
            value: value.into(),
            filled_in: None,
        }
    }
}

impl ShownSet {
    /// A stored set of a zone.
    pub(super) fn of(set: &RecordSet, zone: &str) -> Self {
        let mut shown = Self::of_draft(&Draft::from(set));
        let name = set.key.name.to_string();
        let fields = [
            ("name", Some(name.as_str())),
            ("type", Some(shown.rtype)),
            ("identifier", set.key.set_identifier.as_deref()),
        ];
        let to = |page: &str| Some(link(&format!("/console/zones/{zone}/{page}"), &fields));
        shown.remove = to("remove");
        shown.edit = to("edit").filter(|_| set.traffic_policy_instance_id.is_none());
        shown
    }

    /// A set as a request has it.
    pub(super) fn of_draft(draft: &Draft) -> Self {
        let (policy, mut details) = policy(draft.policies().first().unwrap_or(&Routing::Simple));
        if let Some(identifier) = &draft.set_identifier {
            details.push(Detail::said("Identifier", identifier));
        }
        let check = draft.health_check_id.as_deref();
        Self {
            name: as_typed(&draft.name),
            rtype: draft.rtype.as_str(),
            type_filled_in: false,
            policy,
            details,
            values: draft.records.clone().unwrap_or_default(),
            alias: draft.alias_target.as_ref().map(|alias| ShownAlias {
                name: alias.dns_name.clone(),
                zone: alias.hosted_zone_id.to_string(),
                service: external(&alias.hosted_zone_id).map(|zone| {
                    match alias.hosted_zone_id.as_str() == EXTERNAL {
                        true => "any host, looked up by the name servers".to_owned(),
                        false => zone.service.to_owned(),
                    }
                }),
                zone_filled_in: false,
                health: alias.evaluate_target_health,
            }),
            ttl: draft.ttl,
            health_check: check.map(|id| Detail::said("Health check", id)),
            instance: draft.traffic_policy_instance_id.clone(),
            edit: None,
            remove: None,
        }
    }

    /// The same, its region marked as filled in.
    pub(super) fn with_region_from(mut self, source: Option<RegionSource>) -> Self {
        let words = source.map(|source| match source {
            RegionSource::Resource => "filled in: the target is registered there",
            RegionSource::Name => "filled in: the target's name tells it",
            RegionSource::ServiceZone => "filled in: the zone of AWS's service tells it",
        });
        let mut details = self.details.iter_mut();
        if let Some(place) = details.find(|detail| matches!(detail.label, "Region" | AT)) {
            place.filled_in = words;
        }
        self
    }

    /// The same, marked where this form left something open.
    pub(super) fn with_marks(mut self, form: &RecordForm) -> Self {
        let mut details = self.details.iter_mut();
        if form.identifier.trim().is_empty()
            && let Some(identifier) = details.find(|detail| detail.label == "Identifier")
        {
            identifier.filled_in = Some("filled in: by the policy");
        }
        if form.health_check.trim().is_empty()
            && let Some(check) = &mut self.health_check
        {
            check.filled_in = Some("filled in: the registered target's");
        }
        if let Some(alias) = &mut self.alias {
            alias.zone_filled_in = form.alias_zone.trim().is_empty();
        }
        self.type_filled_in = form.rtype.is_empty();
        self
    }

    /// Whether anything of it was filled in.
    pub(super) fn is_marked(&self) -> bool {
        let mut details = self.details.iter().chain(&self.health_check);
        let alias = self
            .alias
            .as_ref()
            .is_some_and(|alias| alias.zone_filled_in);
        self.type_filled_in || alias || details.any(|detail| detail.filled_in.is_some())
    }
}

/// A name with the asterisk of a wildcard as people type it.
pub(super) fn as_typed(name: &str) -> String {
    match name.strip_prefix(r"\052.") {
        Some(rest) => format!("*.{rest}"),
        None => name.to_owned(),
    }
}

/// A policy by its name, and what belongs to it.
fn policy(routing: &Routing) -> (&'static str, Vec<Detail>) {
    match routing {
        Routing::Simple => ("Simple", Vec::new()),
        Routing::Weighted(weight) => ("Weighted", vec![Detail::said("Weight", weight.to_string())]),
        Routing::Latency(region) => ("Latency", vec![Detail::said("Region", region.as_str())]),
        Routing::Failover(role) => ("Failover", vec![Detail::said("Role", role.as_str())]),
        Routing::Geolocation(place) => ("Geolocation", place_of(place)),
        Routing::Multivalue => ("Multivalue", Vec::new()),
        Routing::Cidr {
            collection_id,
            location,
        } => {
            let details = vec![
                Detail::said("Collection", collection_id),
                Detail::said("Location", location),
            ];
            ("IP-based", details)
        }
        Routing::Geoproximity(location) => {
            let mut details = vec![match &location.place {
                GeoproximityPlace::Region(region) => Detail::said("Region", region),
                GeoproximityPlace::LocalZoneGroup(group) => Detail::said("Local zone group", group),
                GeoproximityPlace::Coordinates(at) => {
                    let at = format!("{}, {}", at.latitude, at.longitude);
                    Detail::said(AT, at)
                }
            }];
            let bias = location
                .bias
                .map(|bias| Detail::said("Bias", bias.to_string()));
            details.extend(bias);
            ("Geoproximity", details)
        }
    }
}

fn place_of(place: &GeoLocation) -> Vec<Detail> {
    let parts = [
        ("Continent", &place.continent),
        ("Country", &place.country),
        ("Subdivision", &place.subdivision),
    ];
    let said = parts.into_iter();
    said.filter_map(|(label, value)| Some(Detail::said(label, value.clone()?)))
        .collect()
}
