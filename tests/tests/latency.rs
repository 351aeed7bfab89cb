//! How long a person waits: from the moment an advert is heard until the first request is on its way to the phone,
//! over a simulated network in virtual time. Name resolution is left out.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::Authenticator;
use hybridge_ble::sim::{Air, TraceKind};
use hybridge_client::{Hint, Session, SessionConfig};
use hybridge_demo::owner::{Owner, passkeys_of};
use hybridge_tests::{
    network::Sent,
    screen::Screen,
    service::{DOMAIN, TlsService},
    website::Website,
};
use tokio::time::Instant;

/// What a sign-in sends first, and when, counted from the advert.
struct Measured {
    sent: Vec<Duration>,
    /// When the phone had described itself.
    connected: Duration,
}

impl Measured {
    /// When the first request was on its way.
    fn first_request(&self) -> Duration {
        self.sent.iter().copied().find(|sent| *sent >= self.connected).unwrap()
    }
}

/// A registration, with `laptop` and `phone` being how long bytes take between each of them and the tunnel service.
async fn measure(laptop: Duration, phone: Duration) -> Measured {
    let (service, air, sent) = (TlsService::new(1), Air::new(1), Sent::default());
    let dialer = Arc::new(service.simulated(laptop, &sent));
    let radio = Arc::new(air.device("laptop"));
    let session = Session::start(SessionConfig::new(Hint::MakeCredential), radio, dialer).unwrap();
    let (mut screen, watch) = Screen::new();
    let steps = screen.steps();
    let laptop = async move {
        let mut channel = session.connect(watch).await.unwrap();
        Website::new().register(&mut channel).await;
        channel.close().await.unwrap();
    };
    let (mut passkeys, radio) = (passkeys_of(Owner::Agrees), Arc::new(air.device("phone")));
    let dialer = Arc::new(service.simulated(phone, &Sent::default()));
    let phone = async move {
        let code = screen.scan().await;
        let mut authenticator = Authenticator::new(DOMAIN, radio, dialer);
        authenticator.answer_code(&code, &mut passkeys, |_| {}).await.unwrap();
    };
    tokio::join!(laptop, phone);
    let heard = heard(&air);
    let since = |moment: Instant| moment.duration_since(heard);
    Measured {
        sent: sent.moments().into_iter().map(since).collect(),
        connected: since(steps.moment("Connected").unwrap()),
    }
}

/// When the laptop's radio heard the first advert.
fn heard(air: &Air) -> Instant {
    let trace = air.trace();
    let heard = trace.iter().find(|event| matches!(event.kind, TraceKind::Heard { .. })).unwrap();
    assert_eq!(&*heard.device, "laptop");
    air.started() + heard.at
}

/// Prints the steps, and checks them against the round trips that there have to be.
async fn check(laptop: u64, phone: u64, bound: u64) {
    let measured = measure(Duration::from_millis(laptop), Duration::from_millis(phone)).await;
    let names = ["connect", "TLS hello", "TLS finished, upgrade", "handshake", "request"];
    println!("one way: {laptop} ms laptop to service, {phone} ms phone to service");
    for (name, at) in names.iter().zip(&measured.sent) {
        println!("  {:4} ms  {name}", at.as_millis());
    }
    let total = measured.first_request();
    println!("  from the advert to the first request: {} ms, allowed {bound} ms", total.as_millis());
    assert!(total <= Duration::from_millis(bound), "{total:?}");
    // TCP, TLS, upgrade, and the handshake all the way to the phone: less would be a network that is too fast.
    let trips = [0, 2 * laptop, 4 * laptop, 6 * laptop, 8 * laptop + 2 * phone].map(Duration::from_millis);
    assert_eq!(measured.sent.get(..5).unwrap(), trips);
    assert_eq!(total, trips[4]);
}

#[tokio::test(start_paused = true)]
async fn with_a_near_phone() {
    check(100, 0, 800).await;
}

#[tokio::test(start_paused = true)]
async fn with_a_phone_as_far_as_the_laptop() {
    check(100, 100, 1000).await;
}

#[tokio::test(start_paused = true)]
async fn with_other_distances() {
    check(37, 11, 318).await;
}
