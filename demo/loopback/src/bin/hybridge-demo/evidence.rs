//! What the tunnel service got to see: looked for, not assumed.

use hybridge_demo::tunnel_service::Seen;
use hybridge_proto::qr::QrCode;

use crate::record::{Private, Record};

/// How many bytes in a row count as having seen a part of something. Fewer can come together by accident.
const RUN: usize = 8;

/// What was found in everything that the tunnel service received.
pub(crate) struct Evidence {
    /// How many requests it got.
    pub(crate) requests: usize,
    /// How many tunnel IDs of codes stand in them: it has to know these. That they are found shows that the search
    /// works.
    pub(crate) tunnel_ids: usize,
    /// The lengths in bytes of the messages that it carried.
    pub(crate) message_lengths: Vec<usize>,
    /// How many bytes were searched.
    pub(crate) bytes: usize,
    /// Each private thing, and whether it was found.
    pub(crate) private: Vec<(&'static str, bool)>,
}

impl Evidence {
    /// Searches what the tunnel service saw for everything that is none of its business.
    pub(crate) fn gather(record: &Record, seen: &Seen) -> Self {
        let mut evidence = Self {
            requests: seen.requests(),
            tunnel_ids: 0,
            message_lengths: seen.message_lengths(),
            bytes: seen.bytes(),
            private: Vec::new(),
        };
        for text in record.codes() {
            evidence.look_for(seen, &Private::new("the code", text.as_bytes(), false));
            let Ok(code) = QrCode::parse(&text) else { continue };
            let secret = Private::new("the secret in the code", code.secret.expose_bytes(), true);
            evidence.look_for(seen, &secret);
            let known = seen.contains(code.secret.tunnel_id().to_hex().as_bytes());
            evidence.tunnel_ids = evidence.tunnel_ids.saturating_add(usize::from(known));
        }
        record.private().iter().for_each(|private| evidence.look_for(seen, private));
        evidence
    }

    /// What the tunnel service should not have seen and has.
    pub(crate) fn leak(&self) -> Option<&'static str> {
        self.private.iter().find_map(|(what, found)| found.then_some(*what))
    }

    fn look_for(&mut self, seen: &Seen, private: &Private) {
        let Private { what, bytes, in_parts } = private;
        let found = if *in_parts { seen.contains_any_run(bytes, RUN) } else { seen.contains(bytes) };
        // Things of a kind are one line: the codes of both ceremonies, for example.
        match self.private.iter_mut().find(|(known, _)| known == what) {
            Some((_, any)) => *any |= found,
            None => self.private.push((what, found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hybridge_demo::{
        journal::{Entry, Event, Journal},
        website::WebsiteEvent,
        world::{World, WorldOptions},
    };

    use super::*;

    #[tokio::test]
    async fn what_the_tunnel_service_saw_would_be_found() {
        let (journal, mut entries) = Journal::begin();
        let mut world = World::new(WorldOptions { journal, ..WorldOptions::default() }).await.unwrap();
        world.register("ada").await.laptop.unwrap();
        let mut record = Record::default();
        while let Ok(entry) = entries.try_recv() {
            record.note(&entry);
        }
        let evidence = Evidence::gather(&record, world.tunnel_service.seen());
        assert_eq!((evidence.requests, evidence.tunnel_ids, evidence.leak()), (2, 1, None));
        assert_eq!(evidence.private.len(), 6);

        // An account of this name stands in every request's path.
        let event = Event::Website(WebsiteEvent::AsksForPasskey { user: "cable".to_owned() });
        record.note(&Entry { at: Duration::ZERO, event });
        let evidence = Evidence::gather(&record, world.tunnel_service.seen());
        assert_eq!(evidence.leak(), Some("the name of the account"));
    }
}
