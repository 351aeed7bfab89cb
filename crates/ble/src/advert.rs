//! What radios send and hear: opaque service data under one of two UUIDs (CTAP 2.2/2.3 section 11.5.1.1).

use core::fmt;

use crate::{DeviceAddress, RadioError};

/// The 16-bit service UUIDs of the hybrid transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceUuid {
    /// 0xFFF9, assigned to the FIDO Alliance. What an authenticator sends under.
    Fido,
    /// 0xFDE2, assigned to Google. Older authenticators send under it, so scanners listen for it too.
    Google,
}

impl ServiceUuid {
    /// Both, in the order of preference for sending.
    pub const ALL: [Self; 2] = [Self::Fido, Self::Google];

    /// The 16-bit form.
    pub const fn short(self) -> u16 {
        match self {
            Self::Fido => 0xFFF9,
            Self::Google => 0xFDE2,
        }
    }

    /// The 128-bit form, as operating systems name service data.
    pub fn long(self) -> u128 {
        const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5f9b_34fb;
        (u128::from(self.short()) << 96) | BASE
    }

    /// Recognises the 128-bit form. Every other UUID gives `None`.
    pub fn from_long(uuid: u128) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.long() == uuid)
    }
}

/// What an advertiser puts on the air.
///
/// An advert carries flags and one service data field and nothing else, in particular no name and no
/// transmission power.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advertisement {
    /// The UUID the data is sent under.
    pub uuid: ServiceUuid,
    /// The service data, without the UUID.
    pub data: Vec<u8>,
    /// Whether others may connect to the advertiser. Only a phone that offers a Bluetooth data channel needs it.
    pub connectable: bool,
}

impl Advertisement {
    /// An advert that nobody can connect to.
    pub fn new(uuid: ServiceUuid, data: impl Into<Vec<u8>>) -> Self {
        Self { uuid, data: data.into(), connectable: false }
    }

    /// The same advert, with connections allowed.
    #[must_use]
    pub fn connectable(self) -> Self {
        Self { connectable: true, ..self }
    }
}

impl fmt::Debug for Advertisement {
    /// Names the length of the data and not the data, which would let a reader of logs link sessions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advertisement")
            .field("uuid", &self.uuid)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("connectable", &self.connectable)
            .finish()
    }
}

/// One advert as a scanner heard it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The UUID it was sent under.
    pub uuid: ServiceUuid,
    /// The service data as heard, without the UUID. Anybody can send anything: it is to be mistrusted.
    pub data: Vec<u8>,
    /// Where it came from, or claims to have come from.
    pub device: DeviceAddress,
}

impl Sighting {
    /// A sighting of the given service data.
    pub fn new(uuid: ServiceUuid, data: impl Into<Vec<u8>>, device: DeviceAddress) -> Self {
        Self { uuid, data: data.into(), device }
    }
}

impl fmt::Debug for Sighting {
    /// Names the length of the data and not the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sighting")
            .field("uuid", &self.uuid)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("device", &self.device)
            .finish()
    }
}

/// How much one advert can hold.
///
/// The advertising data of a radio has room for a flags field of 3 bytes, the 4-byte head of a service data field
/// with a 16-bit UUID, and the service data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadLimit {
    advertising_data: usize,
}

impl PayloadLimit {
    /// Every adapter: 31 bytes of advertising data, so 24 bytes of service data.
    pub const LEGACY: Self = Self::of_advertising_data(31);
    /// Bluetooth 5 extended advertising in one fragment: 251 bytes, so 244 bytes of service data.
    pub const EXTENDED: Self = Self::of_advertising_data(251);

    /// Flags: length, type and value.
    const FLAGS: usize = 3;
    /// Service data: length, type and 16-bit UUID.
    const HEAD: usize = 4;
    /// One service data field counts its type, UUID and data in one byte.
    const FIELD: usize = 255 - 3;

    /// The limit of a radio that sends the given number of bytes of advertising data.
    pub const fn of_advertising_data(bytes: usize) -> Self {
        Self { advertising_data: bytes }
    }

    /// The most service data in bytes.
    pub const fn service_data(self) -> usize {
        let room = self.advertising_data.saturating_sub(Self::FLAGS + Self::HEAD);
        if room < Self::FIELD { room } else { Self::FIELD }
    }

    /// Checks an advert before it goes to a radio.
    ///
    /// # Errors
    /// [`RadioError::AdvertTooLarge`] when its service data does not fit.
    pub fn check(self, advert: &Advertisement) -> Result<(), RadioError> {
        let (actual, max) = (advert.data.len(), self.service_data());
        if actual > max { Err(RadioError::AdvertTooLarge { actual, max }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AddressKind;

    #[test]
    fn long_uuids_are_the_standard_ones() {
        assert_eq!(ServiceUuid::Fido.long(), 0x0000fff9_0000_1000_8000_00805f9b34fb);
        assert_eq!(ServiceUuid::Google.long(), 0x0000fde2_0000_1000_8000_00805f9b34fb);
        for uuid in ServiceUuid::ALL {
            assert_eq!(ServiceUuid::from_long(uuid.long()), Some(uuid));
            assert_eq!(ServiceUuid::from_long(uuid.long() ^ 1), None);
        }
        assert_eq!(ServiceUuid::from_long(u128::from(ServiceUuid::Fido.short())), None);
    }

    #[test]
    fn limits_count_the_fields_around_the_data() {
        assert_eq!(PayloadLimit::LEGACY.service_data(), 24);
        assert_eq!(PayloadLimit::EXTENDED.service_data(), 244);
        assert_eq!(PayloadLimit::of_advertising_data(1650).service_data(), 252);
        for room in 0..=7 {
            assert_eq!(PayloadLimit::of_advertising_data(room).service_data(), 0);
        }
    }

    #[test]
    fn the_last_byte_that_fits_is_let_through_and_the_next_is_not() {
        let advert = |length| Advertisement::new(ServiceUuid::Fido, vec![0; length]);
        assert!(PayloadLimit::LEGACY.check(&advert(24)).is_ok());
        assert!(matches!(
            PayloadLimit::LEGACY.check(&advert(25)),
            Err(RadioError::AdvertTooLarge { actual: 25, max: 24 })
        ));
    }

    #[test]
    fn debug_shows_lengths_only() {
        let data = vec![0xAB; 20];
        let advert = Advertisement::new(ServiceUuid::Fido, data.clone()).connectable();
        assert_eq!(format!("{advert:?}"), "Advertisement { uuid: Fido, data: 20 bytes, connectable: true }");
        let heard = Sighting::new(ServiceUuid::Google, data, DeviceAddress::new([0; 6], AddressKind::Public));
        assert_eq!(
            format!("{heard:?}"),
            "Sighting { uuid: Google, data: 20 bytes, device: 00:00:00:00:00:00 (Public) }"
        );
    }
}
