//! The phone's adverts, right and wrong.

use hybridge_proto::{
    advert::{AdvertPlaintext, Psm, seal, service_data},
    domain::DomainId,
    ids::{AdvertNonce, RoutingId},
    keys::QrSecret,
};
use rand_core::CryptoRng;

use super::rule::Rule;

/// An advert, and what salts the handshake of whoever takes it.
pub(super) struct Advert {
    pub(super) plaintext: AdvertPlaintext,
    /// What goes on the air.
    pub(super) data: Vec<u8>,
}

/// An advert as it should be.
pub(super) fn right(
    secret: &QrSecret,
    routing: RoutingId,
    domain: DomainId,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Advert {
    let plaintext = AdvertPlaintext::new(&AdvertNonce::generate(rng), routing, domain);
    let data = service_data(&seal(&secret.eid_key(), &plaintext), None);
    Advert { plaintext, data }
}

/// An advert that breaks a rule, if the rule is one of adverts.
pub(super) fn wrong(
    secret: &QrSecret,
    routing: RoutingId,
    domain: DomainId,
    rule: Option<Rule>,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Option<Advert> {
    let nonce = AdvertNonce::generate(rng);
    let domain = if rule == Some(Rule::AdvertDomain) { UNASSIGNED } else { domain };
    let mut plaintext = AdvertPlaintext::new(&nonce, routing, domain);
    if rule == Some(Rule::AdvertReserved) {
        let mut bytes = *plaintext.expose_bytes();
        let [reserved, ..] = &mut bytes;
        *reserved = 1;
        plaintext = AdvertPlaintext::from_bytes(&bytes);
    }
    let sealed = seal(&secret.eid_key(), &plaintext);
    let data = match rule? {
        Rule::AdvertReserved | Rule::AdvertDomain => service_data(&sealed, None),
        Rule::AdvertLength => service_data(&sealed, Some(Psm(0x82))),
        Rule::AdvertTag => {
            let mut data = service_data(&sealed, None);
            data.last_mut().into_iter().for_each(|last| *last ^= 1);
            data
        }
        _ => return None,
    };
    Some(Advert { plaintext, data })
}

/// A tunnel service without a host.
const UNASSIGNED: DomainId = DomainId::new(2);
