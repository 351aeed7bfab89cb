//! `hybridge doctor` about a radio and a tunnel service that are there, and about each way in which they are not. What else
//! it says depends on the machine.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::{
    failure::{Failure, check},
    scene::{DOMAIN, LAPTOP, OTHER_PHONE, PHONE, Scene},
};

/// What the program says, with the tunnel service's certificate trusted or not.
async fn report(scene: &Scene, trusting: bool) -> Result<Value, Failure> {
    let mut command = Command::new(&scene.hybridge);
    command.args(["doctor", "--json", "--tunnel-service", &DOMAIN.to_string()]);
    command.args(["--dangerous-relay-addr", &scene.tunnel.address().to_string()]);
    if trusting {
        command.arg("--dangerous-relay-ca").arg(scene.tunnel.root_file());
    }
    command.env("DBUS_SYSTEM_BUS_ADDRESS", scene.bluez.bus_address());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(Failure::system("hybridge doctor"))?;
    check(output.stderr.is_empty(), "no errors", String::from_utf8_lossy(&output.stderr))?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let fits = match report.get("verdict").and_then(Value::as_str) {
        Some("well") => output.status.code() == Some(0),
        Some("stopped") => output.status.code() == Some(1),
        Some("unknown") => output.status.code() == Some(3),
        _ => false,
    };
    check(fits, "an exit code that fits the verdict", output.status)?;
    Ok(report)
}

/// Fails unless these checks have these statuses; `-` stands for one that is left out.
fn expect(report: &Value, expected: &[(&str, &str)]) -> Result<(), Failure> {
    let checks = report.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (name, status) in expected {
        let found = checks.iter().find(|check| check.get("check").and_then(Value::as_str) == Some(name));
        let is = found.and_then(|check| check.get("status")).and_then(Value::as_str).unwrap_or("-");
        check(is == *status, &format!("{status} for {name}"), format!("{found:?}"))?;
    }
    Ok(())
}

pub(super) async fn well(scene: &mut Scene) -> Result<(), Failure> {
    let all = ["service", "permission", "adapter", "power", "central", "advertising"];
    let names = all.map(|name| format!("bluetooth-{name}"));
    let expected: Vec<_> = names.iter().map(|name| (name.as_str(), "ok")).collect();
    let report = report(scene, true).await?;
    expect(&report, &expected)?;
    expect(&report, &[("tunnel-service", "ok"), ("clock", "ok")])
}

pub(super) async fn bad_certificate(scene: &mut Scene) -> Result<(), Failure> {
    let report = report(scene, false).await?;
    expect(&report, &[("tunnel-service", "fail"), ("bluetooth-power", "ok")])?;
    check(report.to_string().contains("vouched for"), "the reason", &report)
}

pub(super) async fn off(scene: &mut Scene) -> Result<(), Failure> {
    for adapter in [LAPTOP, PHONE, OTHER_PHONE] {
        scene.bluez.set_powered(adapter, false).await?;
    }
    expect(&report(scene, true).await?, &[("bluetooth-adapter", "ok"), ("bluetooth-power", "fail")])
}

pub(super) async fn no_adapter(scene: &mut Scene) -> Result<(), Failure> {
    for adapter in [LAPTOP, PHONE, OTHER_PHONE] {
        scene.bluez.unplug(adapter).await?;
    }
    let expected = [("bluetooth-service", "ok"), ("bluetooth-adapter", "fail"), ("bluetooth-power", "-")];
    expect(&report(scene, true).await?, &expected)
}

pub(super) async fn no_permission(scene: &mut Scene) -> Result<(), Failure> {
    scene.bluez.set_forbidden(true).await?;
    let expected = [("bluetooth-permission", "fail"), ("bluetooth-power", "-")];
    expect(&report(scene, true).await?, &expected)
}

pub(super) async fn no_service(scene: &mut Scene) -> Result<(), Failure> {
    scene.bluez.stop().await;
    let expected = [("bluetooth-service", "fail"), ("bluetooth-permission", "-"), ("bluetooth-power", "-")];
    expect(&report(scene, true).await?, &expected)
}
