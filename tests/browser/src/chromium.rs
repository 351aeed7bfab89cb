//! A Chromium with a fresh profile, as it comes from the distribution, and what it logs about phones.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::watch,
    task::JoinSet,
};

use crate::{failure::Failure, tunnel::Tunnel};

/// Options that have nothing to do with the case: nothing is asked, remembered or fetched, and the log goes to
/// standard error. Root needs `--no-sandbox`; all of this runs in a namespace of its own.
const ALWAYS: &[&str] = &[
    "--no-sandbox",
    "--test-type",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--no-proxy-server",
    "--password-store=basic",
    "--window-position=0,0",
    "--window-size=1000,760",
    "--enable-logging=stderr",
    "--vmodule=device_event_log_impl=1",
];

/// Variables that could lead it somewhere else.
const UNSET: &[&str] =
    &["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WAYLAND_DISPLAY"];

/// A running Chromium. It ends when this is dropped; what it leaves behind ends with the case.
pub(crate) struct Chromium {
    pub(crate) log: Log,
    process: Child,
    _reader: JoinSet<()>,
}

/// What it has written until now. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    length: watch::Receiver<usize>,
}

/// Where a Chromium runs.
pub(crate) struct Place<'p> {
    pub(crate) display: &'p str,
    pub(crate) bus: &'p str,
    /// For its profile.
    pub(crate) folder: &'p Path,
    pub(crate) tunnel: &'p Tunnel,
}

impl Chromium {
    /// Opens a page. The tunnel service's host is the only one that it can reach beside this machine.
    pub(crate) fn start(place: &Place<'_>, page: &str) -> Result<Self, Failure> {
        let mut process = place
            .command()
            .arg(page)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::program("chromium", error))?;
        let output = process.stderr.take().ok_or_else(|| Failure::program("chromium", "has no output"))?;
        let (tell, length) = watch::channel(0);
        let log = Log { lines: Arc::default(), length };
        let mut reader = JoinSet::new();
        reader.spawn(read(output, Arc::clone(&log.lines), tell));
        Ok(Self { log, process, _reader: reader })
    }

    /// Waits for its end, which is none that a case wants.
    pub(crate) async fn ended(&mut self) -> Failure {
        match self.process.wait().await {
            Ok(status) => Failure::program("chromium", format!("ended: {status}")),
            Err(error) => Failure::program("chromium", error),
        }
    }
}

impl Place<'_> {
    fn command(&self) -> Command {
        let Tunnel { host, address, key_hash, .. } = self.tunnel;
        let rules = format!(
            "MAP {host}:443 127.0.0.1:{}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            address.port()
        );
        let mut command = Command::new("chromium");
        for name in UNSET {
            command.env_remove(name);
        }
        command
            .args(ALWAYS)
            .arg(format!("--user-data-dir={}", self.folder.join("profile").display()))
            .arg(format!("--host-resolver-rules={rules}"))
            .arg(format!("--ignore-certificate-errors-spki-list={key_hash}"))
            .env("DISPLAY", self.display)
            .env("DBUS_SYSTEM_BUS_ADDRESS", self.bus)
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus)
            .env("HOME", self.folder)
            .env("XDG_RUNTIME_DIR", self.folder);
        command
    }
}

async fn read(output: ChildStderr, lines: Arc<Mutex<Vec<String>>>, tell: watch::Sender<usize>) {
    let mut output = BufReader::new(output).split(b'\n');
    while let Ok(Some(line)) = output.next_segment().await {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(String::from_utf8_lossy(&line).into_owned());
        tell.send_replace(lines.len());
    }
}

impl Log {
    /// How long it is.
    pub(crate) fn len(&self) -> usize {
        *self.length.borrow()
    }

    /// Everything.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// The newest lines that speak of phones and passkeys.
    pub(crate) fn about_phones(&self, newest: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let about = lines.iter().filter(|line| line.contains("device_event_log_impl"));
        let about: Vec<_> = about.cloned().collect();
        about.get(about.len().saturating_sub(newest)..).unwrap_or_default().to_vec()
    }

    /// Waits for a line behind the first `skipped` that contains one of these texts, and returns that text.
    pub(crate) async fn until(&self, skipped: usize, texts: &[&'static str]) -> &'static str {
        let mut length = self.length.clone();
        loop {
            length.mark_unchanged();
            if let Some(found) = self.find(skipped, texts) {
                return found;
            }
            if length.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// How many lines behind the first `skipped` have this text.
    pub(crate) fn count(&self, skipped: usize, text: &str) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(skipped).filter(|line| line.contains(text)).count()
    }

    fn find(&self, skipped: usize, texts: &[&'static str]) -> Option<&'static str> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = lines.iter().skip(skipped);
        lines.find_map(|line| texts.iter().find(|text| line.contains(**text)).copied())
    }
}
