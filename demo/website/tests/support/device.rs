//! A device that makes passkeys of the kind a test wants: their flags, and who vouches for them.

use ciborium::Value as Cbor;
use data_encoding::BASE64URL_NOPAD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PublicKeyData, SigningKey, date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The AAGUID of a maker that the site knows.
const AAGUID: [u8; 16] = 0xfdb1_41b2_5d84_443e_8a35_4698_c205_a502_u128.to_be_bytes();

/// A maker of devices, with a root certificate.
pub(crate) struct Maker(CertifiedIssuer<'static, KeyPair>);

impl Maker {
    pub(crate) fn new(name: &str) -> Box<Self> {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, name);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Box::new(Self(CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap()))
    }

    pub(crate) fn root_pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate as WebAuthn section 8.2.1 wants it, and its key.
    fn certify(&self, expired: bool) -> (Vec<u8>, KeyPair) {
        let mut leaf = CertificateParams::default();
        if expired {
            leaf.not_after = date_time_ymd(2020, 1, 1);
        }
        for (kind, value) in [
            (DnType::CountryName, "SE"),
            (DnType::OrganizationName, "A maker"),
            (DnType::OrganizationalUnitName, "Authenticator Attestation"),
            (DnType::CommonName, "A device"),
        ] {
            leaf.distinguished_name.push(kind, value);
        }
        leaf.is_ca = IsCa::ExplicitNoCa;
        let key = KeyPair::generate().unwrap();
        (leaf.signed_by(&key, &self.0).unwrap().der().to_vec(), key)
    }
}

/// Who vouches for a passkey.
pub(crate) enum Voucher {
    Nobody,
    Itself,
    Maker(Box<Maker>),
    /// With a certificate that is not valid any more.
    Expired(Box<Maker>),
}

struct Made {
    id: Vec<u8>,
    key: KeyPair,
    user: String,
}

/// What it does can be changed at any time.
pub(crate) struct Device {
    /// Backup eligible and backed up.
    pub(crate) synced: bool,
    pub(crate) verifies: bool,
    pub(crate) voucher: Voucher,
    made: Vec<Made>,
}

impl Device {
    pub(crate) fn new(synced: bool, voucher: Voucher) -> Self {
        Self { synced, verifies: true, voucher, made: Vec::new() }
    }

    /// Answers the options of a registration.
    pub(crate) fn create(&mut self, origin: &str, options: &Value) -> Value {
        let options = &options["publicKey"];
        let key = KeyPair::generate().unwrap();
        let id = Sha256::digest(key.der_bytes()).to_vec();
        let mut data = self.data(&options["rp"]["id"], 0x40);
        data.extend(AAGUID);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(&id);
        ciborium::into_writer(&public_key(key.der_bytes()), &mut data).unwrap();
        let client = client_data("webauthn.create", origin, options);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        let (format, statement) = self.statement(&key, &signed);
        let object = Cbor::Map(vec![
            (text("fmt"), text(format)),
            (text("attStmt"), Cbor::Map(statement)),
            (text("authData"), Cbor::Bytes(data)),
        ]);
        let mut attestation = Vec::new();
        ciborium::into_writer(&object, &mut attestation).unwrap();
        let user = options["user"]["id"].as_str().unwrap().to_owned();
        self.made.push(Made { id: id.clone(), key, user });
        answer(
            &id,
            &json!({
                "attestationObject": BASE64URL_NOPAD.encode(&attestation),
                "clientDataJSON": BASE64URL_NOPAD.encode(&client),
                "transports": ["internal", "hybrid"],
            }),
        )
    }

    /// Answers the options of a sign-in with the newest passkey.
    pub(crate) fn sign(&self, origin: &str, options: &Value) -> Value {
        let options = &options["publicKey"];
        let made = self.made.last().unwrap();
        let data = self.data(&options["rpId"], 0);
        let client = client_data("webauthn.get", origin, options);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        answer(
            &made.id,
            &json!({
                "authenticatorData": BASE64URL_NOPAD.encode(&data),
                "clientDataJSON": BASE64URL_NOPAD.encode(&client),
                "signature": BASE64URL_NOPAD.encode(&made.key.sign(&signed).unwrap()),
                "userHandle": made.user,
            }),
        )
    }

    /// Authenticator data up to the counter (WebAuthn section 6.1).
    fn data(&self, rp_id: &Value, more: u8) -> Vec<u8> {
        let flags = 0x01 | if self.verifies { 0x04 } else { 0 } | if self.synced { 0x18 } else { 0 } | more;
        let hash = Sha256::digest(rp_id.as_str().unwrap());
        [&hash[..], &[flags, 0, 0, 0, 0]].concat()
    }

    fn statement(&self, key: &KeyPair, signed: &[u8]) -> (&'static str, Vec<(Cbor, Cbor)>) {
        let packed = |key: &KeyPair| {
            let signature = key.sign(signed).unwrap();
            vec![(text("alg"), Cbor::from(-7)), (text("sig"), Cbor::Bytes(signature))]
        };
        match &self.voucher {
            Voucher::Nobody => ("none", Vec::new()),
            Voucher::Itself => ("packed", packed(key)),
            Voucher::Maker(maker) | Voucher::Expired(maker) => {
                let expired = matches!(self.voucher, Voucher::Expired(_));
                let (certificate, key) = maker.certify(expired);
                let mut statement = packed(&key);
                statement.push((text("x5c"), Cbor::Array(vec![Cbor::Bytes(certificate)])));
                ("packed", statement)
            }
        }
    }
}

/// The COSE key of an uncompressed P-256 point.
fn public_key(point: &[u8]) -> Cbor {
    let bytes = |range: std::ops::Range<usize>| Cbor::Bytes(point[range].to_vec());
    let pair = |key: i32, value| (Cbor::from(key), value);
    Cbor::Map(vec![
        pair(1, 2.into()),
        pair(3, (-7).into()),
        pair(-1, 1.into()),
        pair(-2, bytes(1..33)),
        pair(-3, bytes(33..65)),
    ])
}

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn client_data(kind: &str, origin: &str, options: &Value) -> Vec<u8> {
    json!({ "type": kind, "challenge": options["challenge"], "origin": origin }).to_string().into_bytes()
}

fn answer(id: &[u8], response: &Value) -> Value {
    let id = BASE64URL_NOPAD.encode(id);
    json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response })
}
