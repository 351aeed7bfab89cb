//! Who is at the other end of the helper's socket.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixListener as StdListener,
    },
    path::Path,
};

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
    sockopt::socket_peercred,
};
use tokio::net::UnixListener;

use super::Packets;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 8;

/// Who connected, as the kernel noted it then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The user.
    pub user: u32,
    /// The process. It may have ended since.
    pub process: i32,
}

impl Packets {
    /// Who is at the other end (`SO_PEERCRED`).
    ///
    /// # Errors
    /// [`io::Error`]: it is no Unix socket.
    pub fn peer(&self) -> io::Result<Peer> {
        let credentials = socket_peercred(&self.0)?;
        Ok(Peer { user: credentials.uid.as_raw(), process: credentials.pid.as_raw_nonzero().get() })
    }
}

/// Listens for programs, without a service manager.
#[derive(Debug)]
pub struct Listener(UnixListener);

impl Listener {
    /// Listens at a path, in place of a socket that was left there. `mode` says who may connect: 0o600 for the same user.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// [`io::Error`]: the path cannot be used.
    pub fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        // Anything but a socket is somebody's, and makes the next call fail.
        if fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket()) {
            fs::remove_file(path)?;
        }
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        listen(&socket, BACKLOG)?;
        UnixListener::from_std(StdListener::from(socket)).map(Self)
    }

    /// Waits for a program.
    ///
    /// # Errors
    /// [`io::Error`] of the system.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<Packets> {
        let (connection, _) = self.0.accept().await?;
        Packets::new(connection.into_std()?.into())
    }
}
