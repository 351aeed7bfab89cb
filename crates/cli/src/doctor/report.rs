//! What the person or the program reads.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use super::finding::{Finding, Status};

/// All findings, and what they come to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    verdict: Verdict,
    checks: Vec<Finding>,
}

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Well,
    /// Something stops sign-in.
    Stopped,
    /// Something that sign-in needs could not be checked.
    Unknown,
}

impl Report {
    pub(super) fn new(checks: Vec<Finding>) -> Self {
        let verdict = if checks.iter().any(|finding| finding.status == Status::Fail) {
            Verdict::Stopped
        } else if checks.iter().any(Finding::is_essential_and_unknown) {
            Verdict::Unknown
        } else {
            Verdict::Well
        };
        Self { version: env!("CARGO_PKG_VERSION"), verdict, checks }
    }

    /// As documented in the help text.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.verdict {
            Verdict::Well => 0,
            Verdict::Stopped => 1,
            Verdict::Unknown => 3,
        })
    }

    /// Writes one JSON object, and the end of its line.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Writes a line for each finding, and one for what they come to.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for finding in &self.checks {
            writeln!(out, "{}", line(finding))?;
        }
        writeln!(out, "\n{}", self.summary())
    }

    fn summary(&self) -> String {
        let failed = self.checks.iter().filter(|finding| finding.status == Status::Fail).count();
        match (self.verdict, failed) {
            (Verdict::Well, _) => "All that sign-in needs is well.".to_owned(),
            (Verdict::Unknown, _) => "Something that sign-in needs could not be checked.".to_owned(),
            (Verdict::Stopped, 1) => "1 thing stops sign-in.".to_owned(),
            (Verdict::Stopped, count) => format!("{count} things stop sign-in. Mend the first one first."),
        }
    }
}

fn line(finding: &Finding) -> String {
    let mark = match finding.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Fail => "FAIL",
        Status::Unknown => "?",
    };
    let mut line = format!("{mark:<5}{}", finding.statement);
    if let Some(fix) = &finding.fix {
        line = format!("{line}. {}", sentence(fix));
    }
    if let Some(command) = finding.command {
        line = format!("{line}: {command}");
    }
    // Names and reasons come from other programs.
    line.replace(char::is_control, " ")
}

/// With a capital letter at its start.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{checks, finding::Check},
        *,
    };

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        report.write_text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_well_computer_has_one_line_for_each_check() {
        let report = Report::new(checks::findings(&checks::samples::system()));
        assert_eq!(report.verdict, Verdict::Well);
        assert_eq!(format!("{:?}", report.exit_code()), format!("{:?}", ExitCode::SUCCESS));
        let text = written(&report);
        assert_eq!(text.lines().count(), report.checks.len() + 2);
        assert!(text.lines().take(report.checks.len()).all(|line| line.starts_with("ok   ")), "{text}");
        assert!(text.ends_with("All that sign-in needs is well.\n"));
    }

    #[test]
    fn a_failure_weighs_more_than_what_is_unknown_and_a_warning_nothing() {
        let fail = Finding::fail(Check::Uhid, "broken", "mend");
        let essential = Finding::unknown(Check::KeyHelper, "hidden", "look");
        let other = Finding::unknown(Check::BluetoothVersion, "hidden", "look");
        let warn = Finding::warn(Check::Clock, "odd", "set it");
        let verdict =
            |findings: &[&Finding]| Report::new(findings.iter().copied().cloned().collect()).verdict;
        assert_eq!(verdict(&[&fail, &essential]), Verdict::Stopped);
        assert_eq!(verdict(&[&essential, &warn]), Verdict::Unknown);
        assert_eq!(verdict(&[&other, &warn]), Verdict::Well);
    }

    #[test]
    fn lines_have_the_fix_and_the_command_and_cannot_steer_a_terminal() {
        let finding = Finding::fail(Check::BluetoothPower, "off\u{1b}[2J\n", "switch it on").with("power on");
        assert_eq!(line(&finding), "FAIL off [2J . Switch it on: power on");
    }

    #[test]
    fn json_is_as_the_help_says() {
        let finding = Finding::fail(Check::BluetoothPower, "off", "switch it on").with("power on");
        let mut out = Vec::new();
        Report::new(vec![finding]).write_json(&mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "verdict": "stopped",
            "checks": [{
                "check": "bluetooth-power",
                "status": "fail",
                "statement": "off",
                "fix": "switch it on",
                "command": "power on",
            }],
        });
        assert_eq!(json, expected);
    }
}
