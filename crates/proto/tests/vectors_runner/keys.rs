//! `hkdf.json`.

use hkdf::Hkdf;
use hybridge_proto::{
    advert::AdvertPlaintext,
    ids::{ClientNonce, ContactId, LinkId},
    keys::{LinkSecret, PerContactSecret, PrivateKey, QrSecret, RootSecret},
};
use sha2::Sha256;

use crate::tracked::{Node, Outcome};

pub(super) fn hkdf_file(root: &Node<'_>) -> Outcome {
    let mut typed = 0;
    for case in root.cases("derive")? {
        typed += usize::from(derive(&case)?);
    }
    root.ensure("no derivation has the lengths of one of ours", typed > 0)?;

    let zero = root.get("all_zero_secret")?.case();
    let secret = QrSecret::from_bytes(&zero.array("ikm")?);
    zero.expect_bytes("salt", [0_u8; 0])?;
    zero.expect_bytes("eid_key", secret.eid_key().expose_bytes())?;
    zero.expect_bytes("tunnel_id", secret.tunnel_id().as_bytes())?;

    root.cases("authenticator_key_schedule")?.iter().try_for_each(schedule)?;
    root.cases("ec_key_from_seed")?.iter().try_for_each(key_from_seed)
}

/// The formula for every case, and the crate's own derivation where lengths of secret and salt are those of a typed
/// key. Says whether they were.
fn derive(case: &Node<'_>) -> Outcome<bool> {
    let purpose = u32::try_from(case.number("purpose")?).map_err(|error| case.fail(error))?;
    let (secret, salt) = (case.bytes("ikm")?, case.bytes("salt")?);
    case.expect_bytes("info", purpose.to_le_bytes())?;
    let length = usize::try_from(case.number("length")?).map_err(|error| case.fail(error))?;
    let mut output = vec![0; length];
    let expanded = Hkdf::<Sha256>::new(Some(&salt), &secret).expand(&purpose.to_le_bytes(), &mut output);
    case.accepted("length", expanded)?;
    case.expect_bytes("okm", output)?;

    let names =
        ["eid_key", "tunnel_id", "psk", "paired_secret", "identity_key_seed", "per_contact_id_secret"];
    let name = usize::try_from(purpose).ok().and_then(|purpose| names.get(purpose.checked_sub(1)?));
    case.expect_text("name", name.ok_or_else(|| case.fail("unknown purpose"))?)?;
    match typed(purpose, &secret, &salt) {
        Some(output) => case.expect_bytes("okm", output).map(|()| true),
        None => Ok(false),
    }
}

fn typed(purpose: u32, secret: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    let qr = || secret.try_into().ok().map(QrSecret::from_bytes);
    let link = || secret.try_into().ok().map(LinkSecret::from_bytes);
    let root = || secret.try_into().ok().map(RootSecret::from_bytes);
    let plaintext = || salt.try_into().ok().map(AdvertPlaintext::from_bytes);
    Some(match (purpose, secret.len(), salt.len()) {
        (1, 16, 0) => qr()?.eid_key().expose_bytes().to_vec(),
        (1, 32, 16) => {
            link()?.eid_key(&ClientNonce::from_bytes(salt.try_into().ok()?)).expose_bytes().to_vec()
        }
        (2, 16, 0) => qr()?.tunnel_id().as_bytes().to_vec(),
        (3, 16, 16) => qr()?.psk(&plaintext()?).expose_bytes().to_vec(),
        (3, 32, 16) => link()?.psk(&plaintext()?).expose_bytes().to_vec(),
        (4, 32, 8) => root()?.link_secret(&LinkId::from_bytes(salt.try_into().ok()?)).expose_bytes().to_vec(),
        (5, 32, 0) => root()?.identity_seed().expose_bytes().to_vec(),
        (6, 32, 1..) => root()?.per_contact(&ContactId::new(salt).ok()?).expose_bytes().to_vec(),
        _ => return None,
    })
}

fn schedule(case: &Node<'_>) -> Outcome {
    let root = RootSecret::from_bytes(&case.array("root_secret")?);
    let link = LinkId::from_bytes(case.array("link_id")?);
    let contact = case.accepted("contact_id", ContactId::new(case.bytes("contact_id")?))?;
    let per_contact = root.per_contact(&contact);
    case.expect_bytes("per_contact_id_secret", per_contact.expose_bytes())?;
    case.expect_bytes("link_secret", per_contact.link_secret(&link).expose_bytes())?;
    let given = PerContactSecret::from_bytes(&case.array("per_contact_id_secret")?);
    case.expect_bytes("link_secret", given.link_secret(&link).expose_bytes())?;
    case.expect_bytes("link_secret_without_contact_id", root.link_secret(&link).expose_bytes())?;

    let seed = root.identity_seed();
    case.expect_bytes("identity_key_seed", seed.expose_bytes())?;
    let key = seed.private_key();
    case.expect_bytes("identity_private", key.expose_bytes())?;
    case.expect_bytes("identity_public", key.public_key().to_uncompressed())
}

pub(super) fn key_from_seed(case: &Node<'_>) -> Outcome {
    let key = PrivateKey::from_seed(&case.bytes("seed")?);
    case.expect_bytes("private", key.expose_bytes())?;
    match case.find("public") {
        Some(_) => case.expect_bytes("public", key.public_key().to_uncompressed()),
        None => Ok(()),
    }
}
