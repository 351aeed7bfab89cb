//! The person at the computer, who also holds the phone.

use std::{future::pending, sync::Arc};

use hybridge_client::Progress;
use hybridge_security_key::{Consent, Decision, Notice, Outcome, StatusCode, Ticket};
use hybridge_testkit::phone::ScriptedPhone;
use serde_json::json;
use tokio::sync::mpsc;

use crate::tell;

/// What the person is told to do.
pub(crate) enum Order {
    /// From now on, answer questions so, or not.
    Touch(Option<bool>),
    /// From now on, scan codes or not.
    Scan(bool),
    /// Close what is open.
    Close,
}

/// Does as told.
pub(crate) struct Person {
    phone: Arc<ScriptedPhone>,
    orders: mpsc::UnboundedReceiver<Order>,
    touch: Option<bool>,
    scan: bool,
    open: Option<Ticket>,
    question: Option<Ticket>,
}

impl Person {
    pub(crate) fn new(phone: Arc<ScriptedPhone>, orders: mpsc::UnboundedReceiver<Order>) -> Self {
        Self { phone, orders, touch: None, scan: true, open: None, question: None }
    }

    fn take(&mut self, order: Order) -> Option<Decision> {
        match order {
            Order::Touch(touch) => self.touch = touch,
            Order::Scan(scan) => self.scan = scan,
            Order::Close => return self.open.map(Decision::Close),
        }
        None
    }

    /// What is to be said to the question that is open.
    fn answer(&mut self) -> Option<Decision> {
        let agreed = self.touch?;
        let ticket = self.question.take()?;
        Some(if agreed { Decision::Agree(ticket) } else { Decision::Close(ticket) })
    }
}

impl Consent for Person {
    fn tell(&mut self, notice: Notice) {
        match notice {
            Notice::AskForTouch { ticket } => {
                (self.open, self.question) = (Some(ticket), Some(ticket));
                tell(&json!({"event": "touch"}));
            }
            Notice::AskPhone { ticket, operation, rp_id, user } => {
                self.open = Some(ticket);
                let operation = format!("{operation:?}").to_lowercase();
                tell(&json!({"event": "phone", "operation": operation, "rp_id": rp_id, "user": user}));
            }
            Notice::Progress { progress: Progress::ShowQr { code, .. }, .. } => {
                tell(&json!({"event": "code"}));
                if self.scan {
                    self.phone.scan(code.expose_text());
                }
            }
            Notice::Over { outcome, .. } => {
                (self.open, self.question) = (None, None);
                let how = match outcome {
                    Outcome::Replied(StatusCode(status)) => json!(status),
                    Outcome::Failed(error) => json!(error.to_string()),
                    _ => json!("cancelled"),
                };
                tell(&json!({"event": "over", "how": how}));
            }
            Notice::Wink => tell(&json!({"event": "wink"})),
            _ => {}
        }
    }

    async fn decide(&mut self) -> Decision {
        loop {
            // What was ordered before a question comes before it.
            while let Ok(order) = self.orders.try_recv() {
                if let Some(decision) = self.take(order) {
                    return decision;
                }
            }
            if let Some(decision) = self.answer() {
                return decision;
            }
            match self.orders.recv().await.map(|order| self.take(order)) {
                Some(Some(decision)) => return decision,
                Some(None) => {}
                None => return pending().await,
            }
        }
    }
}
