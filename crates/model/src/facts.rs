//! What a plan is told about the world: the time and a source of randomness, as plain values.

use crate::id::{
    AccessKeyId, AccountId, ChangeId, CidrCollectionId, DelegationSetId, HealthCheckId,
    QueryLoggingConfigId, TrafficPolicyId, TrafficPolicyInstanceId, VpcId, ZoneId,
};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// The facts one request is planned with. The same facts give the same identifiers.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the request is planned.
    pub now: Timestamp,
    entropy: [u8; 32],
    drawn: u64,
}

/// The base of identifiers: capitals and digits without the ones people mix up.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";

impl Facts {
    /// Facts of this time; `entropy` comes from the system's random source, or a test.
    pub fn new(now: Timestamp, entropy: [u8; 32]) -> Self {
        Self {
            now,
            entropy,
            drawn: 0,
        }
    }

    /// A random number. Each call draws the next one.
    pub fn draw(&mut self) -> u64 {
        // SplitMix64 over the entropy's four words: the words are already random, this only
        // spreads them over as many draws as one request needs.
        let word = self
            .entropy
            .as_chunks::<8>()
            .0
            .iter()
            .fold(self.drawn, |sum, chunk| {
                mix(sum ^ u64::from_le_bytes(*chunk))
            });
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        word
    }

    /// A fresh zone id. The two characters after `Z` are the cell, `00` as long as there is one.
    /// With `/hostedzone/` in front of it, it has 32 characters, the most the API's model allows.
    pub fn zone_id(&mut self) -> ZoneId {
        ZoneId::new(&self.text("Z00", 17)).expect("made of the characters of identifiers")
    }

    /// A fresh change id.
    pub fn change_id(&mut self) -> ChangeId {
        ChangeId::new(&self.text("C", 20)).expect("made of the characters of identifiers")
    }

    /// A fresh id of a reusable delegation set, with the cell as in zone ids. With
    /// `/delegationset/` in front of it, it is as long as the API's model allows.
    pub fn delegation_set_id(&mut self) -> DelegationSetId {
        DelegationSetId::new(&self.text("N00", 14)).expect("made of the characters of identifiers")
    }

    /// A fresh id of a query logging configuration.
    pub fn query_logging_config_id(&mut self) -> QueryLoggingConfigId {
        QueryLoggingConfigId::new(&self.uuid()).expect("made of the characters of identifiers")
    }

    /// A fresh id of a health check.
    pub fn health_check_id(&mut self) -> HealthCheckId {
        HealthCheckId::new(&self.uuid()).expect("made of the characters of identifiers")
    }

    /// A fresh id of a CIDR collection.
    pub fn cidr_collection_id(&mut self) -> CidrCollectionId {
        CidrCollectionId::new(&self.uuid()).expect("made of the characters of identifiers")
    }

    /// A fresh id of a traffic policy.
    pub fn traffic_policy_id(&mut self) -> TrafficPolicyId {
        TrafficPolicyId::new(&self.uuid()).expect("made of the characters of identifiers")
    }

    /// A fresh id of a traffic policy instance.
    pub fn traffic_policy_instance_id(&mut self) -> TrafficPolicyInstanceId {
        TrafficPolicyInstanceId::new(&self.uuid()).expect("made of the characters of identifiers")
    }

    /// A random UUID (RFC 9562, version 4).
    fn uuid(&mut self) -> String {
        let random = u128::from(self.draw()) << 64 | u128::from(self.draw());
        let uuid = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let [a, b, c, d, e] = [
            uuid >> 96,
            uuid >> 80 & 0xffff,
            uuid >> 64 & 0xffff,
            uuid >> 48 & 0xffff,
            uuid & 0xffff_ffff_ffff,
        ];
        format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }

    /// A fresh id of a VPC, as long as AWS's.
    pub fn vpc_id(&mut self) -> VpcId {
        let number = self.draw() >> 4;
        VpcId::new(&format!("vpc-0{number:016x}")).expect("small letters, digits and a hyphen")
    }

    /// A fresh access key id.
    pub fn access_key_id(&mut self) -> AccessKeyId {
        AccessKeyId::new(&self.text("AKIA", 16)).expect("made of the characters of identifiers")
    }

    /// A fresh account id: twelve digits, the first not zero.
    pub fn account_id(&mut self) -> AccountId {
        let number = 100_000_000_000 + self.draw() % 900_000_000_000;
        AccountId::new(&number.to_string()).expect("twelve digits")
    }

    fn text(&mut self, prefix: &str, random: usize) -> String {
        let mut text = String::with_capacity(prefix.len() + random);
        text.push_str(prefix);
        for _ in 0..random {
            let index = usize::try_from(self.draw() >> 59).expect("five bits");
            text.push(char::from(ALPHABET[index]));
        }
        text
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_facts_draw_equal_ids_and_one_request_never_the_same_twice() {
        let facts = || Facts::new(Timestamp(0), [7; 32]);
        let (mut a, mut b) = (facts(), facts());
        let first = a.zone_id();
        assert_eq!(first, b.zone_id());
        assert_ne!(first, a.zone_id());
        assert_eq!(first.as_str().len(), 20);
        assert_eq!(a.delegation_set_id().as_str().len(), 17);
        let uuid = a.query_logging_config_id();
        let parts: Vec<&str> = uuid.as_str().split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']));
        assert_eq!(a.access_key_id().as_str().len(), 20);
        assert_eq!(a.account_id().as_str().len(), 12);
        assert_ne!(Facts::new(Timestamp(0), [8; 32]).zone_id(), first);
    }
}
