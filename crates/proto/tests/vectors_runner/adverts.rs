//! `eid.json` and `tunnel_domains.json`.

use hmac::{Hmac, KeyInit, Mac};
use hybridge_proto::{
    advert::{self, Advert, AdvertPlaintext, Psm},
    domain::DomainId,
    ids::{AdvertNonce, ClientNonce, ContactId, RoutingId, TunnelId},
    keys::{EidKey, LinkSecret, QrSecret},
    service::{ServicePath, ServiceRequest},
};
use sha2::Sha256;

use crate::tracked::{Node, Outcome};

pub(super) fn eid_file(root: &Node<'_>) -> Outcome {
    root.cases("seal")?.iter().try_for_each(seal)?;
    root.cases("reject")?.iter().try_for_each(reject)?;
    root.cases("suffix")?.iter().try_for_each(suffix)?;
    root.cases("state_assisted")?.iter().try_for_each(state_assisted)
}

fn seal(case: &Node<'_>) -> Outcome {
    let secret = QrSecret::from_bytes(&case.array("qr_secret")?);
    let key = secret.eid_key();
    case.expect_bytes("eid_key", key.expose_bytes())?;
    case.expect_bytes("eid_key", [case.bytes("aes_key")?, case.bytes("hmac_key")?].concat())?;

    let nonce = AdvertNonce::from_bytes(&case.array("nonce")?);
    let routing = RoutingId::from_bytes(case.array("routing_id")?);
    let domain = domain(case, "domain_id")?;
    let plaintext = AdvertPlaintext::new(&nonce, routing, domain);
    case.expect_bytes("plaintext", plaintext.expose_bytes())?;
    case.expect_bytes("psk", secret.psk(&plaintext).expose_bytes())?;
    case.expect_bytes("tunnel_id", secret.tunnel_id().as_bytes())?;

    let sealed = advert::seal(&key, &plaintext);
    case.expect_bytes("advert", sealed.as_bytes())?;
    case.expect_bytes("advert", [case.bytes("ciphertext")?, case.bytes("tag")?].concat())?;
    let opened = advert::open(&key, &Advert::from_bytes(case.array("advert")?));
    let opened = opened.ok_or_else(|| case.fail("the advert does not open"))?;
    case.same("plaintext", &opened, &plaintext)?;
    case.same("routing ID", &opened.routing_id(), &routing)?;
    case.same("domain", &opened.domain(), &domain)?;
    case.ensure("the domain is unknown", opened.domain().is_known_to(DomainId::ASSIGNED_COUNT.into()))
}

pub(super) fn domain(case: &Node<'_>, key: &str) -> Outcome<DomainId> {
    u16::try_from(case.number(key)?).map(DomainId::new).map_err(|error| case.fail(error))
}

/// A bad tag and a bad reserved byte look the same from outside, so the tag is computed here once more.
fn reject(case: &Node<'_>) -> Outcome {
    let data = case.bytes("advert")?;
    let key = case.array::<64>("eid_key")?;
    let reason = match Advert::from_service_data(&data) {
        None => "length",
        Some(advert) => match advert::open(&EidKey::from_bytes(&key), &advert) {
            None if has_right_tag(&key, advert.as_bytes()) => "reserved",
            None => "tag",
            Some(plaintext) if !plaintext.domain().is_known_to(DomainId::ASSIGNED_COUNT.into()) => "domain",
            Some(_) => return Err(case.fail("the advert is accepted")),
        },
    };
    case.expect_text("reason", reason)
}

fn has_right_tag(key: &[u8; 64], advert: &[u8; 20]) -> bool {
    let mac =
        Hmac::<Sha256>::new_from_slice(&key[32..]).expect("any length will do").chain_update(&advert[..16]);
    mac.finalize().into_bytes()[..4] == advert[16..]
}

