//! What the frames carry (CTAP 2.2 section 11.5.1.4): the post-handshake message first, typed messages after it.

mod post_handshake;
mod typed;

pub use self::{
    post_handshake::{Features, PostHandshake, PostHandshakeError, Revision},
    typed::{Message, MessageError, MessageKind, Update},
};
