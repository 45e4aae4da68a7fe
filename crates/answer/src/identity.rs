//! What a server tells about itself, and the secrets of its cookies.
//!
//! Where these come from is the business of whoever starts the server.

/// Facts about the answering server that stay the same while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Which server this is: NSID (RFC 5001) and `id.server` (RFC 4892). Empty means that it is
    /// not told. At most 255 bytes are.
    pub server: String,
    /// What runs here: `version.bind` and `version.server`. Empty means that it is not told.
    pub version: String,
    /// Shared by all servers of an address, so that each knows the cookies of the others.
    pub cookie_secrets: CookieSecrets,
}

/// What cookies are made with and known by. There are two while servers that share a secret go
/// over from one to another, each in its own time (RFC 9018 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CookieSecrets {
    /// Cookies are made with this one.
    pub current: CookieSecret,
    /// Those made with this one are good too: it is the next one or the one before.
    pub accepted: Option<CookieSecret>,
}

/// The key that the secrets of server cookies are derived from (RFC 7873, RFC 9018).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CookieSecret(pub [u8; 16]);

impl std::fmt::Debug for CookieSecret {
    /// Does not show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSecret(..)")
    }
}
