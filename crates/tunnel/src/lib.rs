//! Data channels of the FIDO hybrid transport: websocket to a tunnel service, in-memory pair.
