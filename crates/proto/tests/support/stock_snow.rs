//! The `snow` crate with its own resolver and its own primitives behind the interface that the checks use.

use snow::{Builder, Error, HandshakeState};

use super::{
    noise_reference::{Party, Pattern, Rejected},
    noise_vectors::{Finish, KeyChannel, Noise, Session},
};

pub(crate) struct StockSnow;

impl Noise for StockSnow {
    fn initiate(&self, party: &Party) -> (Vec<u8>, Finish) {
        let mut state = state(party, true).expect("an initiator");
        let message_1 = write(&mut state).expect("message 1");
        let finish = move |message_2: &[u8]| {
            state.read_message(message_2, &mut [0; 64]).map_err(reason)?;
            Ok(session(&mut state))
        };
        (message_1, Box::new(finish))
    }

    fn respond(&self, party: &Party, message_1: &[u8]) -> Result<(Vec<u8>, Session), Rejected> {
        let mut state = state(party, false).expect("a responder");
        state.read_message(message_1, &mut [0; 64]).map_err(reason)?;
        let message_2 = write(&mut state).map_err(reason)?;
        Ok((message_2, session(&mut state)))
    }
}

fn state(party: &Party, initiator: bool) -> Result<HandshakeState, Error> {
    let prologue = [party.pattern.prologue()];
    let mut builder = Builder::new(party.pattern.name().parse()?)
        .prologue(&prologue)?
        .psk(0, &party.psk)?
        .fixed_ephemeral_key_for_testing_only(&party.ephemeral);
    if initiator == (party.pattern == Pattern::KnPsk0) {
        builder = builder.local_private_key(party.static_private.as_ref().expect("its own static key"))?;
    } else {
        builder = builder.remote_public_key(&party.static_public)?;
    }
    if initiator { builder.build_initiator() } else { builder.build_responder() }
}

fn write(state: &mut HandshakeState) -> Result<Vec<u8>, Error> {
    let mut message = vec![0; 128];
    let length = state.write_message(&[], &mut message)?;
    message.truncate(length);
    Ok(message)
}

fn session(state: &mut HandshakeState) -> Session {
    let handshake_hash = state.get_handshake_hash().try_into().expect("32 bytes");
    let (client_to_authenticator, authenticator_to_client) = state.dangerously_get_raw_split();
    let channel = if state.is_initiator() {
        KeyChannel::new(client_to_authenticator, authenticator_to_client)
    } else {
        KeyChannel::new(authenticator_to_client, client_to_authenticator)
    };
    Session { handshake_hash, channel: Box::new(channel) }
}

fn reason(error: Error) -> Rejected {
    match error {
        Error::Input => Rejected::Length,
        Error::Dh => Rejected::Point,
        _ => Rejected::Tag,
    }
}
