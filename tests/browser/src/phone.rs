//! Phones that answer a code: the program, or the test kit's mutant.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use hybridge_testkit::mutant::{MutantError, MutantPasskeys, MutantPhone, Outcome, Rule, Stage};
use hybridge_tunnel::WebSocketDialer;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    sync::Mutex,
    task::JoinSet,
    time::timeout,
};

use crate::{
    failure::Failure,
    radio::{PHONE_ADAPTER, Radios},
    tunnel::Tunnel,
};

/// How long a phone may take to end by itself after the laptop's goodbye.
const FAREWELL: Duration = Duration::from_secs(10);

/// Which phone answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phone {
    /// `hybridge-phone`, whose owner agrees or refuses.
    Program { agrees: bool },
    /// `hybridge-phone`, which reads the code off the screen by itself. Its owner agrees.
    Watcher,
    /// A phone of the test kit that breaks this rule, if any.
    Mutant(Option<Rule>),
}

/// Everything that phones have, from one answer to the next.
pub(crate) struct Pocket {
    /// The program `hybridge-phone`.
    pub(crate) program: PathBuf,
    /// For its passkeys and what it writes.
    pub(crate) folder: PathBuf,
    pub(crate) passkeys: Arc<Mutex<MutantPasskeys>>,
}

/// A phone at work. It ends when this is dropped.
pub(crate) enum Answering {
    Program(Child),
    /// The second is what came of the first, once that is known.
    Mutant(JoinSet<Result<Outcome, MutantError>>, Option<Outcome>),
}

impl Pocket {
    /// Shows a code to a phone.
    pub(crate) async fn answer(
        &self,
        phone: Phone,
        code: String,
        radios: &Radios,
        tunnel: &Tunnel,
    ) -> Result<Answering, Failure> {
        match phone {
            Phone::Program { agrees } => self.start_program(agrees, &code, radios, tunnel).await,
            Phone::Watcher => {
                Err(Failure::otherwise("a phone that is shown a code", "one that looks for it itself"))
            }
            Phone::Mutant(rule) => {
                let dialer = WebSocketDialer::new()
                    .with_address(tunnel.address)
                    .with_extra_roots_pem(tunnel.authority.as_bytes())?;
                let mut phone = MutantPhone::new(tunnel.domain, Arc::new(radios.device()), Arc::new(dialer));
                phone.rule = rule;
                let passkeys = Arc::clone(&self.passkeys);
                let mut task = JoinSet::new();
                task.spawn(async move { phone.answer(&code, &mut *passkeys.lock().await).await });
                Ok(Answering::Mutant(task, None))
            }
        }
    }

    /// Lets the program look for a code on this display.
    pub(crate) fn watch(
        &self,
        display: &str,
        radios: &Radios,
        tunnel: &Tunnel,
    ) -> Result<Answering, Failure> {
        let mut command = self.command("--screen", true, radios, tunnel)?;
        command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY").stdin(Stdio::null());
        let phone = command.spawn().map_err(|error| Failure::program("hybridge-phone", error))?;
        Ok(Answering::Program(phone))
    }

    async fn start_program(
        &self,
        agrees: bool,
        code: &str,
        radios: &Radios,
        tunnel: &Tunnel,
    ) -> Result<Answering, Failure> {
        let mut command = self.command("-", agrees, radios, tunnel)?;
        let spawned = command.stdin(Stdio::piped()).spawn();
        let mut phone = spawned.map_err(|error| Failure::program("hybridge-phone", error))?;
        if let Some(mut input) = phone.stdin.take() {
            input.write_all(format!("{code}\n").as_bytes()).await?;
        }
        Ok(Answering::Program(phone))
    }

    /// The program with the source of its code.
    fn command(
        &self,
        source: &str,
        agrees: bool,
        radios: &Radios,
        tunnel: &Tunnel,
    ) -> Result<Command, Failure> {
        let authority = self.folder.join("authority.pem");
        let written = std::fs::write(&authority, &tunnel.authority);
        written.map_err(|error| Failure::file(authority.clone(), error))?;
        let mut command = Command::new(&self.program);
        command
            .arg(source)
            .args(["--approve", if agrees { "always" } else { "never" }])
            .arg("--state")
            .arg(self.folder.join("passkeys"))
            .args(["--domain-id", &tunnel.domain.to_string()])
            .args(["--relay-addr", &tunnel.address.to_string()])
            .arg("--relay-ca")
            .arg(&authority)
            .args(["--adapter", PHONE_ADAPTER, "--once", "--events", "json"])
            .env("DBUS_SYSTEM_BUS_ADDRESS", radios.phone_bus())
            .env("HOME", &self.folder)
            .stdout(log(&self.folder, "phone.stdout")?)
            .stderr(log(&self.folder, "phone.stderr")?)
            .kill_on_drop(true);
        Ok(command)
    }
}

/// A file that programs write to, one after the other.
fn log(folder: &Path, name: &str) -> Result<File, Failure> {
    let path = folder.join(name);
    File::options().create(true).append(true).open(&path).map_err(|error| Failure::file(path, error))
}

impl Answering {
    /// Waits for a phone to fail. One that did what it is meant to is no failure, however long ago.
    pub(crate) async fn failed(&mut self) -> Failure {
        match self.end().await {
            Ok(_) => std::future::pending().await,
            Err(failure) => failure,
        }
    }

    /// Waits for the end that a phone has whose laptop is content: the laptop says goodbye, and the phone ends in time.
    pub(crate) async fn left_in_peace(mut self) -> Result<(), Failure> {
        match timeout(FAREWELL, self.end()).await {
            Ok(Ok(Some(outcome))) if outcome.took_wrong_advert => Err(Failure::otherwise(
                "the wrong advert to be passed over",
                "a laptop that joined because of it",
            )),
            Ok(Ok(Some(outcome))) if outcome.stage < Stage::Left => {
                Err(Failure::otherwise("a goodbye", format!("a laptop that came to {:?}", outcome.stage)))
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::otherwise("a phone that ends with the laptop", "one that goes on")),
        }
    }

    /// Waits for the end. Of a mutant there is an outcome; the program has to end with success.
    async fn end(&mut self) -> Result<Option<Outcome>, Failure> {
        match self {
            Self::Program(program) => match program.wait().await? {
                status if status.success() => Ok(None),
                status => Err(Failure::program("hybridge-phone", format!("ended with {status}"))),
            },
            Self::Mutant(task, outcome) => {
                if let Some(ended) = task.join_next().await {
                    *outcome = Some(ended??);
                }
                Ok(*outcome)
            }
        }
    }
}
