//! The folders that seeds go to.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

/// All corpora, and how many seeds each has got.
pub(crate) struct Corpus {
    root: PathBuf,
    written: BTreeMap<&'static str, usize>,
}

impl Corpus {
    /// Writes below `root`.
    pub(crate) const fn new(root: PathBuf) -> Self {
        Self { root, written: BTreeMap::new() }
    }

    /// Adds a seed to a target.
    pub(crate) fn add(&mut self, target: &'static str, seed: impl AsRef<[u8]>) -> io::Result<()> {
        let folder = self.root.join(target);
        let number = self.written.entry(target).or_default();
        if *number == 0 {
            fs::create_dir_all(&folder)?;
        }
        fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        *number += 1;
        Ok(())
    }

    /// Every target with its number of seeds.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, usize)> {
        self.written.iter().map(|(target, seeds)| (*target, *seeds))
    }
}
