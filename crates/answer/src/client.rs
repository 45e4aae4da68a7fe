//! Whom an answer is for: the subnet that a query tells, else whoever sent it; in private zones the
//! region of their VPC. Looked for once, and only if a policy asks.

use std::net::IpAddr;

use meridian_atlas::{Atlas, Direction, Place, Point, Range, Scopes};

use crate::World;
use crate::ahead::Begun;
use crate::health::Key;
use crate::measured::Sight;

/// A client, and how much of its address the answer depends on so far.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    world: &'a World,
    pub(crate) address: IpAddr,
    /// How many bits of the address are known.
    pub(crate) bits: u8,
    pub(crate) known_by: KnownBy<'a>,
    whereabouts: Option<Whereabouts>,
    /// The look-ups of the address, as far as they have been begun.
    look_ups: Begun<'a>,
    /// What the latency map says of the address, once looked for; nothing of who is known by
    /// something else.
    sight: Option<Option<Sight<'a>>>,
    /// The most bits of the address that any step depended on.
    scope: u8,
}

/// What tells where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownBy<'a> {
    /// The client subnet of the query (RFC 7871).
    Subnet,
    /// The address that the query came from.
    Source,
    /// The region it is in: that of a VPC, or a what-if.
    Region(&'a str),
}

/// Where a client is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whereabouts {
    pub(crate) place: Place,
    /// Where to measure distances from.
    pub(crate) direction: Option<Direction>,
    /// The region that it is in, where that is how it is known.
    pub(crate) region: Option<Key>,
    /// What to choose by where nothing else tells candidates apart.
    pub(crate) range: Range,
    /// For how many bits of the address all that is so.
    pub(crate) scopes: Scopes,
}

const NO_SCOPES: Scopes = Scopes {
    record: 0,
    subdivision: 0,
    country: 0,
    continent: 0,
};

/// The address that tells who a query is for, how many bits of it are known, and whose it is.
#[inline]
pub(crate) fn address_of<'a>(
    source: IpAddr,
    subnet: Option<(IpAddr, u8)>,
) -> (IpAddr, u8, KnownBy<'a>) {
    match subnet {
        Some((address, bits)) if bits > 0 => (address, bits, KnownBy::Subnet),
        _ => {
            let source = source.to_canonical();
            let bits = if source.is_ipv4() { 32 } else { 128 };
            (source, bits, KnownBy::Source)
        }
    }
}

/// A scope of 0 is that of all addresses, those of the other family among them (RFC 7871 section
/// 7.3.1): not true as soon as anything is known of anybody.
fn told_of(scopes: Scopes, atlas: &Atlas) -> Scopes {
    let least = u8::from(!atlas.is_empty());
    Scopes {
        record: scopes.record.max(least),
        subdivision: scopes.subdivision.max(least),
        country: scopes.country.max(least),
        continent: scopes.continent.max(least),
    }
}

impl<'a> Client<'a> {
    /// The one that a query is for: the subnet counts if it tells anything, else the sender. Its
    /// address may be being looked up already.
    #[inline]
    pub(crate) fn of(
        world: &'a World,
        source: IpAddr,
        subnet: Option<(IpAddr, u8)>,
        look_ups: Begun<'a>,
    ) -> Self {
        let (address, bits, known_by) = address_of(source, subnet);
        Self {
            world,
            address,
            bits,
            known_by,
            whereabouts: None,
            look_ups,
            sight: None,
            scope: 0,
        }
    }

    /// Somebody in this region, at this address.
    pub(crate) fn in_region(world: &'a World, address: IpAddr, region: &'a str) -> Self {
        Self {
            known_by: KnownBy::Region(region),
            sight: Some(None),
            ..Self::of(world, address, None, Begun::default())
        }
    }

    /// Somebody at this address who is supposed to be at this place.
    pub(crate) fn at_place(world: &'a World, address: IpAddr, place: Place) -> Self {
        let whereabouts = Whereabouts {
            place,
            direction: place.point.map(Point::direction),
            region: None,
            range: Range::ALL,
            scopes: NO_SCOPES,
        };
        Self {
            whereabouts: Some(whereabouts),
            sight: Some(None),
            ..Self::of(world, address, None, Begun::default())
        }
    }

    /// Where it is.
    #[inline]
    pub(crate) fn whereabouts(&mut self) -> &Whereabouts {
        let (world, address, known_by) = (self.world, self.address, self.known_by);
        let look_up = self.look_ups.place.filter(|_| known_by == KnownBy::Subnet);
        self.whereabouts.get_or_insert_with(|| {
            if let KnownBy::Region(region) = known_by {
                let place = world.regions.place(world.key, region);
                return Whereabouts {
                    place,
                    direction: place.point.map(Point::direction),
                    region: Some(Key::of_region(world.key, region)),
                    range: Range::ALL,
                    scopes: NO_SCOPES,
                };
            }
            let found = match look_up {
                Some(look_up) => look_up.found(),
                None => world.atlas.look_up(address),
            };
            Whereabouts {
                place: *found.place,
                direction: found.direction,
                region: None,
                range: found.range,
                scopes: told_of(found.scope, &world.atlas),
            }
        })
    }

    /// What the latency map says of it, where there is one.
    #[inline]
    pub(crate) fn sight(&mut self) -> Option<Sight<'a>> {
        let (world, address, look_up) = (self.world, self.address, self.look_ups.sight);
        let look = || {
            let measured = world.measured.as_deref()?;
            Some(measured.sight(match look_up {
                Some(look_up) => look_up.located(),
                None => measured.map().locate(address),
            }))
        };
        *self.sight.get_or_insert_with(look)
    }

    /// Whether anybody asked where it is.
    #[inline]
    pub(crate) fn is_placed(&self) -> bool {
        self.whereabouts.is_some()
    }

    /// Whether anybody asked what the latency map says of it, and there is one.
    #[inline]
    pub(crate) fn is_sighted(&self) -> bool {
        matches!(self.sight, Some(Some(_)))
    }

    /// A step depended on so many bits of the address.
    pub(crate) fn depended_on(&mut self, bits: u8) {
        self.scope = self.scope.max(bits);
    }

    /// For how many bits of the address the answer holds, as a reply tells it: of no interest to
    /// whoever told no subnet, and not true of the clients of VPCs, who are known by where they
    /// send from.
    pub(crate) fn told_scope(&self) -> u8 {
        match self.known_by {
            KnownBy::Subnet => self.scope,
            KnownBy::Source | KnownBy::Region(_) => 0,
        }
    }
}
