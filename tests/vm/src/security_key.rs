//! The virtual security key on the kernel's own `/dev/uhid`, used by the programs of libfido2, which also verify.
//!
//! The passkey is made by `hybridge create`: `fido2-cred` takes only credentials that attest themselves, and phones
//! attest nothing.

use std::process::{Output, Stdio};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hybridge_radio_conformance::table::{Failure, Table};
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::time::timeout;

use crate::LAPTOP;
use crate::ceremony::{Way, meet};
use crate::programs::{Laptop, Phone, event, lines};
use crate::system::SOON;
use crate::website::{RP_ID, Website};

/// The file of the public key.
const PUBLIC_KEY: &str = "/tmp/key.pem";
/// What a page would have been hashed to.
const CLIENT_DATA_HASH: [u8; 32] = [0x5A; 32];
/// A sign-in of a program that knows nothing of phones.
pub(crate) async fn run(website: &mut Website, user: &str) -> Result<Table, Failure> {
    let mut table = Table::new("security key", 2);
    let credential = passkey(website, user).await?;
    let mut key = Key::start().await?;
    let mut device = String::new();
    let found = async {
        device = find().await?;
        Ok(())
    };
    table.case("fido2-token finds it and knows what it is", found).await;
    table.case("fido2-assert signs in and verifies", key.sign_in(&device, &credential)).await;
    Ok(table)
}

/// Makes a passkey, writes its public key into a file, and gives its ID in base64.
async fn passkey(website: &mut Website, user: &str) -> Result<String, Failure> {
    let (options, pending) = website.registration(user)?;
    let laptop = Laptop::start("create", &options, &Way::Tunnel).await?;
    let printed = meet(laptop, &Way::Tunnel).await?;
    website.register(pending, &printed)?;
    let credential: Value = serde_json::from_str(&printed).map_err(Failure::needed("the credential"))?;
    let member = |path| {
        let text = credential.pointer(path).and_then(Value::as_str);
        let text = text.ok_or_else(|| Failure::unexpected(path, &credential))?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map_err(Failure::needed("base64"))
    };
    let info = BASE64.encode(&member("/response/publicKey")?);
    std::fs::write(PUBLIC_KEY, format!("-----BEGIN PUBLIC KEY-----\n{info}\n-----END PUBLIC KEY-----\n"))?;
    Ok(BASE64.encode(&member("/id")?))
}

/// `hybridge key`. Dropping it ends it.
struct Key {
    _process: Child,
    /// Nobody types, but its end would be the end of answers.
    _answers: Option<ChildStdin>,
    events: Lines<BufReader<ChildStderr>>,
}

impl Key {
    async fn start() -> Result<Self, Failure> {
        let mut process = Command::new("hybridge")
            .args(["key", "--uhid", "/dev/uhid", "--adapter", LAPTOP, "--events", "json"])
            .args(Way::Tunnel.of_laptop())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut events = lines(process.stderr.take())?;
        event(&mut events, |event| (event["event"] == "ready").then_some(())).await?;
        Ok(Self { _answers: process.stdin.take(), _process: process, events })
    }

    /// A program asks for a phone, and one scans the code. What the program prints is verified by another.
    async fn sign_in(&mut self, device: &str, credential: &str) -> Result<(), Failure> {
        let input = [&BASE64.encode(&CLIENT_DATA_HASH), RP_ID, credential].map(str::to_owned);
        let arguments = ["-G", device];
        let asked = run_program("fido2-assert", &arguments, &input);
        let answered = async {
            let code = event(&mut self.events, |event| event["code"].as_str().map(str::to_owned)).await?;
            Phone::start(&code, &Way::Tunnel).await?.finish().await?;
            event(&mut self.events, |event| (event["event"] == "answered").then(|| event["status"].clone()))
                .await
        };
        let (printed, status) = tokio::try_join!(asked, answered)?;
        if status != 0 {
            return Err(Failure::unexpected("an answer", status));
        }
        run_program("fido2-assert", &["-V", PUBLIC_KEY, "es256"], &printed).await.map(drop)
    }
}

/// The device's file, if it is the only one and is what it has to be.
async fn find() -> Result<String, Failure> {
    let listed = run_program("fido2-token", &["-L"], &[]).await?;
    let [device] = listed.as_slice() else { return Err(Failure::unexpected("one security key", listed)) };
    let path = device.split(':').next().unwrap_or_default().to_owned();
    let told = run_program("fido2-token", &["-I", &path], &[]).await?.join("\n");
    let expected = ["version strings: FIDO_2_0, FIDO_2_1", "rk, up, uv", "maxmsgsiz: 7609"];
    match expected.into_iter().find(|expected| !told.contains(expected)) {
        Some(missing) => Err(Failure::unexpected(missing, told)),
        None => Ok(path),
    }
}

/// Runs a program to its good end, and gives the lines that it prints.
async fn run_program(program: &str, arguments: &[&str], input: &[String]) -> Result<Vec<String>, Failure> {
    let mut process = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut pipe) = process.stdin.take() {
        pipe.write_all(input.join("\n").as_bytes()).await?;
        pipe.write_all(b"\n").await?;
    }
    let ended = timeout(SOON * 2, process.wait_with_output()).await.map_err(|_| Failure::Stuck)?;
    let Output { status, stdout, stderr } = ended?;
    let printed = String::from_utf8_lossy(&stdout).into_owned();
    if !status.success() {
        return Err(Failure::unexpected("success", (status, String::from_utf8_lossy(&stderr).into_owned())));
    }
    Ok(printed.lines().map(str::to_owned).collect())
}
