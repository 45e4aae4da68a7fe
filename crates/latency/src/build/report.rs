//! What came out of a build, for people, metrics and whoever decides whether it is published.

use crate::score::Score;

/// What a new map is like, and what would change with it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BuildReport {
    /// Networks that something was known of.
    pub keys: usize,
    /// Networks with rows of their own.
    pub published: usize,
    /// Places with rows of their own.
    pub places: usize,
    /// Numbers that stayed, though the new ones are others: see [`Rules::hold_builds`].
    ///
    /// [`Rules::hold_builds`]: crate::Rules::hold_builds
    pub held: usize,
    /// Who moves, beside the map published before; none without one.
    pub churn: Option<Churn>,
    /// Whom the map says anything of.
    pub coverage: Coverage,
    /// Regret by samples that the map was not made of, one choice for each network of which at
    /// least two regions were measured within a minute; none where there are none.
    pub held_out: Option<Score>,
    /// When the newest sample was measured, in seconds since 1970.
    pub newest_s: Option<u64>,
}

/// Shares, 0 to 1, of those whose fastest region is another than before. Who had no row before, or
/// has none now, does not count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Churn {
    /// Of addresses of IPv4.
    pub v4: f64,
    /// Of networks of IPv6.
    pub v6: f64,
    /// Of samples, by the networks that they are of.
    pub clients: f64,
}

impl Churn {
    /// The greatest of them: what a limit is held against.
    pub fn most(&self) -> f64 {
        self.v4.max(self.v6).max(self.clients)
    }
}

/// Shares, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Coverage {
    /// Of addresses of IPv4 that have a row.
    pub v4: f64,
    /// Of networks of IPv6 that have a row.
    pub v6: f64,
    /// Of samples, those whose fastest region was measured, and not inherited or modelled.
    pub measured: f64,
}
