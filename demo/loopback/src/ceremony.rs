//! A laptop and a phone do one thing together, each by itself.

use std::time::Duration;

use hybridge_authenticator::CtapService;
use tokio::time::Instant;

use crate::{
    laptop::{Laptop, LaptopError},
    phone::{Phone, PhoneError},
    relying_party::SignedIn,
    screen::Screen,
    website::Website,
};

/// How a ceremony ended on both sides. Only what the laptop got from the website counts as success.
#[derive(Debug)]
#[must_use = "a ceremony may have failed"]
pub struct Outcome<T> {
    /// What the laptop has to show for it, verified by the website.
    pub laptop: Result<T, LaptopError>,
    /// Whether the phone's session ended as it should.
    pub phone: Result<(), PhoneError>,
    /// How long it took both sides together.
    pub took: Duration,
}

/// Makes a passkey for the account of this name.
///
/// The code goes from the laptop's screen to the phone's camera as a picture, and nothing else goes from one to the
/// other but through radio and dialers.
///
/// # Cancel safety
/// Dropping the future ends both sides.
pub async fn register<S: CtapService>(
    website: &Website,
    laptop: &mut Laptop,
    phone: &mut Phone<S>,
    user: &str,
) -> Outcome<()> {
    let screen = Screen::new();
    let scanning = phone.scan(screen.view());
    together(async move { laptop.register(website, user, &screen).await }, scanning).await
}

/// Signs in with a passkey that the phone has.
///
/// # Cancel safety
/// As [`register`].
pub async fn sign_in<S: CtapService>(
    website: &Website,
    laptop: &mut Laptop,
    phone: &mut Phone<S>,
) -> Outcome<SignedIn> {
    let screen = Screen::new();
    let scanning = phone.scan(screen.view());
    together(async move { laptop.sign_in(website, &screen).await }, scanning).await
}

/// Lets both sides run to their ends. The laptop's future owns its screen, so that the phone stops looking at it when
/// the laptop has given up.
async fn together<T>(
    laptop: impl Future<Output = Result<T, LaptopError>>,
    phone: impl Future<Output = Result<(), PhoneError>>,
) -> Outcome<T> {
    let started = Instant::now();
    let (laptop, phone) = tokio::join!(laptop, phone);
    Outcome { laptop, phone, took: started.elapsed() }
}
