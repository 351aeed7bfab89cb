//! What must hold at any time, and in the end.

use hybridge_proto::client::Link;

use super::{
    phone::{get_info, reply_to},
    remembered::Remembered,
    wire::End,
    world::World,
};

/// How many adverts of a code may be followed at once.
const MAX_CANDIDATES: usize = 4;

impl World {
    /// After everything that the laptop's machine did.
    pub(super) fn check_laptop(&mut self) {
        let channels = self.wire.alive(|end| matches!(end, End::Laptop(_)));
        let most = MAX_CANDIDATES + self.settings.calls.len();
        assert!(channels <= most, "{channels} candidates at once");
        let closed = self.laptop.end.is_some();
        assert_eq!(self.laptop.machine.is_closed(), closed, "the last event and the state disagree");
        if closed {
            assert_eq!(self.laptop.machine.poll_timeout(), None);
            assert_eq!(channels, 0, "a channel is left open");
            assert_eq!(self.laptop.screen, None, "a code is left on the screen");
            assert!(!self.laptop.scanning, "the radio is left on");
        }
    }

    /// After everything that a phone's machine did.
    pub(super) fn check_phone(&mut self, phone: usize) {
        let channels = self.wire.alive(|end| matches!(end, End::Phone(of, _) if *of == phone));
        let state = &self.phones[phone];
        assert_eq!(state.machine.is_closed(), state.end.is_some(), "the last event and the state disagree");
        if state.end.is_some() {
            assert_eq!(state.machine.poll_timeout(), None);
            assert_eq!(channels, 0, "a channel is left open");
            assert_eq!(state.advert, None, "an advert is left on the air");
            assert_eq!(state.listening, None, "the phone still listens for BLE connections");
        }
    }

    /// A connection is to a phone that agrees: the one whose description came, over the one channel that is left.
    pub(super) fn judge_connection(&mut self, description: &[u8]) {
        assert_eq!(self.laptop.partner, None, "connected twice");
        let phone = (0..self.phones.len()).find(|phone| get_info(*phone) == description);
        let phone = phone.expect("the description of a phone");
        assert!(self.phones[phone].connected, "the phone knows nothing of it");
        assert_eq!(self.wire.alive(|end| matches!(end, End::Laptop(_))), 1, "candidates are left");
        self.laptop.partner = Some(phone);
    }

    /// A phone is asked what the laptop has asked it, in the same order, each once.
    pub(super) fn judge_request(&self, phone: usize, request: &[u8]) {
        assert_eq!(self.laptop.partner, Some(phone), "the laptop is not connected to this phone");
        let number = self.phones[phone].requests.len();
        assert_eq!(self.laptop.requests.get(number).map(Vec::as_slice), Some(request));
    }

    /// The laptop is told what its phone has replied to the request that is out.
    pub(super) fn judge_reply(&mut self, reply: &[u8]) {
        let phone = &self.phones[self.laptop.partner.expect("replies come from a connected phone")];
        let number = self.laptop.replies;
        assert_eq!(self.laptop.requests.len(), number + 1, "no request is out");
        assert_eq!(phone.replies.get(number).map(Vec::as_slice), Some(reply));
        assert_eq!(reply_to(phone.owner, &self.laptop.requests[number]), reply);
        self.laptop.replies += 1;
    }

    /// Linking information is what the connected phone gave in a session that began with a code.
    pub(super) fn judge_link(&mut self, link: Link) {
        let phone = &self.phones[self.laptop.partner.expect("a link comes from a connected phone")];
        assert!(self.settings.accept_linking && self.settings.offer_linking && self.laptop.found_by_code);
        let given = Remembered::of(phone.owner).link();
        assert_eq!(link.domain, given.domain);
        assert!(link.info.identity == given.info.identity && link.info.secret == given.info.secret);
        assert!(link.info.contact == given.info.contact && link.info.link == given.info.link);
        self.laptop.links.push(link);
    }

    /// When nothing is left to happen, everybody has come to an end, and without a fault to a good one.
    pub(super) fn check_end(&mut self) {
        let laptop = self.laptop.end.expect("the laptop's machine hangs");
        assert!(self.phones.iter().all(|phone| phone.end.is_some()), "a phone's machine hangs");
        assert!(self.laptop.machine.poll_action().is_none() && self.laptop.machine.poll_event().is_none());
        if laptop.is_ok() && self.settings.timing.laptop_leaves.is_none() {
            assert!(self.laptop.partner.is_some(), "an end without a session");
        }
    }

    /// Whether the laptop got a reply to each request and a link if there was one to get, and everybody parted well.
    pub(crate) fn succeeded(&self) -> bool {
        let settings = &self.settings;
        let links = settings.accept_linking && settings.offer_linking && self.laptop.found_by_code;
        self.laptop.end == Some(Ok(()))
            && self.laptop.replies == settings.requests
            && self.laptop.links.len() == usize::from(links)
            && self.laptop.partner.is_some_and(|phone| self.phones[phone].end == Some(Ok(())))
    }
}
