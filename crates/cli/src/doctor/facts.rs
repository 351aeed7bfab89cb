//! What the probes found out. Nothing here judges.

use std::time::SystemTime;

use hybridge_tunnel::CertificateFault;

/// Everything that is known about this computer. `None` stands for what could not be found out.
#[derive(Debug, Clone)]
pub(super) struct System {
    pub(super) bluetooth: Bluetooth,
    pub(super) key: Key,
    /// Empty where the network is left out.
    pub(super) tunnels: Vec<Tunnel>,
    pub(super) clock: Clock,
    pub(super) desktop: Desktop,
}

#[derive(Debug, Clone)]
pub(super) struct Bluetooth {
    /// The adapters that the kernel has, as `hci0`.
    pub(super) kernel: Option<Vec<String>>,
    pub(super) bluez: Bluez,
    /// What `bluetoothd --version` says.
    pub(super) version: Option<Version>,
    /// The kernel's switches of Bluetooth radios.
    pub(super) switches: Option<Vec<RadioSwitch>>,
}

/// What BlueZ says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bluez {
    Adapters(Vec<Adapter>),
    /// There is no system bus to ask it over.
    NoBus,
    /// It does not run, or does not answer.
    Gone,
    /// The policy of the bus keeps this user from it.
    Denied,
    /// Anything else, in its words.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adapter {
    pub(super) name: String,
    pub(super) powered: bool,
    /// Whether it can listen for phones.
    pub(super) central: Option<bool>,
    /// How many more adverts it can send.
    pub(super) free_adverts: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u16,
    pub(super) minor: u16,
}

/// A switch of rfkill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RadioSwitch {
    pub(super) name: String,
    /// Switched off by a program.
    pub(super) soft: bool,
    /// Switched off by a button of the computer.
    pub(super) hard: bool,
}

/// What the virtual security key needs.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) uhid: Uhid,
    pub(super) helper: Helper,
    pub(super) session: Option<Session>,
    /// FIDO devices that there are now, of whatever kind.
    pub(super) devices: Vec<Device>,
    pub(super) rule: Rule,
}

/// `/dev/uhid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uhid {
    Missing,
    /// There, and not for this user to use, as it should be.
    Present,
    /// There, and this user, who is not root, may use it.
    OpenToUser,
}

/// The helper's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    Listening,
    /// Listening, but this user may not connect.
    Forbidden,
    /// Nobody listens, and the socket's unit is installed or not.
    Silent {
        unit_installed: bool,
    },
    /// Whether anybody listens is not to be seen.
    Unknown,
}

/// Whether this user sits at this computer, by the login manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    AtTheScreen,
    /// Logged in at the screen, and another session is shown there now.
    InTheBackground,
    Elsewhere,
    /// This is root, who needs no helper.
    Root,
    NoLoginManager,
}

/// A FIDO device of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// As `hidraw3`.
    pub(super) node: String,
    /// Whether it is the virtual key.
    pub(super) ours: bool,
    /// Whether this user may read and write it.
    pub(super) usable: bool,
}

/// What gives the key's device to whoever sits at the computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The rule of this program.
    Ours,
    /// Only those that systemd has for security keys.
    Systemd,
    Missing,
}

/// A tunnel service, as far as it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tunnel {
    pub(super) host: String,
    pub(super) reached: Reached,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reached {
    /// It answered; `date` is its clock, `at` this computer's then.
    Answered {
        status: u16,
        date: Option<SystemTime>,
        at: SystemTime,
    },
    /// The name was not found; the reason is the system's.
    NoName(String),
    /// No connection came about.
    NoConnection(String),
    BadCertificate(CertificateFault),
    /// TLS failed otherwise.
    NoTls(String),
    /// Something else than a tunnel service answered, or broke off.
    Strange(String),
    /// It took too long.
    TimedOut {
        stage: Stage,
    },
}

/// What a tunnel service was being reached with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Name,
    Connection,
    Answer,
}

#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) now: SystemTime,
    /// When this program's file was written.
    pub(super) program: Option<SystemTime>,
}

/// What the window and the background service need.
#[derive(Debug, Clone)]
pub(super) struct Desktop {
    /// Whether the program is found.
    pub(super) program: bool,
    pub(super) session_bus: bool,
    pub(super) autostart: Autostart,
    /// What `XDG_SESSION_TYPE` says.
    pub(super) session_type: Option<String>,
    /// Whether there is a Wayland or X11 display.
    pub(super) display: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Autostart {
    On,
    /// There is an entry, and the user has switched it off.
    Off,
    Missing,
}
