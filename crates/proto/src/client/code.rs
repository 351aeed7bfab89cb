//! QR codes of a search: the one on the screen, and earlier ones that a phone may still answer.

use std::{sync::Arc, time::Instant};

use super::{Context, Event};
use crate::{
    advert::{Advert, AdvertPlaintext, open},
    keys::{EidKey, PrivateKey, QrSecret},
    qr::{Channels, QrCode},
    time::deadline,
};

/// The secrets of one code, shared by the attempts that follow from it.
pub(super) struct Code {
    pub(super) key: Arc<PrivateKey>,
    pub(super) secret: QrSecret,
    eid_key: EidKey,
}

impl Code {
    pub(super) fn open(&self, advert: &Advert) -> Option<AdvertPlaintext> {
        open(&self.eid_key, advert)
    }
}

/// All codes that may still be answered, the newest last.
pub(super) struct Codes {
    live: Vec<Live>,
    /// Whether the newest one is on the screen.
    shown: bool,
}

/// How many adverts of one code are followed. Only holders of its secret can make one, so an honest code needs a
/// handful; somebody with a photo of it must not keep the machine from hearing the next code's phone.
const MAX_MATCHES: usize = 64;

struct Live {
    code: Arc<Code>,
    matches: usize,
    /// While shown: when a fresh one takes its place. Afterwards: when it stops being answered.
    until: Instant,
}

impl Codes {
    /// No codes, for a search among remembered phones only.
    pub(super) const fn none() -> Self {
        Self { live: Vec::new(), shown: false }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Makes a fresh code and shows it. Draws 16 bytes of secret, then the key.
    pub(super) fn show_fresh(&mut self, context: &mut Context, now: Instant) {
        self.retire_shown(context, now);
        let secret = QrSecret::generate(&mut *context.rng);
        let key = Arc::new(PrivateKey::generate(&mut *context.rng));
        let code = Code { eid_key: secret.eid_key(), key, secret };
        let until = deadline(now, context.config.timing.code_lifetime);
        let uri = context.qr_code(&code, now).to_uri();
        self.live.push(Live { code: Arc::new(code), matches: 0, until });
        self.shown = true;
        context.out.event(Event::ShowQr { uri, until });
    }

    /// Takes the code off the screen after a match. It can still be answered for the grace time.
    pub(super) fn hide(&mut self, context: &mut Context, now: Instant) {
        if self.shown {
            self.retire_shown(context, now);
            context.out.event(Event::HideQr);
        }
    }

    fn retire_shown(&mut self, context: &Context, now: Instant) {
        if let (true, Some(newest)) = (self.shown, self.live.last_mut()) {
            newest.until = deadline(now, context.config.timing.code_grace);
        }
        self.shown = false;
    }

    /// Whether a code is on the screen.
    pub(super) const fn is_shown(&self) -> bool {
        self.shown
    }

    /// The code under which the advert opens, unless it had its share of adverts.
    pub(super) fn find(&mut self, advert: &Advert) -> Option<(Arc<Code>, AdvertPlaintext)> {
        for live in self.live.iter_mut().rev().filter(|live| live.matches < MAX_MATCHES) {
            if let Some(plaintext) = live.code.open(advert) {
                live.matches = live.matches.saturating_add(1);
                return Some((Arc::clone(&live.code), plaintext));
            }
        }
        None
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.live.iter().map(|live| live.until).min()
    }

    /// Replaces a shown code whose time is over and forgets retired ones.
    pub(super) fn handle_timeout(&mut self, context: &mut Context, now: Instant) {
        if self.shown && self.live.last().is_some_and(|newest| newest.until <= now) {
            self.show_fresh(context, now);
        }
        self.live.retain(|live| live.until > now);
    }
}

impl Context {
    fn qr_code(&self, code: &Code, now: Instant) -> QrCode {
        let mut qr = QrCode::new(*code.key.public_key(), QrSecret::from_bytes(code.secret.expose_bytes()));
        let elapsed = now.saturating_duration_since(self.started).as_secs();
        qr.timestamp = self.config.unix_time.map(|start| start.saturating_add(elapsed));
        qr.supports_linking = Some(self.config.accept_linking);
        qr.hint = Some(self.config.hint.clone());
        qr.channels = self.config.l2cap.then(Channels::websocket_and_l2cap);
        qr
    }
}
