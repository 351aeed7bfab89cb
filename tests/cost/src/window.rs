//! In the place of a window: passes on codes, to measure the way up to a window.

use std::{env, path::PathBuf};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stdin},
    net::{UnixListener, UnixStream},
};

use crate::failure::Failure;

/// Names the socket that codes are passed to.
pub(crate) const SOCKET: &str = "HYBRIDGE_COST_SOCKET";

/// Is a window until there is nothing to show any more.
pub(crate) async fn be_one() -> Result<(), Failure> {
    let socket = env::var_os(SOCKET).map(PathBuf::from);
    let socket =
        socket.ok_or_else(|| Failure::unexpected("this is started by the service that is measured"))?;
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(code) = code(&line) {
            UnixStream::connect(&socket).await?.write_all(code.as_bytes()).await?;
        }
    }
    Ok(())
}

fn code(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    event.get("code")?.as_str().map(str::to_owned)
}

/// The next code that is passed on.
pub(crate) async fn next_code(listener: &UnixListener) -> Result<String, Failure> {
    let (mut window, _) = listener.accept().await?;
    let mut code = String::new();
    window.read_to_string(&mut code).await?;
    Ok(code)
}
