//! What the device says of itself: authenticatorGetInfo (CTAP 2.1 section 6.4).

use super::map;
use crate::hid::MAX_MESSAGE;

/// How many passkeys programs may name in one request; longer lists they probe in pieces of this size.
///
/// A piece shorter than this is the last one, which is how the end of a list is known. A list whose length is a multiple of
/// this is taken for one that goes on, so it is no number that people choose as a limit. With it, a message has room for
/// credential IDs of 85 bytes on average.
pub const MAX_LIST: usize = 67;
/// Bytes of the longest credential ID, the most that WebAuthn allows.
pub const MAX_CREDENTIAL_ID: usize = 1023;

/// The map that describes a phone which has not been met yet, as far as that is true of all of them.
///
/// * `versions`: FIDO_2_0, and FIDO_2_1 for its authenticatorSelection.
/// * No extensions: phones do not give `hmac-secret` over the hybrid transport, and what else they know is seen when a
///   request has reached them. Unknown extensions of a request are passed on.
/// * `aaguid`: zeros, for an unknown one. The phone's own is in the passkeys that it makes.
/// * `options`: `rk`, `up`, `uv`. No `clientPin`: the phone asks for its own unlocking.
/// * `pinUvAuthProtocols`: 1, which nothing here uses, as there is no PIN and no token; python-fido2 asks devices to verify
///   the user by themselves only if there is one.
/// * `transports`: `hybrid` and `internal`, by which the phone's passkeys can be reached elsewhere, and `usb`, as this device
///   looks like that: a site repeats them when it asks for a passkey, and programs that know nothing of `hybrid` would not
///   ask here otherwise.
pub(crate) fn get_info() -> Vec<u8> {
    let number = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    map::write(|map| {
        map.map(8)?;
        map.u8(1)?.array(2)?.str("FIDO_2_0")?.str("FIDO_2_1")?;
        map.u8(3)?.bytes(&[0; 16])?;
        map.u8(4)?.map(3)?;
        for option in ["rk", "up", "uv"] {
            map.str(option)?.bool(true)?;
        }
        map.u8(5)?.u64(number(MAX_MESSAGE))?;
        map.u8(6)?.array(1)?.u8(1)?;
        map.u8(7)?.u64(number(MAX_LIST))?;
        map.u8(8)?.u64(number(MAX_CREDENTIAL_ID))?;
        map.u8(9)?.array(3)?.str("hybrid")?.str("internal")?.str("usb")?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use hybridge_proto::cbor::check_canonical;

    use super::*;

    #[test]
    fn the_description_is_canonical() {
        check_canonical(&get_info()).unwrap();
        assert_eq!(
            hex::encode(get_info()),
            "a8\
             0182684649444f5f325f30684649444f5f325f31\
             035000000000000000000000000000000000\
             04a362726bf5627570f5627576f5\
             05191db9\
             068101\
             071843\
             081903ff\
             0983666879627269646869 6e7465726e616c63757362"
                .replace(' ', "")
        );
    }
}
