//! What other programs tell the desktop's window, and what a person does there: steps of a byte each, 0 is a line (chunk), 1 an
//! action (1), 2 time that passes, in milliseconds (2), 3 the end of the input. Questions are answered once, and nothing that
//! is due stays due.
#![no_main]

use std::time::Duration;

use hybridge_desktop::window::{
    event::Event,
    lines::Events,
    model::{Action, Answer, GUARD, Model},
    page::Page,
    words,
};
use hybridge_fuzz_input::Reader;
use libfuzzer_sys::fuzz_target;

const ACTIONS: [Action; 5] =
    [Action::Agree, Action::Cancel, Action::BluetoothOn, Action::Retry, Action::Phone(1)];

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let (mut now, mut asked) = (Duration::ZERO, None);
    let mut model = Model::new(now);
    while !input.is_empty() {
        match input.byte() % 4 {
            0 => {
                let mut events = Events::new(input.chunk());
                while let Some(event) = events.next().expect("memory can be read") {
                    if matches!(event, Event::TouchWanted { .. }) && !model.is_closed() {
                        asked = Some(now);
                    }
                    model.handle(event, now);
                }
            }
            1 => {
                let action = ACTIONS[usize::from(input.byte()) % ACTIONS.len()];
                if let Some(Answer::Yes) = model.act(action, now) {
                    let asked = asked.take().expect("a yes answers a question, once");
                    assert!(now >= asked + GUARD, "nobody has seen the question");
                }
            }
            2 => now += Duration::from_millis(u16::from_le_bytes(input.array()).into()),
            _ => model.end_of_input(now),
        }
        model.tick(now);
        assert!(model.next_change(now).is_none_or(|next| next > now), "a loop");
        assert!(!model.is_closed() || matches!(model.page(), Page::Waiting), "a code outlives the window");
        let shown = words::of_page(&model);
        assert!(shown.heading.chars().chain(shown.advice.chars()).all(|letter| !letter.is_control()));
    }
});
