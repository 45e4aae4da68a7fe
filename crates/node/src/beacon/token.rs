//! What a browser shows with what it has measured: that it was asked to, when, from which network,
//! and where. `<expires>.<region>+<region>.<authentication code>`, the code over all of it and the
//! network, which is not in it.
//!
//! A token keeps nobody from sending made-up times who loads the script first, but it keeps others
//! from doing so in his name: from whatever network somebody reports, he has been asked there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use meridian_latency::report::MAX_REGIONS;
use meridian_model::Network;
use ring::hmac;

/// The longest token with names of regions as they usually are.
#[cfg(test)]
pub(super) const MAX_LEN: usize = 11 + MAX_REGIONS * 15 + 1 + 43;
/// Other codes by the same key would be of other things.
const PURPOSE: &str = "meridian beacon token 1";

/// Makes tokens, and knows them again.
pub(super) struct Seal(hmac::Key);

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// It is none of ours, or was given to another network.
    Invalid,
    /// It was good once.
    Expired,
}

impl Seal {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A token for a network to measure these regions, good until then.
    pub(super) fn token(&self, expires_s: u64, network: Network, regions: &[&str]) -> String {
        let said = format!("{expires_s}.{}", regions.join("+"));
        let code = hmac::sign(&self.0, sealed(&said, network).as_bytes());
        format!("{said}.{}", BASE64.encode(code))
    }

    /// The regions that it was given to this network for.
    pub(super) fn regions<'a>(
        &self,
        token: &'a str,
        now_s: u64,
        network: Network,
    ) -> Result<Vec<&'a str>, TokenFault> {
        let invalid = TokenFault::Invalid;
        let (said, code) = token.rsplit_once('.').ok_or(invalid)?;
        let code = BASE64.decode(code).map_err(|_| invalid)?;
        hmac::verify(&self.0, sealed(said, network).as_bytes(), &code).map_err(|_| invalid)?;
        let (expires_s, regions) = said.split_once('.').ok_or(invalid)?;
        let expires_s: u64 = expires_s.parse().map_err(|_| invalid)?;
        if expires_s <= now_s {
            return Err(TokenFault::Expired);
        }
        Ok(regions.split('+').take(MAX_REGIONS).collect())
    }
}

fn sealed(said: &str, network: Network) -> String {
    format!("{PURPOSE}\n{network}\n{said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_network_and_time() {
        let seal = Seal::new(b"key");
        let home = network("192.0.2.0/24");
        let token = seal.token(100, home, &["eu-west-1", "mine"]);
        assert_eq!(
            seal.regions(&token, 99, home),
            Ok(vec!["eu-west-1", "mine"])
        );
        assert_eq!(seal.regions(&token, 100, home), Err(TokenFault::Expired));
        let other = network("198.51.100.0/24");
        assert_eq!(seal.regions(&token, 99, other), Err(TokenFault::Invalid));
        let others = Seal::new(b"another");
        assert_eq!(others.regions(&token, 99, home), Err(TokenFault::Invalid));
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let seal = Seal::new(b"key");
        let home = network("2001:db8::/48");
        let token = seal.token(100, home, &["a", "b"]);
        assert!(token.len() <= MAX_LEN);
        for at in 0..token.len() {
            for byte in [b'0', b'a', b'.', b'+'] {
                let mut changed = token.clone().into_bytes();
                if changed[at] != byte {
                    changed[at] = byte;
                    let changed = String::from_utf8(changed).unwrap();
                    assert!(seal.regions(&changed, 1, home).is_err(), "{changed}");
                }
            }
        }
        for nothing in ["", ".", "..", "100.a.", "100.a"] {
            assert_eq!(seal.regions(nothing, 1, home), Err(TokenFault::Invalid));
        }
    }
}
