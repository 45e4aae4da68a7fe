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
    if a.len() != b.len() {
        return false;
    }
    let (Some(a_end), Some(b_end)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().zip(b).all(|(a, b)| a == b);
    };
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    a_words.iter().zip(b_words).all(|(a, b)| a == b) && a_end == b_end
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
