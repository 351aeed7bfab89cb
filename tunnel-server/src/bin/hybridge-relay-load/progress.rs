//! A line on standard error that says how far a run is.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// The shortest time between two drawings.
const PACE: Duration = Duration::from_millis(100);
/// Characters in the bar.
const WIDTH: u64 = 24;

/// How far the current part of a run is. Drawn only where a person looks at it.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    label: RefCell<String>,
    total: Cell<u64>,
    done: Cell<u64>,
    drawn: Cell<Option<Instant>>,
}

impl Progress {
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && io::stderr().is_terminal();
        Self {
            shown,
            label: RefCell::default(),
            total: Cell::new(0),
            done: Cell::new(0),
            drawn: Cell::new(None),
        }
    }

    /// Begins the next part, of `total` steps.
    pub(crate) fn start(&self, label: String, total: u64) {
        self.label.replace(label);
        self.total.set(total);
        self.done.set(0);
        self.drawn.set(None);
        self.draw();
    }

    /// Notes `steps` more.
    pub(crate) fn advance(&self, steps: u64) {
        self.done.set(self.done.get().saturating_add(steps));
        if self.drawn.get().is_none_or(|drawn| drawn.elapsed() >= PACE) {
            self.draw();
        }
    }

    fn draw(&self) {
        if !self.shown {
            return;
        }
        self.drawn.set(Some(Instant::now()));
        let (done, total) = (self.done.get(), self.total.get());
        let part = |of: u64| done.min(total).saturating_mul(of).checked_div(total).unwrap_or(0);
        let bar: String = (0..WIDTH).map(|place| if place < part(WIDTH) { '#' } else { '.' }).collect();
        let label = self.label.borrow();
        let _ = write!(io::stderr().lock(), "\r\x1b[K[{bar}] {:3}% {label}", part(100));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
