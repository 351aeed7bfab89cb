//! End-to-end tests of Hybridge.
