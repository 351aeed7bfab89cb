use std::{
    fs::File,
    io::{Read, Write},
    sync::Arc,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

/// The other end of a terminal: a keyboard, and a screen that remembers.
struct Keyboard {
    file: Arc<File>,
    seen: Vec<u8>,
}

impl Keyboard {
    fn plug() -> (Self, Terminal) {
        let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&pty).unwrap();
        unlockpt(&pty).unwrap();
        let terminal = Terminal::at(ptsname(&pty, Vec::new()).unwrap().to_str().unwrap()).unwrap();
        (Self { file: Arc::new(File::from(pty)), seen: Vec::new() }, terminal)
    }

    fn press(&self, keys: &str) {
        (&*self.file).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen, and gives all up to its end that has come since the last time. What the
    /// screen shows behind it is for the next time.
    async fn sees(&mut self, text: &str) -> String {
        loop {
            let found = self.seen.windows(text.len()).position(|seen| seen == text.as_bytes());
            if let Some(start) = found {
                let behind = self.seen.split_off(start + text.len());
                return String::from_utf8(std::mem::replace(&mut self.seen, behind)).unwrap();
            }
            let file = Arc::clone(&self.file);
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = [0; 256];
                let length = (&*file).read(&mut bytes).unwrap();
                bytes[..length].to_vec()
            });
            self.seen.extend(read.await.unwrap());
        }
    }
}

fn echoes(terminal: &Terminal) -> bool {
    tcgetattr(terminal.file.get_ref()).unwrap().local_modes.contains(LocalModes::ECHO)
}

fn text(answer: io::Result<Option<Zeroizing<String>>>) -> Option<String> {
    answer.unwrap().map(|answer| answer.to_string())
}

#[tokio::test]
async fn answers_are_read_and_passphrases_not_shown() {
    let (mut keyboard, terminal) = Keyboard::plug();
    let person = async {
        keyboard.sees("Name? ").await;
        keyboard.press("žofie\n");
        keyboard.sees("žofie\r\n").await;
        keyboard.sees("Secret? ").await;
        assert!(!echoes(&terminal));
        keyboard.press("hunter2\n");
        keyboard.sees("\r\n").await
    };
    let program = async {
        let name = terminal.ask("Name? ", Echo::On).await;
        (text(name), text(terminal.ask("Secret? ", Echo::Off).await))
    };
    let (seen, answers) = tokio::join!(person, program);
    assert_eq!(answers, (Some("žofie".to_owned()), Some("hunter2".to_owned())));
    assert_eq!(seen, "\r\n", "the end of the line and nothing else");
    assert!(echoes(&terminal));
}

#[tokio::test]
async fn what_is_not_text_is_asked_for_again() {
    let (mut keyboard, terminal) = Keyboard::plug();
    let person = async {
        keyboard.sees("Secret? ").await;
        (&*keyboard.file).write_all(b"caf\xE9\n").unwrap();
        keyboard.sees("not text in UTF-8. Again: ").await;
        assert!(!echoes(&terminal));
        keyboard.press("caf\u{e9}\n");
    };
    let (answer, ()) = tokio::join!(terminal.ask("Secret? ", Echo::Off), person);
    assert_eq!(text(answer).as_deref(), Some("caf\u{e9}"));
}

#[tokio::test]
async fn what_was_typed_before_the_question_is_no_answer() {
    let (mut keyboard, terminal) = Keyboard::plug();
    keyboard.press("y\n");
    keyboard.sees("y\r\n").await;
    let person = async {
        keyboard.sees("Sure? ").await;
        keyboard.press("n\n");
    };
    let (answer, ()) = tokio::join!(terminal.ask("Sure? ", Echo::On), person);
    assert_eq!(text(answer).as_deref(), Some("n"));
}

#[tokio::test]
async fn a_question_that_is_taken_back_leaves_the_terminal_as_it_was() {
    let (mut keyboard, terminal) = Keyboard::plug();
    let person = async {
        keyboard.sees("Secret? ").await;
        assert!(!echoes(&terminal));
    };
    tokio::select! {
        _ = terminal.ask("Secret? ", Echo::Off) => panic!("answered"),
        () = person => {}
    }
    assert!(echoes(&terminal));
}

#[tokio::test]
async fn the_end_of_the_input_is_no_answer() {
    let (mut keyboard, terminal) = Keyboard::plug();
    let person = async {
        keyboard.sees("Sure? ").await;
        keyboard.press("\u{4}");
    };
    let (answer, ()) = tokio::join!(terminal.ask("Sure? ", Echo::On), person);
    assert_eq!(text(answer), None);
    // Pulled out.
    let asked = terminal.ask("Sure? ", Echo::On);
    let pull = async { drop(keyboard) };
    let (answer, ()) = tokio::join!(asked, pull);
    assert!(!matches!(answer, Ok(Some(_))));
}
