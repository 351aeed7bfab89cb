//! What the kernel counts of processes (proc(5)).

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// ESRCH: of a file in /proc that was opened before its process ended.
const NO_SUCH_PROCESS: i32 = 3;

/// A moment of some processes.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// Kilobytes of memory that are in use, shared ones counted in each process.
    pub(crate) resident: u64,
    /// The same, shared ones counted in parts.
    pub(crate) proportional: u64,
    pub(crate) processes: usize,
    /// How often each thread was put on a processor, by its number.
    pub(crate) runs: BTreeMap<u32, u64>,
}

impl Sample {
    /// A process and all that descend from it.
    pub(crate) fn take(root: u32) -> io::Result<Self> {
        let mut sample = Self::default();
        let process = |number| PathBuf::from(format!("/proc/{number}"));
        let family = family(root, &parents()?);
        sample.add_process(&process(root))?;
        for other in family.into_iter().filter(|number| *number != root) {
            unless_ended(sample.add_process(&process(other)))?;
        }
        Ok(sample)
    }

    fn add_process(&mut self, folder: &Path) -> io::Result<()> {
        let memory = fs::read_to_string(folder.join("smaps_rollup"))?;
        for task in fs::read_dir(folder.join("task"))? {
            unless_ended(self.add_task(&task?.path()))?;
        }
        self.resident = self.resident.saturating_add(number(&memory, "Rss:"));
        self.proportional = self.proportional.saturating_add(number(&memory, "Pss:"));
        self.processes = self.processes.saturating_add(1);
        Ok(())
    }

    fn add_task(&mut self, folder: &Path) -> io::Result<()> {
        let status = fs::read_to_string(folder.join("status"))?;
        let switches = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        let runs = switches.iter().map(|name| number(&status, name)).sum();
        let task = folder.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or_default();
        self.runs.insert(task, runs);
        Ok(())
    }

    /// How often threads woke up since an earlier sample. One that has ended meanwhile woke up for that.
    pub(crate) fn wakes_since(&self, earlier: &Self) -> u64 {
        let before = |task| earlier.runs.get(task).copied().unwrap_or_default();
        let woken = self.runs.iter().map(|(task, runs)| runs.saturating_sub(before(task)));
        let ended = earlier.runs.keys().filter(|task| !self.runs.contains_key(task)).map(|_| 1);
        woken.chain(ended).sum()
    }
}

/// Passes over a process or thread that has ended since it was listed.
fn unless_ended(read: io::Result<()>) -> io::Result<()> {
    let ended = |error: &io::Error| {
        error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS)
    };
    read.or_else(|error| if ended(&error) { Ok(()) } else { Err(error) })
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> u64 {
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    value.unwrap_or_default()
}

/// The parent of each process.
fn parents() -> io::Result<BTreeMap<u32, u32>> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since.
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        parents.extend(parent(&stat).map(|parent| (process, parent)));
    }
    Ok(parents)
}

/// The parent in a process's line. The name before it may hold anything, parentheses too.
fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn family(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let descends = |process: u32| {
        let line = std::iter::successors(Some(process), |process| parents.get(process).copied());
        // Numbers are used again, so a line could be a ring for a moment.
        line.take(64).any(|ancestor| ancestor == root)
    };
    parents.keys().copied().filter(|process| descends(*process)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_of_the_kernel_are_read() {
        let rollup =
            "5581-7ffd ---p 00000000 00:00 0 [rollup]\nRss:    1234 kB\nPss:     567 kB\nPss_Dirty: 9 kB\n";
        assert_eq!((number(rollup, "Rss:"), number(rollup, "Pss:"), number(rollup, "Swap:")), (1234, 567, 0));
        assert_eq!(parent("17 (a) b (c)) S 16 17 17 0 -1"), Some(16));
        assert_eq!(parent("17 a S 16"), None);
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 7), (7, 6)]);
        assert_eq!(family(2, &parents), [2, 3, 4]);
    }

    #[test]
    fn wakes_are_what_was_added() {
        let sample =
            |runs: &[(u32, u64)]| Sample { runs: runs.iter().copied().collect(), ..Sample::default() };
        let before = sample(&[(1, 10), (2, 5), (3, 7)]);
        assert_eq!(sample(&[(1, 10), (2, 5), (3, 7)]).wakes_since(&before), 0);
        assert_eq!(sample(&[(1, 12), (2, 5), (4, 3)]).wakes_since(&before), 2 + 3 + 1);
    }

    #[test]
    fn what_has_ended_is_passed_over_unless_it_is_the_root() {
        let read = |number| unless_ended(Err(io::Error::from_raw_os_error(number)));
        assert!(read(2).is_ok() && read(NO_SUCH_PROCESS).is_ok());
        assert!(read(13).is_err(), "it is there, and may not be read");
        assert!(Sample::take(u32::MAX).is_err(), "there is no such process");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a thread that waits is what is looked at")]
    fn this_process_is_seen_to_wake_up() {
        let own = std::process::id();
        let before = Sample::take(own).unwrap();
        assert!(before.resident > 500 && before.processes >= 1);
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(Sample::take(own).unwrap().wakes_since(&before) >= 5);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,40}|(Rss: ?[0-9]{0,30}\n|\\) S [0-9-]{0,12}){0,3}") {
            let _ = (number(&text, "Rss:"), parent(&text));
        }
    }
}
