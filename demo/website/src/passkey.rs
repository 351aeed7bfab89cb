//! A passkey as the site keeps it, and in words.

use ciborium::Value;
use time::OffsetDateTime;
use webauthn_rs::prelude::{
    AuthenticationResult, Credential, ParsedAttestationData, Passkey, RegisterPublicKeyCredential, Uuid,
};
use webauthn_rs_proto::AuthenticatorTransport;

/// The ways of transport that have words, as browsers name them.
const TRANSPORTS: [(&str, &str); 6] = [
    ("internal", "in the device itself"),
    ("hybrid", "a phone nearby, by QR code"),
    ("usb", "USB"),
    ("nfc", "NFC"),
    ("ble", "Bluetooth"),
    ("smart-card", "a smart card"),
];

/// Where the AAGUID begins in authenticator data, after hash, flags and counter (WebAuthn section 6.1).
const AAGUID: std::ops::Range<usize> = 37..53;

/// Who makes passkeys under which AAGUID. Source: the community's list at
/// github.com/passkeydeveloper/passkey-authenticator-aaguids, and for security keys their makers' own.
const MAKERS: [(u128, &str); 27] = [
    (0xea9b8d66_4d01_1d21_3ce4_b6b48cb575d4, "Google Password Manager"),
    (0xadce0002_35bc_c60a_648b_0b25f1f05503, "Chrome on Mac"),
    (0xb5397666_4885_aa6b_cebf_e52262a439a2, "Chromium"),
    (0x771b48fd_d3d4_4f74_9232_fc157ab0507a, "Edge on Mac"),
    (0xfbfc3007_154e_4ecc_8c0b_6e020557d7bd, "Apple Passwords"),
    (0xdd4ec289_e01d_41c9_bb89_70fa845d4bf2, "Apple Passwords, managed"),
    (0x08987058_cadc_4b81_b6e1_30de50dcbe96, "Windows Hello"),
    (0x9ddd1817_af5a_4672_a2b9_3e3dd95000a9, "Windows Hello"),
    (0x6028b017_b1d4_4c02_b4b3_afcdafc96bb2, "Windows Hello"),
    (0x53414d53_554e_4700_0000_000000000000, "Samsung Pass"),
    (0xbada5566_a7aa_401f_bd96_45619a55120d, "1Password"),
    (0xd548826e_79b4_db40_a3d8_11116f7e8349, "Bitwarden"),
    (0x531126d6_e717_415c_9320_3d9aa6981239, "Dashlane"),
    (0xb78a0a55_6ef8_d246_a042_ba0f6d55050c, "LastPass"),
    (0x50726f74_6f6e_5061_7373_50726f746f6e, "Proton Pass"),
    (0xb84e4048_15dc_4dd0_8640_f4f60813c8af, "NordPass"),
    (0x0ea242b4_43c4_4a1b_8b17_dd6d0b6baec6, "Keeper"),
    (0xf3809540_7f14_49c1_a8b3_8f813b225541, "Enpass"),
    (0xfdb141b2_5d84_443e_8a35_4698c205a502, "KeePassXC"),
    (0xeaecdef2_1c31_5634_8639_f1cbd9c00a08, "KeePassDX"),
    (0xb35a26b2_8f6e_4697_ab1d_d44db4da28c6, "Zoho Vault"),
    (0x66a0ccb3_bd6a_191f_ee06_e375c50b9846, "Thales"),
    (0x39a5647e_1853_446c_a1f6_a79bae9f5bc7, "IDmelon"),
    (0xcb69481e_8ff7_4039_93ec_0a2729a154a8, "YubiKey 5"),
    (0xee882879_721c_4913_9775_3dfcce97072a, "YubiKey 5"),
    (0xfa2b99dc_9e39_4257_8f92_4a30d23c4118, "YubiKey 5 with NFC"),
    (0x2fc0579f_8113_47ea_b116_bb5a8db9202a, "YubiKey 5 with NFC"),
];

/// A passkey, and what the site noted about it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// What its owner calls it.
    pub(crate) name: String,
    pub(crate) credential: Credential,
    /// The make and model of its device; all zero if it does not say.
    pub(crate) aaguid: Uuid,
    /// How browsers reach it, in their names, with spaces between.
    pub(crate) transports: String,
    /// The SHA-256 of the maker's root certificate that vouched for its device when the site last had to look.
    pub(crate) root: Option<Vec<u8>>,
    /// Whether its device has ever checked its owner.
    pub(crate) verified: bool,
    /// In seconds since 1970.
    pub(crate) created: i64,
    pub(crate) last_used: Option<i64>,
}

