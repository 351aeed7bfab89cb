//! Runs a folder of vector files and accounts for everything in it.

mod adverts;
mod codes;
mod frames;
mod handshakes;
mod interop;
mod iphone;
mod keys;
mod links;
mod messages;
mod mutations;
mod replay_authenticator;
mod replay_client;
mod sessions;

use std::{collections::BTreeSet, fmt, fs, path::Path};

use crate::tracked::{Document, Failure, Node, Outcome};

/// A vector file and what is done with it.
struct File {
    name: &'static str,
    run: fn(&Node<'_>) -> Outcome,
    /// A folder may lack it.
    optional: bool,
    /// Sections that need not be exercised, as JSON pointers.
    exempt: &'static [&'static str],
}

impl File {
    const fn new(name: &'static str, run: fn(&Node<'_>) -> Outcome) -> Self {
        Self { name, run, optional: false, exempt: &[] }
    }
}

const FILES: [File; 12] = [
    File::new("digits.json", codes::digits_file),
    File::new("qr.json", codes::qr_file),
    File::new("hkdf.json", keys::hkdf_file),
    File::new("eid.json", adverts::eid_file),
    File::new("tunnel_domains.json", adverts::domains_file),
    File::new("noise_knpsk0.json", handshakes::noise_file),
    File::new("noise_nkpsk0.json", handshakes::noise_file),
    File {
        // Revision 0 of the frames, which no current peer speaks and this crate leaves out.
        exempt: &["/legacy_v2_0"],
        ..File::new("transport.json", frames::transport_file)
    },
    File::new("messages.json", messages::messages_file),
    File::new("linking.json", links::linking_file),
    File::new("session.json", sessions::session_file),
    File { optional: true, ..File::new("interop.json", interop::interop_file) },
];

/// The names of all files that the runner knows.
pub(crate) fn known_files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|file| file.name)
}

/// How many cases of each file were run, and what failed.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) cases: Vec<(&'static str, usize)>,
    pub(crate) failures: Vec<Failure>,
}

impl Report {
    pub(crate) fn total(&self) -> usize {
        self.cases.iter().map(|(_, cases)| cases).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, cases) in &self.cases {
            writeln!(f, "{name:<22}{cases:>5} cases")?;
        }
        writeln!(f, "{:<22}{:>5} cases", "total", self.total())?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "FAILED {failure}"))
    }
}

/// Runs every file of a folder. A missing file is a failure, and so is one that nothing here runs; prose is ignored.
pub(crate) fn run_folder(folder: &Path) -> Report {
    let mut report = Report::default();
    let mut left = match entries(folder) {
        Ok(names) => names,
        Err(error) => {
            report.failures.push(Failure::new(folder.display(), error));
            return report;
        }
    };
    for file in &FILES {
        if !left.remove(file.name) && file.optional {
            continue;
        }
        match run(folder, file) {
            Ok(cases) => report.cases.push((file.name, cases)),
            Err(failure) => report.failures.push(failure),
        }
    }
    left.retain(|name| !name.ends_with(".md"));
    report.failures.extend(left.into_iter().map(|name| Failure::new(name, "nothing here runs this file")));
    report
}

fn entries(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Runs the one file and returns the number of its cases.
pub(crate) fn run_file(folder: &Path, name: &str) -> Outcome<usize> {
    let file = FILES.iter().find(|file| file.name == name);
    run(folder, file.ok_or_else(|| Failure::new(name, "nothing here runs this file"))?)
}

fn run(folder: &Path, file: &File) -> Outcome<usize> {
    let document = Document::read(folder, file.name)?;
    (file.run)(&document.root())?;
    document.all_visited(file.exempt)?;
    Ok(document.cases())
}
