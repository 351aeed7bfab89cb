//! The events of `/dev/uhid` as bytes, in the byte order of the machine (`linux/uhid.h`).
//!
//! ```text
//! every event      type (4), then what belongs to it; the kernel takes what is missing at the end as zeros
//! CREATE2   11     name (128), phys (64), uniq (64), descriptor length (2), bus (2), vendor (4), product (4),
//!                  version (4), country (4), descriptor (4096)
//! DESTROY    1
//! INPUT2    12     length (2), data (4096)
//! OUTPUT     6     data (4096), length (2), report type (1)
//! GET_REPORT 9     ID (4), report number (1), report type (1); answered by GET_REPORT_REPLY
//!                  10: ID (4), error (2), length (2), data (4096)
//! SET_REPORT 13    ID (4), …; answered by SET_REPORT_REPLY 14: ID (4), error (2)
//! START 2, STOP 3, OPEN 4, CLOSE 5
//! ```

use crate::hid::{REPORT_DESCRIPTOR, REPORT_SIZE, Report};

/// Bytes of the largest event.
pub const EVENT_SIZE: usize = 4380;
/// Room for data in an event.
const DATA: usize = 4096;
/// The bus of the device. Programs look for security keys on USB only.
pub(crate) const BUS_USB: u16 = 0x03;
/// Of pid.codes, whose first products are for devices that never leave a machine.
pub(crate) const VENDOR: u32 = 0x1209;
pub(crate) const PRODUCT: u32 = 0x000f;
/// The device's name.
pub(crate) const NAME: &str = "Hybridge virtual security key";
/// `EIO`.
const INPUT_OUTPUT_ERROR: u16 = 5;
/// `UHID_OUTPUT_REPORT`.
const OUTPUT_REPORT: u8 = 1;

/// What the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelEvent {
    /// A program has opened the device, and is the first.
    Open,
    /// The last program has closed it.
    Close,
    /// A program sent a report.
    Output(Report),
    /// A program wants something by its ID that this device does not have.
    GetReport(u32),
    /// A program sets something by its ID that this device does not have.
    SetReport(u32),
    /// Something that needs no reaction: the device starts or stops, or a program sent what is no report.
    Other,
}

impl KernelEvent {
    /// Reads an event. Whatever is not understood is [`KernelEvent::Other`].
    pub fn read(event: &[u8]) -> Self {
        let Some((kind, contents)) = event.split_first_chunk() else { return Self::Other };
        let id = || contents.first_chunk().map(|id| u32::from_ne_bytes(*id));
        match u32::from_ne_bytes(*kind) {
            4 => Self::Open,
            5 => Self::Close,
            6 => output(contents).map_or(Self::Other, Self::Output),
            9 => id().map_or(Self::Other, Self::GetReport),
            13 => id().map_or(Self::Other, Self::SetReport),
            _ => Self::Other,
        }
    }
}

/// A report with its number before it, which is 0 as there are no numbers.
fn output(contents: &[u8]) -> Option<Report> {
    let (data, after) = contents.split_at_checked(DATA)?;
    let (length, after) = after.split_first_chunk()?;
    if usize::from(u16::from_ne_bytes(*length)) != REPORT_SIZE + 1 || after.first() != Some(&OUTPUT_REPORT) {
        return None;
    }
    match data.split_first()? {
        (0, report) => report.first_chunk().copied().map(Report),
        _ => None,
    }
}

/// The event that makes the device: a FIDO security key, and nothing else.
pub fn create() -> Vec<u8> {
    let mut event = 11_u32.to_ne_bytes().to_vec();
    for (text, size) in [(NAME, 128), ("hybridge", 64), ("", 64)] {
        let begin = event.len();
        event.extend_from_slice(text.as_bytes());
        event.resize(begin.saturating_add(size), 0);
    }
    let length = u16::try_from(REPORT_DESCRIPTOR.len()).unwrap_or_default();
    event.extend_from_slice(&length.to_ne_bytes());
    event.extend_from_slice(&BUS_USB.to_ne_bytes());
    for number in [VENDOR, PRODUCT, 1, 0] {
        event.extend_from_slice(&number.to_ne_bytes());
    }
    event.extend_from_slice(&REPORT_DESCRIPTOR);
    event
}

