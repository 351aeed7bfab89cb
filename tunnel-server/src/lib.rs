//! A tunnel service for the FIDO hybrid transport.
