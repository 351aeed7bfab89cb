//! `hybridge-relay`: the tunnel service as a program.

use std::process::ExitCode;

mod program;

fn main() -> ExitCode {
    program::main()
}
