//! Everything that answers come from, as one immutable value.

/// A listening address's share of the world: the zones whose name servers are at that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewId(pub u8);

/// All zones, by apex and view.
#[derive(Debug, Default)]
pub struct World {}
