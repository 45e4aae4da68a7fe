//! The keys that checkers sign their tables with: Ed25519 (RFC 8032), so that those who count the
//! votes hold nothing that votes could be forged with.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// How many bytes a signature has.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// A checker's own key.
pub struct CheckerKey(Ed25519KeyPair);

/// What a checker's tables are verified by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// A seed that no key can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no Ed25519 key can be made of this seed")]
pub struct NotAKey;

impl CheckerKey {
    /// The key of a seed: 32 random bytes, to be kept secret.
    ///
    /// # Errors
    /// There is none; ring does not say for which seeds.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, NotAKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NotAKey)?;
        Ok(Self(pair))
    }

    /// What others verify by.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        for (byte, from) in bytes.iter_mut().zip(self.0.public_key().as_ref()) {
            *byte = *from;
        }
        PublicKey(bytes)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.0.sign(message)
    }
}

impl fmt::Debug for CheckerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckerKey({:?})", self.public())
    }
}

impl PublicKey {
    /// A key as it is stored.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As it is stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
