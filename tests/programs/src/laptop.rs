//! `hybridge get` and `hybridge create`, run as programs run them.

use std::{process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::{
    failure::{Failure, check},
    scene::{LAPTOP, Scene},
};

/// Where the site is that asks, unless a case says otherwise.
pub(crate) const ORIGIN: &str = "https://www.demo.example";

/// How long a laptop may take for its goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// A command line in the making.
pub(crate) struct Order {
    pub(crate) verb: &'static str,
    pub(crate) input: String,
    pub(crate) origin: &'static str,
    pub(crate) adapter: &'static str,
    /// Whether the tunnel service's certificate is trusted.
    pub(crate) trusting: bool,
    /// Where the tunnel service is, if it is another than the scene's.
    pub(crate) relay: Option<&'static str>,
    pub(crate) more: Vec<String>,
}

impl Order {
    pub(crate) fn get(options: impl ToString) -> Self {
        Self::new("get", options)
    }

    pub(crate) fn create(options: impl ToString) -> Self {
        Self::new("create", options)
    }

    fn new(verb: &'static str, options: impl ToString) -> Self {
        let (input, more) = (options.to_string(), Vec::new());
        Self { verb, input, origin: ORIGIN, adapter: LAPTOP, trusting: true, relay: None, more }
    }

    /// With more arguments.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.more.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Starts it with events.
    pub(crate) async fn start(self, scene: &Scene) -> Result<Laptop, Failure> {
        self.with(&["--events", "json"]).spawn(scene).await
    }

    /// Starts it as a person does, and waits for the end.
    pub(crate) async fn run_for_a_person(self, scene: &Scene) -> Result<Plain, Failure> {
        let output = self.spawn(scene).await?.child.wait_with_output().await;
        let output = output.map_err(Failure::system("hybridge"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Plain { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    async fn spawn(self, scene: &Scene) -> Result<Laptop, Failure> {
        let mut command = Command::new(&scene.hybridge);
        command.args([self.verb, "--origin", self.origin, "--adapter", self.adapter]);
        let relay = self.relay.map_or_else(|| scene.tunnel.address().to_string(), str::to_owned);
        command.args(["--dangerous-relay-addr", &relay]);
        if self.trusting {
            command.arg("--dangerous-relay-ca").arg(scene.tunnel.root_file());
        }
        command.args(&self.more).env("DBUS_SYSTEM_BUS_ADDRESS", scene.bluez.bus_address());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(Failure::system(scene.hybridge.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may well end without reading all of it.
            let _ = stdin.write_all(self.input.as_bytes()).await;
        }
        Ok(Laptop { child, events: None, seen: Vec::new() })
    }
}

/// A run without events.
pub(crate) struct Plain {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Plain {
    /// Fails unless it failed in one line with this code and these words.
    pub(crate) fn refused(&self, code: i32, words: &str) -> Result<(), Failure> {
        let one_line = self.stderr.lines().count() == 1 && self.stderr.contains(words);
        let so = self.code == Some(code) && self.stdout.is_empty() && one_line;
        check(so, &format!("code {code} and a line with {words:?}"), self.told())
    }

    pub(crate) fn told(&self) -> String {
        format!("code {:?}, output {:?}, errors {:?}", self.code, self.stdout, self.stderr)
    }
}

/// A running laptop. It ends when this is dropped.
pub(crate) struct Laptop {
    child: Child,
    events: Option<Lines<BufReader<ChildStderr>>>,
    seen: Vec<Value>,
}

/// Which event it is.
pub(crate) fn name(event: &Value) -> Option<&str> {
    event.get("event").and_then(Value::as_str)
}

/// How a laptop ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) events: Vec<Value>,
}

impl Laptop {
    /// Waits for the code, which has to be the first event.
    pub(crate) async fn code(&mut self) -> Result<String, Failure> {
        let event = self.next().await?.unwrap_or_default();
        match event.get("code").and_then(Value::as_str) {
            Some(code) if name(&event) == Some("code") => Ok(code.to_owned()),
            _ => Err(Failure::otherwise("a code", event)),
        }
    }

    /// Waits for an event.
    pub(crate) async fn until(&mut self, wanted: &str) -> Result<Value, Failure> {
        while let Some(event) = self.next().await? {
            if name(&event) == Some(wanted) {
                return Ok(event);
            }
        }
        Err(Failure::otherwise(format!("the event {wanted}"), format!("{:?}", self.seen)))
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) -> Result<(), Failure> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| Failure::otherwise("a laptop at work", "one that has ended"))?;
        kill_process(pid, Signal::INT).map_err(|error| Failure::system("kill")(error.into()))
    }

    /// Waits for the end, and checks that the last event fits it.
    pub(crate) async fn end(mut self) -> Result<Ended, Failure> {
        while self.next().await?.is_some() {}
        let mut stdout = String::new();
        if let Some(mut output) = self.child.stdout.take() {
            output.read_to_string(&mut stdout).await.map_err(Failure::system("output"))?;
        }
        let status = timeout(FAREWELL, self.child.wait()).await;
        let status = status.map_err(|_| Failure::Undecided(FAREWELL.as_secs()))?;
        let code = status.map_err(Failure::system("hybridge"))?.code();
        let ended = Ended { code, stdout, events: self.seen };
        let last = ended.events.last().cloned().unwrap_or_default();
        let fits = match code {
            Some(0) => name(&last) == Some("done"),
            code => {
                let told = last.get("exit_code").and_then(Value::as_i64);
                name(&last) == Some("failed") && told == code.map(i64::from)
            }
        };
        check(fits, "a last event that fits the exit code", ended.told())?;
        Ok(ended)
    }

    async fn next(&mut self) -> Result<Option<Value>, Failure> {
        if self.events.is_none() {
            self.events = self.child.stderr.take().map(|errors| BufReader::new(errors).lines());
        }
        let Some(events) = &mut self.events else { return Ok(None) };
        let Some(line) = events.next_line().await.map_err(Failure::system("events"))? else {
            return Ok(None);
        };
        let event =
            serde_json::from_str::<Value>(&line).map_err(|_| Failure::otherwise("an event", &line))?;
        self.seen.push(event.clone());
        Ok(Some(event))
    }
}

impl Ended {
    /// The credential, which has to be all of standard output.
    pub(crate) fn credential(&self) -> Result<Value, Failure> {
        check(self.code == Some(0), "a credential", self.told())?;
        check(self.stdout.lines().count() == 1, "one line", &self.stdout)?;
        Ok(serde_json::from_str(&self.stdout)?)
    }

    /// Fails unless there is no credential, but this exit code.
    pub(crate) fn refused(&self, code: i32) -> Result<(), Failure> {
        let so = self.code == Some(code) && self.stdout.is_empty();
        check(so, &format!("code {code} and no output"), self.told())
    }

    fn told(&self) -> String {
        format!("code {:?}, output {:?}, events {:?}", self.code, self.stdout, self.events)
    }
}
