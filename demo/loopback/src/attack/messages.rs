//! A tunnel service that handles messages wrongly. It can read none of them, and each change is noticed.

use std::{sync::Arc, time::Duration};

use hybridge_client::{AttemptError, ClientError, Error as LaptopError};
use hybridge_proto::{
    authenticator::AuthenticatorError,
    frame::{FrameError, PADDING_MULTIPLE, TAG_LENGTH},
    handshake::{HandshakeError, MESSAGE_LENGTH},
};

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_service::HostileService,
    laptop::{self, Laptop, SigningIn},
    meddling::{
        Message,
        Toward::{Laptop as ToLaptop, Phone as ToPhone},
        Which, flip, inject, lose, reflect, reorder, repeat, repeat_after,
    },
    network::{Directory, stand_up},
    phone::{self, Answering, Phone},
    report::Refusal,
    scene::{SERVICE, Scene},
};

pub(super) const MESSAGE_1: Which = (ToPhone, 0);
pub(super) const MESSAGE_2: Which = (ToLaptop, 0);
pub(super) const DESCRIPTION: Which = (ToLaptop, 1);
pub(super) const REQUEST: Which = (ToPhone, 1);
pub(super) const REPLY: Which = (ToLaptop, 2);

/// The least frame there is.
const LEAST_FRAME: usize = PADDING_MULTIPLE + TAG_LENGTH;
/// How long a laptop waits for what an attack keeps from it.
const SHORT: Duration = Duration::from_millis(700);

/// How a sign-in ended on both sides.
pub(super) struct Pair {
    pub(super) laptop: laptop::Ended,
    pub(super) phone: phone::Ended,
}

/// The owner signs in through this service.
pub(super) async fn through(
    scene: &Scene,
    service: HostileService,
    adjust: impl FnOnce(&mut Laptop, &mut Phone),
) -> Result<Pair, Setup> {
    let (laptop, phone) = start(scene, service, adjust).await?;
    Ok(Pair { laptop: laptop.end().await?, phone: phone.end().await? })
}

/// As [`through`], up to the moment where laptop and phone are about to meet.
pub(super) async fn start(
    scene: &Scene,
    service: HostileService,
    adjust: impl FnOnce(&mut Laptop, &mut Phone),
) -> Result<(SigningIn, Answering), Setup> {
    let standing = stand_up(SERVICE, service)?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let mut laptop = scene.laptop()?.searching(Duration::from_secs(2)).dialing(directory.clone());
    let mut phone = scene.phone()?.dialing(SERVICE, directory);
    adjust(&mut laptop, &mut phone);
    let mut laptop = laptop.sign_in();
    let phone = phone.answer(laptop.code().await?);
    Ok((laptop, phone))
}

async fn meddled(
    scene: &Scene,
    did: &str,
    meddle: impl FnMut(Message) -> Vec<Message> + Send + 'static,
) -> Result<Pair, Setup> {
    scene.did(did);
    through(scene, HostileService::new(meddle), |_, _| {}).await
}

const TAMPERED_FOR_LAPTOP: ClientError = ClientError::Frame(FrameError::Authentication);
const TAMPERED_FOR_PHONE: AuthenticatorError = AuthenticatorError::Frame(FrameError::Authentication);
const WRONG_TAG: AttemptError = AttemptError::Handshake(HandshakeError::Authentication);

pub(super) async fn flipped_message_1(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "flips a bit of message 1", flip(MESSAGE_1)).await?;
    Ok(vec![
        pair.phone.failed_handshake(HandshakeError::Authentication)?,
        pair.laptop.failed_handshake(AttemptError::ChannelLost)?,
    ])
}

pub(super) async fn flipped_message_2(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "flips a bit of message 2", flip(MESSAGE_2)).await?;
    Ok(vec![pair.laptop.failed_handshake(WRONG_TAG)?, left_alone(pair.phone)?])
}

pub(super) async fn flipped_description(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "flips a bit of the phone's description", flip(DESCRIPTION)).await?;
    Ok(vec![pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?, left_alone(pair.phone)?])
}

pub(super) async fn flipped_request(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "flips a bit of the request", flip(REQUEST)).await?;
    Ok(vec![
        pair.phone.broken_protocol(TAMPERED_FOR_PHONE)?,
        only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?,
    ])
}

pub(super) async fn flipped_reply(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "flips a bit of the reply", flip(REPLY)).await?;
    Ok(vec![pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?])
}

pub(super) async fn lost_message_1(scene: &Scene) -> Verdict {
    scene.did("loses message 1");
    let service = HostileService::new(lose(MESSAGE_1));
    let pair = through(scene, service, |laptop, _| laptop.config.timing.handshake = SHORT).await?;
    Ok(vec![pair.laptop.failed_handshake(AttemptError::HandshakeTimeout)?, nobody_came(pair.phone)?])
}

pub(super) async fn lost_message_2(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "loses message 2", lose(MESSAGE_2)).await?;
    // The phone's description comes in its place.
    let refusal = pair.laptop.refusal()?;
    let description = only!(
        refusal,
        Refusal::Laptop(LaptopError::Handshake(AttemptError::Handshake(HandshakeError::Length(length))))
            if *length != MESSAGE_LENGTH && *length >= LEAST_FRAME
    )?;
    Ok(vec![description, left_alone(pair.phone)?])
}

