//! The raw TCP pair: what joining two connections costs at the very least.

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime,
};

use crate::{args::FloorArgs, error::Error};

/// Bytes in the line that names a pair, line end included: those of a tunnel ID in hex.
const LINE: usize = 33;

type Name = [u8; LINE];
type Waiting = Arc<Mutex<HashMap<Name, TcpStream>>>;

/// Serves until the process is ended.
pub(crate) fn run(args: &FloorArgs) -> Result<(), Error> {
    if !args.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(args.listen.ip()));
    }
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        writeln!(io::stdout().lock(), "listening on {address}").map_err(Error::Write)?;
        let waiting = Waiting::default();
        loop {
            let (io, _) = listener.accept().await.map_err(Error::Listen)?;
            let waiting = Arc::clone(&waiting);
            tokio::spawn(async move { pair(io, &waiting).await });
        }
    })
}

/// Joins a connection to the one that gave the same name before, or leaves it to wait. An empty line answers each.
async fn pair(mut io: TcpStream, waiting: &Waiting) -> io::Result<()> {
    io.set_nodelay(true)?;
    let mut name = [0; LINE];
    io.read_exact(&mut name).await?;
    let mut first = {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = waiting.remove(&name) else {
            // Under the lock: the other one may come as soon as it is answered.
            io.try_write(b"\n")?;
            waiting.insert(name, io);
            return Ok(());
        };
        first
    };
    io.write_all(b"\n").await?;
    copy_bidirectional(&mut first, &mut io).await.map(drop)
}
