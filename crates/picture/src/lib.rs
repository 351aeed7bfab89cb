//! QR pictures.
#![forbid(unsafe_code)]
