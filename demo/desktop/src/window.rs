//! The window: who asks for a phone, the code, and how far it is.
//!
//! It is a view. Events come as lines on standard input, answers go as lines to standard output; it opens no radio and no
//! connection. [`model`] knows what is shown, on a clock that is passed in; [`view`] draws it; [`runner`] has the
//! window.

pub mod code;
pub mod event;
pub mod lines;
pub mod model;
pub mod page;
pub mod text;
pub mod words;

#[cfg(feature = "program")]
pub mod paint;
#[cfg(feature = "program")]
pub mod runner;
#[cfg(feature = "program")]
pub mod view;
