//! The loop: events of the other side, of the window system and of the clock.

use std::time::{Duration, Instant};

use egui::{Theme, Vec2};
use winit::{
    application::ApplicationHandler,
    event::WindowEvent,
    event_loop::{ActiveEventLoop, ControlFlow, EventLoopProxy, OwnedDisplayHandle},
    window::WindowId,
};

use super::{WindowError, answer, frame::Frame};
use crate::window::{
    event::Event,
    model::{Answer, Model},
    page::Page,
    view::{self, Face},
};

/// How long the window waits for a first event before it opens, so that it opens with it.
const FIRST: Duration = Duration::from_millis(150);

/// What other threads tell the loop.
pub(super) enum Told {
    /// An event of the other side.
    Event(Event),
    /// There are no more.
    End,
    /// Assistive programs ask something.
    Accessibility(egui_winit::accesskit_winit::Event),
}

impl From<egui_winit::accesskit_winit::Event> for Told {
    fn from(event: egui_winit::accesskit_winit::Event) -> Self {
        Self::Accessibility(event)
    }
}

/// The program.
pub(super) struct App {
    frame: Option<Frame>,
    display: softbuffer::Context<OwnedDisplayHandle>,
    proxy: EventLoopProxy<Told>,
    theme: Option<Theme>,
    begun: Instant,
    model: Model,
    face: Face,
    /// The largest size that pages have had so far.
    largest: Vec2,
    /// When it is to be drawn next, by the clock.
    draw_at: Option<Duration>,
    error: Option<WindowError>,
}

impl App {
    pub(super) fn new(
        display: OwnedDisplayHandle,
        proxy: EventLoopProxy<Told>,
        theme: Option<Theme>,
    ) -> Result<Self, WindowError> {
        Ok(Self {
            frame: None,
            display: softbuffer::Context::new(display)?,
            proxy,
            theme,
            begun: Instant::now(),
            model: Model::new(Duration::ZERO),
            face: Face::default(),
            largest: Vec2::ZERO,
            draw_at: None,
            error: None,
        })
    }

    pub(super) fn into_result(self) -> Result<(), WindowError> {
        self.error.map_or(Ok(()), Err)
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn size(&self) -> Vec2 {
        match self.model.page() {
            // The code follows in a moment.
            Page::Code(_) | Page::Preparing => view::LARGE,
            _ => view::SMALL,
        }
    }

    fn open(&mut self, event_loop: &ActiveEventLoop) {
        if self.frame.is_some() || self.model.is_closed() {
            return;
        }
        match Frame::open(event_loop, &self.display, &self.proxy, self.theme, self.size()) {
            Ok(frame) => {
                self.frame = Some(frame);
                self.largest = self.size();
                // Glyphs are drawn and texts laid out before the window is there, so that it is not seen empty.
                self.draw(event_loop);
                if let Some(frame) = &self.frame {
                    frame.show();
                }
                self.model.shown(self.now());
            }
            Err(error) => self.fail(event_loop, error),
        }
    }

    /// Makes room for a code, once: a person may make the window smaller again.
    fn grow(&mut self) {
        let wanted = self.size();
        if let Some(frame) = self.frame.as_ref().filter(|_| wanted.y > self.largest.y) {
            frame.grow(wanted);
            self.largest = wanted;
        }
    }

    fn fail(&mut self, event_loop: &ActiveEventLoop, error: WindowError) {
        if let Some(no) = self.model.close_window() {
            answer(no);
        }
        self.error = Some(error);
        event_loop.exit();
    }

    fn say(&mut self, line: Option<Answer>) {
        let told = line.is_none_or(answer);
        if !told {
            // Whoever asked is gone.
            self.model.close_window();
        }
    }

    fn draw(&mut self, event_loop: &ActiveEventLoop) {
        let now = self.now();
        self.model.tick(now);
        let (model, face) = (&self.model, &mut self.face);
        let Some(frame) = &mut self.frame else { return };
        let mut action = None;
        let drawn = frame.draw(|ui| action = view::show(ui, model, now, face).or(action));
        match drawn {
            Ok(again) => self.draw_at = again.map(|again| now.saturating_add(again)),
            Err(error) => return self.fail(event_loop, error),
        }
        if let Some(action) = action {
            let line = self.model.act(action, now);
            self.say(line);
            self.redraw();
        }
    }

    fn redraw(&self) {
        if let Some(frame) = &self.frame {
            frame.redraw();
        }
    }

    /// Sleeps until the next thing by the clock, or does what is due.
    fn settle(&mut self, event_loop: &ActiveEventLoop) {
        let now = self.now();
        self.model.tick(now);
        if self.model.is_closed() {
            return event_loop.exit();
        }
        if self.frame.is_none() {
            if now < FIRST {
                return wait(event_loop, self.begun, Some(FIRST));
            }
            return self.open(event_loop);
        }
        if self.draw_at.is_some_and(|at| at <= now) {
            self.draw_at = None;
            self.redraw();
        }
        let next = [self.draw_at, self.model.next_change(now)].into_iter().flatten().min();
        wait(event_loop, self.begun, next);
    }
}

fn wait(event_loop: &ActiveEventLoop, begun: Instant, until: Option<Duration>) {
    let until = until.and_then(|until| begun.checked_add(until));
    event_loop.set_control_flow(until.map_or(ControlFlow::Wait, ControlFlow::WaitUntil));
}

impl ApplicationHandler<Told> for App {
    fn resumed(&mut self, _: &ActiveEventLoop) {}

    fn new_events(&mut self, _: &ActiveEventLoop, cause: winit::event::StartCause) {
        // The countdown is at another second, or the window closes.
        if let winit::event::StartCause::ResumeTimeReached { .. } = cause {
            self.redraw();
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, told: Told) {
        let now = self.now();
        match told {
            Told::Event(event) => {
                self.model.handle(event, now);
                self.open(event_loop);
                self.grow();
            }
            Told::End => self.model.end_of_input(now),
            Told::Accessibility(event) => {
                if let Some(frame) = self.frame.as_mut().filter(|frame| frame.id() == event.window_id) {
                    frame.take_accessibility(event.window_event);
                }
            }
        }
        self.redraw();
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.id() == id) else { return };
        let changed = frame.take(&event);
        match event {
            WindowEvent::RedrawRequested => self.draw(event_loop),
            WindowEvent::CloseRequested | WindowEvent::Destroyed => {
                let line = self.model.close_window();
                self.say(line);
            }
            _ if changed => self.redraw(),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.settle(event_loop);
    }
}
