//! The device with a socket in the place of `/dev/uhid`.

use std::{
    os::unix::net::UnixDatagram,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::*;

/// More than the socket keeps by itself.
const MANY: u8 = 250;

/// A device, and the kernel, which has been told of it.
fn device() -> (Uhid, UnixDatagram) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (device, kernel) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let (uhid, kernel) = (Uhid::from_descriptor(device).unwrap(), UnixDatagram::from(kernel));
    // A socket that is closed with something unread would end the other at once.
    let mut told = vec![0; 2 * EVENT_SIZE];
    assert_eq!(kernel.recv(&mut told).unwrap(), create().len());
    (uhid, kernel)
}

/// A report of a program as the kernel tells it.
fn output(number: u8) -> Vec<u8> {
    let mut event = vec![6, 0, 0, 0, 0];
    event.resize(4 + 4096, number);
    event.extend_from_slice(&[65, 0, 1]);
    event
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the runtime is to be blocked")]
async fn the_kernel_does_not_wait_for_whoever_takes_events() {
    let (mut uhid, kernel) = device();
    // Nothing of the runtime runs meanwhile.
    let end = Instant::now() + Duration::from_secs(20);
    for number in 0..MANY {
        while kernel.send(&output(number)).is_err() {
            assert!(Instant::now() < end, "report {number} was not read");
            sleep(Duration::from_millis(1));
        }
    }
    for number in 0..MANY {
        assert_eq!(uhid.event().await.unwrap(), KernelEvent::Output(Report([number; 64])));
    }
}

#[tokio::test]
async fn the_end_of_the_device_is_told_behind_its_last_report() {
    let (mut uhid, kernel) = device();
    kernel.send(&output(1)).unwrap();
    drop(kernel);
    assert!(uhid.event().await.is_ok());
    for _ in 0..2 {
        assert!(uhid.event().await.is_err());
    }
}

#[tokio::test]
async fn the_thread_ends_with_the_device() {
    let (uhid, kernel) = device();
    drop(uhid);
    kernel.set_nonblocking(false).unwrap();
    kernel.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut buffer = vec![0; 2 * EVENT_SIZE];
    let mut lengths = std::iter::from_fn(|| Some(kernel.recv(&mut buffer).unwrap()));
    assert_eq!(lengths.next(), Some(destroy().len()));
    assert_eq!(lengths.next(), Some(0), "the last descriptor is closed");
}
