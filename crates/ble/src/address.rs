//! Bluetooth device addresses.

use core::fmt;

/// Who gave a device its address (Bluetooth Core Specification, volume 6, part B, section 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressKind {
    /// Registered with the IEEE and never changing.
    Public,
    /// Chosen by the device, and changed as often as it likes.
    Random,
}

/// The address that an advert came from.
///
/// An authenticator takes a fresh random one for every session, so an address says nothing about who it is. It is
/// not a secret: everybody in range hears it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceAddress {
    bytes: [u8; Self::LENGTH],
    kind: AddressKind,
}

impl DeviceAddress {
    /// Length in bytes.
    pub const LENGTH: usize = 6;

    /// An address from its bytes in the order they are written, most significant first.
    pub const fn new(bytes: [u8; Self::LENGTH], kind: AddressKind) -> Self {
        Self { bytes, kind }
    }

    /// The bytes in the order they are written, most significant first. On the air they travel in reverse.
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }

    /// Who gave out the address. Connecting to a device takes both, address and kind.
    pub const fn kind(&self) -> AddressKind {
        self.kind
    }
}

impl fmt::Display for DeviceAddress {
    /// Writes six pairs of upper-case hex digits with colons between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.bytes;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl fmt::Debug for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_most_significant_byte_first() {
        let address = DeviceAddress::new([0x0a, 0, 0xff, 1, 2, 3], AddressKind::Random);
        assert_eq!(address.to_string(), "0A:00:FF:01:02:03");
        assert_eq!(format!("{address:?}"), "0A:00:FF:01:02:03 (Random)");
    }

    #[test]
    fn kinds_tell_equal_bytes_apart() {
        let bytes = [1, 2, 3, 4, 5, 6];
        assert_ne!(
            DeviceAddress::new(bytes, AddressKind::Public),
            DeviceAddress::new(bytes, AddressKind::Random)
        );
    }
}
