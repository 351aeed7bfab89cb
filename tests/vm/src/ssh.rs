//! OpenSSH, whose own support for security keys makes a key and logs in with it; its server verifies.

use std::path::Path;

use hybridge_radio_conformance::table::Failure;

use crate::key::Key;
use crate::system::until;
use crate::tool::{Tool, command, run};

const KEY: &str = "/tmp/id_ecdsa_sk";
/// The server's own key, with which nobody may log in.
const HOST_KEY: &str = "/tmp/ssh_host_key";
const CONFIGURATION: &str = "/tmp/sshd_config";
const LOG: &str = "/tmp/sshd.log";
const PORT: &str = "2222";
/// What whoever is logged in gets.
const TOKEN: &str = "logged in with a phone";

/// `ssh-keygen -t ecdsa-sk`, which takes only keys that attest themselves or are attested to.
pub(crate) async fn make_key(key: &mut Key) -> Result<(), Failure> {
    let arguments = ["-q", "-t", "ecdsa-sk", "-N", "", "-C", "phone", "-f", KEY];
    key.serve(1, run("ssh-keygen", &arguments, &[])).await?;
    let public = std::fs::read_to_string(format!("{KEY}.pub"))?;
    if !public.starts_with("sk-ecdsa-sha2-nistp256@openssh.com ") {
        return Err(Failure::unexpected("the key of a security key", public));
    }
    Ok(())
}

/// A server. Dropping it ends it.
pub(crate) struct Server {
    _process: Tool,
}

impl Server {
    /// Starts it, with the key as the only one that may log in.
    pub(crate) async fn start() -> Result<Self, Failure> {
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY], &[]).await?;
        std::fs::create_dir_all("/run/sshd")?;
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {PORT}\nHostKey {HOST_KEY}\nAuthorizedKeysFile {KEY}.pub\n\
             AuthenticationMethods publickey\nStrictModes no\nPidFile none\nForceCommand echo {TOKEN}\n"
        );
        std::fs::write(CONFIGURATION, configuration)?;
        // It starts itself again for each connection, by the path that it was started by.
        let arguments = ["-D", "-f", CONFIGURATION, "-E", LOG];
        let process = Tool::start(&mut command("/bin/sshd", &arguments), &[]).await?;
        until("a server", async || said("Server listening")).await?;
        Ok(Self { _process: process })
    }
}

fn said(what: &str) -> bool {
    Path::new(LOG).exists() && std::fs::read_to_string(LOG).is_ok_and(|log| log.contains(what))
}

/// A login with a key.
async fn login(identity: &str) -> Result<Tool, Failure> {
    let arguments = [
        "-F",
        "none",
        "-T",
        "-p",
        PORT,
        "-i",
        identity,
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "IdentityAgent=none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "PreferredAuthentications=publickey",
        "-o",
        "KexAlgorithms=curve25519-sha256",
        "root@127.0.0.1",
    ];
    Tool::start(&mut command("ssh", &arguments), &[]).await
}

/// Logs in with the phone, and not with another key.
pub(crate) async fn log_in(key: &mut Key) -> Result<(), Failure> {
    let _server = Server::start().await?;
    let denied = login(HOST_KEY).await?.complaint().await?;
    if !denied.contains("Permission denied") {
        return Err(Failure::unexpected("a key that is denied", denied));
    }
    let printed = key.serve(1, async { login(KEY).await?.printed().await }).await?;
    let accepted = said("Accepted publickey for root") && said("ECDSA-SK");
    if printed != [TOKEN] || !accepted {
        return Err(Failure::unexpected(TOKEN, (printed, std::fs::read_to_string(LOG)?)));
    }
    Ok(())
}