/// The event that takes the device away.
pub fn destroy() -> Vec<u8> {
    1_u32.to_ne_bytes().to_vec()
}

/// The event that gives a report to the programs.
pub fn input(report: &Report) -> Vec<u8> {
    let length = u16::try_from(REPORT_SIZE).unwrap_or_default();
    [12_u32.to_ne_bytes().as_slice(), &length.to_ne_bytes(), &report.0].concat()
}

/// The event that refuses what a program wanted; nothing if it wanted nothing.
pub fn refusal(of: KernelEvent) -> Option<Vec<u8>> {
    let (kind, id) = match of {
        KernelEvent::GetReport(id) => (10_u32, id),
        KernelEvent::SetReport(id) => (14_u32, id),
        _ => return None,
    };
    Some(
        [kind.to_ne_bytes().as_slice(), &id.to_ne_bytes(), &INPUT_OUTPUT_ERROR.to_ne_bytes(), &[0, 0]]
            .concat(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An OUTPUT event as the kernel writes it.
    fn output_event(data: &[u8], length: u16, kind: u8) -> Vec<u8> {
        let mut event = [6_u32.to_ne_bytes().as_slice(), data].concat();
        event.resize(4 + DATA, 0);
        event.extend_from_slice(&length.to_ne_bytes());
        event.push(kind);
        event.resize(EVENT_SIZE, 0);
        event
    }

    #[test]
    fn the_device_is_a_fido_security_key() {
        let event = create();
        assert_eq!(event.len(), 4 + 128 + 64 + 64 + 20 + 34);
        assert_eq!(event[..4], [11, 0, 0, 0]);
        assert_eq!(event[260..264], [34, 0, 3, 0], "length of the descriptor, bus");
        assert_eq!(event[264..272], [0x09, 0x12, 0, 0, 0x0f, 0, 0, 0]);
        assert_eq!(event[280..], REPORT_DESCRIPTOR);
        assert!(event.len() <= EVENT_SIZE);
    }

    #[test]
    fn reports_have_a_number_before_them() {
        let report = Report([7; 64]);
        let data = [&[0][..], &report.0].concat();
        assert_eq!(KernelEvent::read(&output_event(&data, 65, 1)), KernelEvent::Output(report));
        for bad in [
            output_event(&data, 64, 1),
            output_event(&data, 66, 1),
            output_event(&data, 65, 0),
            output_event(&data[1..], 65, 1),
        ] {
            assert_eq!(KernelEvent::read(&bad), KernelEvent::Other);
        }
        assert_eq!(KernelEvent::read(&output_event(&data, 65, 1)[..4100]), KernelEvent::Other);
        assert_eq!(input(&report), [&[12, 0, 0, 0, 64, 0][..], &report.0].concat());
    }

    #[test]
    fn what_there_is_not_is_refused() {
        let event = KernelEvent::read(&[9, 0, 0, 0, 1, 2, 3, 4, 0, 1]);
        assert_eq!(event, KernelEvent::GetReport(0x0403_0201));
        assert_eq!(refusal(event).unwrap(), [10, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0]);
        let event = KernelEvent::read(&[13, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(refusal(event).unwrap(), [14, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(refusal(KernelEvent::Open), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(kind in 0_u32..16, contents in prop::collection::vec(any::<u8>(), 0..EVENT_SIZE)) {
            let event = [&kind.to_ne_bytes()[..], &contents].concat();
            match KernelEvent::read(&event) {
                KernelEvent::Output(report) => prop_assert_eq!(&event[5..69], &report.0),
                KernelEvent::Open => prop_assert_eq!(kind, 4),
                KernelEvent::Close => prop_assert_eq!(kind, 5),
                _ => {}
            }
        }

        #[test]
        fn every_report_arrives(bytes in prop::array::uniform32(any::<u8>())) {
            let mut report = [0; 64];
            report[..32].copy_from_slice(&bytes);
            let data = [&[0][..], &report].concat();
            prop_assert_eq!(KernelEvent::read(&output_event(&data, 65, 1)), KernelEvent::Output(Report(report)));
        }
    }
}
