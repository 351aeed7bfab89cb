//! Masking (RFC 6455 section 5.3).

/// Applies `mask`, whose first byte belongs to the first byte of `bytes`.
pub(super) fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.into_iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

/// The mask as it continues behind `length` bytes.
pub(super) fn advanced(mask: [u8; 4], length: usize) -> [u8; 4] {
    let [a, b, c, d] = mask;
    match length % 4 {
        0 => mask,
        1 => [b, c, d, a],
        2 => [c, d, a, b],
        _ => [d, a, b, c],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let mask = [1, 2, 3, 4];
        let plain: Vec<u8> = (0..100).collect();
        let mut whole = plain.clone();
        apply(&mut whole, mask);
        assert!(
            whole.iter().zip(&plain).enumerate().all(|(at, (masked, byte))| *masked == byte ^ mask[at % 4])
        );
        for cut in 0..100 {
            let mut pieces = plain.clone();
            let (first, second) = pieces.split_at_mut(cut);
            apply(first, mask);
            apply(second, advanced(mask, cut));
            assert_eq!(pieces, whole);
        }
    }
}
