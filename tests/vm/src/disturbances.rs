//! What goes wrong around the security key. None of it loses the key, and nobody gets another's answer.

use hybridge_radio_conformance::table::Failure;

use crate::key::Key;
use crate::libfido2::{Passkey, registration};
use crate::programs::Phone;
use crate::system::until;
use crate::tool::run;

/// The relying party of passkeys that are never made.
const RP_ID: &str = "nowhere.example";

/// The person closes the window while the phone asks: the program is told so, and the phone takes its question back.
pub(crate) async fn window_closed(key: &mut Key, device: &str) -> Result<(), Failure> {
    let program = registration(device, RP_ID).await?;
    let phone = Phone::asking(&key.code().await?).await?;
    key.close_window().await?;
    let (complaint, left) = tokio::join!(program.complaint(), phone.sees_its_computer_leave());
    left?;
    match complaint? {
        text if text.contains("FIDO_ERR_OPERATION_DENIED") => Ok(()),
        other => Err(Failure::unexpected("FIDO_ERR_OPERATION_DENIED", other)),
    }
}

/// The program is killed while the phone asks: the phone takes its question back, and the next program is served.
pub(crate) async fn program_killed(key: &mut Key, device: &str, passkey: &Passkey) -> Result<(), Failure> {
    let program = registration(device, RP_ID).await?;
    let phone = Phone::asking(&key.code().await?).await?;
    program.kill().await?;
    key.next(&["cancelled"]).await?;
    phone.sees_its_computer_leave().await?;
    passkey.works(key, device).await
}

/// Another program asks while one waits for a phone: it is turned away, and the first one gets its own answer.
pub(crate) async fn two_programs(key: &mut Key, device: &str, passkey: &Passkey) -> Result<(), Failure> {
    let signed = async {
        let mut first = passkey.sign_in(device, None).await?;
        let code = key.code().await?;
        registration(device, RP_ID).await?.complaint().await?;
        first.runs()?;
        Phone::attesting(&code).await?.finish().await?;
        first.printed().await
    };
    let printed = signed.await?;
    key.next(&["answered"]).await?;
    passkey.verify(&printed).await
}

/// The key is killed while a program waits: its device is gone, and the program ends.
pub(crate) async fn key_killed(key: &mut Key, device: &str, passkey: &Passkey) -> Result<(), Failure> {
    let program = passkey.sign_in(device, None).await?;
    key.code().await?;
    key.kill().await?;
    program.complaint().await?;
    until("no device any more", async || devices().is_empty()).await?;
    let listed = run("fido2-token", &["-L"], &[]).await?;
    listed.is_empty().then_some(()).ok_or_else(|| Failure::unexpected("no security key", listed))
}

/// The HID devices of the kernel, by name.
pub(crate) fn devices() -> Vec<String> {
    let entries = std::fs::read_dir("/sys/bus/hid/devices").into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
