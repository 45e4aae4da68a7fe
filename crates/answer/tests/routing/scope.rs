//! How wide the scope of a reply may be, by brute force: decisions only change where a network or
//! block begins or ends, so that looking at those addresses is looking at all.

use std::collections::BTreeSet;
use std::rc::Rc;

use meridian_dns::{Name, RecordType};
use meridian_model::{RecordSet, RoutingKind, SetData};

use crate::answer::Answer;
use crate::case::{Ask, Case, Prefix};
use crate::fate::Fate;
use crate::model::Oracle;
use crate::wrong::Wrong;

/// The addresses of the client's family at which a decision may change.
pub(crate) fn edges(case: &Case, family: &Prefix) -> BTreeSet<Prefix> {
    let blocks = case.collections.values().flatten().map(|(block, _)| block);
    let measured = case.latencies.iter().map(|(network, _)| *network);
    let places = || {
        case.places
            .iter()
            .map(|(network, _)| *network)
            .chain(measured.clone())
    };
    // IPv6 addresses that contain an IPv4 one are kept apart, whether anything is known of it or not.
    let v4 = places().filter(|network| network.width() == 32);
    let v4 = v4.chain([Prefix::parse("0.0.0.0/0")]);
    let embedding = v4.flat_map(|network| network.embedding().collect::<Vec<_>>());
    let networks = places().chain(blocks.copied()).chain(embedding);
    let networks = networks.filter(|network| network.width() == family.width());
    networks
        .flat_map(|network| {
            let (first, behind) = (network.first(), network.behind());
            [
                Some(first),
                first.before(),
                behind,
                behind.and_then(|next| next.before()),
            ]
        })
        .flatten()
        .collect()
}

/// Some client address in the scope of this reply that may not get the same answer.
pub(crate) fn outlier(
    oracle: &Oracle<'_>,
    ask: &Ask,
    answer: &Answer,
    scope: u8,
) -> Option<Prefix> {
    let client = ask.client();
    // A resolver remembers no more than it has asked for (RFC 7871 section 7.3.1).
    if scope > client.len {
        return None;
    }
    let inside = client.cut(scope);
    let mut places = edges(oracle.case, &client);
    places.insert(inside.first());
    let inside = places.into_iter().filter(|place| inside.contains(place));
    // What holds for all addresses holds for those of the other family, too (RFC 7871 section
    // 7.3.1).
    let others = (scope == 0).then(|| strangers(oracle.case, &client));
    inside
        .chain(others.into_iter().flatten())
        .find(|place| !may_get(oracle, ask, *place, answer))
}

/// The addresses of the other family at which a decision may change.
fn strangers(case: &Case, client: &Prefix) -> BTreeSet<Prefix> {
    let family = if client.width() == 32 {
        "::/0"
    } else {
        "0.0.0.0/0"
    };
    let family = Prefix::parse(family);
    let mut edges = edges(case, &family);
    edges.insert(family.first());
    edges
}

/// Whether a client at this address may get the answer, too.
fn may_get(oracle: &Oracle<'_>, ask: &Ask, client: Prefix, answer: &Answer) -> bool {
    fate_of(oracle, ask, client)
        .ends()
        .into_iter()
        .any(|(end, _)| end == answer)
}

fn fate_of(oracle: &Oracle<'_>, ask: &Ask, client: Prefix) -> Rc<Fate<Answer>> {
    let whole = client.len == client.width();
    let client = if whole { oracle.like(&client) } else { client };
    let ask = Ask {
        subnet: Some(client),
        ..ask.clone()
    };
    oracle.fate(&ask)
}

/// The length of the widest scope in which all clients have the same fate, none of it settled in
/// a way that nobody tells.
pub(crate) fn widest(oracle: &Oracle<'_>, ask: &Ask) -> u8 {
    let client = ask.client();
    let own = fate_of(oracle, ask, client);
    let differs = |place: &Prefix| {
        let other = fate_of(oracle, ask, *place);
        other.is_settled() || other != own
    };
    let others = edges(oracle.case, &client).into_iter().filter(differs);
    let longest = others.map(|place| place.shared(&client) + 1).max();
    let longest = longest.unwrap_or_else(|| {
        let apart = strangers(oracle.case, &client).iter().any(differs);
        u8::from(apart && !oracle.errs(Wrong::ScopeOfFamily))
    });
    longest.min(client.width())
}

/// The length of a scope that no decision can need to be longer: all inside are in the same place
/// and the same blocks. None where the subnet is itself cut by something.
pub(crate) fn narrowest(oracle: &Oracle<'_>, ask: &Ask) -> Option<u8> {
    let client = ask.client();
    let own = oracle.like(&client.first());
    let others = edges(oracle.case, &client).into_iter();
    let others: Vec<Prefix> = others.filter(|place| oracle.like(place) != own).collect();
    if others.iter().any(|place| client.contains(place)) {
        return None;
    }
    Some(
        others
            .iter()
            .map(|place| place.shared(&client) + 1)
            .max()
            // Of the other family something else may be known.
            .unwrap_or(1),
    )
}

/// Whether anything that could be part of the answer asks who the client is.
pub(crate) fn asks_for_place(oracle: &Oracle<'_>, ask: &Ask) -> bool {
    let is_one = |set: &RecordSet| {
        use RoutingKind::{Cidr, Geolocation, Geoproximity, Latency};
        matches!(
            set.routing.kind(),
            Cidr | Geolocation | Geoproximity | Latency
        )
    };
    let sets = || oracle.case.zones.iter().flat_map(|zone| &zone.sets);
    // A CNAME may lead anywhere in its zone.
    if sets().any(|set| set.key.rtype == RecordType::Cname) {
        return sets().any(is_one);
    }
    let mut names: Vec<Name> = oracle.owner(ask).into_iter().cloned().collect();
    let mut at = 0;
    while at < names.len() {
        let here = |set: &&RecordSet| set.key.name == names[at] && set.key.rtype == ask.rtype;
        let mut found = Vec::new();
        for set in sets().filter(here) {
            if is_one(set) {
                return true;
            }
            if let SetData::Alias(target) = &set.data
                && !names.contains(&target.name)
            {
                found.push(target.name.clone());
            }
        }
        names.extend(found);
        at += 1;
    }
    false
}
