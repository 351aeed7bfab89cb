//! What a run comes to: times, verdicts, and what was private.

use std::{sync::Arc, time::Duration};

use hybridge_client::Progress;
use hybridge_demo::{
    journal::{Entry, Event},
    laptop::LaptopEvent,
    screen::Shown,
    website::{Website, WebsiteEvent},
};
use hybridge_picture::from_png;
use zeroize::Zeroizing;

/// When one ceremony came how far, since the start of the program.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Milestones {
    pub(crate) begun: Duration,
    pub(crate) shown: Option<Duration>,
    pub(crate) nearby: Option<Duration>,
    pub(crate) connected: Option<Duration>,
    pub(crate) verified: Option<Duration>,
}

impl Milestones {
    fn at(begun: Duration) -> Self {
        Self { begun, ..Self::default() }
    }

    /// How long it took to each milestone from the one before, and to the last one from the first.
    pub(crate) fn spans(&self) -> [Option<Duration>; 5] {
        let begun = Some(self.begun);
        let between = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?));
        [
            between(begun, self.shown),
            between(self.shown, self.nearby),
            between(self.nearby, self.connected),
            between(self.connected, self.verified),
            between(begun, self.verified),
        ]
    }
}

/// Something that only laptop, phone and website may know.
pub(crate) struct Private {
    pub(crate) what: &'static str,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether a part of it is as bad as the whole.
    pub(crate) in_parts: bool,
}

impl Private {
    pub(crate) fn new(what: &'static str, bytes: &[u8], in_parts: bool) -> Self {
        Self { what, bytes: Zeroizing::new(bytes.to_vec()), in_parts }
    }
}

/// Collects what is to be reported in the end.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) registration: Option<Milestones>,
    pub(crate) sign_in: Option<Milestones>,
    /// The name of whoever signed in.
    pub(crate) signed_in_as: Option<String>,
    /// What nobody else may know, the codes left out.
    private: Vec<Private>,
    codes: Vec<Arc<Shown>>,
}

impl Record {
    /// Whether the website verified the new passkey.
    pub(crate) fn registered(&self) -> bool {
        self.registration.is_some_and(|times| times.verified.is_some())
    }

    /// Whether the website verified the signature.
    pub(crate) fn signed_in(&self) -> bool {
        self.sign_in.is_some_and(|times| times.verified.is_some())
    }

    /// What nobody but laptop, phone and website may know, apart from the codes.
    pub(crate) fn private(&self) -> &[Private] {
        &self.private
    }

    /// The texts of the codes that were shown, read off their pictures as the phone does it.
    pub(crate) fn codes(&self) -> impl Iterator<Item = Zeroizing<String>> {
        self.codes.iter().filter_map(|shown| from_png(&shown.png).ok())
    }

    /// Takes note of an event.
    pub(crate) fn note(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Website(event) => self.note_website(event, entry.at),
            Event::Laptop(LaptopEvent::Shows(shown)) => {
                self.codes.push(Arc::clone(shown));
                self.current(|times| &mut times.shown, entry.at);
            }
            Event::Laptop(LaptopEvent::Progress(Progress::PhoneNearby(_))) => {
                self.current(|times| &mut times.nearby, entry.at);
            }
            Event::Laptop(LaptopEvent::Progress(Progress::Connected(_))) => {
                self.current(|times| &mut times.connected, entry.at);
            }
            Event::Laptop(LaptopEvent::Granted { client_data_hash, reply }) => {
                self.keep("what the phone was to sign", client_data_hash, true);
                self.keep("the phone's replies: passkey, public key, signature", reply, true);
            }
            _ => {}
        }
    }

    fn note_website(&mut self, event: &WebsiteEvent, at: Duration) {
        match event {
            WebsiteEvent::AsksForPasskey { user } => {
                self.registration = Some(Milestones::at(at));
                self.keep("the name of the account", user.as_bytes(), false);
                self.keep("the name of the website", Website::ID.as_bytes(), false);
            }
            WebsiteEvent::AsksForSignature => self.sign_in = Some(Milestones::at(at)),
            WebsiteEvent::Registered => self.current(|times| &mut times.verified, at),
            WebsiteEvent::SignedIn(signed_in) => {
                self.signed_in_as = Some(signed_in.user.clone());
                self.current(|times| &mut times.verified, at);
            }
            _ => {}
        }
    }

    fn current(&mut self, milestone: impl Fn(&mut Milestones) -> &mut Option<Duration>, at: Duration) {
        if let Some(times) = self.sign_in.as_mut().or(self.registration.as_mut()) {
            milestone(times).get_or_insert(at);
        }
    }

    fn keep(&mut self, what: &'static str, bytes: &[u8], in_parts: bool) {
        self.private.push(Private::new(what, bytes, in_parts));
    }
}
