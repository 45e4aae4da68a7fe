//! Names and addresses are a few words at most: copying and comparing them is not worth a call.

/// Copies `from` to a place of the same length.
///
/// # Panics
/// When the lengths differ.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    assert_eq!(
        to.len(),
        from.len(),
        "the place is as long as what is copied"
    );
    // Two words that overlap make any length between one of them and two.
    match from.len() {
        4 => copy_ends::<4>(to, from),
        8..=16 => copy_ends::<8>(to, from),
        17..=32 => copy_ends::<16>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last so many bytes.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>())
        && let Some(place) = to.first_chunk_mut::<N>()
    {
        *place = *first;
        if let Some(place) = to.last_chunk_mut::<N>() {
            *place = *last;
        }
    }
}

/// Whether two strings are equal byte by byte.
#[inline]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && match a.len() {
            0..=3 => a.iter().zip(b).all(|(a, b)| a == b),
            4..=7 => same_ends::<4>(a, b),
            8..=16 => same_ends::<8>(a, b),
            17..=32 => same_ends::<16>(a, b),
            _ => a == b,
        }
}

/// Whether the first and the last so many bytes are the same.
#[inline]
fn same_ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_copied_and_compared_as_the_standard_library_does(
            from in prop::collection::vec(any::<u8>(), 0..80),
            changed in any::<prop::sample::Index>(),
        ) {
            let mut to = vec![0xa5; from.len()];
            copy(&mut to, &from);
            prop_assert_eq!(&to, &from);
            prop_assert!(same(&to, &from));
            prop_assert!(!same(&[&to[..], b"x"].concat(), &from));
            if !to.is_empty() {
                *changed.get_mut(&mut to) ^= 1;
                prop_assert!(!same(&to, &from));
            }
        }
    }
}
