//! The rules of the service: when there is a key and a window, and whose answers count. Without processes or clocks.
//!
//! Tell what happened (`key_…`, `window_…`, [`Desk::order`], [`Desk::timeout`]), then do what
//! [`Desk::poll_action`] says, and come back when [`Desk::poll_timeout`] is over at the latest.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::{
    event::{Event, plain},
    lines::Line,
    state::State,
};

#[cfg(test)]
mod tests;

/// How long to wait at first before a key that has ended is started again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long to wait at most.
const AT_MOST: Duration = Duration::from_secs(60);
/// How long a key lives at least that is no reason to wait longer the next time.
const LASTED: Duration = Duration::from_secs(30);
/// How long a window may stay when there is nothing left to decide; it says so for a moment, and closes by itself.
const CLOSING: Duration = Duration::from_secs(10);
/// Exit codes of a key that would end so again: a certificate or options that cannot be used.
const POINTLESS: [i32; 2] = [1, 2];

/// Which of the windows that have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WindowId(u64);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    StartKey,
    /// Let it end: nothing comes any more.
    StopKey,
    ToKey(Line),
    OpenWindow(WindowId),
    ToWindow(WindowId, Line),
    /// Nothing comes any more; what it shows it may go on to show.
    LetWindowGo(WindowId),
    KillWindow(WindowId),
    /// Tell the person how it stands.
    Show(State),
    /// The service is over, with the last words of a key that is to blame.
    End(Option<String>),
}

/// What a person orders, in the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    BluetoothOn,
    Pause,
    Resume,
    Quit,
}

/// The process that is the key.
#[derive(Clone, Copy)]
enum Key {
    /// It runs since then.
    Running { since: Instant },
    /// It is started again then.
    Waiting { until: Instant },
    /// There is to be none; the last one may still be about to end.
    Paused { ended: bool },
}

/// A question that is open.
struct Question {
    number: Option<u64>,
    touch: bool,
    window: WindowId,
    /// Whether it was answered, so that only the key's word on it is missing.
    answered: bool,
}

/// The window that is there, or was opened last.
struct Window {
    id: WindowId,
    /// When it has to be closed.
    until: Option<Instant>,
}

/// The service without its processes.
pub(crate) struct Desk {
    key: Key,
    pause: Duration,
    /// The key's last words.
    words: String,
    question: Option<Question>,
    window: Option<Window>,
    windows: u64,
    state: State,
    actions: VecDeque<Action>,
}

