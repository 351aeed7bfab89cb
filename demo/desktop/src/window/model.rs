//! What the window knows: events in, a page and answers out, on a clock that is passed in.
//!
//! Times are since any moment that stays the same.

mod asker;
mod happen;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

pub use self::asker::{Asker, MAX_PHONES, MAX_PROGRAMS};
use super::{
    event::{Operation, Phone},
    page::{Bluetooth, Code, Page, Problem, Progress},
    text::Message,
};

/// What is done in the first moment in which a page is to be seen was meant for what was there before.
pub const GUARD: Duration = Duration::from_millis(500);
/// How long a result stays.
pub const RESULT_STAYS: Duration = Duration::from_secs(4);
/// How long the window stays after a yes to the question for a touch. The program asks for the phone next, if it does.
pub const CHOICE_STAYS: Duration = Duration::from_secs(8);

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Yes to the question.
    Agree,
    /// No to what is open; if nothing is, the window closes.
    Cancel,
    /// Switch Bluetooth on.
    BluetoothOn,
    /// Try the same again.
    Retry,
    /// Call a remembered phone.
    Phone(u64),
}

/// A line to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes to the question for a touch.
    Yes,
    /// No; what is open is to end.
    No,
    /// Switch Bluetooth on.
    BluetoothOn,
    /// Try the same again.
    Retry,
    /// Call a remembered phone.
    Phone(u64),
}

impl fmt::Display for Answer {
    /// The line, without its end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => formatter.write_str("y"),
            Self::No => Ok(()),
            Self::BluetoothOn => formatter.write_str("bluetooth-on"),
            Self::Retry => formatter.write_str("retry"),
            Self::Phone(id) => write!(formatter, "phone {id}"),
        }
    }
}

/// The buttons of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buttons {
    /// Yes and no.
    Question,
    /// The one that cancels.
    Cancel,
    /// The one that closes the window.
    Close,
    /// Close, and try again.
    Retry,
    /// Close, and switch Bluetooth on.
    Bluetooth,
}

/// The window's state.
#[derive(Debug)]
pub struct Model {
    page: Page,
    asker: Asker,
    phones: Vec<Phone>,
    notice: Option<Message>,
    /// Somebody waits for an answer.
    open: bool,
    /// Since when the buttons are the ones that they are, and how often they have changed.
    buttons_since: Duration,
    buttons_number: u64,
    closes: Option<Duration>,
    closed: bool,
    input_ended: bool,
}

impl Model {
    /// A window that was told nothing yet.
    pub fn new(now: Duration) -> Self {
        Self {
            page: Page::Waiting,
            asker: Asker::default(),
            phones: Vec::new(),
            notice: None,
            open: false,
            buttons_since: now,
            buttons_number: 0,
            closes: None,
            closed: false,
            input_ended: false,
        }
    }

    /// What is shown.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Who asks.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Phones that can be called instead of scanning the code.
    pub fn phones(&self) -> &[Phone] {
        let useful = matches!(self.page, Page::Code(_) | Page::Searching | Page::Preparing);
        if useful { &self.phones } else { &[] }
    }

    /// What else is to be said.
    pub fn notice(&self) -> Option<&Message> {
        self.notice.as_ref()
    }

    /// Whether the window is to go away.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Which buttons the page has.
    pub fn buttons(&self) -> Buttons {
        match &self.page {
            Page::Touch => Buttons::Question,
            Page::Problem(problem) => problem_buttons(problem, self.input_ended),
            _ if self.open => Buttons::Cancel,
            _ => Buttons::Close,
        }
    }

    /// Changes when buttons take the place of others, so that the focus is set anew.
    pub fn buttons_number(&self) -> u64 {
        self.buttons_number
    }

    /// Seconds until another code takes the place of the one on the screen; 0 when it should have come.
    pub fn seconds_left(&self, now: Duration) -> Option<u64> {
        let Page::Code(code) = &self.page else { return None };
        Some(rounded_up(code.ends.saturating_sub(now)))
    }

