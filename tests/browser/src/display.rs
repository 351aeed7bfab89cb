//! A screen that nobody sees, with a window manager, so that pages get the focus; and what can be read off it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use hybridge_proto::qr::QrCode;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::sleep,
};

use crate::failure::Failure;

/// Between two looks at the screen.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How many looks without a code until the dialog is taken for a list, whose first entry is the phone.
const LOOKS: u32 = 6;

/// An Xvfb with openbox. Both end when it is dropped.
pub(crate) struct Display {
    /// Such as `:0`.
    pub(crate) name: String,
    /// Where screenshots are put.
    picture: PathBuf,
    _server: Child,
    _window_manager: Child,
}

impl Display {
    /// Starts both. `folder` is for files that they want.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        let mut command = quiet("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1000x760x24"]);
        // No lock: in a namespace of its own no other server has the number.
        command.args(["-nolisten", "tcp", "-nolock", "-noreset"]).stdout(Stdio::piped());
        let mut server = command.spawn().map_err(|error| Failure::program("Xvfb", error))?;
        let mut number = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut number).await?;
        }
        if number.trim().is_empty() {
            return Err(Failure::program("Xvfb", "did not start"));
        }
        let name = format!(":{}", number.trim());
        let mut command = quiet("openbox");
        command
            .args(["--sm-disable", "--config-file", "/dev/null"])
            .env("DISPLAY", &name)
            .env("HOME", folder);
        let window_manager = command.spawn().map_err(|error| Failure::program("openbox", error))?;
        Ok(Self {
            name,
            picture: folder.join("screen.ppm"),
            _server: server,
            _window_manager: window_manager,
        })
    }

    /// Waits for a code on the screen other than `previous`. A dialog with a list of devices is gone through.
    pub(crate) async fn code(&self, listed: bool, previous: Option<&str>) -> Result<String, Failure> {
        let mut looks = 0_u32;
        loop {
            let found = self.read().await?;
            if let Some(code) = found.filter(|code| Some(code.as_str()) != previous) {
                return Ok(code);
            }
            looks = looks.saturating_add(1);
            if listed && looks.is_multiple_of(LOOKS) {
                self.press("Return").await?;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The code of a phone sign-in that is on the screen.
    async fn read(&self) -> Result<Option<String>, Failure> {
        self.keep(&self.picture).await?;
        let mut zbar = Command::new("zbarimg");
        zbar.args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"]).arg(&self.picture);
        let found = zbar.output().await.map_err(|error| Failure::program("zbarimg", error))?;
        // It has an exit status of its own for a picture without a code.
        let found = String::from_utf8_lossy(&found.stdout);
        Ok(found.lines().find(|text| QrCode::parse(text).is_ok()).map(str::to_owned))
    }

    async fn press(&self, key: &str) -> Result<(), Failure> {
        let mut xdotool = Command::new("xdotool");
        xdotool.args(["key", key]).env("DISPLAY", &self.name);
        xdotool.status().await.map_err(|error| Failure::program("xdotool", error))?;
        Ok(())
    }

    /// Takes a picture of the screen. What kind of file it is follows from its name.
    pub(crate) async fn keep(&self, path: &Path) -> Result<(), Failure> {
        let mut import = Command::new("import");
        import.args(["-silent", "-window", "root", "-display", &self.name]).arg(path);
        let status = import.status().await.map_err(|error| Failure::program("import", error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::program("import", "takes no picture of the screen"))
        }
    }
}

/// A program that runs until it is dropped and is not heard.
fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}
