//! A small authenticator, whose answers can be wrong in one thing.

use std::fmt;

use ciborium::Value;
use hybridge_proto::keys::PrivateKey;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::{
    cbor::{bytes, encode_with, map, member, text},
    rule::Rule,
};

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

const SUCCESS: u8 = 0x00;
const INVALID_COMMAND: u8 = 0x01;
const INVALID_CBOR: u8 = 0x12;
const CREDENTIAL_EXCLUDED: u8 = 0x19;
const NO_CREDENTIALS: u8 = 0x2E;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// The passkeys of a mutant phone, in memory. They outlive the phone, so that one that keeps the rules can make a
/// passkey which one that breaks a rule then uses. It agrees to everything.
#[derive(Default)]
pub struct MutantPasskeys {
    oldest_first: Vec<Passkey>,
}

struct Passkey {
    id: [u8; 16],
    rp_id: String,
    user: Value,
    key: SigningKey,
}

/// A request for a passkey, as far as it matters here.
struct Asked<'r> {
    rp_id: &'r str,
    challenge: &'r [u8],
    /// The exclude list or allow list.
    listed: Vec<&'r [u8]>,
}

impl MutantPasskeys {
    /// None yet.
    pub const fn new() -> Self {
        Self { oldest_first: Vec::new() }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.oldest_first.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.oldest_first.is_empty()
    }

    /// Answers a CTAP request: status and CBOR.
    pub(super) fn call(
        &mut self,
        request: &[u8],
        rule: Option<Rule>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let (command, cbor) = request.split_first().unwrap_or((&0, &[]));
        let Ok(parameters) = ciborium::from_reader::<Value, _>(cbor) else { return vec![INVALID_CBOR] };
        let answer = match *command {
            MAKE_CREDENTIAL => self.make(&parameters, rule, rng),
            GET_ASSERTION => self.sign(&parameters, rule),
            _ => Err(INVALID_COMMAND),
        };
        match answer {
            Ok(answer) => [&[SUCCESS], encode_with(&answer, reply_flaw(rule)).as_slice()].concat(),
            Err(status) => vec![status],
        }
    }

    fn make(
        &mut self,
        request: &Value,
        rule: Option<Rule>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Value, u8> {
        let rp_id = member(request, 2).and_then(|rp| member(rp, "id")).and_then(Value::as_text);
        let asked = Asked::read(rp_id, member(request, 1), member(request, 5)).ok_or(INVALID_CBOR)?;
        let user = member(request, 3).and_then(|user| member(user, "id")).ok_or(INVALID_CBOR)?;
        if self.of(&asked).next().is_some() {
            return Err(CREDENTIAL_EXCLUDED);
        }
        let key = PrivateKey::generate(rng);
        let signing = SigningKey::from_slice(key.expose_bytes().as_slice()).map_err(|_| INVALID_CBOR)?;
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let passkey = Passkey { id, rp_id: asked.rp_id.to_owned(), user: user.clone(), key: signing };
        let mut data = passkey.data(rule, ATTESTED);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(id);
        data.extend(cose(&key));
        self.oldest_first.push(passkey);
        Ok(map([(1, text("none")), (2, bytes(data)), (3, Value::Map(Vec::new()))]))
    }

    fn sign(&self, request: &Value, rule: Option<Rule>) -> Result<Value, u8> {
        let rp_id = member(request, 1).and_then(Value::as_text);
        let asked = Asked::read(rp_id, member(request, 2), member(request, 3)).ok_or(INVALID_CBOR)?;
        let passkey = if asked.listed.is_empty() {
            self.oldest_first.iter().rfind(|passkey| passkey.rp_id == asked.rp_id)
        } else {
            self.of(&asked).next()
        };
        Ok(passkey.ok_or(NO_CREDENTIALS)?.assertion(asked.challenge, rule))
    }

    /// Those that a request lists.
    fn of(&self, asked: &Asked<'_>) -> impl Iterator<Item = &Passkey> {
        self.oldest_first
            .iter()
            .filter(|passkey| passkey.rp_id == asked.rp_id && asked.listed.contains(&passkey.id.as_slice()))
    }
}

impl fmt::Debug for MutantPasskeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MutantPasskeys({} passkeys)", self.len())
    }
}

impl<'r> Asked<'r> {
    fn read(rp_id: Option<&'r str>, challenge: Option<&'r Value>, list: Option<&'r Value>) -> Option<Self> {
        let listed = list.and_then(Value::as_array).into_iter().flatten();
        let listed = listed.filter_map(|entry| member(entry, "id")?.as_bytes().map(Vec::as_slice));
        Some(Self { rp_id: rp_id?, challenge: challenge?.as_bytes()?, listed: listed.collect() })
    }
}

impl Passkey {
    /// The data that are signed, up to the counter.
    fn data(&self, rule: Option<Rule>, flags: u8) -> Vec<u8> {
        let rp_id = if rule == Some(Rule::RpIdHash) { "another.example" } else { &self.rp_id };
        let verified = if rule == Some(Rule::UserVerification) { 0 } else { USER_VERIFIED };
        let mut data = Sha256::digest(rp_id).to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend([0; 4]);
        data
    }

    fn assertion(&self, challenge: &[u8], rule: Option<Rule>) -> Value {
        let data = self.data(rule, 0);
        let challenge = if rule == Some(Rule::Challenge) { &[0; 32] } else { challenge };
        let signature: Signature = self.key.sign(&[data.as_slice(), challenge].concat());
        let mut signature = signature.to_der().as_bytes().to_vec();
        let mut id = self.id;
        match (rule, signature.last_mut(), id.last_mut()) {
            (Some(Rule::Signature), Some(last), _) | (Some(Rule::CredentialId), _, Some(last)) => *last ^= 1,
            _ => {}
        }
        let credential = map([("id", bytes(id)), ("type", text("public-key"))]);
        let user = map([("id", self.user.clone())]);
        map([(1, credential), (2, bytes(data)), (3, bytes(signature)), (4, user)])
    }
}

/// The public key as CTAP writes it: ES256 on P-256.
fn cose(key: &PrivateKey) -> Vec<u8> {
    let (x, y) = key.public_key().to_uncompressed().get(1..).unwrap_or_default().split_at(32);
    let key = map([(1, 2.into()), (3, (-7).into()), (-1, 1.into()), (-2, bytes(x)), (-3, bytes(y))]);
    encode_with(&key, None)
}

const fn reply_flaw(rule: Option<Rule>) -> Option<super::rule::CborFlaw> {
    match rule {
        Some(Rule::ReplyForm(flaw)) => Some(flaw),
        _ => None,
    }
}
