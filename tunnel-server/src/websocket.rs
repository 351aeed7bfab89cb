//! Websocket framing for a service that forwards (RFC 6455 section 5): what one peer sends masked goes to the other
//! peer unmasked, frame by frame, in the buffer it was read into.
//!
//! A masked frame is four bytes longer than its unmasked form, and its mask lies just before the payload. So the head
//! is moved over the mask, the payload is unmasked where it is, and the frame is ready to be sent. A frame that is
//! longer than the buffer goes on in pieces; nothing waits for the end of a frame or message.

mod control;
mod head;
mod mask;
mod reframer;

pub use control::Control;
pub(crate) use control::{close_frame, pong_frame};
pub use head::Violation;
pub use reframer::{HEADROOM, Limits, Reframed, Reframer};
