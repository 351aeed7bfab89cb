//! Firefox, as Debian has it, signs in on `hybridge-website` through the virtual security key, with the phone's program
//! at another Bluetooth controller. Nothing in the browser knows of phones.

mod bidi;
mod page;
mod processes;

use std::time::{Duration, Instant};

use hybridge_radio_conformance::table::{Failure, Table, tell};
use serde_json::Value;
use tokio::time::timeout;

use self::bidi::member;
use self::page::Page;
use self::processes::{Firefox, Pages};
use crate::ceremony::Way;
use crate::key::Key;
use crate::programs::Phone;
use crate::service::TunnelService;
use crate::system::System;

const USER: &str = "ada";
/// The host of the pages.
const RP_ID: &str = "localhost";
/// Far more than a case takes on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(240);
/// How often to wait for the key as long as anybody else would: Firefox is slow here.
const PATIENCE: usize = 5;
/// What a person sees of a request, and how it ends, as the key's events.
const SEEN: [&str; 5] = ["touch-wanted", "phone-wanted", "answered", "cancelled", "not-reached"];
/// Long enough for a request that follows by itself.
const PAUSE: Duration = Duration::from_secs(1);
/// CTAP statuses.
const SUCCESS: u64 = 0;
const CREDENTIAL_EXCLUDED: u64 = 0x19;
/// What the page says when the browser gives up.
const GIVEN_UP: &str = "It was cancelled, refused, or took too long. Try again.";
/// Asks for a passkey as the page's own script does, and keeps what is needed to take that back. Without verification of
/// the user, which takes more than a phone that asks whether to go on.
const ASK: &str = "(async () => { \
    const asked = await fetch('/api/sign-in/begin', { method: 'POST', \
        headers: { 'Content-Type': 'application/json' }, body: '{\"username\":\"\"}' }); \
    const options = (await asked.json()).publicKey; \
    options.userVerification = 'discouraged'; \
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options); \
    window.controller = new AbortController(); \
    const got = navigator.credentials.get({ publicKey, signal: window.controller.signal }); \
    window.outcome = got.then(() => 'signed in', (error) => error.name); \
    return 'asked'; \
})()";
/// Takes it back, and waits for what the page is told.
const TAKE_BACK: &str = "window.controller.abort(); window.outcome";

/// Everybody who takes part.
struct Scene {
    page: Page,
    key: Key,
}

/// Starts everything and runs the cases.
pub(crate) async fn run() -> Result<(), Failure> {
    let begun = Instant::now();
    let since = |what: &str| tell(&format!("{:>7.2} s  {what}", begun.elapsed().as_secs_f64()));
    let _system = System::start().await?;
    let _service = TunnelService::start().await?;
    let (_website, url) = Pages::start().await?;
    let key = Key::start().await?;
    since("Bluetooth, the tunnel service, the website and the security key are there");
    let (_firefox, session) = Firefox::start().await?;
    since("Firefox has started");
    let mut page = Page::open(session, &url).await?;
    page.says("", "").await?;
    since("the page is open");
    let table = Scene { page, key }.cases().await;
    since("all cases are over");
    table.print()
}

impl Scene {
    async fn cases(&mut self) -> Table {
        let mut table = Table::new("firefox", 8).with_limit(LIMIT);
        table.case("registers a passkey", self.register()).await;
        table.case("the same phone again: it has one already", self.register_again()).await;
        table.case("signs out, and in again", self.sign_in("")).await;
        table.case("signs in with the user name, as it has a list", self.sign_in(USER)).await;
        table.case("the person closes the window", self.close()).await;
        table.case("the page takes it back, nobody is there", self.take_back()).await;
        table.case("the page takes it back while the phone asks", self.take_back_from_phone()).await;
        table.case("signs in after all that", self.sign_in_signed_out("")).await;
        table
    }

    async fn register(&mut self) -> Result<(), Failure> {
        self.page.fill("User name", USER).await?;
        self.page.press("Register").await?;
        self.serve(SUCCESS).await?;
        self.page.says("You are registered.", USER).await
    }

