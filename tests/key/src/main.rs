//! A virtual security key at a Unix socket, with a simulated phone behind it and a person who does what standard input
//! says. Each packet of the socket is a report, as with the helper; what happens is told on standard output, a JSON object a
//! line.
//!
//! Orders: `touch yes|no|wait`, `phone approve|refuse|wait`, `scan yes|no` say what happens from now on; `close` closes the
//! window that is open, `gone` tells that the last program has closed the device, `passkeys` tells how many there are, and
//! `forget` makes the phone forget them. Each is answered by a line with `"event": "done"`.
#![forbid(unsafe_code)]

use std::{env, error::Error, io::Write, path::Path, sync::Arc};

use hybridge_authenticator::DomainId;
use hybridge_ble::sim::Air;
use hybridge_security_key::{
    HybridPhone, Incoming, Radios, ReportChannel, SecurityKey,
    helper::{HelperSocket, Listener},
    hid::Report,
};
use hybridge_testkit::phone::{Answer, ScriptedPhone};
use hybridge_tunnel::MemoryService;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    select,
    sync::mpsc,
};

mod person;

use person::{Order, Person};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("name the path of a socket")?;
    let listener = Listener::bind(Path::new(&path), 0o600)?;
    let (air, service) = (Air::new(1), MemoryService::new());
    let laptop = Arc::new(air.device("laptop"));
    let phone =
        Arc::new(ScriptedPhone::new(air.device("phone"), DomainId::new(266), Arc::new(service.clone())));
    let (order, orders) = mpsc::unbounded_channel();
    let (tell_gone, gone) = mpsc::unbounded_channel();
    tokio::spawn(listen(Arc::clone(&phone), order, tell_gone));
    tell(&json!({"event": "ready"}));

    let programs = HelperSocket::new(listener.accept().await?);
    let open = move || {
        let laptop = Arc::clone(&laptop);
        async move { Ok(Radios::new(laptop)) }
    };
    let backend = HybridPhone::new(open, Arc::new(service));
    let device = Device { programs, gone };
    let ended = SecurityKey::new().serve(device, backend, Person::new(phone, orders)).await;
    tell(&json!({"event": "ended", "why": ended.kind().to_string()}));
    Ok(())
}

/// The socket, and what the kernel would say beside it.
struct Device {
    programs: HelperSocket,
    gone: mpsc::UnboundedReceiver<()>,
}

impl ReportChannel for Device {
    async fn receive(&mut self) -> std::io::Result<Incoming> {
        select! {
            incoming = self.programs.receive() => incoming,
            Some(()) = self.gone.recv() => Ok(Incoming::Closed),
        }
    }

    async fn send(&mut self, report: &Report) -> std::io::Result<()> {
        self.programs.send(report).await
    }
}

/// Takes orders.
async fn listen(
    phone: Arc<ScriptedPhone>,
    order: mpsc::UnboundedSender<Order>,
    gone: mpsc::UnboundedSender<()>,
) {
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut done = json!({"event": "done"});
        match line.as_str() {
            "touch yes" => drop(order.send(Order::Touch(Some(true)))),
            "touch no" => drop(order.send(Order::Touch(Some(false)))),
            "touch wait" => drop(order.send(Order::Touch(None))),
            "scan yes" => drop(order.send(Order::Scan(true))),
            "scan no" => drop(order.send(Order::Scan(false))),
            "close" => drop(order.send(Order::Close)),
            "gone" => drop(gone.send(())),
            "phone approve" => phone.set_answer(Answer::Approve),
            "phone refuse" => phone.set_answer(Answer::Refuse),
            "phone wait" => phone.set_answer(Answer::Wait),
            "forget" => phone.forget_passkeys().await,
            "passkeys" => done = json!({"event": "done", "passkeys": phone.passkeys().await.len()}),
            _ => done = json!({"event": "unknown order"}),
        }
        tell(&done);
    }
}

/// Writes an event. That nobody reads it is no failure of a key.
fn tell(event: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}
