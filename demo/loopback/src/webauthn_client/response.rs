//! From the CBOR of a CTAP reply to the response for the relying party.

use core::convert::Infallible;

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decoder, Encoder, encode};
use webauthn_rs_proto::{
    AuthenticatorAssertionResponseRaw, AuthenticatorAttestationResponseRaw, PublicKeyCredential,
    RegisterPublicKeyCredential,
};

use super::ClientError;

const PUBLIC_KEY: &str = "public-key";

/// Reads the reply to authenticatorMakeCredential: 1 format, 2 authenticator data, 3 attestation statement.
pub(super) fn creation(
    client_data_json: Vec<u8>,
    cbor: &[u8],
) -> Result<RegisterPublicKeyCredential, ClientError> {
    let format = member(cbor, Key::Number(1)).and_then(|value| Decoder::new(value).str().ok());
    let format = format.ok_or(ClientError::Malformed("attestation format"))?;
    let auth_data = member_bytes(cbor, Key::Number(2)).ok_or(ClientError::Malformed("authenticator data"))?;
    let statement = member(cbor, Key::Number(3)).ok_or(ClientError::Malformed("attestation statement"))?;
    let raw_id = attested_credential_id(auth_data).ok_or(ClientError::Malformed("credential ID"))?.to_vec();
    Ok(RegisterPublicKeyCredential {
        id: BASE64URL_NOPAD.encode(&raw_id),
        raw_id,
        response: AuthenticatorAttestationResponseRaw {
            attestation_object: attestation_object(format, statement, auth_data),
            client_data_json,
            transports: None,
        },
        type_: PUBLIC_KEY.to_owned(),
        extensions: Default::default(),
    })
}

/// Reads the reply to authenticatorGetAssertion: 1 credential, 2 authenticator data, 3 signature, 4 user.
pub(super) fn assertion(
    client_data_json: Vec<u8>,
    only_allowed: Option<Vec<u8>>,
    cbor: &[u8],
) -> Result<PublicKeyCredential, ClientError> {
    let named = member(cbor, Key::Number(1)).and_then(|credential| member_bytes(credential, Key::Name("id")));
    let raw_id = named.map(<[u8]>::to_vec).or(only_allowed).ok_or(ClientError::Malformed("credential ID"))?;
    let auth_data = member_bytes(cbor, Key::Number(2)).ok_or(ClientError::Malformed("authenticator data"))?;
    let signature = member_bytes(cbor, Key::Number(3)).ok_or(ClientError::Malformed("signature"))?;
    let user = member(cbor, Key::Number(4)).and_then(|user| member_bytes(user, Key::Name("id")));
    Ok(PublicKeyCredential {
        id: BASE64URL_NOPAD.encode(&raw_id),
        raw_id,
        response: AuthenticatorAssertionResponseRaw {
            authenticator_data: auth_data.to_vec(),
            client_data_json,
            signature: signature.to_vec(),
            user_handle: user.map(<[u8]>::to_vec),
        },
        extensions: Default::default(),
        type_: PUBLIC_KEY.to_owned(),
    })
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Number(u8),
    Name(&'a str),
}

/// The encoded value behind a key of a map, byte for byte.
fn member<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<&'b [u8]> {
    let mut decoder = Decoder::new(cbor);
    for _ in 0..decoder.map().ok()?? {
        let found = item(&mut decoder)?;
        let value = item(&mut decoder)?;
        let mut found = Decoder::new(found);
        let matches = match key {
            Key::Number(number) => found.u8().is_ok_and(|found| found == number),
            Key::Name(name) => found.str().is_ok_and(|found| found == name),
        };
        if matches {
            return Some(value);
        }
    }
    None
}

fn member_bytes<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<&'b [u8]> {
    Decoder::new(member(cbor, key)?).bytes().ok()
}

/// The bytes of the next item.
fn item<'b>(decoder: &mut Decoder<'b>) -> Option<&'b [u8]> {
    let start = decoder.position();
    decoder.skip().ok()?;
    decoder.input().get(start..decoder.position())
}

/// The ID in the attested credential data (WebAuthn section 6.5.1): behind 32 bytes of hash, 1 of flags, 4 of
/// counter and 16 of AAGUID stand two bytes of length and the ID.
fn attested_credential_id(auth_data: &[u8]) -> Option<&[u8]> {
    const OFFSET: usize = 32 + 1 + 4 + 16;
    let (length, rest) = auth_data.get(OFFSET..)?.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

/// The attestation object (WebAuthn section 6.5.4): the same three members under their names.
fn attestation_object(format: &str, statement: &[u8], auth_data: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to a vector cannot fail, so the result says nothing.
    let _ = (|| -> Result<(), encode::Error<Infallible>> {
        encoder.map(3)?.str("fmt")?.str(format)?.str("attStmt")?;
        encoder.writer_mut().extend_from_slice(statement);
        encoder.str("authData")?.bytes(auth_data)?;
        Ok(())
    })();
    encoder.into_writer()
}
