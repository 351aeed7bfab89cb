//! The phone's side of the FIDO hybrid transport: answers CTAP requests of a nearby laptop.
