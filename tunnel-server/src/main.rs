//! `hybridge-relay`: the tunnel service as a program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod program;

fn main() -> ExitCode {
    program::main()
}
