//! Telling why an answer is what it is. Whoever only answers hands in [`Silent`], with which all of
//! this is no code at all; what is made of what is told is in `explain`.

use std::net::IpAddr;

use meridian_atlas::{Latencies, Origin};

use super::candidates::Candidates;
use crate::ZoneImage;
use crate::lookup::Place;

/// Listens on the way to an answer. What is told is made only if somebody listens.
pub(crate) trait Trace {
    /// Whether anybody listens.
    const ON: bool;

    /// A CNAME leads on to another name of the zone.
    fn cname(&mut self);

    /// A name, in wire form, leads here in its zone: the question's, or the target of a CNAME.
    fn placed(&mut self, zone: &ZoneImage, name: &[u8], place: &Place<'_>);

    /// Choosing among these begins; their name has these labels below the apex of the zone.
    fn group(&mut self, zone: &ZoneImage, labels: &[u8], candidates: &Candidates<'_>);

    /// Which of several options, each with this share, is to be taken; none leaves it to chance.
    #[inline(always)]
    fn draw(&mut self, _: impl FnOnce() -> Vec<usize>) -> Option<usize> {
        None
    }

    /// Which of the runs of so many members at once is to be taken, of this many; none leaves it
    /// to chance.
    #[inline(always)]
    fn draw_several(&mut self, _: usize) -> Option<usize> {
        None
    }

    /// None of those that the client fits is in play: the last resort is among these.
    fn last_resort(&mut self);

    /// Why a member in play was not chosen, or one that the last resort is not.
    fn fate(&mut self, place: usize, fate: impl FnOnce() -> Fate);

    /// What a latency map says of the client, whose address this is: a choice goes by it.
    fn latencies<'a>(&mut self, latencies: impl FnOnce() -> (IpAddr, Latencies<'a>));

    /// What was found out about a member in play.
    fn finding(&mut self, place: usize, finding: impl FnOnce() -> Finding);

    /// These members were chosen, and for how many bits of the client's address that is true.
    fn chosen(&mut self, places: &[usize], bits: u8);

    /// The chosen alias leads to a host name elsewhere, whose answer is for so many bits of the
    /// client's address.
    #[inline(always)]
    fn left(&mut self, _: u8) {}

    /// An alias leads nowhere, or a set cannot be answered.
    fn lost(&mut self, why: Lost);
}

impl<T: Trace> Trace for &mut T {
    const ON: bool = T::ON;

    fn cname(&mut self) {
        (**self).cname();
    }

    fn placed(&mut self, zone: &ZoneImage, name: &[u8], place: &Place<'_>) {
        (**self).placed(zone, name, place);
    }

    fn group(&mut self, zone: &ZoneImage, labels: &[u8], candidates: &Candidates<'_>) {
        (**self).group(zone, labels, candidates);
    }

    fn draw(&mut self, shares: impl FnOnce() -> Vec<usize>) -> Option<usize> {
        (**self).draw(shares)
    }

    fn draw_several(&mut self, of: usize) -> Option<usize> {
        (**self).draw_several(of)
    }

    fn last_resort(&mut self) {
        (**self).last_resort();
    }

    fn fate(&mut self, place: usize, fate: impl FnOnce() -> Fate) {
        (**self).fate(place, fate);
    }

    fn latencies<'a>(&mut self, latencies: impl FnOnce() -> (IpAddr, Latencies<'a>)) {
        (**self).latencies(latencies);
    }

    fn finding(&mut self, place: usize, finding: impl FnOnce() -> Finding) {
        (**self).finding(place, finding);
    }

    fn chosen(&mut self, places: &[usize], bits: u8) {
        (**self).chosen(places, bits);
    }

    fn left(&mut self, bits: u8) {
        (**self).left(bits);
    }

    fn lost(&mut self, why: Lost) {
        (**self).lost(why);
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silent;

impl Trace for Silent {
    const ON: bool = false;

    #[inline(always)]
    fn cname(&mut self) {}

    #[inline(always)]
    fn placed(&mut self, _: &ZoneImage, _: &[u8], _: &Place<'_>) {}

    #[inline(always)]
    fn group(&mut self, _: &ZoneImage, _: &[u8], _: &Candidates<'_>) {}

    #[inline(always)]
    fn last_resort(&mut self) {}

    #[inline(always)]
    fn fate(&mut self, _: usize, _: impl FnOnce() -> Fate) {}

    #[inline(always)]
    fn latencies<'a>(&mut self, _: impl FnOnce() -> (IpAddr, Latencies<'a>)) {}

    #[inline(always)]
    fn finding(&mut self, _: usize, _: impl FnOnce() -> Finding) {}

    #[inline(always)]
    fn chosen(&mut self, _: &[usize], _: u8) {}

    #[inline(always)]
    fn lost(&mut self, _: Lost) {}
}

/// Why a set that could have been chosen was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its weight is 0, and others have one.
    ZeroWeight,
    /// Another was drawn.
    NotDrawn,
    /// Another with the same values stands for it.
    SameValues,
    /// The primary set is healthy.
    PrimaryIsUp,
    /// Both are down, and the primary set is the last resort.
    PrimaryIsLastResort,
    /// It is for other clients.
    NotMatched,
    /// Another that fits this client is for fewer clients.
    LessSpecific,
    /// Another is nearer or faster.
    Outdone,
    /// Another is as near, and the client's range of addresses falls to it.
    AsNear,
    /// Nobody knows where the client is, and its range of addresses falls to another.
    NobodyKnows,
    /// Another is for the region that the client is in.
    NotOwnRegion,
    /// Clients in China are answered from Beijing.
    NotBeijing,
}

/// What a policy found out about a set and this client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// The distance between the client and the set's place.
    DistanceKm(f64),
    /// That distance with the bias.
    BiasedKm(f64),
    /// How long it takes to the set's region and back.
    Latency(LatencyFound),
}

/// How long it takes from a client to a region and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyFound {
    /// Milliseconds.
    pub ms: f64,
    /// Where that comes from.
    pub source: LatencySource,
}

/// Where a latency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencySource {
    /// The latency map, and where that has it from.
    Map(Origin),
    /// The distance: no map has a number.
    Distance,
}

/// Why an alias leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The zone it points into is not here.
    NoZone,
    /// There is no set of its type at the target.
    NoTarget,
    /// It is one alias too many.
    TooDeep,
    /// The target is stored but cannot be answered.
    Unserved,
    /// The target is a host name elsewhere that has not been resolved.
    Unresolved,
    /// The target is a host name elsewhere, at addresses that the zone's account has no right to.
    Withheld,
}