pub(super) async fn lost_description(scene: &Scene) -> Verdict {
    scene.did("loses the phone's description");
    let service = HostileService::new(lose(DESCRIPTION));
    let pair = through(scene, service, |laptop, _| laptop.config.timing.post_handshake = SHORT).await?;
    let silent = only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?;
    Ok(vec![silent, left_alone(pair.phone)?])
}

pub(super) async fn lost_request(scene: &Scene) -> Verdict {
    scene.did("loses the request");
    let service = HostileService::new(lose(REQUEST));
    let pair = through(scene, service, |laptop, _| laptop.request_timeout = SHORT).await?;
    // The laptop's goodbye is the frame after the lost one, so that the phone sees the gap.
    Ok(vec![
        only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::TimedOut))?,
        pair.phone.broken_protocol(TAMPERED_FOR_PHONE)?,
    ])
}

pub(super) async fn lost_reply(scene: &Scene) -> Verdict {
    scene.did("loses the reply");
    let service = HostileService::new(lose(REPLY));
    let pair = through(scene, service, |laptop, _| laptop.request_timeout = SHORT).await?;
    Ok(vec![only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::TimedOut))?])
}

pub(super) async fn repeated_message_1(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "delivers message 1 twice", repeat(MESSAGE_1)).await?;
    let phone = pair.phone.broken_protocol(TAMPERED_FOR_PHONE)?;
    Ok(vec![phone, only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?])
}

pub(super) async fn repeated_message_2(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "delivers message 2 twice", repeat(MESSAGE_2)).await?;
    Ok(vec![pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?, left_alone(pair.phone)?])
}

/// The reply to the first copy is good, and there is none to the second.
pub(super) async fn repeated_request(scene: &Scene) -> Verdict {
    let pair =
        meddled(scene, "delivers the request again behind its reply", repeat_after(REQUEST, REPLY)).await?;
    pair.laptop.signed_in()?;
    if pair.phone.asked != 1 {
        return Err(Failure::Succeeded(format!("the phone's owner was asked {} times", pair.phone.asked)));
    }
    Ok(vec![only!(
        pair.phone.late_refusal()?,
        Refusal::Phone(phone::PhoneError::Protocol(AuthenticatorError::Frame(FrameError::Authentication)))
    )?])
}

pub(super) async fn reordered_handshake(scene: &Scene) -> Verdict {
    let pair =
        meddled(scene, "delivers the phone's description before message 2", reorder(MESSAGE_2)).await?;
    let refusal = pair.laptop.refusal()?;
    let description = only!(
        refusal,
        Refusal::Laptop(LaptopError::Handshake(AttemptError::Handshake(HandshakeError::Length(length))))
            if *length != MESSAGE_LENGTH && *length >= LEAST_FRAME
    )?;
    Ok(vec![description, left_alone(pair.phone)?])
}

pub(super) async fn reordered_frames(scene: &Scene) -> Verdict {
    scene.did("delivers the update behind the description before it");
    let service = HostileService::new(reorder(DESCRIPTION));
    // A laptop that can remember phones is sent an update in any case.
    let pair = through(scene, service, |laptop, _| laptop.config.accept_linking = true).await?;
    Ok(vec![pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?, left_alone(pair.phone)?])
}

pub(super) async fn injected_reply(scene: &Scene) -> Verdict {
    let meddle = inject(DESCRIPTION, ToLaptop, vec![0x5a; LEAST_FRAME]);
    let pair = meddled(scene, "sends the laptop a frame of its own", meddle).await?;
    let tampered = pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?;
    Ok(vec![tampered])
}

pub(super) async fn injected_request(scene: &Scene) -> Verdict {
    let meddle = inject(MESSAGE_1, ToPhone, vec![0x5a; LEAST_FRAME]);
    let pair = meddled(scene, "sends the phone a frame of its own", meddle).await?;
    let tampered = pair.phone.broken_protocol(TAMPERED_FOR_PHONE)?;
    Ok(vec![tampered, only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?])
}

pub(super) async fn reflected_message_1(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "sends the laptop its message 1 back", reflect(MESSAGE_1)).await?;
    Ok(vec![pair.laptop.failed_handshake(WRONG_TAG)?, nobody_came(pair.phone)?])
}

pub(super) async fn reflected_request(scene: &Scene) -> Verdict {
    let pair = meddled(scene, "sends the laptop its request back", reflect(REQUEST)).await?;
    Ok(vec![pair.laptop.broken_protocol(TAMPERED_FOR_LAPTOP)?, left_alone(pair.phone)?])
}

/// A phone that passed the handshake and was then hung up on without having been asked.
pub(super) fn left_alone(phone: phone::Ended) -> Result<Refusal, Failure> {
    only!(phone.refusal()?, Refusal::Phone(phone::PhoneError::ClientLeft))
}

/// A phone whose tunnel ended before message 1.
pub(super) fn nobody_came(phone: phone::Ended) -> Result<Refusal, Failure> {
    only!(phone.refusal()?, Refusal::Phone(phone::PhoneError::NobodyCame(_)))
}
