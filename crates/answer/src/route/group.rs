//! Groups as bytes: the sets of one name and type that are more than plain records.
//!
//! ```text
//! group   policy u8 · collection u64 · member × count · part × count
//! member  flags u8 · parameter 10 bytes · check u64 · target u64 · part u32 (where in the group)
//! part    of records: set · names        of an alias: hash u64 · zone · name · names
//!         of an alias that leads out: key u64 · zone · name · names
//! names   identifier · health check · place of the parameter, for people
//! ```
//! Texts and names stand behind their length, u16; numbers are little-endian. Members come first
//! because choosing looks at them alone. How many there are is in the set's head, see `node`;
//! writing is in `compile::group`.

use meridian_dns::RecordType;
use meridian_model::RoutingKind;

use crate::health::Key;
use crate::node::Set;

/// Bytes before the members.
pub(crate) const GROUP_HEAD: usize = 9;
/// Bytes of what a member says to its policy.
pub(crate) const PARAMETER: usize = 10;
/// Bytes of a member.
pub(crate) const MEMBER: usize = 1 + PARAMETER + 8 + 8 + 4;
/// In the flags: the member is an alias, not records.
pub(crate) const ALIAS: u8 = 1;
/// In the flags: the health of an alias's target is its own.
pub(crate) const EVALUATES: u8 = 2;
/// In the flags: the alias points to a host name elsewhere.
pub(crate) const LEADS_OUT: u8 = 4;
/// The policies, by their numbers.
pub(crate) const POLICIES: [RoutingKind; 8] = [
    RoutingKind::Simple,
    RoutingKind::Weighted,
    RoutingKind::Latency,
    RoutingKind::Failover,
    RoutingKind::Geolocation,
    RoutingKind::Multivalue,
    RoutingKind::Cidr,
    RoutingKind::Geoproximity,
];

/// The sets of one name and type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a> {
    pub(crate) rtype: RecordType,
    pub(crate) policy: RoutingKind,
    /// Of a CIDR policy: which collection.
    pub(crate) collection: Key,
    members: &'a [[u8; MEMBER]],
    bytes: &'a [u8],
}

/// One set of a group, as far as choosing goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    /// What it says to the policy; each policy has its own form.
    pub(crate) parameter: &'a [u8; PARAMETER],
    /// Of its health check, if it has one.
    pub(crate) check: Option<Key>,
    /// Of the sets whose health is its own, if it is an alias that evaluates.
    pub(crate) target: Option<Key>,
    /// Where its part starts, and whether that is an alias.
    part: usize,
    flags: u8,
}

/// What a member answers with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Its own records.
    Records(Set<'a>),
    /// Those of other sets of the same type.
    Alias(Target<'a>),
    /// Those of a host name elsewhere, of the same type.
    External(External<'a>),
}

/// A host name elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct External<'a> {
    /// Of the name and the type.
    pub(crate) key: Key,
    /// The zone it is said to be in.
    pub(crate) zone: &'a str,
    /// The whole name, in lower case.
    pub(crate) name: &'a [u8],
}

/// Where an alias points.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// To a name of the same zone.
    Here {
        /// Of the name.
        hash: u64,
        /// Below the apex, in lower case.
        labels: &'a [u8],
    },
    /// To a name of another zone.
    Elsewhere {
        /// Its id.
        zone: &'a str,
        /// The whole name, in lower case.
        name: &'a [u8],
    },
}

/// What people call the things of a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) health_check: &'a str,
    /// The region, place or location it is for.
    pub(crate) place: &'a str,
}

impl<'a> Group<'a> {
    /// Reads a set that is a group; none for bytes that `compile` has not written.
    pub(crate) fn read(set: Set<'a>) -> Option<Self> {
        let (head, rest) = set.body.split_first_chunk::<GROUP_HEAD>()?;
        let [policy, collection @ ..] = head;
        let (members, _) = rest.as_chunks::<MEMBER>();
        Some(Self {
            rtype: set.rtype,
            policy: *POLICIES.get(usize::from(*policy))?,
            collection: Key(u64::from_le_bytes(*collection)),
            members: members.get(..set.count)?,
            bytes: set.body,
        })
    }

    /// The members in the order of their identifiers.
    #[inline]
    pub(crate) fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        self.members.iter().map(Member::read)
    }

    pub(crate) fn member(&self, place: usize) -> Option<Member<'a>> {
        self.members.get(place).map(Member::read)
    }

    #[inline]
    pub(crate) fn part(&self, member: &Member<'a>) -> Option<Part<'a>> {
        if !member.is_alias() {
            return Some(Part::Records(self.records_and_rest(member)?.0));
        }
        self.part_and_rest(member).map(|(part, _)| part)
    }

    pub(crate) fn names(&self, member: &Member<'a>) -> Option<Names<'a>> {
        let (_, rest) = self.part_and_rest(member)?;
        let (identifier, rest) = text(rest)?;
        let (health_check, rest) = text(rest)?;
        let (place, _) = text(rest)?;
        Some(Names {
            identifier,
            health_check,
            place,
        })
    }

    #[inline]
    fn records_and_rest(&self, member: &Member<'a>) -> Option<(Set<'a>, &'a [u8])> {
        Set::read(self.rtype, self.bytes.get(member.part..)?)
    }

    fn part_and_rest(&self, member: &Member<'a>) -> Option<(Part<'a>, &'a [u8])> {
        if !member.is_alias() {
            let (set, rest) = self.records_and_rest(member)?;
            return Some((Part::Records(set), rest));
        }
        let bytes = self.bytes.get(member.part..)?;
        let (hash, rest) = bytes.split_first_chunk::<8>()?;
        let (zone, rest) = text(rest)?;
        let (name, rest) = sized(rest)?;
        if member.flags & LEADS_OUT != 0 {
            let key = Key(u64::from_le_bytes(*hash));
            return Some((Part::External(External { key, zone, name }), rest));
        }
        let target = if zone.is_empty() {
            Target::Here {
                hash: u64::from_le_bytes(*hash),
                labels: name,
            }
        } else {
            Target::Elsewhere { zone, name }
        };
        Some((Part::Alias(target), rest))
    }
}

impl<'a> Member<'a> {
    #[inline]
    fn read(bytes: &'a [u8; MEMBER]) -> Self {
        let (flags, rest) = (bytes[0], &bytes[1..]);
        let nothing = (&[0; PARAMETER], rest);
        let (parameter, rest) = rest.split_first_chunk().unwrap_or(nothing);
        let number = |rest: &[u8]| rest.first_chunk().map_or(0, |n| u64::from_le_bytes(*n));
        let (check, target) = (number(rest), number(&rest[8..]));
        let part = rest.last_chunk().map_or(0, |n| u32::from_le_bytes(*n));
        Self {
            parameter,
            check: (check != 0).then_some(Key(check)),
            target: (target != 0).then_some(Key(target)),
            part: part as usize,
            flags,
        }
    }

    /// Whether it is an alias.
    pub(crate) fn is_alias(&self) -> bool {
        self.flags & ALIAS != 0
    }

    /// Whether it is an alias whose target's health is its own.
    pub(crate) fn evaluates(&self) -> bool {
        self.flags & EVALUATES != 0
    }
}

/// Bytes behind their length.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_le_bytes(*len).into())
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (text, rest) = sized(bytes)?;
    Some((str::from_utf8(text).ok()?, rest))
}
