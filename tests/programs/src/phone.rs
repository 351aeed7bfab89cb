//! `hybridge-phone`, run with the code of a laptop.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

use crate::{
    failure::{Failure, check},
    scene::{DOMAIN, PHONE, Scene},
};

/// How long a phone may take to end after the laptop has left.
const FAREWELL: Duration = Duration::from_secs(10);

/// A phone and what it has in its memory.
pub(crate) struct Phone {
    pub(crate) adapter: &'static str,
    /// The folder of its passkeys.
    pub(crate) name: &'static str,
    pub(crate) approve: &'static str,
    /// Whether it trusts the tunnel service's certificate.
    pub(crate) trusting: bool,
}

impl Default for Phone {
    fn default() -> Self {
        Self { adapter: PHONE, name: "phone", approve: "always", trusting: true }
    }
}

/// A phone at work. It ends when this is dropped.
pub(crate) struct Answering {
    child: Child,
}

impl Phone {
    /// Whose owner refuses.
    pub(crate) fn refusing() -> Self {
        Self { approve: "never", ..Self::default() }
    }

    /// Gives it the code on standard input.
    pub(crate) async fn answer(&self, scene: &Scene, code: &str) -> Result<Answering, Failure> {
        let mut command = Command::new(&scene.phone);
        command.arg("-").args(self.arguments(scene)).stdin(Stdio::piped());
        let mut child = start(command, scene)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(format!("{code}\n").as_bytes()).await.map_err(Failure::system("phone"))?;
        }
        Ok(Answering { child })
    }

    /// Lets it read the code off a picture, at a terminal where nobody answers its question.
    pub(crate) fn ponder(scene: &Scene, picture: &Path) -> Result<Answering, Failure> {
        let phone = Self { approve: "ask", ..Self::default() };
        let words = [&scene.phone.display().to_string(), "--image", &picture.display().to_string()];
        let words = words.into_iter().map(ToString::to_string).chain(phone.arguments(scene));
        let line: Vec<_> = words.map(|word| format!("'{word}'")).collect();
        let mut command = Command::new("script");
        // A terminal of its own, and the program's exit code.
        command.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
        command.stdin(Stdio::piped());
        Ok(Answering { child: start(command, scene)? })
    }

    fn arguments(&self, scene: &Scene) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let relay = scene.tunnel.address().to_string();
        let mut arguments = vec![
            ("--state", text(&scene.file(self.name))),
            ("--approve", self.approve.to_owned()),
            ("--domain-id", DOMAIN.to_string()),
            ("--relay-addr", relay),
            ("--relay-ca", text(scene.tunnel.root_file())),
            ("--adapter", self.adapter.to_owned()),
        ];
        // Its passphrase would have to be typed.
        arguments.retain(|(name, _)| self.approve != "ask" || *name != "--state");
        arguments.retain(|(name, _)| self.trusting || *name != "--relay-ca");
        let all = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        all.chain(["--once", "--events", "json"].map(str::to_owned)).collect()
    }
}

fn start(mut command: Command, scene: &Scene) -> Result<Child, Failure> {
    command.env("DBUS_SYSTEM_BUS_ADDRESS", scene.bluez.bus_address()).env("HOME", scene.file("home"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().map_err(Failure::system("the phone does not start"))
}

impl Answering {
    /// Waits for the end, which has to come by itself in time. Gives the exit code.
    pub(crate) async fn end(mut self) -> Result<Option<i32>, Failure> {
        let ended = timeout(FAREWELL, self.child.wait()).await;
        let ended =
            ended.map_err(|_| Failure::otherwise("a phone that ends with the laptop", "one that goes on"))?;
        Ok(ended.map_err(Failure::system("phone"))?.code())
    }

    /// The same, of a phone that has answered as it was meant to.
    pub(crate) async fn content(self) -> Result<(), Failure> {
        self.ended_with(0).await
    }

    /// The same, with this exit code.
    pub(crate) async fn ended_with(self, expected: i32) -> Result<(), Failure> {
        let code = self.end().await?;
        check(code == Some(expected), &format!("a phone's exit code {expected}"), format!("{code:?}"))
    }
}
