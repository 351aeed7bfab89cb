//! `hybridge completions` and `hybridge man`: what packages take from the command line.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;

use crate::{
    args::{Args, CompletionsArgs, ManArgs},
    error::Error,
};

mod page;

const PROGRAM: &str = "hybridge";

/// Writes the script of a shell.
pub(crate) fn completions(args: &CompletionsArgs, out: &mut impl Write) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), PROGRAM, &mut script);
    out.write_all(&script).map_err(Error::Write)
}

/// Writes the main page, or all of them into a folder.
pub(crate) fn man(args: &ManArgs, out: &mut impl Write) -> Result<(), Error> {
    match &args.dir {
        None => page::main(&Args::command()).and_then(|page| out.write_all(&page)).map_err(Error::Write),
        Some(folder) => write_all(folder).map_err(Error::Write),
    }
}

fn write_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in page::all(Args::command())? {
        let mut file = File::create(folder.join(name))?;
        file.write_all(&text)?;
        file.flush()?;
    }
    Ok(())
}
