//! What is printed in the end.

use std::io::{self, Write};

use serde::Serialize;

use crate::stats::median;

/// One measured value.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    value: f64,
}

/// What one round gives about one server.
#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<Figure>);

impl Sample {
    /// Notes a value, if there is one.
    pub(crate) fn note(&mut self, name: impl Into<String>, unit: &'static str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.0.push(Figure { name: name.into(), unit, value });
        }
    }
}

/// All rounds of a mode.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    mode: &'static str,
    settings: Vec<Setting>,
    rounds: u32,
    figures: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    value: String,
}

/// A figure over all rounds.
#[derive(Debug, Default, Serialize)]
struct Row {
    name: String,
    unit: &'static str,
    /// The median.
    service: Option<f64>,
    /// The median.
    floor: Option<f64>,
    /// The median of the rounds' ratios.
    ratio: Option<f64>,
    /// Every round's value, in order.
    service_rounds: Vec<f64>,
    floor_rounds: Vec<f64>,
}

impl Report {
    pub(crate) fn new(mode: &'static str) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Says what the figures hold for.
    pub(crate) fn set(&mut self, name: &'static str, value: impl ToString) {
        self.settings.push(Setting { name, value: value.to_string() });
    }

    /// Adds a round.
    pub(crate) fn add(&mut self, service: Sample, floor: Option<Sample>) {
        self.rounds = self.rounds.saturating_add(1);
        for Figure { name, unit, value } in service.0 {
            if let Some(row) = self.row(name, unit) {
                row.service_rounds.push(value);
                row.service = median(&row.service_rounds);
            }
        }
        for Figure { name, unit, value } in floor.into_iter().flat_map(|floor| floor.0) {
            if let Some(row) = self.row(name, unit) {
                row.floor_rounds.push(value);
                row.floor = median(&row.floor_rounds);
            }
        }
        for row in &mut self.figures {
            let pairs = row.service_rounds.iter().zip(&row.floor_rounds);
            let ratios: Vec<f64> = pairs.map(|(service, floor)| service / floor).collect();
            row.ratio = median(&ratios).filter(|ratio| ratio.is_finite());
        }
    }

    fn row(&mut self, name: String, unit: &'static str) -> Option<&mut Row> {
        let known = self.figures.iter().position(|row| row.name == name);
        if known.is_none() {
            self.figures.push(Row { name, unit, ..Row::default() });
        }
        match known {
            Some(at) => self.figures.get_mut(at),
            None => self.figures.last_mut(),
        }
    }

    /// The service's median of a figure, or the median of its ratios to the floor.
    pub(crate) fn value(&self, name: &str, of_floor: bool) -> Option<f64> {
        let row = self.figures.iter().find(|row| row.name == name)?;
        if of_floor { row.ratio } else { row.service }
    }

    /// One JSON object.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// A table for people.
    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let settings: Vec<String> =
            self.settings.iter().map(|setting| format!("{} {}", setting.name, setting.value)).collect();
        writeln!(out, "{}: {}; median of {} rounds", self.mode, settings.join(", "), self.rounds)?;
        let width = self.figures.iter().map(|row| row.name.chars().count()).max().unwrap_or_default().max(6);
        let has_floor = self.figures.iter().any(|row| row.floor.is_some());
        let floor = if has_floor { format!("{:>12}{:>8}", "floor", "ratio") } else { String::new() };
        writeln!(out, "\n{:width$}  {:<7}{:>12}{floor}", "figure", "unit", "service")?;
        for row in &self.figures {
            let mut line = format!("{:width$}  {:<7}{:>12}", row.name, row.unit, cell(row.service));
            if has_floor {
                line.push_str(&format!("{:>12}{:>8}", cell(row.floor), cell(row.ratio)));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Three digits that count, or all of a larger number.
fn cell(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.fract() == 0.0 || value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn sample(cpu: f64) -> Sample {
        let mut sample = Sample::default();
        sample.note("CPU", "s", Some(cpu));
        sample.note("unknown", "s", None);
        sample
    }

    pub(crate) fn report() -> Report {
        let mut report = Report::new("test");
        report.set("tunnels", 4);
        // A machine that is slow in the middle round.
        for (service, floor) in [(1.0, 2.0), (30.0, 40.0), (3.0, 4.0)] {
            report.add(sample(service), Some(sample(floor)));
        }
        report
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let report = report();
        let [row] = report.figures.as_slice() else { panic!("{report:?}") };
        assert_eq!((row.service, row.floor, row.ratio), (Some(3.0), Some(4.0), Some(0.75)));
    }

    #[test]
    fn the_table_shows_medians_and_ratio() {
        let mut out = Vec::new();
        report().write_table(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("test: tunnels 4; median of 3 rounds\n"), "{text}");
        let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["CPU", "s", "3", "4", "0.75"]);
    }

    #[test]
    fn the_json_holds_every_round() {
        let mut out = Vec::new();
        report().write_json(&mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["figures"][0]["floor_rounds"], serde_json::json!([2.0, 40.0, 4.0]));
    }

    #[test]
    fn numbers_are_short() {
        let cells = [None, Some(3.0), Some(0.123), Some(12.34), Some(123.4)].map(cell);
        assert_eq!(cells, ["", "3", "0.12", "12.3", "123"]);
    }
}
