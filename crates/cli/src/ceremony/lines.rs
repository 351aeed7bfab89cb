//! Lines that answers come in.

use std::io::{self, BufRead, Read};

/// Bytes of the longest line that is an answer.
const MAX_LINE: u64 = 1024;

/// The next line without its end; at most [`MAX_LINE`] bytes of it are kept. `None` at the end.
pub(crate) fn next_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() {
        // No answer is so long, so the rest of it is passed over as well.
        from.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_lines_and_long_ones_are_cut(
            parts in prop::collection::vec(prop_oneof![
                4 => prop::collection::vec(any::<u8>(), 0..40),
                2 => Just(b"\n".to_vec()),
                1 => (1000..3000_usize).prop_map(|length| vec![b'x'; length]),
            ], 0..20),
            buffer in 1..100_usize,
        ) {
            let bytes = parts.concat();
            let mut from = BufReader::with_capacity(buffer, bytes.as_slice());
            let lines: Vec<_> = std::iter::from_fn(|| next_line(&mut from).unwrap()).collect();
            let most = usize::try_from(MAX_LINE).unwrap();
            let expected = bytes.split_inclusive(|byte| *byte == b'\n');
            let expected: Vec<_> = expected
                .map(|line| line.get(..most).unwrap_or(line))
                .map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec())
                .collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
