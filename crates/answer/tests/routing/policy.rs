//! Which set of a group is chosen, one function for each policy (reference 5.3 and 5.4).

use std::collections::BTreeSet;

use meridian_model::{
    FailoverRole, GeoLocation, GeoproximityPlace, RecordSet, Routing, RoutingKind, SetData,
};

use crate::case::{Client, Latencies, Place, Prefix};
use crate::earth;
use crate::fate::Fate;
use crate::health::Member;
use crate::model::Oracle;
use crate::wrong::Wrong;

/// What a policy chooses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pick<'c> {
    Set(&'c RecordSet),
    /// Several, answered as one.
    Together(Vec<&'c RecordSet>),
    Nothing,
}

type Fated<'c> = Fate<Pick<'c>>;

impl<'c> Oracle<'c> {
    /// Chooses in a group with at least one member.
    pub(crate) fn choose(&self, members: &[Member<'c>], client: &Client) -> Fated<'c> {
        if !members.iter().any(|member| member.live) {
            return Fate::Sure(Pick::Nothing); // Only by a wrong rule: last resort is left out.
        }
        match members[0].set.routing.kind() {
            RoutingKind::Simple => Fate::Sure(Pick::Set(members[0].set)),
            RoutingKind::Weighted => self.weighted(members),
            RoutingKind::Failover => self.failover(members),
            RoutingKind::Multivalue => self.multivalue(members),
            RoutingKind::Geolocation => self.geolocation(members, &self.place(client)),
            RoutingKind::Latency => self.latency(members, client),
            RoutingKind::Geoproximity => self.geoproximity(members, &self.place(client)),
            RoutingKind::Cidr => self.cidr(members, &client.network),
        }
    }

    /// Where a client is.
    pub(crate) fn place(&self, client: &Client) -> Place {
        match client.region {
            Some(region) => earth::inside(region),
            None => self.place_of(&client.network),
        }
    }

    /// Where a network is.
    pub(crate) fn place_of(&self, client: &Prefix) -> Place {
        let places = || self.case.places.iter();
        let any_v4 = places().any(|(network, _)| network.width() == 32);
        let address = client.first();
        let address = address.embedded().filter(|_| any_v4).unwrap_or(address);
        let known = places().filter(|(network, _)| network.contains(&address));
        let found = known.max_by_key(|(network, _)| network.len);
        let mut place = found.map_or_else(Place::default, |(_, place)| *place);
        if self.errs(Wrong::TurkeyInAsia) && place.country == Some("TR") {
            place.continent = Some("AS");
        }
        place
    }

    /// How long it takes from a network to regions, as far as anybody has measured: told to 3 %
    /// (reference/latency 3.5).
    pub(crate) fn latencies_of(&self, client: &Prefix) -> Option<Latencies> {
        let measured = || self.case.latencies.iter();
        let address = client.first();
        let address = address.embedded().unwrap_or(address);
        let known = measured().filter(|(network, _)| network.contains(&address));
        let (_, found) = known.max_by_key(|(network, _)| network.len)?;
        let told = |ms: f64| 0.5 * (((ms / 0.5).ln() / 0.03004).round() * 0.03004).exp();
        Some(
            found
                .iter()
                .map(|(region, ms)| (*region, told(*ms)))
                .collect(),
        )
    }

    /// How long it takes from a client to a region: as measured, else by distance. The clients of
    /// VPCs are known by their region alone.
    pub(crate) fn ms(&self, client: &Client, region: &str) -> Option<f64> {
        let measured = match client.region {
            Some(_) if !self.errs(Wrong::LatencyOfSender) => None,
            _ => self.latencies_of(&client.network),
        };
        let measured = measured.and_then(|latencies| latencies.get(region).copied());
        let (from, to) = (self.place(client).point, earth::region(region));
        let km = from.zip(to).map(|(from, to)| earth::distance(from, to));
        let by_distance = km.map(|km| 5.0 + 1.75 * km / 100.0);
        if self.errs(Wrong::LatencyByDistance) {
            return by_distance;
        }
        if self.errs(Wrong::LatencyWantsNumbers) && self.latencies_of(&client.network).is_some() {
            return measured;
        }
        measured.or(by_distance)
    }

    fn weighted(&self, members: &[Member<'c>]) -> Fated<'c> {
        let weight = |member: &Member<'_>| match member.set.routing {
            Routing::Weighted(0) if self.errs(Wrong::ZeroWeightCounts) => 1.0,
            Routing::Weighted(weight) => f64::from(weight),
            _ => unreachable!("a group has one policy"),
        };
        let nobody = members.iter().all(|member| !self.lives(member));
        let pick = |member: &&Member<'c>| (weight(member), Pick::Set(member.set));
        let heavy = |member: &&Member<'c>| weight(member) > 0.0;
        let live = || members.iter().filter(|member| member.live);
        if self.errs(Wrong::WeightedLastResortOfAll) && nobody {
            return Fate::even(live().map(|member| Pick::Set(member.set)).collect());
        }
        if self.errs(Wrong::WeightStays) && live().any(|member| heavy(&member)) {
            let first = live().find(|member| heavy(member)).unwrap();
            let lost = members
                .iter()
                .filter(|member| !member.live)
                .map(weight)
                .sum::<f64>();
            let mut all: Vec<_> = live().filter(heavy).map(|member| pick(&member)).collect();
            all.push((lost, Pick::Set(first.set)));
            return Fate::weighed(all);
        }
        if live().any(|member| heavy(&member)) {
            return Fate::weighed(live().filter(heavy).map(|member| pick(&member)).collect());
        }
        if self.errs(Wrong::ZeroWeightNever) && members.iter().any(|member| heavy(&member)) {
            let all = members.iter().filter(heavy);
            return Fate::weighed(all.map(|member| pick(&member)).collect());
        }
        Fate::even(live().map(|member| Pick::Set(member.set)).collect())
    }

    fn failover(&self, members: &[Member<'c>]) -> Fated<'c> {
        let of = |role| {
            let has = move |member: &&Member<'_>| member.set.routing == Routing::Failover(role);
            members.iter().find(has)
        };
        let (primary, secondary) = (of(FailoverRole::Primary), of(FailoverRole::Secondary));
        let nobody = members.iter().all(|member| !self.lives(member));
        if nobody && let (Some(primary), Some(secondary)) = (primary, secondary) {
            if self.errs(Wrong::FailoverToDeadSecondary) {
                return Fate::Sure(Pick::Set(secondary.set));
            }
            if self.errs(Wrong::FailoverToBoth) {
                return Fate::even(vec![Pick::Set(primary.set), Pick::Set(secondary.set)]);
            }
        }
        if primary.is_none() && self.errs(Wrong::LoneSecondaryIsSilent) {
            return Fate::Sure(Pick::Nothing);
        }
        let live = |member: &&Member<'_>| member.live;
        let chosen = primary
            .filter(live)
            .or_else(|| secondary.filter(live))
            .or(primary);
        Fate::Sure(chosen.map_or(Pick::Nothing, |member| Pick::Set(member.set)))
    }

    fn multivalue(&self, members: &[Member<'c>]) -> Fated<'c> {
        let live = members.iter().filter(|member| member.live);
        let live: Vec<&RecordSet> = live.map(|member| member.set).collect();
        let apart = self.errs(Wrong::MultivalueSameTwice) || self.errs(Wrong::MultivalueSamePlaces);
        let live = if apart { live } else { different(live) };
        let nobody = members.iter().all(|member| !self.lives(member));
        if nobody && self.errs(Wrong::MultivalueSilent) {
            return Fate::Sure(Pick::Nothing);
        }
        if live.len() <= 8 || self.errs(Wrong::MultivalueAll) {
            return Fate::Sure(Pick::Together(live));
        }
        let eights = (0..1_u32 << live.len()).filter(|some| some.count_ones() == 8);
        let together = |some: u32| {
            let chosen = live
                .iter()
                .enumerate()
                .filter(|(place, _)| some >> place & 1 == 1);
            Fate::Sure(Pick::Together(chosen.map(|(_, set)| *set).collect()))
        };
        Fate::Draw(eights.map(together).collect())
    }

    /// From the most specific place to the default; an unhealthy one is widened.
    fn geolocation(&self, members: &[Member<'c>], place: &Place) -> Fated<'c> {
        let at = |member: &Member<'_>| match &member.set.routing {
            Routing::Geolocation(at) => at.clone(),
            _ => unreachable!("a group has one policy"),
        };
        let find = |wanted: &GeoLocation| members.iter().find(|member| at(member) == *wanted);
        let own = |text: &str| Some(text.to_owned());
        let mut wanted = Vec::new();
        if let (Some(country), Some(part)) = (place.country, place.subdivision) {
            wanted.push((None, own(country), own(part)));
        }
        wanted.extend(place.country.map(|country| (None, own(country), None)));
        wanted.extend(
            place
                .continent
                .map(|continent| (own(continent), None, None)),
        );
        wanted.push((None, own("*"), None));
        let wanted = wanted
            .into_iter()
            .map(|(continent, country, subdivision)| GeoLocation {
                continent,
                country,
                subdivision,
            });
        let mut matching: Vec<&Member<'c>> = wanted.filter_map(|place| find(&place)).collect();
        if self.errs(Wrong::NoMatchIsFirst) && matching.is_empty() {
            return Fate::Sure(Pick::Set(members[0].set));
        }
        if self.errs(Wrong::GeolocationSibling) && matching.iter().any(|member| !member.live) {
            let same = |member: &&Member<'c>| {
                let country = at(member).country.filter(|country| country != "*");
                country.is_some_and(|country| place.continent == Some(earth::continent(&country)))
            };
            matching.splice(1..1, members.iter().filter(same));
        }
        if self.errs(Wrong::GeolocationNotWidened) {
            matching.truncate(1);
        }
        if self.errs(Wrong::GeolocationLastResortWidest)
            && !matching.iter().any(|member| self.lives(member))
        {
            matching.reverse();
        }
        let live = matching.iter().find(|member| member.live);
        let chosen = live.or_else(|| matching.first());
        Fate::Sure(chosen.map_or(Pick::Nothing, |member| Pick::Set(member.set)))
    }

    /// By measurement, else by distance; in private zones the same region first (reference 10).
    fn latency(&self, members: &[Member<'c>], client: &Client) -> Fated<'c> {
        let (place, own) = (self.place(client), client.region);
        let region = |member: &Member<'_>| match &member.set.routing {
            Routing::Latency(region) => region.as_str().to_owned(),
            _ => unreachable!("a group has one policy"),
        };
        let own = own.filter(|_| !self.errs(Wrong::OwnRegionIsNothingSpecial));
        let same = |member: &&Member<'_>| member.live && Some(&*region(member)) == own;
        if let Some(member) = members.iter().find(same) {
            return Fate::Sure(Pick::Set(member.set));
        }
        let china = place.country == Some("CN") && !self.errs(Wrong::ChinaIsNothingSpecial);
        let special = |member: &&Member<'_>| china && member.live && region(member) == "cn-north-1";
        if let Some(member) = members.iter().find(special) {
            return Fate::Sure(Pick::Set(member.set));
        }
        let sign = if self.errs(Wrong::LatencyFarthest) {
            -1.0
        } else {
            1.0
        };
        let near = |member: &Member<'_>| Some(sign * self.ms(client, &region(member))?);
        let any = self.errs(Wrong::LatencyIgnoresHealth);
        let live = members
            .iter()
            .filter(|member| member.live || any)
            .collect::<Vec<_>>();
        least(&live, &near)
    }

    fn geoproximity(&self, members: &[Member<'c>], place: &Place) -> Fated<'c> {
        let near = |member: &Member<'_>, from| {
            let Routing::Geoproximity(at) = &member.set.routing else {
                unreachable!("a group has one policy");
            };
            let to = match &at.place {
                GeoproximityPlace::Region(name) | GeoproximityPlace::LocalZoneGroup(name) => {
                    earth::region(name).expect("a known region")
                }
                GeoproximityPlace::Coordinates(at) => {
                    (at.latitude.parse().unwrap(), at.longitude.parse().unwrap())
                }
            };
            let (distance, bias) = (earth::distance(from, to), f64::from(at.bias.unwrap_or(0)));
            if bias >= 0.0 {
                let divides = self.errs(Wrong::BiasDivides);
                let factor = 1.0 - bias / 100.0;
                if divides {
                    distance / factor
                } else {
                    distance * factor
                }
            } else if self.errs(Wrong::NegativeBiasMultiplies) {
                distance * (1.0 - bias / 100.0)
            } else {
                distance / (1.0 + bias / 100.0)
            }
        };
        let live: Vec<_> = members.iter().filter(|member| member.live).collect();
        least(&live, &|member| Some(near(member, place.point?)))
    }

    /// The location of the longest block that contains the client, then `*`.
    fn cidr(&self, members: &[Member<'c>], client: &Prefix) -> Fated<'c> {
        let at = |member: &Member<'c>| match &member.set.routing {
            Routing::Cidr {
                collection_id,
                location,
            } => (collection_id.clone(), location.clone()),
            _ => unreachable!("a group has one policy"),
        };
        let find = |location: &str| members.iter().find(|member| at(member).1 == location);
        let blocks = self.case.collections.get(&at(&members[0]).0);
        let contains = |block: &Prefix| {
            let shorter = self.errs(Wrong::CidrShorterSubnet);
            block.contains(client) || shorter && client.contains(block)
        };
        let mut matching: Vec<_> = blocks
            .into_iter()
            .flatten()
            .filter(|(block, _)| contains(block))
            .collect();
        matching.sort_by_key(|(block, _)| block.len);
        if !self.errs(Wrong::CidrShortest) {
            matching.reverse();
        }
        if !self.errs(Wrong::CidrNextBlock) {
            matching.truncate(1);
        }
        let own = matching.iter().filter_map(|(_, location)| find(location));
        let own: Vec<&Member<'c>> = own.chain(find("*")).collect();
        if self.errs(Wrong::NoMatchIsFirst) && own.is_empty() {
            return Fate::Sure(Pick::Set(members[0].set));
        }
        let last = own.first().filter(|_| !self.errs(Wrong::CidrSilent));
        let chosen = own.iter().find(|member| member.live).or(last);
        Fate::Sure(chosen.map_or(Pick::Nothing, |member| Pick::Set(member.set)))
    }

    /// Whether a member is healthy by itself, last resort or not.
    fn lives(&self, member: &Member<'_>) -> bool {
        self.is_healthy(member.set)
    }
}

/// Of sets with the same values the one with the smallest TTL: a name never has the same record
/// twice (RFC 2181 section 5).
fn different(sets: Vec<&RecordSet>) -> Vec<&RecordSet> {
    let mut kept: Vec<(BTreeSet<&String>, u32, &RecordSet)> = Vec::new();
    for set in sets {
        let SetData::Records { ttl, values } = &set.data else {
            unreachable!("no multivalue set is an alias");
        };
        let own: BTreeSet<&String> = values.iter().collect();
        match kept.iter_mut().find(|(values, ..)| *values == own) {
            Some((_, least, _)) if *least <= *ttl => {}
            Some(other) => *other = (own, *ttl, set),
            None => kept.push((own, *ttl, set)),
        }
    }
    kept.into_iter().map(|(.., set)| set).collect()
}

/// The one of these with the least measure; any of them, but always the same, where that is not to
/// be told.
fn least<'c>(live: &[&Member<'c>], measure: &dyn Fn(&Member<'_>) -> Option<f64>) -> Fated<'c> {
    let pick = |member: &&Member<'c>| Pick::Set(member.set);
    let known = live.iter().filter_map(|member| measure(member));
    let Some(best) = known.reduce(f64::min) else {
        return Fate::settled(live.iter().map(pick).collect());
    };
    // What differs by less than arithmetic may err is equal.
    let is_close = |own: f64| own - best <= 0.001 + 1e-6 * best.abs();
    let close = |member: &&&Member<'_>| measure(member).is_some_and(is_close);
    Fate::settled(live.iter().filter(close).map(pick).collect())
}
