//! Every way in which a session fails, told apart.

use std::{error::Error as _, time::Duration};

use hybridge_authenticator::DomainId;
use hybridge_ble::{Advertisement, Advertiser, RadioError, ServiceUuid, sim::Adapter};
use hybridge_client::{AttemptError, ClientError, Error, Features, ReplyProblem, RequestError, Status};
use hybridge_proto::{channel::DialFailure, frame::MAX_PLAINTEXT, handshake::HandshakeError, ids::RoutingId};
use hybridge_tunnel::DialError;
use tokio::time::Instant;

use crate::support::*;

/// How long a search lasts, and how long a code is shown.
const SEARCH: Duration = Duration::from_secs(300);

/// What the chain of causes below an error says.
fn cause(error: &Error) -> &DialError {
    error.source().unwrap().downcast_ref().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_cannot_be_used_fails_before_a_code_is_shown() {
    for (adapter, text) in [
        (Adapter::Missing, "no Bluetooth adapter"),
        (Adapter::PoweredOff, "Bluetooth is off"),
        (Adapter::Forbidden, "may not use Bluetooth"),
        (Adapter::ServiceGone, "Bluetooth service"),
        (Adapter::Faulty, "Bluetooth failed"),
    ] {
        let world = World::new();
        world.laptop.set_adapter(adapter);
        let screen = Screen::default();
        let start = Instant::now();
        let error = world.session().connect(screen.watch()).await.unwrap_err();
        assert!(matches!(error, Error::Radio(_)) && error.to_string().contains(text), "{error}");
        assert!(error.source().unwrap().is::<RadioError>());
        assert_eq!((screen.steps().len(), start.elapsed()), (0, Duration::ZERO));
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_dies_while_listening_is_told_at_once() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    screen.code(0).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let start = Instant::now();
    world.laptop.set_adapter(Adapter::Missing);
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Radio(RadioError::NoAdapter)), "{error}");
    assert_eq!(start.elapsed(), Duration::ZERO);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_scans() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let start = Instant::now();
    assert!(matches!(connecting.await.unwrap(), Err(Error::NobodyScanned)));
    assert_eq!(start.elapsed(), SEARCH);
    // A fresh code every two minutes.
    assert_eq!(screen.steps(), ["Scanning", "ShowQr", "ShowQr", "ShowQr", "HideQr"]);
    let codes = [screen.code(0).await, screen.code(1).await, screen.code(2).await];
    assert!(codes[0] != codes[1] && codes[1] != codes[2] && codes[0] != codes[2]);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_uses_an_unknown_tunnel_service() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let code = screen.code(0).await;
    let data = forged(&code, RoutingId::from_bytes([1, 2, 3]), DomainId::new(200));
    let _advert = world.phone.advertise(Advertisement::new(ServiceUuid::Fido, data)).await.unwrap();
    screen.until("UnknownTunnelService").await;
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::UnknownTunnelService(domain) if domain.get() == 200));
    // The code stays on the screen: another phone may do better.
    assert!(!screen.steps()[..4].contains(&"HideQr".to_owned()));
    assert_eq!(world.dialer.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_service_knows_no_such_tunnel() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let data = forged(&screen.code(0).await, RoutingId::from_bytes([1, 2, 3]), DOMAIN);
    let advert = world.phone.advertise(Advertisement::new(ServiceUuid::Fido, data)).await.unwrap();
    screen.until("AttemptFailed").await;
    let error = connecting.await.unwrap().unwrap_err();
    let refused = AttemptError::Dial(DialFailure::Refused(404));
    assert!(matches!(error, Error::Tunnel { error, .. } if error == refused), "{error}");
    assert!(matches!(cause(&error), DialError::Refused { status: 404, .. }));
    assert_eq!(world.dialer.dials(), 1);
    drop(advert);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_service_is_out_of_reach() {
    let world = World::new();
    world.dialer.script([Answer::Unreachable, Answer::Unreachable]);
    let (connecting, screen) = world.connecting(config());
    let _phone = Puppet::answer(&world, &screen.code(0).await).await;
    let error = connecting.await.unwrap().unwrap_err();
    let unreachable = AttemptError::Dial(DialFailure::Unreachable);
    assert!(matches!(error, Error::Tunnel { error, .. } if error == unreachable), "{error}");
    assert!(matches!(cause(&error), DialError::Connect(_)));
    assert!(cause(&error).source().is_some());
    assert_eq!(world.dialer.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_service_does_not_answer() {
    let world = World::new();
    world.dialer.script([Answer::Hang, Answer::Hang]);
    let (connecting, screen) = world.connecting(config());
    let phone = Puppet::answer(&world, &screen.code(0).await).await;
    screen.until("Connecting").await;
    let start = Instant::now();
    screen.until("AttemptFailed").await;
    assert_eq!(start.elapsed(), Duration::from_secs(20), "two tries of ten seconds");
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Tunnel { error: AttemptError::DialTimeout, source: None }), "{error}");
    drop(phone);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_of_the_tunnel_service_is_not_noticed() {
    for answer in [Answer::Refuse(503), Answer::Unreachable, Answer::Hang] {
        let world = World::new();
        world.dialer.script([answer]);
        let (mut channel, _phone, screen) = world.connected(config(), Scripted::replying([0])).await;
        assert_eq!(channel.raw(&[0x04]).await.unwrap(), [0]);
        assert!(!screen.steps().contains(&"AttemptFailed".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_code_is_shown_after_a_failed_attempt_and_works() {
    let world = World::new();
    world.dialer.script([Answer::Refuse(404)]);
    let (connecting, screen) = world.connecting(config());
    let unlucky = world.answer(screen.code(0).await, Scripted::replying([0]));
    let fresh = screen.code(1).await;
    assert_ne!(fresh, screen.code(0).await);
    unlucky.abort();
    let _phone = world.answer(fresh, Scripted::replying([0x00, 7]));
    let mut channel = connecting.await.unwrap().unwrap();
    assert_eq!(channel.raw(&[0x04]).await.unwrap(), [0x00, 7]);
    assert_eq!(
        screen.steps()[..7].join(" "),
        "Scanning ShowQr HideQr PhoneNearby Connecting AttemptFailed ShowQr"
    );
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_fails_the_handshake() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    let mut messages = phone.handshake().await;
    messages[0][80] ^= 1;
    phone.send(messages).await;
    screen.until("AttemptFailed").await;
    let error = connecting.await.unwrap().unwrap_err();
    let refused = AttemptError::Handshake(HandshakeError::Authentication);
    assert!(matches!(error, Error::Handshake(error) if error == refused), "{error}");
    assert!(error.source().unwrap().is::<AttemptError>());
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_goes_silent_in_the_handshake() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    phone.handshake().await;
    let start = Instant::now();
    screen.until("AttemptFailed").await;
    assert_eq!(start.elapsed(), Duration::from_secs(15));
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Handshake(AttemptError::HandshakeTimeout)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_hangs_up_in_the_handshake() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    phone.handshake().await;
    phone.close().await;
    screen.until("AttemptFailed").await;
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Handshake(AttemptError::ChannelLost)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_does_not_describe_itself() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    let messages = phone.handshake().await;
    let start = Instant::now();
    phone.send(messages.into_iter().take(1)).await;
    assert!(matches!(connecting.await.unwrap(), Err(Error::PhoneLeft)));
    assert_eq!(start.elapsed(), Duration::from_secs(15));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_owner_says_no_and_the_session_lives_on() {
    let world = World::new();
    let (mut channel, _phone, _) = world.connected(config(), passkeys(Owner::Declines)).await;
    let error = channel.make_credential(&creation()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Status::OPERATION_DENIED)), "{error}");
    assert_eq!(error.to_string(), "the phone refused: the request was declined on the phone");
    let error = channel.get_assertion(&assertion()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_status_is_told() {
    for status in 1..=u8::MAX {
        let world = World::new();
        let (mut channel, _phone, _) = world.connected(config(), Scripted::replying([status])).await;
        let error = channel.get_assertion(&assertion()).await.unwrap_err();
        assert!(matches!(error, Error::Refused(told) if told.get() == status), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_phone_leaves_with_a_request() {
    let world = World::new();
    let (mut channel, phone, screen) = world.connected(config(), Scripted::silent()).await;
    let request = tokio::spawn(async move { (channel.get_assertion(&assertion()).await, channel) });
    screen.until("WaitingForPhone").await;
    settle().await;
    phone.abort();
    let (outcome, channel) = request.await.unwrap();
    assert!(matches!(outcome, Err(Error::PhoneLeft)), "{outcome:?}");
    drop(channel);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_owner_takes_too_long() {
    let world = World::new();
    let (mut channel, phone, _) = world.connected(config(), Scripted::silent()).await;
    channel.request_timeout = Duration::from_secs(7);
    let start = Instant::now();
    let error = channel.get_assertion(&assertion()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    // The phone is told, so that it stops asking its owner.
    let (_, outcome) = phone.await.unwrap();
    assert!(matches!(outcome, Err(hybridge_authenticator::Error::ClientLeft)), "{outcome:?}");
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    drop(channel);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_cannot_do_what_is_required() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    Puppet::answer_as_wallet(&world, &screen.code(0).await).await.connect().await;
    assert!(matches!(connecting.await.unwrap(), Err(Error::Unsupported)));

    let mut wallet = config();
    (wallet.required.ctap, wallet.required.digital_credentials) = (false, true);
    let (connecting, screen) = world.connecting(wallet);
    world.answer(screen.code(0).await, Scripted::replying([0]));
    assert!(matches!(connecting.await.unwrap(), Err(Error::Unsupported)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_leaves_the_session_as_it_was() {
    let world = World::new();
    let (mut channel, _phone, _) = world.connected(config(), Scripted::replying([0])).await;
    let error = channel.raw(&[]).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::Empty)), "{error}");
    let error = channel.raw(&vec![1; MAX_PLAINTEXT]).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::TooLarge(_))), "{error}");
    let error = channel.digital(&digital()).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::Unsupported)), "{error}");
    assert_eq!(channel.raw(&[0x04]).await.unwrap(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_not_what_ctap_says() {
    for reply in [&[0x00][..], &[0x00, 0xA0], &[0x00, 0xFF], &[0x00, 0x01, 0x02]] {
        let world = World::new();
        let (mut channel, _phone, _) = world.connected(config(), Scripted::replying(reply)).await;
        let error = channel.get_assertion(&assertion()).await.unwrap_err();
        assert!(matches!(error, Error::MalformedReply(ReplyProblem::Contents)), "{error}");
    }
    let world = World::new();
    let mut service = Scripted::replying([0]);
    service.info = vec![0xFF];
    let (channel, _phone, _) = world.connected(config(), service).await;
    assert!(matches!(channel.get_info(), Err(Error::MalformedReply(ReplyProblem::Contents))));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_was_tampered_with() {
    let world = World::new();
    let (mut channel, mut phone, _) = world.connected_to_puppet(config()).await;
    let request = tokio::spawn(async move { channel.raw(&[0x04]).await });
    let mut reply = phone.serve(&[0]).await;
    reply[0][3] ^= 1;
    phone.send(reply).await;
    let error = request.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Protocol(ClientError::Frame(_))), "{error}");
}

#[tokio::test(start_paused = true)]
async fn digital_credentials_come_from_a_wallet() {
    let mut wallet = config();
    (wallet.required.ctap, wallet.required.digital_credentials) = (false, true);
    let world = World::new();
    let (connecting, screen) = world.connecting(wallet);
    let mut phone = Puppet::answer_as_wallet(&world, &screen.code(0).await).await;
    phone.connect().await;
    let mut channel = connecting.await.unwrap().unwrap();
    let Features { ctap, digital_credentials, .. } = channel.features();
    assert!(!ctap && digital_credentials);
    assert!(matches!(channel.get_info(), Err(Error::MalformedReply(ReplyProblem::NoGetInfo))));

    let request = tokio::spawn(async move { (channel.digital(&digital()).await, channel) });
    let reply = phone.serve(br#"{"response":{"digital":{"error":"USER_CANCELED"}}}"#).await;
    phone.send(reply).await;
    let (response, mut channel) = request.await.unwrap();
    use hybridge_client::{DigitalError, DigitalResponse};
    assert_eq!(response.unwrap(), DigitalResponse::Failed(DigitalError::UserCanceled));

    let request = tokio::spawn(async move { channel.digital(&digital()).await });
    let reply = phone.serve(b"{}").await;
    phone.send(reply).await;
    let error = request.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::MalformedReply(ReplyProblem::Envelope(_))), "{error}");
}

fn digital() -> hybridge_client::DigitalRequest {
    let envelope =
        br#"{"origin":"https://demo.example","requestType":"credential.get","request":{"digital":{}}}"#;
    hybridge_client::DigitalRequest::decode(envelope).unwrap()
}

/// A session whose runtime is gone.
#[test]
fn a_session_whose_runtime_stops_is_cancelled() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (theirs, ours) = (runtime(), runtime());
    let session = theirs.block_on(async { World::new().session() });
    let screen = Screen::default();
    let connecting = session.connect(screen.watch());
    theirs.block_on(async {});
    drop(theirs);
    assert!(matches!(ours.block_on(connecting), Err(Error::Cancelled)));
}