fn suffix(case: &Node<'_>) -> Outcome {
    let data = case.bytes("service_data")?;
    let suffix = case.bytes("suffix_cbor")?;
    let advert = Advert::from_service_data(&data).ok_or_else(|| case.fail("too short"))?;
    case.expect_bytes("service_data", [advert.as_bytes().as_slice(), &suffix].concat())?;
    let opened = advert::open(&EidKey::from_bytes(&case.array("eid_key")?), &advert);
    let opened = opened.ok_or_else(|| case.fail("the advert does not open"))?;
    case.expect_bytes("plaintext", opened.expose_bytes())?;
    suffix_psm(case, &advert, &suffix)
}

/// What a suffix says, and that ours is the same if it says nothing else.
pub(super) fn suffix_psm(case: &Node<'_>, advert: &Advert, suffix: &[u8]) -> Outcome {
    let psm = case.find("l2cap_psm").map(|psm| psm.as_number()).transpose()?;
    let parsed = advert::parse_suffix(suffix);
    case.same("l2cap_psm", &parsed.map(|Psm(psm)| u64::from(psm)), &psm)?;
    match (parsed, suffix) {
        (Some(_), [0xa1, ..]) => case.expect_bytes("service_data", advert::service_data(advert, parsed)),
        _ => Ok(()),
    }
}

/// The last case names an unassigned domain, which does not matter here.
fn state_assisted(case: &Node<'_>) -> Outcome {
    let secret = LinkSecret::from_bytes(&case.array("link_secret")?);
    let key = secret.eid_key(&ClientNonce::from_bytes(case.array("client_nonce")?));
    case.expect_bytes("eid_key", key.expose_bytes())?;
    let plaintext = AdvertPlaintext::from_bytes(&case.array("plaintext")?);
    case.expect_bytes("advert", advert::seal(&key, &plaintext).as_bytes())?;
    let opened = advert::open(&key, &Advert::from_bytes(case.array("advert")?));
    let opened = opened.ok_or_else(|| case.fail("the advert does not open"))?;
    case.expect_bytes("plaintext", opened.expose_bytes())?;
    case.expect_bytes("psk", secret.psk(&opened).expose_bytes())
}

pub(super) fn domains_file(root: &Node<'_>) -> Outcome {
    for case in root.cases("domains")? {
        let id = domain(&case, "id")?;
        match case.find("domain") {
            Some(_) => host(&case, id, case.text("domain")?)?,
            None => drop(case.refused("the ID", id.host())?),
        }
    }
    root.cases("urls")?.iter().try_for_each(urls)
}

/// A host name in both directions.
pub(super) fn host(case: &Node<'_>, id: DomainId, host: &str) -> Outcome {
    case.same("domain", case.accepted("the ID", id.host())?.as_str(), host)?;
    case.same("ID", &DomainId::from_host(host), &Some(id))
}

fn urls(case: &Node<'_>) -> Outcome {
    let id = domain(case, "domain_id")?;
    host(case, id, case.text("domain")?)?;
    let tunnel = TunnelId::from_bytes(case.array("tunnel_id")?);
    let routing = RoutingId::from_bytes(case.array("routing_id")?);
    let contact = case.accepted("contact_id", ContactId::new(case.bytes("contact_id")?))?;
    url(case, "new_url", id, ServicePath::New { tunnel })?;
    url(case, "connect_url", id, ServicePath::Connect { routing, tunnel })?;
    url(case, "contact_url", id, ServicePath::Contact { contact })
}

/// An address in both directions, and its origin if the case has one.
pub(super) fn url(case: &Node<'_>, key: &str, domain: DomainId, path: ServicePath) -> Outcome {
    let request = case.accepted(key, ServiceRequest::new(domain, path.clone()))?;
    case.expect_text(key, &request.url())?;
    let text = case.text(key)?.strip_prefix(&request.origin()).unwrap_or_default();
    case.same(key, &case.accepted(key, ServicePath::parse(text))?, &path)?;
    match case.find("origin") {
        Some(_) => case.expect_text("origin", &request.origin()),
        None => Ok(()),
    }
}
