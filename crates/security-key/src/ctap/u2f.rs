//! U2F messages (FIDO U2F raw message formats 1.2). There is no U2F here, and old clients are told so in its own words, on
//! which they try the next credential, and then the next device.

/// The class is not known.
const WRONG_CLASS: [u8; 2] = [0x6e, 0x00];
/// The command is not known.
const WRONG_INSTRUCTION: [u8; 2] = [0x6d, 0x00];
/// Not a command at all.
const WRONG_LENGTH: [u8; 2] = [0x67, 0x00];
/// The key handle is not of this device.
const WRONG_DATA: [u8; 2] = [0x6a, 0x80];
/// U2F_AUTHENTICATE.
const AUTHENTICATE: u8 = 0x02;

/// The status word for a request. Never one that says to wait for a touch.
pub(crate) const fn reply(request: &[u8]) -> [u8; 2] {
    match request {
        [0, AUTHENTICATE, _, _, ..] => WRONG_DATA,
        [0, _, _, _, ..] => WRONG_INSTRUCTION,
        [_, _, _, _, ..] => WRONG_CLASS,
        _ => WRONG_LENGTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_clients_are_sent_on() {
        assert_eq!(reply(&[0, 3, 0, 0, 0, 0, 0]), [0x6d, 0x00], "no version");
        assert_eq!(reply(&[0, 1, 3, 0, 0, 0, 64]), [0x6d, 0x00], "no registration");
        assert_eq!(reply(&[0, 2, 7, 0, 0, 0, 65]), [0x6a, 0x80], "not my key handle");
        assert_eq!(reply(&[0x80, 1, 0, 0]), [0x6e, 0x00]);
        assert_eq!(reply(&[0, 1, 0]), [0x67, 0x00]);
    }
}
