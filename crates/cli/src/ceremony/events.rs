//! What happens, as JSON lines for a program.

use std::io::{self, Write};

use hybridge_ble::bluez::switch_on;
use hybridge_security_key::openers::Program;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    error::{Error, Kind},
    step::{Shown, Step},
};

/// One line. The names and members are documented in the help text.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Code {
        code: &'a str,
        origin: &'a str,
        rp_id: &'a str,
        seconds: u64,
    },
    CodeHidden,
    PhoneNearby,
    Connecting,
    Handshaking,
    Connected,
    WaitingForApproval,
    AttemptFailed {
        message: String,
    },
    UnknownTunnelService {
        id: u16,
    },
    PhoneWanted {
        operation: &'static str,
        rp_id: &'a str,
        user: Option<&'a str>,
        origin: &'a str,
        programs: &'a [Named<'a>],
    },
    Bluetooth(Bluetooth),
    Done,
    Failed {
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        radio: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tunnel: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u8>,
        exit_code: u8,
        message: String,
        #[serde(skip_serializing_if = "is_false")]
        retry: bool,
    },
}

/// A program, as programs that ask are named.
#[derive(Serialize)]
pub(crate) struct Named<'a> {
    name: &'a str,
    pid: u32,
}

pub(crate) fn named(programs: &[Program]) -> Vec<Named<'_>> {
    programs.iter().map(|Program { name, pid, .. }| Named { name, pid: *pid }).collect()
}

/// What came of the wish to switch Bluetooth on.
#[derive(Serialize)]
pub(crate) struct Bluetooth {
    on: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Bluetooth {
    /// Why it is not on.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Switches it on.
    pub(crate) async fn switch_on(adapter: Option<&str>) -> Self {
        match switch_on(adapter).await {
            Ok(_) => Self { on: true, message: None },
            Err(error) => Self { on: false, message: Some(error.to_string()) },
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Bytes for what stands around the values in a line.
const ROOM: usize = 256;

/// Writes events.
pub(crate) struct Events<W> {
    out: W,
}

impl<W: Write> Events<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out }
    }

    pub(crate) fn show(&mut self, shown: &Shown<'_>) -> io::Result<()> {
        let Shown { code, origin, rp_id, seconds, .. } = *shown;
        let names = [origin, rp_id].map(|name| name.len().saturating_mul(2));
        let room = names.into_iter().fold(code.len(), usize::saturating_add).saturating_add(ROOM);
        self.write_in(&Event::Code { code, origin, rp_id, seconds }, room)
    }

    pub(crate) fn tell(&mut self, step: &Step) -> io::Result<()> {
        self.write(&match step {
            Step::CodeHidden => Event::CodeHidden,
            Step::PhoneNearby => Event::PhoneNearby,
            Step::Connecting => Event::Connecting,
            Step::Handshaking => Event::Handshaking,
            Step::Connected => Event::Connected,
            Step::WaitingForApproval => Event::WaitingForApproval,
            Step::AttemptFailed(error) => Event::AttemptFailed { message: error.to_string() },
            Step::UnknownTunnelService(domain) => Event::UnknownTunnelService { id: domain.get() },
        })
    }

    pub(crate) fn end(&mut self, error: Option<&Error>) -> io::Result<()> {
        let Some(error) = error else { return self.write(&Event::Done) };
        self.failed(error, false)
    }

    /// Why there is no credential. With `retry`, the person may try again.
    pub(crate) fn failed(&mut self, error: &Error, retry: bool) -> io::Result<()> {
        let kind: Kind = error.kind();
        let (radio, tunnel, message) = (error.radio(), error.tunnel(), error.in_one_line());
        let (kind, exit_code, status) = (kind.name(), kind.code(), error.status());
        self.write(&Event::Failed { kind, radio, tunnel, status, exit_code, message, retry })
    }

    pub(crate) fn bluetooth(&mut self, bluetooth: Bluetooth) -> io::Result<()> {
        self.write(&Event::Bluetooth(bluetooth))
    }

    pub(crate) fn phone_wanted(
        &mut self,
        operation: &'static str,
        rp_id: &str,
        user: Option<&str>,
        origin: &str,
        programs: &[Named<'_>],
    ) -> io::Result<()> {
        self.write(&Event::PhoneWanted { operation, rp_id, user, origin, programs })
    }

    pub(crate) fn write(&mut self, event: &impl Serialize) -> io::Result<()> {
        self.write_in(event, ROOM)
    }

    /// A whole line at once, so that readers never see a part of one. What it is put together in is wiped, for which it
    /// must not grow beyond `room` if it holds a secret.
    pub(crate) fn write_in(&mut self, event: &impl Serialize, room: usize) -> io::Result<()> {
        let mut line = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *line, event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use hybridge_client::{Error as SessionError, Status};

    use super::*;

    #[test]
    fn a_refusal_has_the_status_of_the_phone() {
        let mut out = Vec::new();
        let refused = Error::from(SessionError::Refused(Status::NO_CREDENTIALS));
        Events::new(&mut out).failed(&refused, false).unwrap();
        let event: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&event["kind"], &event["status"]), (&"refused".into(), &0x2e.into()));
        assert_eq!((event.get("radio"), event.get("tunnel"), event.get("retry")), (None, None, None));
    }
}
