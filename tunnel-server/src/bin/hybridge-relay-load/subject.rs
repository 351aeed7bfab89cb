//! What is measured: a tunnel service or the floor, with its process.

use std::{env, ffi::OsString, net::SocketAddr, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    args::Common,
    error::Error,
    process::Process,
    target::Target,
    tls::{Certificate, Tls},
    wire::Wire,
};

/// A server that load is sent to. One that was started here ends with this value.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) target: Target,
    /// None where the process of a running service was not named.
    pub(crate) process: Option<Process>,
    _child: Option<Child>,
    /// In files as long as the server may read them.
    _certificate: Option<Certificate>,
}

/// How a service that is started is to treat its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// Measured without limits.
    Lifted,
    /// Measured by its limits.
    Default,
}

impl Subject {
    /// The service under test: the running one, or a fresh one.
    pub(crate) async fn service(common: &Common, limits: Limits) -> Result<Self, Error> {
        if let Some(url) = &common.url {
            let process = common.pid.map(Process::new);
            let target = Target::service(url, common.ca.as_deref())?;
            return Ok(Self { target, process, _child: None, _certificate: None });
        }
        let path = common.serve.as_ref().ok_or(Error::Url)?;
        let mut args: Vec<OsString> =
            ["--listen", "127.0.0.1:0", "--admin-listen", "off"].map(OsString::from).into();
        if limits == Limits::Lifted {
            args.extend(["--limits".into(), "none".into()]);
        }
        args.extend(common.serve_arg.iter().map(OsString::from));
        Self::start(Command::new(path).args(args), Wire::Websocket, common.tls).await
    }

    /// A fresh raw TCP pair server.
    pub(crate) async fn floor(tls: bool) -> Result<Self, Error> {
        let program = env::current_exe().map_err(Error::Start)?;
        Self::start(Command::new(program).arg("floor"), Wire::Raw, tls).await
    }

    /// Starts a program that says on its standard output where it listens.
    async fn start(command: &mut Command, wire: Wire, tls: bool) -> Result<Self, Error> {
        let certificate = tls.then(Certificate::new).transpose()?;
        if let Some(certificate) = &certificate {
            command.arg("--tls-certificate").arg(certificate.chain()).arg("--tls-key").arg(certificate.key());
        }
        if env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error");
        }
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(Error::Start)?;
        let stdout = child.stdout.take().ok_or(Error::NotListening)?;
        let mut lines = BufReader::new(stdout).lines();
        let address: SocketAddr = loop {
            let line = lines.next_line().await.map_err(Error::Start)?.ok_or(Error::NotListening)?;
            let word = line.strip_prefix("listening on ").and_then(|rest| rest.split_whitespace().next());
            if let Some(address) = word.and_then(|word| word.parse().ok()) {
                break address;
            }
        };
        let process = child.id().map(Process::new);
        let name = address.ip().to_string();
        let tls = certificate.as_ref().map(|made| Tls::new(&made.chain(), &name)).transpose()?;
        let target = Target::started(address, wire, tls)?;
        Ok(Self { target, process, _child: Some(child), _certificate: certificate })
    }

    /// Waits until the server has nothing left to do.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        match self.process {
            Some(process) => process.settle().await,
            None => Ok(()),
        }
    }

    /// Resident memory in bytes, if the process is known.
    pub(crate) fn memory(&self) -> Result<Option<u64>, Error> {
        self.process.map(Process::memory).transpose()
    }

    /// CPU time in seconds since the start of the process, if it is known.
    pub(crate) fn cpu(&self) -> Result<Option<f64>, Error> {
        Ok(self.process.map(Process::cpu).transpose()?.map(|time| time.as_secs_f64()))
    }
}
