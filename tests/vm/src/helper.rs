//! `hybridge-key-helper` with the kernel's own `/dev/uhid`: the security key of a user without rights.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Stdio;

use hybridge_radio_conformance::table::{Failure, Table};
use tokio::process::{Child, Command};

use crate::disturbances::devices;
use crate::key::Key;
use crate::libfido2::{Passkey, only_device};
use crate::seat::{Seat, USER};
use crate::system::until;
use crate::tool::{Tool, command};

const SOCKET: &str = "/run/key.sock";
/// The exit code of `hybridge key` for "there is no security key".
const NO_KEY: i32 = 3;

/// The helper, and who sits at the screen.
struct Helper {
    _process: Child,
    seat: Seat,
}

impl Helper {
    async fn start() -> Result<Self, Failure> {
        let seat = Seat::start().await?;
        let console = std::fs::File::options().write(true).open("/dev/console")?;
        let process = Command::new("hybridge-key-helper")
            .args(["--listen", SOCKET])
            .stdin(Stdio::null())
            .stderr(console)
            .kill_on_drop(true)
            .spawn()?;
        until("a helper that listens", async || Path::new(SOCKET).exists()).await?;
        Ok(Self { _process: process, seat })
    }

    /// Whoever is not at the screen gets no key: neither the user, nor the superuser.
    async fn refuses_strangers(&self) -> Result<(), Failure> {
        for user in [USER, 0] {
            let said = Key::of_user(user, SOCKET)?.ends(NO_KEY).await?;
            if !said.contains("the helper gives no security key") || !devices().is_empty() {
                return Err(Failure::unexpected("no security key", (said, devices())));
            }
        }
        Ok(())
    }

    /// The user sits down and signs in; nothing of it runs with rights but the helper. The key ends when the user leaves.
    async fn serves_its_user(&self, passkey: &Passkey) -> Result<(), Failure> {
        self.seat.set_active(true).await?;
        let mut key = Key::of_user(USER, SOCKET)?;
        key.next(&["ready"]).await?;
        until("a device", async || Path::new("/dev/hidraw0").exists()).await?;
        let device = only_device().await?;
        // What the login manager's rule gives whoever is at the screen.
        chown(&device, Some(USER), None)?;
        let signing = async { passkey.sign_in(&device, Some(USER)).await?.printed().await };
        let printed = key.serve(1, signing).await?;
        passkey.verify(&printed).await?;
        self.seat.set_active(false).await?;
        key.next(&["gone"]).await?;
        until("no device any more", async || devices().is_empty()).await
    }

    /// The user's program gets a security key from the helper, and nothing else that `/dev/uhid` could make.
    async fn lets_no_other_event_through(&self) -> Result<(), Failure> {
        self.seat.set_active(true).await?;
        let mut program = command("python3", &["/lib/suite/intruder.py", SOCKET]);
        Tool::start(program.uid(USER).gid(USER), &[]).await?.printed().await?;
        let keyboards = std::fs::read_to_string("/proc/bus/input/devices")?;
        let made = keyboards.to_lowercase().contains("name=\"keyboard\"");
        if made { Err(Failure::unexpected("no keyboard", keyboards)) } else { Ok(()) }
    }
}

/// Runs the cases.
pub(crate) async fn run(passkey: &Passkey) -> Result<Table, Failure> {
    let mut table = Table::new("the helper of the security key", 3);
    let helper = Helper::start().await?;
    table.case("no key for whoever is not at the screen", helper.refuses_strangers()).await;
    table.case("a user without rights signs in", helper.serves_its_user(passkey)).await;
    table.case("no keyboard comes of the helper", helper.lets_no_other_event_through()).await;
    Ok(table)
}