    /// When something changes without an event or an action: the countdown, or the window closes. After `now`, unless it
    /// is due.
    pub fn next_change(&self, now: Duration) -> Option<Duration> {
        let countdown = self.countdown_changes(now);
        [countdown, self.closes].into_iter().flatten().min()
    }

    fn countdown_changes(&self, now: Duration) -> Option<Duration> {
        let Page::Code(Code { ends, .. }) = &self.page else { return None };
        let left = self.seconds_left(now)?;
        let then = Duration::from_secs(left.checked_sub(1)?);
        ends.checked_sub(then)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        if self.closes.is_some_and(|closes| closes <= now) {
            self.close();
        }
    }

    /// The window is to be seen now. What is pressed cannot have been meant for it before that.
    pub fn shown(&mut self, now: Duration) {
        self.buttons_since = self.buttons_since.max(now);
    }

    /// A person has done something. What is done in the first half second of what there is to press is not taken.
    pub fn act(&mut self, action: Action, now: Duration) -> Option<Answer> {
        if self.closed || now < self.buttons_since.saturating_add(GUARD) {
            return None;
        }
        match (action, self.buttons()) {
            (Action::Agree, Buttons::Question) => {
                self.open = false;
                self.closes = Some(now.saturating_add(CHOICE_STAYS));
                self.turn_to(Page::Chosen, now);
                Some(Answer::Yes)
            }
            (Action::BluetoothOn, Buttons::Bluetooth) => {
                self.set_bluetooth(Bluetooth::Asked, None, now);
                Some(Answer::BluetoothOn)
            }
            (Action::Retry, Buttons::Retry) => {
                self.open = true;
                self.turn_to(Page::Preparing, now);
                Some(Answer::Retry)
            }
            (Action::Phone(id), _) => self.call(id, now),
            (Action::Cancel, _) => self.close_window(),
            _ => None,
        }
    }

    /// The window was closed by its frame, which is a no to what is open.
    pub fn close_window(&mut self) -> Option<Answer> {
        let answer = (self.open && !self.closed).then_some(Answer::No);
        self.close();
        answer
    }

    /// Nothing more will be told. What is open has nobody any more who waits for it.
    pub fn end_of_input(&mut self, now: Duration) {
        self.input_ended = true;
        match self.page {
            Page::Done(_) => {}
            Page::Problem(_) => self.buttons_may_have_changed(Buttons::Retry, now),
            _ => self.close(),
        }
    }

    fn call(&mut self, id: u64, now: Duration) -> Option<Answer> {
        let phone = self.phones().iter().find(|phone| phone.id == id)?;
        let page = Page::Progress(Progress::Calling(phone.name.clone()));
        self.turn_to(page, now);
        Some(Answer::Phone(id))
    }

    fn close(&mut self) {
        self.open = false;
        self.closed = true;
        self.closes = None;
        // The code is wiped here.
        self.page = Page::Waiting;
    }

    fn turn_to(&mut self, page: Page, now: Duration) {
        let before = self.buttons();
        self.page = page;
        self.buttons_may_have_changed(before, now);
    }

    fn buttons_may_have_changed(&mut self, before: Buttons, now: Duration) {
        if before != self.buttons() {
            self.new_buttons(now);
        }
    }

    fn new_buttons(&mut self, now: Duration) {
        self.buttons_since = now;
        self.buttons_number = self.buttons_number.saturating_add(1);
    }

    /// Whether what was asked for was a passkey's making or its use.
    pub fn operation(&self) -> Option<Operation> {
        self.asker.operation
    }
}

fn problem_buttons(problem: &Problem, input_ended: bool) -> Buttons {
    let wanted = problem.kind == super::page::Kind::BluetoothOff && problem.bluetooth != Bluetooth::On;
    match (input_ended, wanted) {
        (true, _) => Buttons::Close,
        (false, true) if problem.bluetooth != Bluetooth::Asked => Buttons::Bluetooth,
        (false, _) if problem.retry => Buttons::Retry,
        _ => Buttons::Close,
    }
}

fn rounded_up(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}
