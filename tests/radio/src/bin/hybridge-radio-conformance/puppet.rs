//! A program that uses the radios as it is told, on whatever bus its environment names.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::process::{ExitCode, Stdio};

use hybridge_ble::bluez::{SystemAdvert, SystemRadio};
use hybridge_ble::btleplug::{SystemScan, SystemScanner};
use hybridge_ble::{Advertisement, Advertiser, RadioError, Scan, Scanner, ServiceUuid};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, stdin};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::orders::{DONE, Order, answer};
use hybridge_radio_conformance::table::{Failure, tell};

/// Obeys until there are no more orders.
pub(crate) async fn play() -> ExitCode {
    let mut orders = BufReader::new(stdin()).lines();
    let mut stage = Stage::default();
    while let Ok(Some(line)) = orders.next_line().await {
        let Some(order) = Order::of_line(&line) else { return ExitCode::FAILURE };
        let done = stage.obey(order).await;
        tell(&done.map_or_else(|error| answer(&error), |()| DONE.to_owned()));
    }
    ExitCode::SUCCESS
}

/// What a puppet holds.
#[derive(Default)]
struct Stage {
    scanner: Option<SystemScanner>,
    radio: Option<SystemRadio>,
    scans: VecDeque<SystemScan>,
    adverts: Vec<SystemAdvert>,
}

impl Stage {
    async fn obey(&mut self, order: Order) -> Result<(), RadioError> {
        let unopened = RadioError::Unsupported { action: "do this before it is open" };
        match order {
            Order::OpenScanner(name) => self.scanner = Some(SystemScanner::open(name.as_deref()).await?),
            Order::OpenRadio(name) => self.radio = Some(SystemRadio::open(name.as_deref()).await?),
            Order::Scan => {
                let scanner = self.scanner.as_ref().ok_or(unopened)?;
                self.scans.push_back(scanner.scan().await?);
            }
            Order::Drop => drop(self.scans.pop_front().ok_or(unopened)?),
            Order::Hear(data) => {
                let scan = self.scans.front_mut().ok_or(unopened)?;
                while scan.next().await?.data != data {}
            }
            Order::Advertise(data) => {
                let radio = self.radio.as_ref().ok_or(unopened)?;
                self.adverts.push(radio.advertise(Advertisement::new(ServiceUuid::Fido, data)).await?);
            }
            Order::Withdraw => drop(self.adverts.pop().ok_or(unopened)?),
        }
        Ok(())
    }
}

/// A puppet in a process of its own. Dropping it kills the process.
pub(crate) struct Puppet {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Puppet {
    /// Starts a puppet on a bus.
    pub(crate) fn start(bus: impl AsRef<OsStr>) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("puppet")
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::unexpected("pipes to the puppet", ()));
        };
        Ok(Self { process, orders, answers: BufReader::new(answers).lines() })
    }

    /// Gives an order and waits for the answer.
    pub(crate) async fn ask(&mut self, order: Order) -> Result<String, Failure> {
        self.tell(order).await?;
        self.answer().await
    }

    /// Gives an order.
    pub(crate) async fn tell(&mut self, order: Order) -> Result<(), Failure> {
        let line = format!("{}\n", order.to_line());
        self.orders.write_all(line.as_bytes()).await?;
        Ok(self.orders.flush().await?)
    }

    /// Waits for the answer to the last order.
    pub(crate) async fn answer(&mut self) -> Result<String, Failure> {
        let answer = self.answers.next_line().await?;
        answer.ok_or_else(|| Failure::unexpected("an answer of the puppet", "its end"))
    }

    /// Gives an order that has to go well.
    pub(crate) async fn done(&mut self, order: Order) -> Result<(), Failure> {
        match self.ask(order).await? {
            done if done == DONE => Ok(()),
            other => Err(Failure::unexpected("done", other)),
        }
    }

    /// Gives an order that has to fail with this variant of [`RadioError`]. Gives its text.
    pub(crate) async fn fails(&mut self, order: Order, variant: &'static str) -> Result<String, Failure> {
        self.tell(order).await?;
        self.failed(variant).await
    }

    /// Waits for the answer to the last order, which has to be this variant of [`RadioError`]. Gives its text.
    pub(crate) async fn failed(&mut self, variant: &'static str) -> Result<String, Failure> {
        let answer = self.answer().await?;
        match answer.split_once(' ') {
            Some((name, text)) if name == variant => Ok(text.to_owned()),
            _ => Err(Failure::unexpected(variant, answer)),
        }
    }

    /// Ends the process without letting it clean up.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }
}
