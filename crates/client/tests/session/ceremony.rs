//! A registration and a sign-in, from the code to the assertion.

use std::{sync::Arc, time::Duration};

use hybridge_client::{Hint, Session};
use hybridge_proto::{cbor::check_canonical, qr::QrCode};
use passkey_types::ctap2::get_assertion;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_passkey_is_made_and_signs_in() {
    let world = World::new();
    let (mut channel, phone, _) = world.connected(config(), passkeys(Owner::Agrees)).await;
    let made = channel.make_credential(&creation()).await.unwrap();
    check_canonical(&made.raw).unwrap();
    let credential = made.value.auth_data.attested_credential_data.unwrap();
    channel.close().await.unwrap();
    let (passkeys, outcome) = phone.await.unwrap();
    outcome.unwrap();
    assert_eq!(passkeys.authenticator().store().len(), 1);

    let (mut channel, phone, _) = world.connected(config(), passkeys).await;
    let signed = channel.get_assertion(&assertion()).await.unwrap();
    check_canonical(&signed.raw).unwrap();
    assert_eq!(signed.value.credential.unwrap().id.as_slice(), credential.credential_id());
    assert!(!signed.value.signature.is_empty());
    assert_eq!(signed.value.user.unwrap().id.as_slice(), b"user handle");
    channel.close().await.unwrap();
    phone.await.unwrap().1.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn one_connection_serves_several_requests() {
    let world = World::new();
    let (mut channel, phone, screen) = world.connected(config(), passkeys(Owner::Agrees)).await;
    let made = channel.make_credential(&creation()).await.unwrap();
    let signed = channel.get_assertion(&assertion()).await.unwrap();
    assert_eq!(made.value.auth_data.rp_id_hash(), signed.value.auth_data.rp_id_hash());
    assert_eq!(channel.raw(&[0x04]).await.unwrap()[0], 0);
    assert_eq!(screen.steps().iter().filter(|step| *step == "WaitingForPhone").count(), 3);
    channel.close().await.unwrap();
    phone.await.unwrap().1.unwrap();
}

#[tokio::test(start_paused = true)]
async fn raw_bytes_pass_untouched() {
    // Neither is what CTAP says, and both arrive as they are.
    let request = [0x01, 0xFF, 0x00, 0x18, 0x00];
    let reply = [0x00, 0xFF, 0x18, 0x01, 0xA0, 0x00];
    let world = World::new();
    let service = Scripted::replying(reply);
    let asked = service.asked.clone();
    let (mut channel, _phone, _) = world.connected(config(), service).await;
    assert_eq!(channel.raw(&request).await.unwrap(), reply);
    assert_eq!(*asked.lock().unwrap(), [request]);
}

#[tokio::test(start_paused = true)]
async fn a_status_other_than_success_is_a_raw_reply_too() {
    let world = World::new();
    let (mut channel, _phone, _) = world.connected(config(), Scripted::replying([0x2E])).await;
    assert_eq!(channel.raw(&[0x02, 0xA0]).await.unwrap(), [0x2E]);
}

#[tokio::test(start_paused = true)]
async fn the_phone_describes_itself() {
    let world = World::new();
    let (channel, _phone, _) = world.connected(config(), passkeys(Owner::Agrees)).await;
    let info = channel.get_info().unwrap();
    check_canonical(&info.raw).unwrap();
    assert!(info.value.options.unwrap().rk);
    assert!(channel.features().ctap && !channel.features().digital_credentials);
}

#[tokio::test(start_paused = true)]
async fn steps_are_told_in_order() {
    let world = World::new();
    let (mut channel, _phone, screen) = world.connected(config(), passkeys(Owner::Agrees)).await;
    channel.make_credential(&creation()).await.unwrap();
    assert_eq!(
        screen.steps(),
        [
            "Scanning",
            "ShowQr",
            "HideQr",
            "PhoneNearby",
            "Connecting",
            "Handshaking",
            "Connected",
            "WaitingForPhone"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_code_says_what_the_caller_chose() {
    for (hint, accept) in [(Hint::MakeCredential, false), (Hint::GetAssertion, true)] {
        let world = World::new();
        let mut config = hybridge_client::SessionConfig::new(hint.clone());
        config.accept_linking = accept;
        let (_connecting, screen) = world.connecting(config);
        let code = QrCode::parse(&screen.code(0).await).unwrap();
        assert_eq!((code.hint, code.supports_linking), (Some(hint), Some(accept)));
        assert!(code.timestamp.is_some());
    }
}

/// The same seed and the same clock make the same code.
#[tokio::test(start_paused = true)]
async fn a_session_can_be_repeated() {
    let code = |time| async move {
        let world = World::new();
        let mut config = config();
        config.unix_time = time;
        let rng = Box::new(ChaCha20Rng::seed_from_u64(5));
        let (radio, dialer) = (Arc::new(world.laptop.clone()), world.dialer.clone());
        let session = Session::dangerous_start_with_rng(config, radio, dialer, rng).unwrap();
        let screen = Screen::default();
        let connecting = tokio::spawn(session.connect(screen.watch()));
        let code = screen.code(0).await;
        connecting.abort();
        code
    };
    assert_eq!(code(Some(1_800_000_000)).await, code(Some(1_800_000_000)).await);
    assert_ne!(code(Some(1_800_000_000)).await, code(Some(1_800_000_001)).await);
    assert_eq!(QrCode::parse(&code(None).await).unwrap().timestamp, None);
}

/// No time is too long to be waited for.
#[tokio::test(start_paused = true)]
async fn endless_patience() {
    let world = World::new();
    let mut config = config();
    let timing = &mut config.timing;
    for time in [
        &mut timing.code_lifetime,
        &mut timing.code_grace,
        &mut timing.search,
        &mut timing.connect,
        &mut timing.handshake,
        &mut timing.post_handshake,
    ] {
        *time = Duration::MAX;
    }
    let (mut channel, _phone, _) = world.connected(config, Scripted::replying([0])).await;
    channel.request_timeout = Duration::MAX;
    assert_eq!(channel.raw(&[0x04]).await.unwrap(), [0]);
}

#[tokio::test(start_paused = true)]
async fn two_sessions_in_one_process_do_not_meet() {
    let world = World::new();
    let (first, first_screen) = world.connecting(config());
    let (second, second_screen) = world.connecting(config());
    let first_phone = world.answer(first_screen.code(0).await, Scripted::replying([0x00, 1]));
    let second_phone = world.answer(second_screen.code(0).await, Scripted::replying([0x00, 2]));
    let (mut first, mut second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    let (one, two) = tokio::join!(first.raw(&[0x04]), second.raw(&[0x04]));
    assert_eq!((one.unwrap(), two.unwrap()), (vec![0x00, 1], vec![0x00, 2]));
    let (one, two) = tokio::join!(first.close(), second.close());
    one.unwrap();
    two.unwrap();
    first_phone.await.unwrap().1.unwrap();
    second_phone.await.unwrap().1.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_phone_tells_its_steps_too() {
    use hybridge_authenticator::{Operation, Progress};
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let code = screen.code(0).await;
    let mut authenticator = world.authenticator();
    let mut service = passkeys(Owner::Declines);
    let mut steps = Vec::new();
    let phone = authenticator.answer_code(&code, &mut service, |step| steps.push(step));
    let laptop = async {
        let mut channel = connecting.await.unwrap().unwrap();
        channel.make_credential(&creation()).await.unwrap_err();
        channel.close().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(phone, laptop);
    outcome.unwrap();
    assert_eq!(
        steps,
        [
            Progress::Connecting,
            Progress::Advertising,
            Progress::ClientConnected,
            Progress::Request(Operation::MakeCredential),
            Progress::Replied { status: 0x27 },
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn large_messages_pass_both_ways() {
    const LENGTH: usize = 900_000;
    let world = World::new();
    // The lengths of the patterns have no divisor in common with any block size.
    let reply: Vec<u8> = (0..251).cycle().take(LENGTH).collect();
    let request: Vec<u8> = (1..242).cycle().take(LENGTH).collect();
    let service = Scripted::replying(reply.clone());
    let asked = service.asked.clone();
    let (mut channel, _phone, _) = world.connected(config(), service).await;
    assert!(channel.raw(&request).await.unwrap() == reply);
    assert!(asked.lock().unwrap()[0] == request);
}

#[tokio::test(start_paused = true)]
async fn other_peoples_sessions_are_not_noticed() {
    let world = World::new();
    let (stranger, screen) = world.connecting(config());
    for _ in 0..3 {
        let (mut channel, phone, _) = world.connected(config(), passkeys(Owner::Agrees)).await;
        channel.make_credential(&creation()).await.unwrap();
        channel.close().await.unwrap();
        phone.await.unwrap().1.unwrap();
    }
    assert_eq!(screen.steps(), ["Scanning", "ShowQr"]);
    stranger.abort();
}

/// What the typed calls send is what they say.
#[tokio::test(start_paused = true)]
async fn typed_requests_leave_in_canonical_form() {
    let world = World::new();
    let service = Scripted::replying([0x2E]);
    let asked = service.asked.clone();
    let (mut channel, _phone, _) = world.connected(config(), service).await;
    channel.make_credential(&creation()).await.unwrap_err();
    channel.get_assertion(&assertion()).await.unwrap_err();
    let asked = asked.lock().unwrap();
    for (request, command) in asked.iter().zip([0x01, 0x02]) {
        assert_eq!(request[0], command);
        check_canonical(&request[1..]).unwrap();
    }
    let decoded: get_assertion::Request = ciborium::from_reader(&asked[1][1..]).unwrap();
    assert_eq!(decoded.rp_id, assertion().rp_id);
}
