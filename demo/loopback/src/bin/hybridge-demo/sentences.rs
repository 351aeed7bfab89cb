//! Events in words: who did what, and who learns what by it.

use hybridge_authenticator::{Operation, Progress as PhoneProgress};
use hybridge_client::Progress as LaptopProgress;
use hybridge_demo::{
    journal::Event,
    laptop::LaptopEvent,
    phone::PhoneEvent,
    tunnel_service::{Peer, TunnelEvent},
    website::WebsiteEvent,
};

use crate::style::Ink;

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    Website,
    Laptop,
    Phone,
    TunnelService,
    Air,
}

impl Actor {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Laptop => "laptop",
            Self::Phone => "phone",
            Self::TunnelService => "tunnel service",
            Self::Air => "air",
        }
    }

    pub(crate) const fn ink(self) -> Ink {
        match self {
            Self::Website => Ink::Website,
            Self::Laptop => Ink::Laptop,
            Self::Phone => Ink::Phone,
            Self::TunnelService => Ink::TunnelService,
            Self::Air => Ink::Air,
        }
    }
}

/// One line of the timeline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) actor: Actor,
    /// What happens; the actor is its subject.
    pub(crate) what: String,
    /// Who learns what by it.
    pub(crate) learned: Option<&'static str>,
}

impl Line {
    pub(crate) fn new(actor: Actor, what: impl Into<String>) -> Self {
        Self { actor, what: what.into(), learned: None }
    }

    fn learned(self, learned: &'static str) -> Self {
        Self { learned: Some(learned), ..self }
    }
}

/// What to say of an event, if anything.
pub(crate) fn line(event: &Event) -> Option<Line> {
    match event {
        Event::Website(event) => website(event),
        Event::Laptop(event) => laptop(event),
        Event::Phone(PhoneEvent::ReadsCode) => {
            let line = Line::new(Actor::Phone, "reads the code off the picture with its camera");
            Some(line.learned("knows the laptop's public key and the secret"))
        }
        Event::Phone(PhoneEvent::Progress(progress)) => phone(progress),
        Event::TunnelService(event) => tunnel_service(*event),
        _ => None,
    }
}

fn website(event: &WebsiteEvent) -> Option<Line> {
    let say = |what: &str| Line::new(Actor::Website, what);
    Some(match event {
        WebsiteEvent::AsksForPasskey { user } => {
            say(&format!("asks for a passkey for {user:?}, with a fresh challenge"))
        }
        WebsiteEvent::AsksForSignature => say("asks whoever it is to sign a fresh challenge"),
        WebsiteEvent::Registered => say("verifies the new passkey and keeps its public key")
            .learned("knows nothing of phone, code or tunnel"),
        WebsiteEvent::SignedIn(signed_in) => {
            let line = say(&format!("verifies the signature: {:?} is signed in", signed_in.user));
            match signed_in.user_verified {
                true => line.learned("knows that the owner had unlocked the phone"),
                false => line,
            }
        }
        WebsiteEvent::Refused => say("refuses the response"),
        _ => return None,
    })
}

fn laptop(event: &LaptopEvent) -> Option<Line> {
    let say = |what: &str| Line::new(Actor::Laptop, what);
    Some(match event {
        LaptopEvent::Shows(_) => say("shows a code: a fresh public key and 16 secret bytes")
            .learned("whoever sees the screen knows them too"),
        LaptopEvent::Asks => say("sends the request into the channel"),
        LaptopEvent::Granted { .. } => say("opens the reply, checks its form, tells the website"),
        LaptopEvent::Progress(progress) => match progress {
            LaptopProgress::Scanning => say("listens for Bluetooth adverts"),
            LaptopProgress::PhoneNearby(_) => say("opens the advert with the secret, hides the code")
                .learned("knows that the phone is near and has seen the code"),
            LaptopProgress::Connecting(_) => say("dials there; the handshake needs both secret and advert"),
            LaptopProgress::Connected(_) => say("has a channel that nobody else can read")
                .learned("knows what the phone can do, and not yet whose it is"),
            LaptopProgress::UnknownTunnelService(id) => {
                say(&format!("does not know the tunnel service {id}, and looks on"))
            }
            LaptopProgress::AttemptFailed { error, .. } => say(&format!("gives this phone up: {error}")),
            _ => return None,
        },
        _ => return None,
    })
}

fn phone(progress: &PhoneProgress) -> Option<Line> {
    let say = |what: &str| Line::new(Actor::Phone, what);
    Some(match progress {
        PhoneProgress::Connecting => say("dials its tunnel service over TLS"),
        PhoneProgress::Advertising => {
            say("advertises 20 bytes, sealed with the secret").learned("everybody else in range hears noise")
        }
        PhoneProgress::ClientConnected => {
            say("finishes the handshake").learned("knows its peer saw this code and heard this advert")
        }
        PhoneProgress::Request(operation) => say(match operation {
            Operation::MakeCredential => "asks for a passkey; its owner unlocks it and agrees",
            Operation::GetAssertion => "asks for a sign-in; its owner unlocks it and agrees",
            _ => "gets another request",
        }),
        PhoneProgress::Replied { status: 0 } => {
            say("replies into the channel").learned("its private key stays where it is")
        }
        PhoneProgress::Replied { status } => say(&format!("refuses with CTAP status {status:#04x}")),
        _ => return None,
    })
}

fn tunnel_service(event: TunnelEvent) -> Option<Line> {
    let say = |what: &str| Line::new(Actor::TunnelService, what);
    Some(match event {
        TunnelEvent::Accepted(Peer::Phone) => say("opens a tunnel for the phone")
            .learned("knows a tunnel ID, which does not lead to the secret"),
        TunnelEvent::Accepted(Peer::Laptop) => say("lets the laptop into the tunnel")
            .learned("knows that these two talk, and when; not about what"),
        TunnelEvent::Refused { status } => say(&format!("refuses a request with status {status}")),
        TunnelEvent::Carries { from: Peer::Phone, bytes } => {
            say(&format!("carries {bytes} bytes from phone to laptop"))
        }
        TunnelEvent::Carries { from: Peer::Laptop, bytes } => {
            say(&format!("carries {bytes} bytes from laptop to phone"))
        }
        _ => return None,
    })
}