impl Desk {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            key: Key::Running { since: now },
            pause: AGAIN,
            words: String::new(),
            question: None,
            window: None,
            windows: 0,
            state: State::Starting,
            actions: VecDeque::from([Action::Show(State::Starting), Action::StartKey]),
        }
    }

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let again = match self.key {
            Key::Waiting { until } => Some(until),
            _ => None,
        };
        again.into_iter().chain(self.window.as_ref().and_then(|window| window.until)).min()
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        if matches!(self.key, Key::Waiting { until } if until <= now) {
            self.start_key(now);
        }
        if self.window.as_ref().is_some_and(|window| window.until.is_some_and(|until| until <= now)) {
            self.kill_window();
        }
    }

    /// The key wrote a line.
    pub(crate) fn key_line(&mut self, line: Line, now: Instant) {
        if !matches!(self.key, Key::Running { .. }) {
            return;
        }
        let Some(event) = Event::read(&line) else {
            self.words = plain(&String::from_utf8_lossy(&line));
            return;
        };
        match event {
            Event::Ready => self.show(State::Ready),
            Event::Gone => {
                // A question for a touch ends without another word.
                if self.question.is_some() {
                    self.tell_window(line);
                    self.over(None);
                }
                self.show(State::Starting);
            }
            Event::Question { number, touch } => self.ask(number, touch, line),
            Event::Failed { message } => self.words = message,
            event => {
                self.tell_window(line);
                self.window_knows(event, now);
            }
        }
    }

    /// The rest of what the key told, of which the window was told.
    fn window_knows(&mut self, event: Event, now: Instant) {
        match event {
            Event::Answered => {
                self.over(None);
                self.show(State::Ready);
            }
            Event::NotReached { bluetooth } => {
                // The window stays, and its button for Bluetooth works.
                self.question = None;
                self.show(bluetooth.map_or(State::Ready, State::NoBluetooth));
            }
            Event::Cancelled => self.over(now.checked_add(CLOSING)),
            Event::Bluetooth { on: true, .. } => self.show(State::Ready),
            Event::Bluetooth { on: false, message } => {
                self.show(State::NoBluetooth(message.unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// The key has ended, with this exit code if it was no signal.
    pub(crate) fn key_ended(&mut self, code: Option<i32>, now: Instant) {
        // Nobody waits for an answer any more.
        if self.question.is_some() {
            self.tell_window(Zeroizing::new(b"{\"event\":\"cancelled\"}\n".to_vec()));
            self.over(now.checked_add(CLOSING));
        } else {
            // One that shows how it ended may stay.
            self.let_window_go();
        }
        let words = std::mem::take(&mut self.words);
        match self.key {
            Key::Paused { .. } => self.key = Key::Paused { ended: true },
            _ if code.is_some_and(|code| POINTLESS.contains(&code)) => {
                self.actions.push_back(Action::End(Some(words)))
            }
            Key::Running { since } => {
                if now.saturating_duration_since(since) >= LASTED {
                    self.pause = AGAIN;
                }
                self.key = Key::Waiting { until: now.checked_add(self.pause).unwrap_or(now) };
                self.pause = self.pause.saturating_mul(2).min(AT_MOST);
                self.show(State::NoKey(words));
            }
            Key::Waiting { .. } => {}
        }
    }

    /// A window wrote a line.
    pub(crate) fn window_line(&mut self, id: WindowId, line: &[u8], now: Instant) {
        if self.window.as_ref().is_none_or(|window| window.id != id) {
            return;
        }
        match line.trim_ascii() {
            b"" => self.decline(id),
            b"y" => self.agree(id, now),
            b"bluetooth-on" => self.tell_key("bluetooth-on"),
            _ => {}
        }
    }

    /// A window has ended, or could not be opened. Whatever the reason, it counts as closed by the person.
    pub(crate) fn window_ended(&mut self, id: WindowId) {
        self.decline(id);
        self.window.take_if(|window| window.id == id);
    }

    pub(crate) fn order(&mut self, order: Order, now: Instant) {
        match (order, self.key) {
            (Order::BluetoothOn, _) => self.tell_key("bluetooth-on"),
            (Order::Pause, Key::Running { .. }) => self.pause(false),
            (Order::Pause, Key::Waiting { .. }) => self.pause(true),
            (Order::Resume, Key::Paused { ended: true }) => self.start_key(now),
            // It is about to end, and starts again then.
            (Order::Resume, Key::Paused { ended: false }) => {
                (self.key, self.pause) = (Key::Running { since: now }, AGAIN);
                self.show(State::Starting);
            }
            (Order::Quit, _) => self.actions.push_back(Action::End(None)),
            (Order::Pause, Key::Paused { .. }) | (Order::Resume, _) => {}
        }
    }

    fn pause(&mut self, ended: bool) {
        if !ended {
            self.actions.push_back(Action::StopKey);
        }
        self.key = Key::Paused { ended };
        self.question = None;
        self.kill_window();
        self.show(State::Paused);
    }

    fn start_key(&mut self, now: Instant) {
        self.key = Key::Running { since: now };
        self.words.clear();
        self.actions.push_back(Action::StartKey);
        if self.state == State::Paused {
            self.pause = AGAIN;
            self.show(State::Starting);
        }
    }

    /// Opens a window for a question, in place of the one that is there.
    fn ask(&mut self, number: Option<u64>, touch: bool, line: Line) {
        self.kill_window();
        self.windows = self.windows.wrapping_add(1);
        let id = WindowId(self.windows);
        self.window = Some(Window { id, until: None });
        self.question = Some(Question { number, touch, window: id, answered: false });
        self.actions.extend([Action::OpenWindow(id), Action::ToWindow(id, line)]);
    }

    /// The person says no, once.
    fn decline(&mut self, id: WindowId) {
        let Some(question) = self.question.as_mut().filter(|question| question.window == id) else { return };
        if !std::mem::replace(&mut question.answered, true) {
            let answer = answer(false, question.number);
            self.tell_key(&answer);
        }
    }

    /// The person says yes, which is an answer to a touch only. The key says nothing to that, so it is over.
    fn agree(&mut self, id: WindowId, now: Instant) {
        let is_open = |question: &mut Question| question.window == id && question.touch && !question.answered;
        let Some(question) = self.question.take_if(is_open) else { return };
        self.tell_key(&answer(true, question.number));
        self.over(now.checked_add(CLOSING));
    }

    /// There is nothing left to decide. The window goes at the latest then, or when the person has seen enough.
    fn over(&mut self, until: Option<Instant>) {
        self.question = None;
        if let Some(window) = &mut self.window {
            window.until = until;
        }
        self.let_window_go();
    }

    fn let_window_go(&mut self) {
        if let Some(Window { id, .. }) = self.window {
            self.actions.push_back(Action::LetWindowGo(id));
        }
    }

    fn kill_window(&mut self) {
        if let Some(Window { id, .. }) = self.window.take() {
            self.actions.push_back(Action::KillWindow(id));
        }
    }

    fn tell_window(&mut self, line: Line) {
        if let Some(Window { id, .. }) = self.window {
            self.actions.push_back(Action::ToWindow(id, line));
        }
    }

    fn tell_key(&mut self, words: &str) {
        if matches!(self.key, Key::Running { .. }) {
            let line = Zeroizing::new(format!("{words}\n").into_bytes());
            self.actions.push_back(Action::ToKey(line));
        }
    }

    fn show(&mut self, state: State) {
        if self.state != state {
            self.state = state.clone();
            self.actions.push_back(Action::Show(state));
        }
    }
}

/// An answer to a certain question, so that it is none to a later one. A key that gives no numbers takes it for the one that
/// is open.
fn answer(yes: bool, question: Option<u64>) -> String {
    match (yes, question) {
        (true, Some(question)) => format!("y {question}"),
        (false, Some(question)) => format!("n {question}"),
        (true, None) => "y".to_owned(),
        (false, None) => String::new(),
    }
}
