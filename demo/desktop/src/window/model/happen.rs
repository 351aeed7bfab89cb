//! What events do.

use std::time::Duration;

use super::{Asker, Model, RESULT_STAYS, asker::shown_phones};
use crate::window::{
    code::CodeText,
    event::{Event, Operation},
    page::{Bluetooth, Code, Done, Kind, Page, Problem, Progress},
    text::{Message, Site},
};

impl Model {
    /// Something was told.
    pub fn handle(&mut self, event: Event, now: Duration) {
        if self.closed {
            return;
        }
        match event {
            Event::TouchWanted { programs } => self.ask(Asker::of(programs), Page::Touch, now),
            Event::PhoneWanted { operation, rp_id, user, origin, programs } => {
                let (operation, rp_id) = (Some(operation), Some(rp_id));
                let asker = Asker { operation, rp_id, user, origin, ..Asker::of(programs) };
                self.ask(asker, Page::Preparing, now);
            }
            Event::Code { code, rp_id, seconds, origin } => {
                self.show_code(&code, rp_id, seconds, origin, now)
            }
            Event::CodeHidden if matches!(self.page, Page::Code(_)) => self.go_on(Page::Searching, now),
            Event::PhoneNearby => self.step(Progress::Nearby, now),
            Event::Connecting => self.step(Progress::Connecting, now),
            Event::Handshaking => self.step(Progress::Handshaking, now),
            Event::Connected => self.step(Progress::Connected, now),
            Event::WaitingForApproval => self.step(Progress::Approval, now),
            Event::AttemptFailed { message } => self.search_on(message, now),
            Event::UnknownTunnelService { id } => {
                let words = format!("A phone uses a service that nobody here knows (number {id}).");
                self.search_on(Message::from(words), now);
            }
            Event::Answered { status } => self.answered(status, now),
            Event::Done => self.answered(0, now),
            Event::NotReached(reason) | Event::Failed(reason) => self.fail(Problem::from(reason), now),
            Event::Cancelled => self.fail(Problem::new(Kind::Cancelled), now),
            Event::Gone => self.fail(Problem::new(Kind::KeyGone), now),
            Event::RememberedPhones { phones } => self.phones = shown_phones(phones),
            Event::Bluetooth { on: true, message } => self.set_bluetooth(Bluetooth::On, message, now),
            Event::Bluetooth { on: false, message } => self.set_bluetooth(Bluetooth::Refused, message, now),
            Event::Wink => self.wink(now),
            Event::CodeHidden | Event::Unknown => {}
        }
    }

    /// Another question, which has not been answered, whatever was done with the one before.
    fn ask(&mut self, asker: Asker, page: Page, now: Duration) {
        self.asker = asker;
        self.phones.clear();
        self.open = true;
        self.notice = None;
        self.closes = None;
        self.page = page;
        self.new_buttons(now);
    }

    /// Another page of the same question.
    fn go_on(&mut self, page: Page, now: Duration) {
        let before = self.buttons();
        self.open = true;
        self.closes = None;
        self.page = page;
        self.buttons_may_have_changed(before, now);
    }

    fn show_code(&mut self, code: &CodeText, rp_id: Site, seconds: u64, origin: Option<Site>, now: Duration) {
        let Ok(modules) = code.draw() else { return self.fail(Problem::new(Kind::NotDrawn), now) };
        if self.asker.rp_id.as_ref() != Some(&rp_id) {
            // Nobody has said who asks, or it was for something else.
            self.asker = Asker { rp_id: Some(rp_id), ..Asker::default() };
        }
        if origin.is_some() {
            self.asker.origin = origin;
        }
        let ends = now.saturating_add(Duration::from_secs(seconds));
        self.go_on(Page::Code(Code { modules, ends }), now);
    }

    fn step(&mut self, progress: Progress, now: Duration) {
        self.notice = None;
        self.go_on(Page::Progress(progress), now);
    }

    /// A phone that was tried was the wrong one; what is on the screen may still be scanned.
    fn search_on(&mut self, message: Message, now: Duration) {
        self.notice = Some(message);
        if !matches!(self.page, Page::Code(_)) {
            self.go_on(Page::Searching, now);
        }
    }

    fn answered(&mut self, status: u8, now: Duration) {
        if matches!(self.page, Page::Chosen) {
            // The touch was answered, of which the window has told already.
            return;
        }
        if let Some(problem) = Problem::of_status(status) {
            return self.fail(problem, now);
        }
        let done = match self.asker.operation {
            Some(Operation::Create) => Done::Saved,
            Some(Operation::Get) => Done::SignedIn,
            None => Done::Answered,
        };
        self.end(Page::Done(done), now);
        self.closes = Some(now.saturating_add(RESULT_STAYS));
    }

    fn fail(&mut self, problem: Problem, now: Duration) {
        let cancelled = problem.kind == Kind::Cancelled;
        self.end(Page::Problem(problem), now);
        if cancelled {
            // There is nothing to do about it.
            self.closes = Some(now.saturating_add(RESULT_STAYS));
        }
    }

    fn end(&mut self, page: Page, now: Duration) {
        let before = self.buttons();
        self.open = false;
        self.notice = None;
        self.closes = None;
        self.page = page;
        self.buttons_may_have_changed(before, now);
    }

    pub(super) fn set_bluetooth(&mut self, state: Bluetooth, message: Option<Message>, now: Duration) {
        let before = self.buttons();
        let Page::Problem(problem) = &mut self.page else { return };
        problem.bluetooth = state;
        if message.is_some() {
            problem.message = message;
        }
        self.buttons_may_have_changed(before, now);
    }

    fn wink(&mut self, now: Duration) {
        if !matches!(self.page, Page::Waiting | Page::Wink) {
            self.notice = Some(Message::from("A program is looking for this security key.".to_owned()));
            return;
        }
        self.end(Page::Wink, now);
        self.closes = Some(now.saturating_add(RESULT_STAYS));
    }
}
