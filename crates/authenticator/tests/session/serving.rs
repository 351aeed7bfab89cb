//! Requests and replies, and every proper end.

use std::time::Duration;

use hybridge_authenticator::{Authenticator, Error, Operation, Progress};
use hybridge_proto::{
    authenticator::{AuthenticatorError, ReplyError},
    frame::MAX_PLAINTEXT,
};
use hybridge_tunnel::{ChannelError, CloseCode};
use tokio::time::{Instant, sleep, timeout};

use crate::{laptop::Laptop, world::*};

#[tokio::test(start_paused = true)]
async fn requests_reach_the_service_and_replies_the_laptop() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let service = Scripted::replying([0x00, 0xA0]);
    let mut phone = world.answer(&laptop.code, &service);
    laptop.connect(&world).await;
    for request in [&[0x04][..], &[0x01, 0xFF], &[0x41]] {
        laptop.ask(request).await;
        assert_eq!(laptop.reply().await, [0x00, 0xA0]);
    }
    laptop.say_goodbye().await;
    assert!(matches!(laptop.end().await, ChannelError::Closed { code: CloseCode::NORMAL }));
    assert_eq!((service.infos(), service.asked()), (1, vec![vec![0x04], vec![0x01, 0xFF], vec![0x41]]));
    let mut steps = Vec::new();
    while let Some(step) = phone.steps.recv().await {
        steps.push(step);
    }
    let asked = |operation| [Progress::Request(operation), Progress::Replied { status: 0 }];
    let expected = [
        &[Progress::Connecting, Progress::Advertising, Progress::ClientConnected][..],
        &asked(Operation::GetInfo),
        &asked(Operation::MakeCredential),
        &asked(Operation::Other(0x41)),
    ];
    assert_eq!(steps, expected.concat());
    phone.outcome().await.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_advert_is_on_the_air_from_the_open_tunnel_to_the_first_message() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let mut phone = world.answer(&laptop.code, &Scripted::replying([0]));
    phone.until(Progress::Advertising).await;
    assert_eq!(world.phone.live_adverts(), 1);
    laptop.connect(&world).await;
    assert_eq!(world.phone.live_adverts(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_served_may_leave_as_it_likes() {
    for polite in [true, false] {
        let (world, mut laptop) = (World::new(), Laptop::new());
        let phone = world.answer(&laptop.code, &Scripted::replying([0]));
        laptop.connect(&world).await;
        laptop.ask(&[0x04]).await;
        laptop.reply().await;
        if polite {
            laptop.close(CloseCode::NORMAL).await;
        } else {
            drop(laptop);
        }
        timeout(Duration::from_secs(1), phone.outcome()).await.unwrap().unwrap();
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_served_and_stays_is_hung_up_on() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.ask(&[0x04]).await;
    laptop.reply().await;
    let start = Instant::now();
    assert!(matches!(laptop.end().await, ChannelError::Closed { code: CloseCode::NORMAL }));
    phone.outcome().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn the_owner_has_all_the_time_that_the_client_gives() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let service = Scripted::silent();
    let mut phone = world.answer(&laptop.code, &service);
    laptop.connect(&world).await;
    laptop.ask(&[0x02, 0xA0]).await;
    phone.until(Progress::Request(Operation::GetAssertion)).await;
    sleep(Duration::from_secs(500)).await;
    assert!(!phone.task.is_finished() && service.dropped() == 0);
    drop(laptop);
    assert!(matches!(phone.outcome().await, Err(Error::ClientLeft)));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_is_taken_back() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let service = Scripted::silent();
    let phone = world.answer(&laptop.code, &service);
    laptop.connect(&world).await;
    let start = Instant::now();
    laptop.ask(&[0x02, 0xA0]).await;
    assert_eq!(laptop.reply().await, [0x2F]);
    assert_eq!((start.elapsed().as_secs(), service.dropped()), (600, 1));
    // A laptop that stays and says nothing is hung up on.
    phone.outcome().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 720);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_question_to_the_owner() {
    for goodbye in [true, false] {
        let (world, mut laptop) = (World::new(), Laptop::new());
        let service = Scripted::silent();
        let mut phone = world.answer(&laptop.code, &service);
        laptop.connect(&world).await;
        laptop.ask(&[0x02, 0xA0]).await;
        phone.until(Progress::Request(Operation::GetAssertion)).await;
        sleep(Duration::from_secs(30)).await;
        assert_eq!(service.dropped(), 0);
        let start = Instant::now();
        if goodbye {
            laptop.say_goodbye().await;
        } else {
            drop(laptop);
        }
        while service.dropped() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(phone.outcome().await, Err(Error::ClientLeft)));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_nothing() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    let start = Instant::now();
    assert!(matches!(phone.outcome().await, Err(Error::ClientLeft)));
    assert!(start.elapsed() >= Duration::from_secs(120));

    let mut laptop = Laptop::new();
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.close(CloseCode::NORMAL).await;
    assert!(matches!(phone.outcome().await, Err(Error::ClientLeft)));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_was_tampered_with() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.send(&[0; 48]).await;
    let outcome = phone.outcome().await;
    assert!(matches!(outcome, Err(Error::Protocol(AuthenticatorError::Frame(_)))), "{outcome:?}");
    assert!(matches!(laptop.end().await, ChannelError::Closed { code: CloseCode::PROTOCOL }));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_cannot_be_sent_is_the_services_fault() {
    for (reply, expected) in [(vec![], "an empty reply"), (vec![0; MAX_PLAINTEXT + 1], "too large")] {
        let (world, mut laptop) = (World::new(), Laptop::new());
        let phone = world.answer(&laptop.code, &Scripted::replying(reply));
        laptop.connect(&world).await;
        laptop.ask(&[0x04]).await;
        assert!(matches!(laptop.end().await, ChannelError::Closed { .. }));
        let error = phone.outcome().await.unwrap_err();
        assert!(matches!(error, Error::Reply(ReplyError::Empty | ReplyError::TooLarge(_))));
        assert!(error.to_string().contains(expected), "{error}");
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_authenticator_answers_one_code_after_another() {
    let world = World::new();
    let mut authenticator: Authenticator = world.authenticator();
    let mut service = Scripted::replying([0]);
    for _ in 0..3 {
        let mut laptop = Laptop::new();
        let code = laptop.code.clone();
        let phone = authenticator.answer_code(&code, &mut service, |_| {});
        let laptop = async {
            laptop.connect(&world).await;
            laptop.ask(&[0x04]).await;
            laptop.reply().await;
            laptop.close(CloseCode::NORMAL).await;
        };
        let (outcome, ()) = tokio::join!(phone, laptop);
        outcome.unwrap();
    }
    assert_eq!(service.infos(), 3);
}

/// No time is too long to be waited for.
#[tokio::test(start_paused = true)]
async fn endless_patience() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let mut authenticator = world.authenticator();
    let timing = &mut authenticator.timing;
    (timing.connect, timing.advertise, timing.idle) = (Duration::MAX, Duration::MAX, Duration::MAX);
    authenticator.user_action = Duration::MAX;
    let phone = world.answer_with(authenticator, &laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.ask(&[0x04]).await;
    assert_eq!(laptop.reply().await, [0]);
    laptop.close(CloseCode::NORMAL).await;
    phone.outcome().await.unwrap();
}
