//! WebDriver BiDi: how a program drives a browser over a websocket, as far as these cases need it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hybridge_radio_conformance::table::Failure;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Far more than a command takes on a processor that is emulated: the first ones wait until the browser's window is there.
const LONG: Duration = Duration::from_secs(300);

/// A session with the browser: one command at a time.
pub(crate) struct Session {
    socket: WebSocketStream<TcpStream>,
    /// The number of the last command.
    sent: u64,
}

impl Session {
    /// Connects, and opens a session.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        let greeted = client_async(format!("ws://{address}/session"), stream);
        let greeted = timeout(LONG, greeted).await.map_err(|_| Failure::Stuck)?;
        let (socket, _response) = greeted.map_err(Failure::needed("the browser's websocket"))?;
        let mut session = Self { socket, sent: 0 };
        session.command("session.new", json!({ "capabilities": {} })).await?;
        Ok(session)
    }

    /// Sends a command and gives its result. What the browser tells in between is not looked at.
    pub(crate) async fn command(&mut self, method: &'static str, params: Value) -> Result<Value, Failure> {
        self.sent += 1;
        let id = self.sent;
        let text = json!({ "id": id, "method": method, "params": params }).to_string();
        let answered = async {
            self.socket.send(Message::text(text)).await.map_err(Failure::needed(method))?;
            loop {
                let message = self.next().await?;
                if *member(&message, "id") == id {
                    return Ok::<_, Failure>(message);
                }
            }
        };
        let message = timeout(LONG, answered).await.map_err(|_| Failure::Stuck)??;
        if *member(&message, "type") != "success" {
            return Err(Failure::unexpected("success of a command", (method, message)));
        }
        Ok(member(&message, "result").clone())
    }

    /// The next message that has text.
    async fn next(&mut self) -> Result<Value, Failure> {
        loop {
            let read = self.socket.next().await;
            let read = read.ok_or_else(|| Failure::unexpected("a browser that is there", "none"))?;
            if let Message::Text(text) = read.map_err(Failure::needed("the browser's websocket"))? {
                return serde_json::from_str(&text).map_err(Failure::needed("a message of the browser"));
            }
        }
    }
}

/// A member of an object; `null` if there is none.
pub(crate) fn member<'v>(object: &'v Value, name: &str) -> &'v Value {
    object.get(name).unwrap_or(&Value::Null)
}