    async fn register_again(&mut self) -> Result<(), Failure> {
        self.page.press("Add a passkey").await?;
        self.serve(CREDENTIAL_EXCLUDED).await?;
        self.page.says("This phone has a passkey for this account already. Sign in with it.", USER).await
    }

    async fn sign_in(&mut self, user: &str) -> Result<(), Failure> {
        self.page.press("Sign out").await?;
        self.page.says("You are signed out.", "").await?;
        self.sign_in_signed_out(user).await
    }

    async fn sign_in_signed_out(&mut self, user: &str) -> Result<(), Failure> {
        self.page.fill("User name", user).await?;
        self.page.press("Sign in").await?;
        self.serve(SUCCESS).await?;
        self.page.says("Welcome back.", USER).await
    }

    /// Firefox takes that for a failed fingerprint and asks once more, which no person may see.
    async fn close(&mut self) -> Result<(), Failure> {
        self.page.press("Sign out").await?;
        self.page.says("You are signed out.", "").await?;
        self.page.fill("User name", "").await?;
        self.page.press("Sign in").await?;
        self.code().await?;
        self.key.close_window().await?;
        // The key tells the program that it was denied, and whoever watches the key that it is over.
        expect(self.over().await?, None)?;
        self.page.says(GIVEN_UP, "").await?;
        self.is_quiet().await
    }

    async fn take_back(&mut self) -> Result<(), Failure> {
        self.page.evaluate(ASK).await?;
        self.code().await?;
        self.taken_back().await
    }

    async fn take_back_from_phone(&mut self) -> Result<(), Failure> {
        self.page.evaluate(ASK).await?;
        let code = self.code().await?;
        let phone = Phone::asking(&code).await?;
        self.taken_back().await?;
        phone.sees_its_computer_leave().await
    }

    /// The page takes back what it asked for: the key's session ends, and the page is told.
    async fn taken_back(&mut self) -> Result<(), Failure> {
        let told = self.page.evaluate(TAKE_BACK).await?;
        if told != "AbortError" {
            return Err(Failure::unexpected("AbortError", told));
        }
        expect(self.over().await?, None)?;
        self.is_quiet().await
    }

    /// A phone scans the code, and agrees. The key has to answer with a status, and to have asked for one phone.
    async fn serve(&mut self, status: u64) -> Result<(), Failure> {
        let code = self.code().await?;
        Phone::start(&code, &Way::Tunnel).await?.finish().await?;
        expect(self.over().await?, Some(status))
    }

    /// The key's next event of one of these kinds.
    async fn next(&mut self, kinds: &[&str]) -> Result<Value, Failure> {
        for _ in 1..PATIENCE {
            match self.key.next(kinds).await {
                Err(Failure::Stuck) => {}
                other => return other,
            }
        }
        self.key.next(kinds).await
    }

    /// The code that the key shows. Nothing else may have been asked of a person before.
    async fn code(&mut self) -> Result<String, Failure> {
        let wanted = self.next(&["touch-wanted", "phone-wanted"]).await?;
        if *member(&wanted, "event") != "phone-wanted" || *member(&wanted, "rp_id") != RP_ID {
            return Err(Failure::unexpected("a phone that is wanted", wanted));
        }
        self.key.code().await
    }

    /// How the request ends, of which a person saw nothing more: the CTAP status, or nothing if it was taken back.
    async fn over(&mut self) -> Result<Option<u64>, Failure> {
        let over = self.next(&SEEN).await?;
        match member(&over, "event").as_str() {
            Some("answered") => Ok(member(&over, "status").as_u64()),
            Some("cancelled") => Ok(None),
            _ => Err(Failure::unexpected("the end of the request", over)),
        }
    }

    /// The key asks nobody for anything any more.
    async fn is_quiet(&mut self) -> Result<(), Failure> {
        match timeout(PAUSE, self.key.next(&SEEN)).await {
            Err(_) => Ok(()),
            Ok(event) => Err(Failure::unexpected("a key that is not asked", event?)),
        }
    }
}

fn expect(found: Option<u64>, expected: Option<u64>) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::unexpected("another end of the request", (found, expected)))
}
