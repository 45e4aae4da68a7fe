//! One number for the content of the tables, kept up to date row by row.

use std::fmt;

use crate::format::hex;

/// The sum modulo 2^256 of SHA-256 over all rows (table, key, value) of the digested tables. Two
/// nodes at the same entry have the same digest, in whatever order and pieces they applied.
///
/// It finds faults, not forgeries: a sum of hashes is no defence against somebody who can choose
/// rows. The journal's chain is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// Lowest first.
    limbs: [u64; 4],
}

impl Digest {
    /// The number, lowest byte first.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.limbs) {
            *chunk = limb.to_le_bytes();
        }
        bytes
    }

    /// The number from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Self { limbs }
    }

    /// The share of one row.
    pub(super) fn of_row(table: u8, key: &[u8], value: &[u8]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(&[table]);
        // The length keeps (ab, c) and (a, bc) apart.
        context.update(&(key.len() as u64).to_be_bytes());
        context.update(key);
        context.update(value);
        let hash = context.finish();
        Self::from_bytes(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    pub(super) fn add(&mut self, other: Self) {
        let mut carry = false;
        for (limb, other) in self.limbs.iter_mut().zip(other.limbs) {
            let (sum, first) = limb.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    pub(super) fn subtract(&mut self, other: Self) {
        let mut borrow = false;
        for (limb, other) in self.limbs.iter_mut().zip(other.limbs) {
            let (difference, first) = limb.overflowing_sub(other);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (difference, first || second);
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.to_bytes(), f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.to_bytes(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn taking_away_undoes_adding_with_every_carry(a: [u8; 32], b: [u8; 32]) {
            let (start, other) = (Digest::from_bytes(a), Digest::from_bytes(b));
            let mut sum = start;
            sum.add(other);
            sum.subtract(other);
            prop_assert_eq!(sum, start);
            prop_assert_eq!(sum.to_bytes(), a);
        }
    }

    #[test]
    fn a_carry_runs_through_all_limbs() {
        let mut sum = Digest::from_bytes([0xff; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        sum.add(Digest::from_bytes(one));
        assert_eq!(sum, Digest::default());
        sum.subtract(Digest::from_bytes(one));
        assert_eq!(sum.to_bytes(), [0xff; 32]);
    }
}
