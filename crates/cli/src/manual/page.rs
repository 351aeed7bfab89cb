//! A page of the manual, made of the help.

use std::io::{self, Write};

use clap::{Command, builder::StyledStr};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

/// The name of the manual, at the top of each page.
const MANUAL: &str = "Hybridge";

/// The page of the program.
pub(super) fn main(command: &Command) -> io::Result<Vec<u8>> {
    page(&built(command.clone()))
}

/// The pages of the program and of its verbs, with the names of their files.
pub(super) fn all(command: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let command = built(command);
    let mut pages = vec![(format!("{}.1", command.get_name()), page(&command)?)];
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        pages.push((format!("{}-{}.1", command.get_name(), verb.get_name()), page(verb)?));
    }
    Ok(pages)
}

fn built(command: Command) -> Command {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    command
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let man = Man::new(described(command.clone()));
    let mut page = Vec::new();
    // The library leaves an empty date out, and what follows would be taken for it.
    writeln!(page, ".TH {name} 1 \"\" \"hybridge {}\" {MANUAL}", env!("CARGO_PKG_VERSION"))?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(more) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        notes(&more.to_string()).to_writer(&mut page)?;
    }
    Ok(page)
}

/// With what stands before the help as the description, as the manual has no other place for it.
fn described(command: Command) -> Command {
    let before = command.get_before_long_help().map(StyledStr::to_string);
    match before {
        Some(before) => command.long_about(before),
        None => command,
    }
}

/// What stands behind the help, its lines as they are: there are tables in it.
fn notes(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["NOTES"]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    /// The pages with the formatter's escapes undone.
    fn pages() -> Vec<(String, String)> {
        let plain = |page| String::from_utf8(page).unwrap().replace("\\-", "-").replace("\\*(Aq", "'");
        let text = |(name, page)| (name, plain(page));
        all(Args::command()).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn each_verb_has_a_page_and_stands_on_the_main_one() {
        let pages = pages();
        let command = Args::command();
        let verbs: Vec<_> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
        assert!(verbs.len() >= 7, "{verbs:?}");
        assert_eq!(pages.len(), verbs.len() + 1);
        for verb in verbs {
            let name = format!("hybridge-{}.1", verb.get_name());
            let (_, page) = pages.iter().find(|(file, _)| *file == name).unwrap();
            assert!(page.contains(".SH SYNOPSIS") && page.contains(&verb.get_about().unwrap().to_string()));
            let listed = format!("hybridge-{}(1)", verb.get_name());
            assert!(pages[0].1.contains(&listed), "{listed} in {}", pages[0].1);
        }
        assert_eq!(main(&command).unwrap(), all(Args::command()).unwrap().remove(0).1);
    }

    #[test]
    fn every_option_and_every_line_behind_the_help_is_there() {
        let pages = pages();
        for verb in built(Args::command()).get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let name = format!("hybridge-{}.1", verb.get_name());
            let (_, page) = pages.iter().find(|(file, _)| *file == name).unwrap();
            for option in verb.get_arguments().filter_map(|argument| argument.get_long()) {
                assert!(page.contains(&format!("--{option}")), "{option} in {name}");
            }
            let lines = verb.get_after_long_help().or(verb.get_after_help()).map(StyledStr::to_string);
            for line in lines.iter().flat_map(|lines| lines.lines()) {
                assert!(page.contains(line), "{line} in {name}: {page}");
            }
        }
    }

    #[test]
    fn what_stands_before_the_help_is_the_description() {
        let (_, key) = pages().into_iter().find(|(file, _)| file == "hybridge-key.1").unwrap();
        assert!(key.contains("Every program that knows security keys"), "{key}");
    }
}
