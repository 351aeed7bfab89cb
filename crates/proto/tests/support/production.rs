//! The crate's own handshake behind the interface that the checks use.

use std::sync::Arc;

use hybridge_proto::{
    handshake::{Established, HandshakeError, Initiator, Responder},
    keys::{PrivateKey, Psk, PublicKey},
};

use super::{
    noise_reference::{Party, Pattern, Rejected},
    noise_vectors::{Channel, Finish, Noise, Session},
    scripted_rng::ScriptedRng,
};

pub(crate) struct Production;

impl Noise for Production {
    fn initiate(&self, party: &Party) -> (Vec<u8>, Finish) {
        let psk = Psk::from_bytes(&party.psk);
        let mut rng = ScriptedRng::new([&party.ephemeral]);
        let started = match party.pattern {
            Pattern::KnPsk0 => Initiator::qr(&static_key(party), &psk, &mut rng),
            Pattern::NkPsk0 => Initiator::linked(&static_public(party), &psk, &mut rng),
        };
        assert!(rng.is_used_up(), "the ephemeral key is not the one that was drawn");
        let (initiator, message_1) = started.expect("an initiator");
        let finish = |message_2: &[u8]| initiator.finish(message_2).map(session).map_err(reason);
        (message_1.to_vec(), Box::new(finish))
    }

    fn respond(&self, party: &Party, message_1: &[u8]) -> Result<(Vec<u8>, Session), Rejected> {
        let psk = Psk::from_bytes(&party.psk);
        let mut rng = ScriptedRng::new([&party.ephemeral]);
        let responder = match party.pattern {
            Pattern::KnPsk0 => Responder::qr(&static_public(party), &psk, &mut rng),
            Pattern::NkPsk0 => Responder::linked(&static_key(party), &psk, &mut rng),
        };
        assert!(rng.is_used_up(), "the ephemeral key is not the one that was drawn");
        let answer = responder.expect("a responder").respond(message_1);
        answer.map(|(message_2, end)| (message_2.to_vec(), session(end))).map_err(reason)
    }
}

fn static_key(party: &Party) -> Arc<PrivateKey> {
    let bytes = party.static_private.expect("this side owns the static key");
    Arc::new(PrivateKey::from_bytes(&bytes).expect("a scalar between 1 and n"))
}

fn static_public(party: &Party) -> PublicKey {
    PublicKey::from_uncompressed(&party.static_public).expect("a usable static key")
}

fn session(established: Established) -> Session {
    let handshake_hash = *established.hash.expose_bytes();
    Session { handshake_hash, channel: Box::new(established) }
}

impl Channel for Established {
    fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        self.sealer.seal(message).expect("a short message can be sealed")
    }

    fn open(&mut self, frame: Vec<u8>) -> Option<Vec<u8>> {
        self.opener.open(frame).ok()
    }
}

fn reason(error: HandshakeError) -> Rejected {
    match error {
        HandshakeError::Length(_) => Rejected::Length,
        HandshakeError::Point(_) => Rejected::Point,
        HandshakeError::Authentication => Rejected::Tag,
        other => panic!("the peer's message cannot cause {other}"),
    }
}
