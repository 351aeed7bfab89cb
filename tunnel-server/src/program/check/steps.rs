//! The steps of a check, in their order.

use std::{io::Write, net::SocketAddr, time::Duration};

use hybridge_proto::ids::{RoutingId, TunnelId};
use tokio_tungstenite::tungstenite::Bytes;

use super::{
    args::Token,
    cause::{http as http_cause, tunnel as cause},
    connection::Stream,
    http::Answer,
    report::{Finding, Found, Report, Stepped, fine},
    target::Target,
    tls::Tls,
    tunnel::{Tunnel, send},
    upgrade::{Socket, accepted, describe, into_socket, refusal, routing_id},
};

/// How many further tunnels are opened and joined, to meet a wrong routing that works by chance.
const FURTHER: usize = 4;

/// Everything that a check needs.
pub(crate) struct Check {
    pub(crate) target: Target,
    pub(crate) tls: Option<Tls>,
    pub(crate) token: Option<Token>,
    /// How long each step may take.
    pub(crate) limit: Duration,
    /// How long the tunnel is left quiet.
    pub(crate) idle: Duration,
}

/// A tunnel that waits for its client.
struct Opened {
    phone: Socket,
    routing: RoutingId,
    tunnel: TunnelId,
}

/// In which case the hex digits of a path are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
}

impl Check {
    /// Takes all steps, or those up to the first that fails.
    pub(crate) async fn run(&self, report: &mut Report<'_, impl Write>) {
        let _ = self.steps(report).await;
    }

    async fn steps(&self, report: &mut Report<'_, impl Write>) -> Option<()> {
        let addresses = report.note("name", self.resolve().await)?;
        let stream = report.note("tcp", self.tcp(&addresses).await)?;
        let stream = report.note("tls", self.secure(stream).await)?;
        let mut opened = report.note("open", self.open(stream).await)?;
        let early = Bytes::from_static(b"before the client");
        send(&mut opened.phone, early.clone(), self.limit).await;
        let mut tunnel = report.note("join", self.join(opened, &addresses).await)?.0;
        report.note("early message", tunnel.early(&early).await)?;
        report.note("messages", tunnel.messages().await)?;
        report.note("latency", tunnel.latency().await)?;
        report.note("idle", tunnel.idle(self.idle).await)?;
        report.note("close", tunnel.close().await)?;
        report.note("routing", self.further(&addresses).await)?;
        report.note("lower case", self.lower_case(&addresses).await)?;
        report.note("wrong path", self.wrong_path(&addresses).await)
    }

    /// The phone's side: `/cable/new`.
    async fn open(&self, mut stream: Stream) -> Stepped<Opened> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|_| Finding::new(&http_cause::SERVICE_FAILED, "this machine has no random bytes"))?;
        let tunnel = TunnelId::from_bytes(id);
        let path = format!("/cable/new/{}", tunnel.to_hex());
        let (answer, key) = self.ask(&mut stream, &path).await?;
        accepted(&answer, &key, self.token.is_some())?;
        let routing = routing_id(&answer)?;
        let phone = into_socket(stream, answer).await;
        let text = format!("/cable/new is a websocket with fido.cable, routing ID {}", routing.to_hex());
        fine(Opened { phone, routing, tunnel }, text)
    }

    /// Asks to join; gives the answer whatever it is.
    async fn ask_to_join(
        &self,
        addresses: &[SocketAddr],
        (routing, tunnel): (RoutingId, TunnelId),
        case: Case,
    ) -> Result<(Stream, Answer, String), Finding> {
        let ids = format!("{}/{}", routing.to_hex(), tunnel.to_hex());
        let ids = match case {
            Case::Upper => ids.to_uppercase(),
            Case::Lower => ids.to_lowercase(),
        };
        let mut stream = self.connect(addresses).await?;
        let (answer, key) = self.ask(&mut stream, &format!("/cable/connect/{ids}")).await?;
        Ok((stream, answer, key))
    }

    /// The client's side: `/cable/connect`.
    async fn connect_client(
        &self,
        opened: Opened,
        addresses: &[SocketAddr],
        case: Case,
    ) -> Result<Tunnel, Finding> {
        let ids = (opened.routing, opened.tunnel);
        let (stream, answer, key) = self.ask_to_join(addresses, ids, case).await?;
        if answer.status == 404 {
            return Err(Finding::new(&cause::WRONG_ROUTING, describe(&answer)));
        }
        accepted(&answer, &key, false)?;
        let client = into_socket(stream, answer).await;
        Ok(Tunnel { phone: opened.phone, client, limit: self.limit })
    }

    /// Joins once, which has to work, and a second time, which must not.
    async fn join(&self, opened: Opened, addresses: &[SocketAddr]) -> Stepped<(Tunnel, ())> {
        let ids = (opened.routing, opened.tunnel);
        let tunnel = self.connect_client(opened, addresses, Case::Upper).await?;
        let (_, answer, _) = self.ask_to_join(addresses, ids, Case::Upper).await?;
        match answer.status {
            404 => fine((tunnel, ()), "/cable/connect joins it once; a second client gets 404"),
            101 => Err(Finding::new(&cause::JOINED_TWICE, "a second client got in")),
            _ => Err(refusal(&answer, false)),
        }
    }

    /// A second tunnel, joined with lower-case digits.
    async fn lower_case(&self, addresses: &[SocketAddr]) -> Stepped<()> {
        let opened = self.open(self.connect(addresses).await?).await?.value;
        match self.connect_client(opened, addresses, Case::Lower).await {
            Ok(tunnel) => tunnel
                .close()
                .await
                .map(|found| Found { text: "joined with lower-case digits too".to_owned(), ..found }),
            Err(Finding { cause, found }) if *cause == cause::WRONG_ROUTING => {
                Err(Finding::new(&cause::CASE, found))
            }
            Err(finding) => Err(finding),
        }
    }

    /// Further tunnels, which have to meet each time.
    async fn further(&self, addresses: &[SocketAddr]) -> Stepped<()> {
        for number in 1..=FURTHER {
            let opened = self.open(self.connect(addresses).await?).await?.value;
            let joined = self.connect_client(opened, addresses, Case::Upper).await;
            joined.map_err(|finding| Finding {
                found: format!("tunnel {number} of {FURTHER}: {}", finding.found),
                ..finding
            })?;
        }
        fine((), format!("{FURTHER} more tunnels met"))
    }

    /// A path that no tunnel service has.
    async fn wrong_path(&self, addresses: &[SocketAddr]) -> Stepped<()> {
        let mut stream = self.connect(addresses).await?;
        let (answer, _) = self.ask(&mut stream, "/cable/nothing-here").await?;
        let good = answer.status == 404 && answer.sentence().is_some();
        let doubt = (!good).then_some(&http_cause::WRONG_PATH_ANSWERED);
        Ok(Found { value: (), text: describe(&answer), doubt })
    }
}
