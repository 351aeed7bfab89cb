//! Who asks, and for what.

use crate::window::{
    event::{Operation, Phone, Program},
    text::{Name, Site},
};

/// Programs that are named.
pub const MAX_PROGRAMS: usize = 3;
/// Remembered phones that have a button.
pub const MAX_PHONES: usize = 6;

/// Who asks, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// What the phone is wanted for, if that was told.
    pub operation: Option<Operation>,
    /// Whose passkey.
    pub rp_id: Option<Site>,
    /// Whose account.
    pub user: Option<Name>,
    /// Which page. A security key is not told one.
    pub origin: Option<Site>,
    /// Programs that probably ask, at most [`MAX_PROGRAMS`].
    pub programs: Vec<Program>,
    /// How many more there are.
    pub more_programs: usize,
}

impl Asker {
    /// Nothing but programs.
    pub(super) fn of(mut programs: Vec<Program>) -> Self {
        let more_programs = programs.len().saturating_sub(MAX_PROGRAMS);
        programs.truncate(MAX_PROGRAMS);
        Self { programs, more_programs, ..Self::default() }
    }
}

/// As many as have a button.
pub(super) fn shown_phones(mut phones: Vec<Phone>) -> Vec<Phone> {
    phones.truncate(MAX_PHONES);
    phones
}
