//! `hybridge-testbed`: every way to start it and to end it.

use std::{fs, process::Output};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::UnixStream,
    process::Command,
};

use crate::{
    failure::{Failure, check},
    laptop::ORIGIN,
    scene::Scene,
    site::Site,
    testbed::{Testbed, ask, line_of, over, run},
};

/// Lines for a shell, until the pipe at its standard input ends.
pub(super) async fn shell(scene: &mut Scene) -> Result<(), Failure> {
    let mut testbed = Testbed::start(scene, &[])?;
    let mut names = Vec::new();
    while names.len() < 5 {
        let line = testbed.line().await?;
        let name = line.strip_prefix("export ").and_then(|line| line.split_once("='"));
        names.push(name.map(|(name, _)| name.to_owned()).unwrap_or(line));
    }
    let variables = ["DBUS_SYSTEM_BUS_ADDRESS", "HYBRIDGE_CHROMIUM_ARGS", "HYBRIDGE_CONTROL"];
    let variables = variables.into_iter().chain(["HYBRIDGE_RELAY_ADDR", "HYBRIDGE_RELAY_CA"]);
    check(names.iter().map(String::as_str).eq(variables), "the variables", format!("{names:?}"))?;
    drop(testbed.input.take());
    let code = testbed.end().await?;
    check(code == Some(0), "exit code 0", format!("{code:?}"))
}

/// One line of JSON, which leads to everything, until SIGTERM or SIGINT.
pub(super) async fn json(scene: &mut Scene) -> Result<(), Failure> {
    for signal in [Signal::TERM, Signal::INT] {
        let mut testbed = Testbed::start(scene, &["--format", "json"])?;
        let settings = &testbed.settings().await?;
        let status = ask(told(settings, "/control"), "GET /status", "").await?;
        check(status == json!({"session": 0, "state": "idle"}), "an idle phone", status)?;
        UnixStream::connect(socket(settings)?).await.map_err(Failure::system("the bus"))?;
        let root = told(settings, "/environment/HYBRIDGE_RELAY_CA").to_owned();
        fs::metadata(&root).map_err(Failure::system(&root))?;
        testbed.signal(signal)?;
        let code = testbed.end().await?;
        check(code == Some(0), "exit code 0", format!("{code:?}"))?;
        check(fs::metadata(&root).is_err(), "no certificate any more", root)?;
    }
    Ok(())
}

/// The lines of the documentation: the file is there once everything is ready, and never without a testbed.
pub(super) async fn settings_file(scene: &mut Scene) -> Result<(), Failure> {
    const WAIT: &str = "until [ -e testbed.env ] || ! kill -0 $!; do sleep 0.1; done
        . ./testbed.env; echo $!; echo $HYBRIDGE_CONTROL; wait $!";
    let file = scene.file("testbed.env");
    let start = "rm -f testbed.env; hybridge-testbed --settings-file testbed.env &";
    let mut testbed = Testbed::script(scene, &format!("{start} {WAIT}"))?;
    let (pid, control) = (testbed.line().await?, testbed.line().await?);
    ask(&control, "GET /status", "").await?;
    let told = Command::new("kill").arg(&pid).status().await.map_err(Failure::system("kill"))?;
    check(told.success(), "a testbed at work", told)?;
    let code = testbed.end().await?;
    check(code == Some(0), "exit code 0", format!("{code:?}"))?;
    check(!file.exists(), "no settings of what has ended", file.display())?;

    // One that cannot start does not leave the settings of one before.
    fs::write(&file, "export HYBRIDGE_CONTROL=old\n").map_err(Failure::system("a file"))?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").map_err(Failure::system("a port"))?;
    let port = taken.local_addr().map_err(Failure::system("a port"))?.port().to_string();
    let name = file.display().to_string();
    let output = run(scene, &["--settings-file", &name, "--control-port", &port]).await?;
    refused(&output, 1, "choose another port")?;
    check(!file.exists(), "no settings of what has never run", file.display())?;
    // And nothing but a file makes way.
    let folder = scene.file("").display().to_string();
    refused(&run(scene, &["--settings-file", &folder]).await?, 1, "name a file")
}

/// What the phone's owner says at first.
pub(super) async fn answer(scene: &mut Scene) -> Result<(), Failure> {
    for (answer, expected) in [("approve", 0), ("refuse", 8)] {
        let mut testbed = Testbed::start(scene, &["--format", "json", "--answer", answer])?;
        let settings = testbed.settings().await?;
        let code = create(scene, &settings).await?;
        check(code == Some(expected), &format!("exit code {expected} for {answer}"), format!("{code:?}"))?;
        testbed.signal(Signal::TERM)?;
        testbed.end().await?;
    }
    Ok(())
}

