//! A software phone in a terminal.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    hybridge_phone::main()
}
