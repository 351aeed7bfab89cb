//! The programs of libfido2: they find the key, register, sign in, and verify what came of it.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hybridge_radio_conformance::table::Failure;
use serde_json::Value;
use tokio::process::Command;

use crate::ceremony::{Way, meet};
use crate::key::Key;
use crate::programs::Laptop;
use crate::tool::{Tool, command, run};
use crate::website::{RP_ID, Website};

/// What a page would have been hashed to.
const CLIENT_DATA_HASH: [u8; 32] = [0x5A; 32];
/// The line of `fido2-cred -M` with the statement's signature: after the hash, the relying party, the format, the
/// authenticator data and the ID.
const SIGNATURE: usize = 5;
/// Which line has the ID.
const ID: usize = 4;

/// A passkey, as these programs take it.
pub(crate) struct Passkey {
    /// In base64.
    pub(crate) id: String,
    pub(crate) rp_id: &'static str,
    /// The file of the public key.
    pub(crate) file: &'static str,
}

/// The device's file, if it is the only one and is what it has to be.
pub(crate) async fn find() -> Result<String, Failure> {
    let path = only_device().await?;
    let told = run("fido2-token", &["-I", &path], &[]).await?.join("\n");
    let expected = ["version strings: FIDO_2_0, FIDO_2_1", "rk, up, uv", "maxmsgsiz: 7609"];
    match expected.into_iter().find(|expected| !told.contains(expected)) {
        Some(missing) => Err(Failure::unexpected(missing, told)),
        None => Ok(path),
    }
}

/// The device's file, if it is the only one.
pub(crate) async fn only_device() -> Result<String, Failure> {
    let listed = run("fido2-token", &["-L"], &[]).await?;
    let [device] = listed.as_slice() else { return Err(Failure::unexpected("one security key", listed)) };
    Ok(device.split(':').next().unwrap_or_default().to_owned())
}

/// A passkey that `hybridge create` makes, which attests nothing.
pub(crate) async fn made_elsewhere(website: &mut Website, user: &str) -> Result<Passkey, Failure> {
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
    let file = "/tmp/elsewhere.pem";
    std::fs::write(file, format!("-----BEGIN PUBLIC KEY-----\n{info}\n-----END PUBLIC KEY-----\n"))?;
    Ok(Passkey { id: BASE64.encode(&member("/id")?), rp_id: RP_ID, file })
}

/// A program that wants a passkey for a site.
pub(crate) async fn registration(device: &str, rp_id: &str) -> Result<Tool, Failure> {
    let [hash, user] = [&CLIENT_DATA_HASH[..], &b"user of a tool"[..]].map(|bytes| BASE64.encode(bytes));
    let input = [hash, rp_id.to_owned(), "ada".to_owned(), user];
    Tool::start(&mut command("fido2-cred", &["-M", device]), &input).await
}

/// Registers, and lets another program verify that the passkey has attested itself. A statement that is changed does not
/// pass.
pub(crate) async fn register(key: &mut Key, device: &str) -> Result<Passkey, Failure> {
    let rp_id = "tool.example";
    let made = key.serve(1, async { registration(device, rp_id).await?.printed().await }).await?;
    let Some(id) = made.get(ID).cloned() else {
        return Err(Failure::unexpected("a passkey with a statement", made));
    };
    let file = "/tmp/tool.pem";
    let verified = run("fido2-cred", &["-V"], &made).await?;
    std::fs::write(file, verified.get(1..).unwrap_or_default().join("\n"))?;

    let mut forged = made;
    if let Some(signature) = forged.get_mut(SIGNATURE) {
        let mut bytes = BASE64.decode(signature.as_bytes()).map_err(Failure::needed("base64"))?;
        bytes.last_mut().into_iter().for_each(|last| *last ^= 1);
        *signature = BASE64.encode(&bytes);
    }
    Tool::start(&mut command("fido2-cred", &["-V"]), &forged).await?.complaint().await?;
    Ok(Passkey { id, rp_id, file })
}

impl Passkey {
    /// A program that wants to sign in with this.
    pub(crate) async fn sign_in(&self, device: &str, user: Option<u32>) -> Result<Tool, Failure> {
        let mut command = command("fido2-assert", &["-G", device]);
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        self.asked_by(&mut command).await
    }

    async fn asked_by(&self, command: &mut Command) -> Result<Tool, Failure> {
        let input = [&BASE64.encode(&CLIENT_DATA_HASH), self.rp_id, &self.id].map(str::to_owned);
        Tool::start(command, &input).await
    }

    /// Verifies what a program printed that signed in.
    pub(crate) async fn verify(&self, printed: &[String]) -> Result<(), Failure> {
        run("fido2-assert", &["-V", self.file, "es256"], printed).await.map(drop)
    }

    /// Signs in and verifies.
    pub(crate) async fn works(&self, key: &mut Key, device: &str) -> Result<(), Failure> {
        let printed = key.serve(1, async { self.sign_in(device, None).await?.printed().await }).await?;
        self.verify(&printed).await
    }
}
