//! Radios of the FIDO hybrid transport: scanner and advertiser traits, and a simulated air.
