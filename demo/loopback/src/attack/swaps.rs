//! A tunnel service that mixes up two sign-ins that go on at the same time.

use std::{sync::Arc, time::Duration};

use hybridge_client::{AttemptError, ClientError};
use hybridge_proto::{frame::FrameError, handshake::HandshakeError};

use super::{
    Verdict,
    failure::Setup,
    hostile_service::HostileService,
    meddling::{Message, swap},
    messages::{MESSAGE_1, Pair, REPLY},
    network::{Directory, stand_up},
    scene::{HOME, SERVICE, Scene},
};

/// The owner and somebody beside them sign in at the same time through this service.
async fn two_at_once(
    scene: &Scene,
    meddle: impl FnMut(Message) -> Vec<Message> + Send + 'static,
) -> Result<[Pair; 2], Setup> {
    let standing = stand_up(SERVICE, HostileService::new(meddle))?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let search = Duration::from_secs(2);
    let first = scene.laptop()?.searching(search).dialing(directory.clone());
    let second = scene.laptop_at(HOME, "second laptop")?.searching(search).dialing(directory.clone());
    let first_phone = scene.phone()?.dialing(SERVICE, directory.clone());
    let passkeys = scene.strangers_passkeys().await?;
    let second_phone = scene.phone_of("second phone", passkeys)?.dialing(SERVICE, directory);

    let (mut first, mut second) = (first.sign_in(), second.sign_in());
    let first_phone = first_phone.answer(first.code().await?);
    let second_phone = second_phone.answer(second.code().await?);
    Ok([
        Pair { laptop: first.end().await?, phone: first_phone.end().await? },
        Pair { laptop: second.end().await?, phone: second_phone.end().await? },
    ])
}

pub(super) async fn swapped_tunnels(scene: &Scene) -> Verdict {
    scene.did("ties each laptop to the other one's phone");
    let [first, second] = two_at_once(scene, swap(MESSAGE_1)).await?;
    Ok(vec![
        first.phone.failed_handshake(HandshakeError::Authentication)?,
        second.phone.failed_handshake(HandshakeError::Authentication)?,
        first.laptop.failed_handshake(AttemptError::ChannelLost)?,
        second.laptop.failed_handshake(AttemptError::ChannelLost)?,
    ])
}

pub(super) async fn swapped_replies(scene: &Scene) -> Verdict {
    scene.did("lets both connect, and gives each laptop the other one's reply");
    let [first, second] = two_at_once(scene, swap(REPLY)).await?;
    let tampered = ClientError::Frame(FrameError::Authentication);
    Ok(vec![first.laptop.broken_protocol(tampered)?, second.laptop.broken_protocol(tampered)?])
}
