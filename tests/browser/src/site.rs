//! The relying party's page, served on the loopback device. It takes orders and sends back what came of them.

use std::{io, net::Ipv4Addr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinSet,
};
use url::Url;

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// The credential as JSON.
    Credential(Value),
    /// The name of the exception.
    Exception(String),
}

/// A page in whatever browser opens it.
pub(crate) struct Site {
    pub(crate) url: Url,
    orders: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Answer>,
    /// One that has been looked at and not taken.
    kept: Option<Answer>,
    /// Ends the server when it is dropped.
    _server: JoinSet<io::Result<()>>,
}

struct Desk {
    orders: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Answer>,
}

impl Site {
    /// Serves the page.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let url = Url::parse(&format!("http://localhost:{port}/")).map_err(io::Error::other)?;
        let (orders, taken) = mpsc::channel(1);
        let (given, answers) = mpsc::channel(1);
        let desk = Arc::new(Desk { orders: Mutex::new(taken), answers: given });
        let router = Router::new()
            .route("/", get(|| async { Html(include_str!("page.html")) }))
            .route("/order", post(order))
            .route("/answer", post(answer))
            .with_state(desk);
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, router).await });
        Ok(Self { url, orders, answers, kept: None, _server: server })
    }

    /// Gives the page something to do, once it is free.
    pub(crate) async fn order(&self, order: Value) {
        // The server has the other end as long as this lives.
        self.orders.send(order).await.unwrap_or_default();
    }

    /// Waits for what came of it.
    pub(crate) async fn answer(&mut self) -> Answer {
        if let Some(answer) = self.kept.take() {
            return answer;
        }
        match self.answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Waits for a credential; any other answer is kept.
    pub(crate) async fn credential(&mut self) -> Answer {
        match self.answer().await {
            credential @ Answer::Credential(_) => credential,
            other => {
                self.kept = Some(other);
                std::future::pending().await
            }
        }
    }

    /// What came of it, if anything has yet.
    pub(crate) fn answer_now(&mut self) -> Option<Answer> {
        self.kept.take().or_else(|| self.answers.try_recv().ok())
    }
}

async fn order(State(desk): State<Arc<Desk>>) -> Result<Json<Value>, StatusCode> {
    desk.orders.lock().await.recv().await.map(Json).ok_or(StatusCode::GONE)
}

async fn answer(State(desk): State<Arc<Desk>>, Json(answer): Json<Answer>) -> StatusCode {
    match desk.answers.send(answer).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::GONE,
    }
}
