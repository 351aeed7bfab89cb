//! The command lines of `hybridge completions` and `hybridge man`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

const COMPLETIONS_HELP: &str = "\
The Debian package brings them for bash, fish and zsh.

Examples:
  source <(hybridge completions bash)
  hybridge completions fish > ~/.config/fish/completions/hybridge.fish
  hybridge completions zsh > /usr/local/share/zsh/site-functions/_hybridge";

const MAN_HELP: &str = "\
Examples:
  hybridge man | man -l -
  hybridge man --dir target/man";

/// Print a script that lets a shell complete the command line of this program
#[derive(ClapArgs)]
#[command(after_help = COMPLETIONS_HELP)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Print the page of the manual, or write one for the program and each verb
#[derive(ClapArgs)]
#[command(after_help = MAN_HELP)]
pub(crate) struct ManArgs {
    /// Write the pages into this folder, which is made if there is none: hybridge.1, hybridge-get.1 and so on
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
