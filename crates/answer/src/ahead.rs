//! What is looked up of clients ahead: begun with the batch, before it is known whether any answer
//! goes by it, so that the wait for memory is spent on others. Whether to begin at all is told by the
//! batch before.

use std::net::IpAddr;

use arrayvec::ArrayVec;
use meridian_atlas::{LookUp, MapLookUp, Needs};
use meridian_dns::message::Query;

use crate::client::{Client, address_of};
use crate::reply::subnet_of;
use crate::{BATCH, Near, World};

/// What answers of a batch went by: then the next one's may, too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// Where a client is.
    pub(crate) place: bool,
    /// How fast regions are for it, by a latency map.
    pub(crate) sight: bool,
}

impl Wanted {
    /// Adds what an answer to this client went by.
    #[inline]
    pub(crate) fn add(&mut self, client: &Client<'_>) {
        self.place |= client.is_placed();
        self.sight |= client.is_sighted();
    }
}

/// The look-ups of a client that have been begun.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Begun<'a> {
    /// Where its subnet is, if it told one.
    pub(crate) place: Option<&'a LookUp<'a>>,
    /// What the latency map says of it.
    pub(crate) sight: Option<&'a MapLookUp<'a>>,
}

/// What the latency map says of those who sent a batch of queries, in their order.
#[derive(Debug)]
pub(crate) struct Sights<'w> {
    /// None where nobody has begun.
    world: Option<&'w World>,
    look_ups: ArrayVec<MapLookUp<'w>, BATCH>,
}

impl<'w> Sights<'w> {
    #[inline]
    pub(crate) fn new(world: &'w World, wanted: Wanted) -> Self {
        Self {
            world: wanted.sight.then_some(world),
            look_ups: ArrayVec::new(),
        }
    }

    /// Begins with whoever sent the query that follows those before it.
    #[inline]
    pub(crate) fn begin(&mut self, source: IpAddr, query: &Query<'_>, near: &impl Near) {
        let Some(measured) = self.world.and_then(|world| world.measured.as_deref()) else {
            return;
        };
        let (address, ..) = address_of(source, subnet_of(query));
        let look_up = measured.map().begin(address);
        ask_for(look_up.needs(), near);
        self.look_ups.push(look_up);
    }

    /// Takes the next step of each, and asks for what the one after it needs.
    #[inline]
    pub(crate) fn go_on(&mut self, near: &impl Near) {
        for look_up in &mut self.look_ups {
            look_up.step();
            ask_for(look_up.needs(), near);
        }
    }

    /// That of the query at this place.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&MapLookUp<'w>> {
        self.look_ups.get(place)
    }
}

/// Asks for what a look-up needs next.
#[inline]
pub(crate) fn ask_for(needs: Needs<'_>, near: &impl Near) {
    match needs {
        Needs::Words(words) => near.near(words),
        Needs::Record(Some(record)) => near.near(record),
        Needs::Row(Some(row)) => near.near(row),
        Needs::Record(None) | Needs::Row(None) => {}
    }
}
