//! What happens in a world, in order, for whoever wants to tell it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::Instant,
};

use crate::{laptop::LaptopEvent, phone::PhoneEvent, tunnel_service::TunnelEvent, website::WebsiteEvent};

/// One thing that happened.
#[non_exhaustive]
pub enum Event {
    /// At the website.
    Website(WebsiteEvent),
    /// On the laptop.
    Laptop(LaptopEvent),
    /// On the phone.
    Phone(PhoneEvent),
    /// At the tunnel service.
    TunnelService(TunnelEvent),
}

/// When something happened, and what.
pub struct Entry {
    /// The time since the journal was begun.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// Takes down what happens. Clones write into the same journal.
#[derive(Clone)]
pub struct Journal {
    started: Instant,
    reader: Option<Arc<Mutex<UnboundedSender<Entry>>>>,
}

impl Journal {
    /// A journal that nobody reads and nothing is written into.
    pub fn unread() -> Self {
        Self { started: Instant::now(), reader: None }
    }

    /// A journal, and its entries as they are written.
    pub fn begin() -> (Self, UnboundedReceiver<Entry>) {
        let (reader, entries) = mpsc::unbounded_channel();
        (Self { started: Instant::now(), reader: Some(Arc::new(Mutex::new(reader))) }, entries)
    }

    /// Whether anybody reads it.
    pub const fn is_read(&self) -> bool {
        self.reader.is_some()
    }

    /// The time from which entries count.
    pub const fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn write(&self, event: impl Into<Event>) {
        let Some(reader) = &self.reader else { return };
        // The lock is held while the time is read, so that entries come in the order of their times.
        let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails when the reader has gone, and then there is nobody to tell.
        let _ = reader.send(Entry { at: self.started.elapsed(), event: event.into() });
    }
}

macro_rules! from_event {
    ($($kind:ident($event:ty)),+) => {$(
        impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$kind(event)
            }
        }
    )+};
}

from_event!(Website(WebsiteEvent), Laptop(LaptopEvent), Phone(PhoneEvent), TunnelService(TunnelEvent));
