//! Messages of sizes that no honest peer sends.

use std::sync::Arc;

use hybridge_client::{AttemptError, ClientError, Error as LaptopError};
use hybridge_proto::{
    authenticator::AuthenticatorError,
    frame::{FrameError, TAG_LENGTH},
    handshake::{HandshakeError, MESSAGE_LENGTH},
    service::MAX_MESSAGE,
};
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{ChannelError, CloseCode};

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_laptop::{HostileLaptop, until_hung_up},
    hostile_service::HostileService,
    meddling::change,
    messages::{MESSAGE_1, MESSAGE_2, REPLY, REQUEST, nobody_came, start, through},
    network::{Directory, stand_up},
    phone::PhoneError,
    report::Refusal,
    scene::{HOME, SERVICE, Scene},
};

/// Lengths around that of a handshake message, and of its parts.
const CUT: [usize; 6] = [0, 1, 16, 65, MESSAGE_LENGTH - 1, MESSAGE_LENGTH + 1];
/// Lengths below that of any frame.
const SHORT: [usize; 4] = [0, 1, TAG_LENGTH - 1, TAG_LENGTH];

/// What a frame of so many bytes is refused with: without room for a tag, or by its tag.
const fn short_frame(length: usize) -> FrameError {
    if length < TAG_LENGTH { FrameError::TooShort(length) } else { FrameError::Authentication }
}

pub(super) async fn cut_message_1(scene: &Scene) -> Verdict {
    scene.did(format!("makes message 1 {CUT:?} bytes long, in as many sign-ins"));
    let mut refusals = Vec::new();
    for length in CUT {
        let service = HostileService::new(change(MESSAGE_1, move |bytes| bytes.resize(length, 0)));
        let (laptop, phone) = start(scene, service, |_, _| {}).await?;
        refusals.push(phone.end().await?.failed_handshake(HandshakeError::Length(length))?);
        lost_channel(laptop.failed_attempt().await?)?;
    }
    Ok(refusals)
}

pub(super) async fn cut_message_2(scene: &Scene) -> Verdict {
    scene.did(format!("makes message 2 {CUT:?} bytes long, in as many sign-ins"));
    let mut refusals = Vec::new();
    for length in CUT {
        let service = HostileService::new(change(MESSAGE_2, move |bytes| bytes.resize(length, 0)));
        let (laptop, phone) = start(scene, service, |_, _| {}).await?;
        let refusal = Refusal::Attempt(laptop.failed_attempt().await?);
        refusals.push(only!(
            refusal,
            Refusal::Attempt(AttemptError::Handshake(HandshakeError::Length(found))) if *found == length
        )?);
        only!(phone.end().await?.refusal()?, Refusal::Phone(PhoneError::ClientLeft))?;
    }
    Ok(refusals)
}

fn lost_channel(error: AttemptError) -> Result<(), Failure> {
    only!(Refusal::Attempt(error), Refusal::Attempt(AttemptError::ChannelLost)).map(drop)
}

pub(super) async fn short_replies(scene: &Scene) -> Verdict {
    scene.did(format!("cuts the reply to {SHORT:?} bytes, in as many sign-ins"));
    let mut refusals = Vec::new();
    for length in SHORT {
        let service = HostileService::new(change(REPLY, move |bytes| bytes.truncate(length)));
        let pair = through(scene, service, |_, _| {}).await?;
        refusals.push(pair.laptop.broken_protocol(ClientError::Frame(short_frame(length)))?);
    }
    Ok(refusals)
}

pub(super) async fn short_requests(scene: &Scene) -> Verdict {
    scene.did(format!("cuts the request to {SHORT:?} bytes, in as many sign-ins"));
    let mut refusals = Vec::new();
    for length in SHORT {
        let service = HostileService::new(change(REQUEST, move |bytes| bytes.truncate(length)));
        let pair = through(scene, service, |_, _| {}).await?;
        refusals.push(pair.phone.broken_protocol(AuthenticatorError::Frame(short_frame(length)))?);
        only!(pair.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?;
    }
    Ok(refusals)
}

/// The largest message is taken and then fails as a frame. One byte more is not even taken.
pub(super) async fn oversize_reply(scene: &Scene) -> Verdict {
    scene.did("sends the laptop 1 MiB for a reply, and 1 MiB and a byte in another sign-in");
    let service = HostileService::new(change(REPLY, |bytes| bytes.resize(MAX_MESSAGE, 0)));
    let largest = through(scene, service, |_, _| {}).await?;
    let service = HostileService::new(change(REPLY, |bytes| bytes.resize(MAX_MESSAGE + 1, 0)));
    let beyond = through(scene, service, |_, _| {}).await?;
    Ok(vec![
        largest.laptop.broken_protocol(ClientError::Frame(FrameError::Authentication))?,
        only!(beyond.laptop.refusal()?, Refusal::Laptop(LaptopError::PhoneLeft))?,
    ])
}

pub(super) async fn oversize_request(scene: &Scene) -> Verdict {
    scene.did("sends the phone 1 MiB for a request, and 1 MiB and a byte in another sign-in");
    let service = HostileService::new(change(REQUEST, |bytes| bytes.resize(MAX_MESSAGE, 0)));
    let largest = through(scene, service, |_, _| {}).await?;
    let service = HostileService::new(change(REQUEST, |bytes| bytes.resize(MAX_MESSAGE + 1, 0)));
    let beyond = through(scene, service, |_, _| {}).await?;
    Ok(vec![
        largest.phone.broken_protocol(AuthenticatorError::Frame(FrameError::Authentication))?,
        only!(beyond.phone.refusal()?, Refusal::Phone(PhoneError::ClientLeft))?,
    ])
}

/// The real service has a limit of its own, lower here so that the sender's own limit does not come first.
pub(super) async fn oversize_message(scene: &Scene) -> Verdict {
    const LIMIT: usize = 4096;
    scene.did("sends more in one message than the tunnel service takes");
    let mut config = Config::default();
    config.max_message = LIMIT;
    let standing = stand_up(SERVICE, Service::new(config).map_err(Setup::from)?)?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let mut attacker = HostileLaptop::at(scene, HOME)?.dialing(directory.clone());
    let code = attacker.make_code();
    let phone = scene.phone()?.dialing(SERVICE, directory).answer(code.text());
    let (mut channel, _) = attacker.meet(&code.secret).await?;
    channel.send(&vec![0; LIMIT + 1]).await.map_err(Setup::from)?;
    let end = Refusal::HungUp(until_hung_up(&mut channel).await);
    let too_large = only!(end, Refusal::HungUp(ChannelError::Closed { code: CloseCode::TOO_LARGE }))?;
    Ok(vec![too_large, nobody_came(phone.end().await?)?])
}
