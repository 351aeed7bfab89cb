//! The desktop's side of signing in with a phone: a window with the QR code, and a service in the background.
#![forbid(unsafe_code)]

#[cfg(feature = "program")]
pub mod service;
pub mod window;
