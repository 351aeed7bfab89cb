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
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

use crate::{args::FloorArgs, error::Error, tls};

/// Bytes in the line that names a pair, line end included: those of a tunnel ID in hex.
const LINE: usize = 33;

/// What the two connections of a pair call themselves, line end included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Name([u8; LINE]);

/// A connection, in the clear or not.
type Stream = Either<TcpStream, TlsStream<TcpStream>>;
type Waiting = Arc<Mutex<HashMap<Name, Stream>>>;

/// Serves until the process is ended.
pub(crate) fn run(args: &FloorArgs) -> Result<(), Error> {
    if !args.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(args.listen.ip()));
    }
    let files = args.tls_certificate.as_deref().zip(args.tls_key.as_deref());
    let acceptor = files.map(|(chain, key)| tls::acceptor(chain, key)).transpose()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        writeln!(io::stdout().lock(), "listening on {address}").map_err(Error::Write)?;
        let waiting = Waiting::default();
        loop {
            let (io, _) = listener.accept().await.map_err(Error::Listen)?;
            let (waiting, acceptor) = (Arc::clone(&waiting), acceptor.clone());
            tokio::spawn(async move { pair(accept(io, acceptor).await?, &waiting).await });
        }
    })
}

async fn accept(io: TcpStream, acceptor: Option<TlsAcceptor>) -> io::Result<Stream> {
    io.set_nodelay(true)?;
    Ok(match acceptor {
        Some(acceptor) => Either::Right(acceptor.accept(io).await?),
        None => Either::Left(io),
    })
}

/// Joins a connection to the one that gave the same name before, or leaves it to wait. An empty line answers each.
async fn pair(mut io: Stream, waiting: &Waiting) -> io::Result<()> {
    let mut name = [0; LINE];
    io.read_exact(&mut name).await?;
    let name = Name(name);
    // Before the other one can find it: whoever joins may send at once.
    io.write_all(b"\n").await?;
    io.flush().await?;
    let mut first = {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = waiting.remove(&name) else {
            waiting.insert(name, io);
            return Ok(());
        };
        first
    };
    copy_bidirectional(&mut first, &mut io).await.map(drop)
}
