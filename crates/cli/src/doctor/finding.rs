//! What a check says.

use serde::Serialize;

/// What is checked. Names in JSON are these, in small letters with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    BluetoothService,
    BluetoothPermission,
    BluetoothVersion,
    BluetoothAdapter,
    BluetoothSwitches,
    BluetoothPower,
    BluetoothCentral,
    BluetoothAdvertising,
    Uhid,
    KeyHelper,
    KeySession,
    UdevRule,
    KeyDevice,
    TunnelService,
    Clock,
    DesktopProgram,
    SessionBus,
    Autostart,
    Display,
}

impl Check {
    /// Whether sign-in depends on it, so that not knowing is worth an exit code.
    const fn is_essential(self) -> bool {
        matches!(
            self,
            Self::BluetoothService
                | Self::BluetoothPermission
                | Self::BluetoothAdapter
                | Self::BluetoothPower
                | Self::KeyHelper
                | Self::TunnelService
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// Works, or a part that sign-in does not need does not.
    Warn,
    /// Stops sign-in.
    Fail,
    /// Could not be found out.
    Unknown,
}

/// What a check says, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) status: Status,
    /// How it is.
    pub(super) statement: String,
    /// What to do about it, as a sentence without its capital letter and full stop.
    pub(super) fix: Option<String>,
    /// A command that does it, if there is one.
    pub(super) command: Option<&'static str>,
}

impl Finding {
    pub(super) fn ok(check: Check, statement: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, statement: statement.into(), fix: None, command: None }
    }

    pub(super) fn warn(check: Check, statement: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warn, fix: Some(fix.into()), ..Self::ok(check, statement) }
    }

    pub(super) fn fail(check: Check, statement: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::warn(check, statement, fix) }
    }

    pub(super) fn unknown(check: Check, statement: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Unknown, ..Self::warn(check, statement, fix) }
    }

    /// With a command that does what the fix says.
    pub(super) const fn with(mut self, command: &'static str) -> Self {
        self.command = Some(command);
        self
    }

    /// For what sign-in does without.
    pub(super) fn no_worse_than_a_warning(self) -> Self {
        match self.status {
            Status::Fail => Self { status: Status::Warn, ..self },
            _ => self,
        }
    }

    /// Whether sign-in may not work and nobody can say so.
    pub(super) const fn is_essential_and_unknown(&self) -> bool {
        matches!(self.status, Status::Unknown) && self.check.is_essential()
    }
}
