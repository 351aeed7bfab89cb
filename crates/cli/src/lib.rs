//! The hybridge program.
