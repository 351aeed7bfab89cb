//! What a figure must not exceed.

use std::str::FromStr;

use crate::{error::Error, report::Report};

/// The most that a figure may be: of the service itself, or as a multiple of the floor's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    name: String,
    most: f64,
    of_floor: bool,
}

impl FromStr for Bound {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The names of some figures have an equals sign in them.
        let (name, value) =
            text.rsplit_once('=').ok_or("write FIGURE=VALUE, such as 'CPU per set-up=1.3x'")?;
        let (number, of_floor) = value.strip_suffix('x').map_or((value, false), |number| (number, true));
        let most: f64 =
            number.trim().parse().map_err(|_| "the value is a number, with an x behind it for a ratio")?;
        if !most.is_finite() {
            return Err("the value is a finite number");
        }
        Ok(Self { name: name.trim().to_owned(), most, of_floor })
    }
}

impl Bound {
    /// Holds a result against the bound. A figure that was not measured has not kept it.
    pub(crate) fn check(&self, report: &Report) -> Result<(), Error> {
        let Self { name, most, of_floor } = self;
        let measured = report.value(name, *of_floor);
        let value = measured.ok_or_else(|| Error::NoFigure(name.clone()))?;
        if value > *most {
            return Err(Error::AboveBound { name: name.clone(), value, most: *most });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    fn check(bound: &str) -> Result<(), Error> {
        bound.parse::<Bound>().unwrap().check(&report())
    }

    #[test]
    fn figures_and_ratios_are_held_against_their_bounds() {
        check("CPU=3").unwrap();
        check("CPU = 0.75x").unwrap();
        assert!(matches!(check("CPU=2.9"), Err(Error::AboveBound { .. })));
        assert!(matches!(check("CPU=0.74x"), Err(Error::AboveBound { .. })));
        assert!(matches!(check("memory=1000"), Err(Error::NoFigure(_))));
    }

    #[test]
    fn other_texts_are_no_bounds() {
        for text in ["", "CPU", "CPU=", "CPU=much", "CPU=nan", "CPU=infx"] {
            assert!(text.parse::<Bound>().is_err(), "{text}");
        }
    }
}
