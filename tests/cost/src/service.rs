//! The service that is measured, with a socket in the place of the helper's.

use std::process::Stdio;

use hybridge_security_key::helper::{HelperSocket, Listener};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Duration, timeout},
};

use crate::{Programs, failure::Failure};

/// How long the service may take until there is a key.
const SOON: Duration = Duration::from_secs(20);

/// A service that runs, and the programs' end of its key.
pub(crate) struct Service {
    process: Child,
    pub(crate) programs: HelperSocket,
    _folder: TempDir,
}

impl Service {
    /// Starts it. `more` are options of the service, `key` those of the key, and the environment has `bus` as the system's.
    pub(crate) async fn start(
        programs: &Programs,
        more: &[&str],
        key: &[String],
        environment: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("key.sock");
        let listener = Listener::bind(&socket, 0o600)?;
        let process = Command::new(&programs.desktop)
            .arg("--hybridge")
            .arg(&programs.hybridge)
            .args(more)
            .args(["--", "--socket"])
            .arg(&socket)
            .args(key)
            .env("XDG_RUNTIME_DIR", folder.path())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let accepted = timeout(SOON, listener.accept()).await;
        let packets = accepted.map_err(|_| Failure::unexpected("the service makes no key"))??;
        Ok(Self { process, programs: HelperSocket::new(packets), _folder: folder })
    }

    pub(crate) fn id(&self) -> Result<u32, Failure> {
        self.process.id().ok_or_else(|| Failure::unexpected("the service has ended"))
    }
}
