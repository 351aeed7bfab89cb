//! CTAP requests as programs write them.

use minicbor::{Decoder, Encoder};

type Writer = Encoder<Vec<u8>>;

/// What stands in the client data hash of a probe.
pub(crate) const HASH_OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
/// What stands there in a real request.
const HASH: [u8; 32] = [9; 32];

/// Passkeys with IDs of this length, the first numbered so.
pub(crate) fn ids(count: usize, length: usize) -> Vec<Vec<u8>> {
    let id = |number: usize| {
        let mut id = vec![0x11; length];
        id[..2].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
        id
    };
    (0..count).map(id).collect()
}

fn list(map: &mut Writer, key: u8, ids: &[Vec<u8>]) {
    if ids.is_empty() {
        return;
    }
    map.u8(key).unwrap().array(u64::try_from(ids.len()).unwrap()).unwrap();
    for id in ids {
        map.map(3).unwrap().str("id").unwrap().bytes(id).unwrap();
        map.str("type").unwrap().str("public-key").unwrap();
        map.str("transports").unwrap().array(1).unwrap().str("internal").unwrap();
    }
}

/// authenticatorGetAssertion. With a presence, a real request or none that needs a person; without, what most send.
pub(crate) fn get(rp_id: &str, allowed: &[Vec<u8>], presence: Option<bool>) -> Vec<u8> {
    let mut map = Encoder::new(vec![0x02]);
    let members = 3 + u64::from(!allowed.is_empty()) + u64::from(presence.is_some());
    let hash = if presence == Some(false) { HASH_OF_NOTHING } else { HASH };
    map.map(members).unwrap().u8(1).unwrap().str(rp_id).unwrap().u8(2).unwrap().bytes(&hash).unwrap();
    list(&mut map, 3, allowed);
    map.u8(4).unwrap().map(1).unwrap().str("unknownExtension").unwrap().bool(true).unwrap();
    if let Some(presence) = presence {
        map.u8(5).unwrap().map(1).unwrap().str("up").unwrap().bool(presence).unwrap();
    }
    map.into_writer()
}

/// authenticatorMakeCredential, with an empty `pinUvAuthParam` or none.
pub(crate) fn create(rp_id: &str, excluded: &[Vec<u8>], hash: [u8; 32], empty_pin: bool) -> Vec<u8> {
    let mut map = Encoder::new(vec![0x01]);
    let members = 5 + u64::from(!excluded.is_empty()) + 2 * u64::from(empty_pin);
    map.map(members).unwrap().u8(1).unwrap().bytes(&hash).unwrap();
    map.u8(2).unwrap().map(1).unwrap().str("id").unwrap().str(rp_id).unwrap();
    map.u8(3).unwrap().map(2).unwrap().str("id").unwrap().bytes(&[1]).unwrap();
    map.str("name").unwrap().str("ada").unwrap();
    map.u8(4).unwrap().array(1).unwrap().map(2).unwrap().str("alg").unwrap().i8(-7).unwrap();
    map.str("type").unwrap().str("public-key").unwrap();
    list(&mut map, 5, excluded);
    map.u8(7).unwrap().map(1).unwrap().str("rk").unwrap().bool(true).unwrap();
    if empty_pin {
        map.u8(8).unwrap().bytes(&[]).unwrap().u8(9).unwrap().u8(1).unwrap();
    }
    map.into_writer()
}

/// A real wish for a passkey.
pub(crate) fn create_for(rp_id: &str, excluded: &[Vec<u8>]) -> Vec<u8> {
    create(rp_id, excluded, HASH, false)
}

/// The IDs of the passkeys in a request, in order.
pub(crate) fn ids_in(request: &[u8]) -> Vec<Vec<u8>> {
    let wanted = if request[0] == 0x01 { 5 } else { 3 };
    let mut map = Decoder::new(&request[1..]);
    for _ in 0..map.map().unwrap().unwrap() {
        if map.u8().unwrap() != wanted {
            map.skip().unwrap();
            continue;
        }
        let length = map.array().unwrap().unwrap();
        return (0..length).map(|_| id_in(&mut map)).collect();
    }
    Vec::new()
}

/// The ID in a descriptor.
pub(crate) fn id_in(descriptor: &mut Decoder<'_>) -> Vec<u8> {
    let mut id = Vec::new();
    for _ in 0..descriptor.map().unwrap().unwrap() {
        match descriptor.str().unwrap() {
            "id" => id = descriptor.bytes().unwrap().to_vec(),
            _ => descriptor.skip().unwrap(),
        }
    }
    id
}

/// The ID of the passkey in a reply to a probe, if it says yes.
pub(crate) fn id_in_reply(reply: &[u8]) -> Option<Vec<u8>> {
    if reply[0] != 0 {
        assert_eq!(reply, [0x2e]);
        return None;
    }
    let mut map = Decoder::new(&reply[1..]);
    assert_eq!((map.map().unwrap(), map.u8().unwrap()), (Some(3), 1));
    let id = id_in(&mut map);
    assert_eq!(map.u8().unwrap(), 2);
    assert_eq!(map.bytes().unwrap()[32..], [0; 5], "nobody was there");
    assert_eq!((map.u8().unwrap(), map.bytes().unwrap()), (3, [0].as_slice()), "no signature");
    Some(id)
}
