//! What is measured: pairs of an operation of this crate and the bare cryptography that it cannot do without.

mod adverts;
mod frames;
mod handshakes;

/// One operation beside its bare cryptography. Each call does the whole work once.
pub(crate) struct Comparison {
    /// The operation.
    pub(crate) operation: &'static str,
    /// The cryptography that it is compared with.
    pub(crate) cryptography: &'static str,
    /// How many times the time of the bare cryptography the operation may take.
    #[allow(dead_code, reason = "criterion measures each by itself")]
    pub(crate) bound: f64,
    /// The operation as callers use it.
    pub(crate) whole: Box<dyn FnMut()>,
    /// The cryptography alone, on prepared keys and buffers.
    pub(crate) bare: Box<dyn FnMut()>,
}

/// Every comparison, with keys of its own.
pub(crate) fn all() -> Vec<Comparison> {
    vec![
        handshakes::qr_initiated(),
        handshakes::state_assisted(),
        adverts::reject(),
        frames::seal_and_open::<1024>("frame of 1 KiB, sealed and opened"),
        frames::seal_and_open::<{ 64 * 1024 }>("frame of 64 KiB, sealed and opened"),
    ]
}