/// The BlueZ alone, with as many adapters as it was told.
pub(super) async fn bluez(scene: &mut Scene) -> Result<(), Failure> {
    let mut testbed = Testbed::start(scene, &["bluez", "--adapters", "1"])?;
    let line = testbed.line().await?;
    let (name, bus) = line.split_once('=').unwrap_or_default();
    check(name == "DBUS_SYSTEM_BUS_ADDRESS", "the address of a bus", &line)?;
    let mut command = Command::new(&scene.hybridge);
    command.args(["get", "--origin", ORIGIN, "--adapter", "hci1"]).env(name, bus);
    let options = scene.file("options");
    fs::write(&options, Site::new()?.discovery()?.0.to_string()).map_err(Failure::system("a file"))?;
    let input = fs::File::open(options).map_err(Failure::system("a file"))?;
    let output = command.stdin(input).output().await.map_err(Failure::system("hybridge"))?;
    refused(&output, 4, "choose one of hci0")?;
    testbed.signal(Signal::INT)?;
    let code = testbed.end().await?;
    check(code == Some(0), "exit code 0", format!("{code:?}"))
}

/// The command's exit code is its own.
pub(super) async fn exit_codes(scene: &mut Scene) -> Result<(), Failure> {
    for (script, expected) in [
        ("exit 7", 7),
        ("kill -KILL $$", 137),
        ("test -S \"${DBUS_SYSTEM_BUS_ADDRESS#unix:path=}\"", 1),
        (
            "bus=${DBUS_SYSTEM_BUS_ADDRESS#unix:path=}; test -S \"${bus%%,*}\" && test -n \"$HYBRIDGE_TESTBED\"",
            0,
        ),
    ] {
        let output = run(scene, &["--", "sh", "-c", script]).await?;
        check(output.status.code() == Some(expected), &format!("{expected} of {script}"), output.status)?;
    }
    refused(&run(scene, &["--", "/nonexistent/program"]).await?, 1, "check its name")?;
    let output = run(scene, &["--answer", "shrug"]).await?;
    check(output.status.code() == Some(2), "exit code 2", output.status)
}

/// What a command has started ends with it, and both end with the testbed.
pub(super) async fn children(scene: &mut Scene) -> Result<(), Failure> {
    for (end, expected) in [("wait", 143), ("exit 0", 0)] {
        let file = scene.file(&format!("child-{expected}"));
        let script = format!("sleep 600 & echo $! > {}; {end}", file.display());
        let testbed = Testbed::start(scene, &["--", "sh", "-c", &script])?;
        let child = line_of(&file).await;
        if expected != 0 {
            testbed.signal(Signal::TERM)?;
        }
        let code = testbed.end().await?;
        check(code == Some(expected), &format!("exit code {expected}"), format!("{code:?}"))?;
        over(&child).await;
    }
    Ok(())
}

/// `hybridge create` with the testbed's phone. Gives its exit code.
async fn create(scene: &Scene, settings: &Value) -> Result<Option<i32>, Failure> {
    let options = scene.file("options");
    fs::write(&options, Site::new()?.creation()?.0.to_string()).map_err(Failure::system("a file"))?;
    let mut laptop = Command::new(&scene.hybridge)
        .args(["create", "--origin", ORIGIN, "--adapter", "hci0", "--events", "json"])
        .args(["--dangerous-relay-addr", told(settings, "/environment/HYBRIDGE_RELAY_ADDR")])
        .args(["--dangerous-relay-ca", told(settings, "/environment/HYBRIDGE_RELAY_CA")])
        .env("DBUS_SYSTEM_BUS_ADDRESS", told(settings, "/environment/DBUS_SYSTEM_BUS_ADDRESS"))
        .stdin(fs::File::open(options).map_err(Failure::system("a file"))?)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::system("hybridge"))?;
    let errors = laptop.stderr.take().ok_or_else(|| Failure::otherwise("a pipe", "none"))?;
    let mut events = BufReader::new(errors).lines();
    while let Some(line) = events.next_line().await.map_err(Failure::system("events"))? {
        let event = serde_json::from_str::<Value>(&line)?;
        if let Some(code) = event.get("code") {
            let body = json!({ "code": code }).to_string();
            ask(told(settings, "/control"), "POST /scan", &body).await?;
        }
    }
    Ok(laptop.wait().await.map_err(Failure::system("hybridge"))?.code())
}

/// What settings say of something.
fn told<'s>(settings: &'s Value, pointer: &str) -> &'s str {
    settings.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Where the bus of these settings listens.
fn socket(settings: &Value) -> Result<&str, Failure> {
    let address = told(settings, "/environment/DBUS_SYSTEM_BUS_ADDRESS");
    let path = address.strip_prefix("unix:path=").and_then(|rest| rest.split(',').next());
    path.ok_or_else(|| Failure::otherwise("the address of a bus", address))
}

/// Fails unless a program failed in one line with this code and these words.
fn refused(output: &Output, code: i32, words: &str) -> Result<(), Failure> {
    let errors = String::from_utf8_lossy(&output.stderr);
    let so = output.status.code() == Some(code) && errors.lines().count() == 1 && errors.contains(words);
    check(so, &format!("code {code} and a line with {words:?}"), format!("{}: {errors}", output.status))
}
