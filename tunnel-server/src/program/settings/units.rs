//! Counts, sizes and times as people write them. Each has the word "unlimited" for its largest value.

use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use thiserror::Error;

/// What stands for no limit.
const UNLIMITED: &str = "unlimited";
/// Units of sizes, largest first.
const SIZE_UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of things: `2048`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

/// A number of bytes: `8192` or `8KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// A time: `30s` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

/// Why a text is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum UnitError {
    #[error("this is no whole number")]
    Count,
    #[error("this is no size")]
    Size,
    #[error("this is no time")]
    Time,
}

impl Count {
    /// For a limit on things in memory.
    pub(crate) fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Size {
    /// For a limit on bytes in memory.
    pub(crate) fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The largest count of things in memory is no limit, whatever the machine's word.
impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(if count == usize::MAX { u64::MAX } else { u64::try_from(count).unwrap_or(u64::MAX) })
    }
}

impl From<usize> for Size {
    fn from(bytes: usize) -> Self {
        Self(Count::from(bytes).0)
    }
}

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if text == UNLIMITED {
            return Ok(Self(u64::MAX));
        }
        text.replace('_', "").parse().map(Self).map_err(|_| UnitError::Count)
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        for (unit, bytes) in SIZE_UNITS {
            if let Some(number) = text.strip_suffix(unit) {
                let number: u64 = number.trim_end().parse().map_err(|_| UnitError::Size)?;
                return number.checked_mul(bytes).map(Self).ok_or(UnitError::Size);
            }
        }
        let number = text.strip_suffix('B').map_or(text, str::trim_end);
        number.parse().map(|Count(bytes)| Self(bytes)).map_err(|_| UnitError::Size)
    }
}

impl FromStr for Time {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if text == UNLIMITED {
            return Ok(Self(Duration::MAX));
        }
        humantime::parse_duration(text).map(Self).map_err(|_| UnitError::Time)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u64::MAX { f.write_str(UNLIMITED) } else { self.0.fmt(f) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        match SIZE_UNITS.iter().find(whole) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0.checked_div(*bytes).unwrap_or_default()),
            None => Count(self.0).fmt(f),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX {
            return f.write_str(UNLIMITED);
        }
        humantime::format_duration(self.0).fmt(f)
    }
}

/// Reads a text, or a number that counts the smallest unit.
struct TextOrNumber<T>(PhantomData<T>);

impl<T: FromStr<Err = UnitError>> Visitor<'_> for TextOrNumber<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! serde_as_text {
    ($($unit:ty),*) => {$(
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOrNumber(PhantomData))
            }
        }
    )*};
}

serde_as_text!(Count, Size, Time);

/// A number stays a number where TOML can say it.
impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(number) => serializer.serialize_i64(number),
            Err(_) => serializer.collect_str(self),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("8192", 8192),
            ("8KiB", 8192),
            ("1 MiB", 1 << 20),
            ("3GiB", 3 << 30),
            ("5B", 5),
            ("unlimited", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "KiB", "-1", "1.5MiB", "1MB", "1Mib", "99999999999GiB", "18446744073709551616"] {
            assert_eq!(text.parse::<Size>(), Err(UnitError::Size), "{text}");
        }
    }

    #[test]
    fn times_as_people_write_them() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("1h 30m", 5400), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Time(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "30", "s", "-5s", "soon"] {
            assert_eq!(text.parse::<Time>(), Err(UnitError::Time), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number: u64, millis in 0..u64::from(u32::MAX)) {
            prop_assert_eq!(Count(number).to_string().parse(), Ok(Count(number)));
            prop_assert_eq!(Size(number).to_string().parse(), Ok(Size(number)));
            let time = Time(Duration::from_millis(millis));
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn any_text_is_answered(text: String) {
            let _ = (text.parse::<Count>(), text.parse::<Size>(), text.parse::<Time>());
        }
    }
}
