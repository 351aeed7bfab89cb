//! The laptop's side of the FIDO hybrid transport: QR sessions and a CTAP channel to a phone.