impl Stored {
    /// A passkey that was just made. It is called after its maker.
    pub(crate) fn new(credential: Credential, answer: &RegisterPublicKeyCredential) -> Self {
        let aaguid = aaguid(&answer.response.attestation_object).unwrap_or_default();
        let transports = answer.response.transports.iter().flatten().filter_map(transport);
        Self {
            name: maker(aaguid).unwrap_or("Passkey").to_owned(),
            verified: credential.user_verified,
            root: None,
            credential,
            aaguid,
            transports: transports.collect::<Vec<_>>().join(" "),
            created: now(),
            last_used: None,
        }
    }

    /// The same after a sign-in, with what that tells of it.
    pub(crate) fn after(&self, result: &AuthenticationResult) -> Self {
        let mut passkey = Passkey::from(self.credential.clone());
        passkey.update_credential(result);
        let verified = self.verified || result.user_verified();
        Self { credential: passkey.into(), verified, ..self.clone() }
    }

    /// Where its private key is.
    pub(crate) const fn kind(&self) -> &'static str {
        match (self.credential.backup_eligible, self.credential.backup_state) {
            (true, true) => "Synced passkey (backup eligible, backed up)",
            (true, false) => "Synced passkey (backup eligible, not backed up yet)",
            (false, _) => "Bound to this device (not backup eligible)",
        }
    }

    pub(crate) const fn attestation(&self) -> &'static str {
        match self.credential.attestation.data {
            ParsedAttestationData::Basic(_)
            | ParsedAttestationData::AttCa(_)
            | ParsedAttestationData::AnonCa(_) => "The device presented a certificate of its maker",
            ParsedAttestationData::Self_ => "The passkey vouches for itself only",
            _ => "None",
        }
    }

    pub(crate) fn maker(&self) -> String {
        match maker(self.aaguid) {
            Some(name) => format!("{name} (AAGUID {})", self.aaguid),
            None if self.aaguid.is_nil() => "Not told".to_owned(),
            None => format!("Unknown (AAGUID {})", self.aaguid),
        }
    }

    pub(crate) fn transports(&self) -> String {
        let words = |name| TRANSPORTS.iter().find(|(known, _)| *known == name).map(|(_, words)| *words);
        let words: Vec<_> = self.transports.split(' ').filter_map(words).collect();
        if words.is_empty() { "Not told".to_owned() } else { words.join("; ") }
    }

    pub(crate) fn created(&self) -> String {
        date(self.created)
    }

    pub(crate) fn last_used(&self) -> String {
        self.last_used.map_or_else(|| "Never".to_owned(), date)
    }
}

fn maker(aaguid: Uuid) -> Option<&'static str> {
    MAKERS.iter().find(|(known, _)| *known == aaguid.as_u128()).map(|(_, name)| *name)
}

const fn transport(transport: &AuthenticatorTransport) -> Option<&'static str> {
    match transport {
        AuthenticatorTransport::Internal => Some("internal"),
        AuthenticatorTransport::Hybrid => Some("hybrid"),
        AuthenticatorTransport::Usb => Some("usb"),
        AuthenticatorTransport::Nfc => Some("nfc"),
        AuthenticatorTransport::Ble => Some("ble"),
        _ => None,
    }
}

/// The AAGUID in an attestation object, which the verifier keeps only if there is a certificate for it.
fn aaguid(object: &[u8]) -> Option<Uuid> {
    let object: Value = ciborium::from_reader(object).ok()?;
    let member = |(key, value): &(Value, Value)| {
        (key.as_text() == Some("authData")).then(|| value.as_bytes().cloned()).flatten()
    };
    let data = object.as_map()?.iter().find_map(member)?;
    Uuid::from_slice(data.get(AAGUID)?).ok()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn date(seconds: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else { return "Unknown".to_owned() };
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", at.hour(), at.minute())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(data: Vec<u8>) -> Vec<u8> {
        let object = Value::Map(vec![
            (Value::Text("fmt".to_owned()), Value::Text("none".to_owned())),
            (Value::Text("authData".to_owned()), Value::Bytes(data)),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&object, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn dates_are_readable() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(1_764_367_200), "2025-11-28 22:00 UTC");
        assert_eq!(date(i64::MAX), "Unknown");
    }

    #[test]
    fn known_makers_are_named() {
        let google = Uuid::parse_str("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4").unwrap();
        assert_eq!(maker(google), Some("Google Password Manager"));
        assert_eq!(maker(Uuid::nil()), None);
        let mut all: Vec<_> = MAKERS.iter().map(|(aaguid, _)| aaguid).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), MAKERS.len());
    }

    proptest! {
        #[test]
        fn the_aaguid_is_read_where_it_is(head: [u8; 32], id: [u8; 16], tail: Vec<u8>) {
            let data = [&head[..], &[0; 5], &id, &tail].concat();
            prop_assert_eq!(aaguid(&object(data)), Some(Uuid::from_bytes(id)));
        }

        #[test]
        fn nothing_breaks_it(bytes: Vec<u8>, short in proptest::collection::vec(any::<u8>(), 0..53)) {
            let _ = aaguid(&bytes);
            prop_assert_eq!(aaguid(&object(short)), None);
        }
    }
}
