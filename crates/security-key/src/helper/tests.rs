//! The relay, with a socket in the place of `/dev/uhid`.

use proptest::prelude::*;
use rustix::net::socketpair;
use tokio::runtime::Runtime;

use super::*;
use crate::uhid::{EVENT_SIZE, create, input};

fn pair() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
}

/// A program, and the kernel.
struct Ends {
    program: Packets,
    kernel: StdSocket,
}

impl Ends {
    /// Runs the relay to its end while the test does something with both ends.
    async fn relay(test: impl AsyncFnOnce(&Ends)) -> (io::Error, Vec<Vec<u8>>) {
        let ((program, helper), (device, kernel)) = (pair(), pair());
        let ends = Ends { program: Packets::new(program).unwrap(), kernel: StdSocket::from(kernel) };
        let helper = async move {
            let (program, mut uhid) = (Packets::new(helper).unwrap(), Uhid::from_descriptor(device).unwrap());
            relay(&program, &mut uhid).await
        };
        let test = async {
            test(&ends).await;
            let Ends { program, kernel } = ends;
            drop(program);
            kernel
        };
        let (error, kernel) = tokio::join!(helper, test);
        (error, events(&kernel))
    }
}

/// What the kernel was told.
fn events(kernel: &StdSocket) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; 2 * EVENT_SIZE];
    let mut events = Vec::new();
    while let Ok(length @ 1..) = kernel.recv(&mut buffer) {
        events.push(buffer[..length].to_vec());
    }
    events
}

fn output(report: &Report) -> Vec<u8> {
    let mut event = vec![6, 0, 0, 0, 0];
    event.extend_from_slice(&report.0);
    event.resize(4 + 4096, 0);
    event.extend_from_slice(&[65, 0, 1]);
    event
}

#[tokio::test]
async fn reports_are_relayed_and_the_end_is_told() {
    let (up, down) = (Report([1; 64]), Report([2; 64]));
    let (error, events) = Ends::relay(async |ends| {
        for event in [vec![2, 0, 0, 0], vec![4, 0, 0, 0], output(&up), vec![5, 0, 0, 0]] {
            ends.kernel.send(&event).unwrap();
        }
        assert_eq!(ends.program.receive().await.unwrap(), Packet::Report(up));
        assert_eq!(ends.program.receive().await.unwrap(), Packet::Closed);
        ends.program.send(&down.0).await.unwrap();
    })
    .await;
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(events, [create(), input(&down), crate::uhid::destroy()]);
}

#[tokio::test]
async fn no_other_event_gets_through() {
    let keyboard =
        [&11_u32.to_ne_bytes()[..], &[0; 276], &[0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0]].concat();
    let as_input = [&12_u32.to_ne_bytes()[..], &[8, 0], &[0; 64]].concat();
    for packet in
        [keyboard, as_input, vec![1, 0, 0, 0], vec![0], vec![0; 63], vec![0; 65], vec![0; EVENT_SIZE]]
    {
        let (error, events) = Ends::relay(async |ends| ends.program.send(&packet).await.unwrap()).await;
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{} bytes", packet.len());
        assert_eq!(events, [create(), crate::uhid::destroy()], "one security key was made, and taken away");
    }
    // What looks like another event and has the size of a report is the data of a report.
    let mut disguised = [0; 64];
    disguised[..4].copy_from_slice(&11_u32.to_ne_bytes());
    let (_, events) = Ends::relay(async |ends| ends.program.send(&disguised).await.unwrap()).await;
    assert_eq!(events, [create(), input(&Report(disguised)), crate::uhid::destroy()]);
}

#[tokio::test]
async fn the_device_can_vanish() {
    let ((program, helper), (device, kernel)) = (pair(), pair());
    let mut uhid = Uhid::from_descriptor(device).unwrap();
    let helper = Packets::new(helper).unwrap();
    drop(kernel);
    relay(&helper, &mut uhid).await;
    drop((helper, uhid));
    let mut program = HelperSocket::new(Packets::new(program).unwrap());
    assert_eq!(program.receive().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn the_kernel_says_who_connects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let mut program = HelperSocket::connect(&path).unwrap();
    let helper = listener.accept().await.unwrap();
    let peer = helper.peer().unwrap();
    assert_eq!(peer.user, rustix::process::geteuid().as_raw());
    assert_eq!(peer.process, i32::try_from(std::process::id()).unwrap());
    drop(helper);
    assert!(program.receive().await.is_err(), "refused");
    Listener::bind(&path, 0o600).expect("in place of the one of before");
    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(Listener::bind(&file, 0o600).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_program_sends_the_kernel_sees_one_device_and_reports(
        packets in prop::collection::vec(
            prop_oneof![
                2 => prop::collection::vec(any::<u8>(), 64),
                1 => prop::collection::vec(any::<u8>(), 1..200),
            ],
            0..12,
        ),
    ) {
        let runtime = Runtime::new().unwrap();
        let sent = packets.clone();
        let (_, events) = runtime.block_on(Ends::relay(async move |ends| {
            for packet in &sent {
                // The relay may have ended.
                let _ = ends.program.send(packet).await;
            }
        }));
        let reports: Vec<_> = packets.iter().take_while(|packet| packet.len() == 64).collect();
        prop_assert_eq!(events.len(), reports.len() + 2);
        prop_assert_eq!(&events[0], &create());
        for (event, report) in events[1..].iter().zip(reports) {
            prop_assert_eq!(event, &[&[12, 0, 0, 0, 64, 0][..], report].concat());
        }
    }
}
