//! The checks themselves.

use std::time::Duration;

use tokio::time::timeout;

use super::meeting::{Meeting, listen, pass, receive, same, send, within};
use super::{Check, Rig};
use crate::RadioError;
use crate::conformance::Problem;
use crate::l2cap::{L2capListening, L2capSocket};

pub(super) async fn run(check: Check, rig: &impl Rig) -> Result<(), Problem> {
    match check {
        Check::PsmsAreDynamic => psms_are_dynamic(rig).await,
        Check::PacketsUntouched => packets_untouched(rig).await,
        Check::OversizeRefused => oversize_refused(rig).await,
        Check::ManyPackets => many_packets(rig).await,
        Check::TwoConnections => two_connections(rig).await,
        Check::DropDisconnects => drop_disconnects(rig).await,
        Check::NobodyListens => nobody_listens(rig).await,
        Check::ListeningIsNotTheConnection => listening_is_not_the_connection(rig).await,
        Check::WaitingIsCancelSafe => waiting_is_cancel_safe(rig).await,
        Check::ConnectIsCancelSafe => connect_is_cancel_safe(rig).await,
    }
}

async fn psms_are_dynamic(rig: &impl Rig) -> Result<(), Problem> {
    let (first, second) = (listen(rig).await?, listen(rig).await?);
    let psms = [first.psm(), second.psm()];
    let dynamic = psms.iter().all(|psm| (0x80..=0xFF).contains(psm));
    if dynamic && first.psm() != second.psm() { Ok(()) } else { Err(Problem::Psms(psms)) }
}

/// Bytes that are not the same anywhere.
fn packet(length: usize, number: u8) -> Vec<u8> {
    (0..=u8::MAX).cycle().skip(number.into()).take(length).collect()
}

async fn packets_untouched(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (near, far) = meeting.pair().await?;
    for (from_far, mtu) in [(false, near.send_mtu()), (true, far.send_mtu())] {
        for (number, length) in (0..).zip([1, 2, 22, 23, 83.min(mtu), mtu.saturating_sub(1), mtu]) {
            let packet = packet(length, number);
            if from_far {
                pass(rig, &far, &near, &packet).await?;
            } else {
                pass(rig, &near, &far, &packet).await?;
            }
        }
    }
    // In a row, so that a radio that joins packets is found out.
    for length in [1, 2, 3] {
        send(rig, &near, &packet(length, 7)).await?;
    }
    for length in [1, 2, 3] {
        same(&packet(length, 7), &receive(rig, &far).await?)?;
    }
    Ok(())
}

async fn oversize_refused(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (near, far) = meeting.pair().await?;
    let (max, actual) = (near.send_mtu(), near.send_mtu().saturating_add(1));
    match timeout(rig.patience(), near.send(&packet(actual, 0))).await {
        Ok(Err(RadioError::PacketTooLarge { actual: told, max: limit }))
            if (told, limit) == (actual, max) => {}
        Ok(Err(other)) => return Err(Problem::WrongRefusal(other)),
        Ok(Ok(())) => return Err(Problem::OversizeAccepted { length: actual, max }),
        Err(_) => return Err(Problem::Stuck { action: "refuse a packet", bound: rig.patience() }),
    }
    pass(rig, &near, &far, &packet(max, 1)).await
}

/// Sends packets at one end and reads them at the other.
async fn stream(rig: &impl Rig, from: &impl L2capSocket, to: &impl L2capSocket) -> Result<(), Problem> {
    let length = 200.min(from.send_mtu());
    let sending = async {
        for number in 0..100 {
            send(rig, from, &packet(length, number)).await?;
        }
        Ok(())
    };
    let receiving = async {
        for number in 0..100 {
            same(&packet(length, number), &receive(rig, to).await?)?;
        }
        Ok(())
    };
    tokio::try_join!(sending, receiving).map(|_| ())
}

async fn many_packets(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (near, far) = meeting.pair().await?;
    tokio::try_join!(stream(rig, &near, &far), stream(rig, &far, &near)).map(|_| ())
}

async fn two_connections(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (first, far_first) = meeting.pair().await?;
    let (second, far_second) = meeting.pair().await?;
    send(rig, &second, b"second").await?;
    send(rig, &first, b"first").await?;
    same(b"first", &receive(rig, &far_first).await?)?;
    same(b"second", &receive(rig, &far_second).await?)?;
    drop(first);
    pass(rig, &far_second, &second, b"still here").await
}

/// Waits until an end knows that the other one is gone.
async fn notices(rig: &impl Rig, end: &impl L2capSocket) -> Result<(), Problem> {
    let bound = rig.patience();
    let gone = timeout(bound, async {
        loop {
            if let Err(error) = end.receive().await {
                return error;
            }
        }
    });
    match gone.await {
        Ok(RadioError::Disconnected) => {}
        Ok(other) => return Err(Problem::WrongEnd(other)),
        Err(_) => return Err(Problem::Stuck { action: "notice that the other device left", bound }),
    }
    match timeout(bound, end.send(b"too late")).await {
        Ok(Err(RadioError::Disconnected)) => Ok(()),
        Ok(Err(other)) => Err(Problem::WrongEnd(other)),
        Ok(Ok(())) => Err(Problem::StillConnected),
        Err(_) => Err(Problem::Stuck { action: "refuse to send", bound }),
    }
}

async fn drop_disconnects(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (near, far) = meeting.pair().await?;
    pass(rig, &near, &far, b"last words").await?;
    drop(near);
    notices(rig, &far).await?;
    let (near, far) = meeting.pair().await?;
    drop(far);
    notices(rig, &near).await
}

/// Expects that nobody can be connected to.
async fn refused<R: Rig>(rig: &R, meeting: &Meeting<'_, R>, psm: u16) -> Result<(), Problem> {
    let bound = rig.patience();
    match timeout(bound, meeting.connecting(psm)).await {
        Ok(Err(RadioError::Unreachable)) => Ok(()),
        Ok(Err(other)) => Err(Problem::WrongEnd(other)),
        Ok(Ok(_)) => Err(Problem::StillConnected),
        Err(_) => Err(Problem::Stuck { action: "refuse to connect", bound }),
    }
}

async fn nobody_listens(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let second = listen(rig).await?;
    let psm = second.psm();
    drop(second);
    refused(rig, &meeting, psm).await?;
    // The device as such is there.
    drop(meeting.pair().await?);
    meeting.renew().await?;
    drop(meeting.pair().await?);
    Ok(())
}

async fn listening_is_not_the_connection(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let (near, far) = meeting.pair().await?;
    drop(meeting.end());
    pass(rig, &near, &far, b"there").await?;
    pass(rig, &far, &near, b"and back").await
}

/// Looks at a future and drops it.
async fn glimpse<T>(future: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::from_millis(1), future).await.ok()
}

async fn waiting_is_cancel_safe(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    for _ in 0..3 {
        if glimpse(meeting.listening.accept()).await.is_some() {
            return Err(Problem::StillConnected);
        }
    }
    let near = meeting.connect().await?;
    let glimpsed = glimpse(meeting.listening.accept()).await;
    let far = match glimpsed {
        Some(accepted) => accepted.map_err(|source| Problem::Radio { action: "accept", source })?,
        None => meeting.accept().await?,
    };
    for number in 0..3 {
        if glimpse(far.receive()).await.is_some() {
            return Err(Problem::PacketChanged { sent: 0, received: 1 });
        }
        send(rig, &near, &packet(20, number)).await?;
        let received = match glimpse(far.receive()).await {
            Some(received) => received.map_err(|source| Problem::Radio { action: "receive", source })?,
            None => receive(rig, &far).await?,
        };
        same(&packet(20, number), &received)?;
    }
    Ok(())
}

async fn connect_is_cancel_safe(rig: &impl Rig) -> Result<(), Problem> {
    let mut meeting = Meeting::new(rig).await?;
    let psm = meeting.listening.psm();
    for after in [0, 1, 5, 20, 100] {
        drop(timeout(Duration::from_millis(after), meeting.connecting(psm)).await);
        // One that came about all the same is over.
        while let Ok(accepted) = timeout(rig.bounds().withdraw, meeting.listening.accept()).await {
            let socket = accepted.map_err(|source| Problem::Radio { action: "accept", source })?;
            notices(rig, &socket).await?;
        }
    }
    let near = meeting.connect().await?;
    let far = within(rig, "accept a connection", meeting.listening.accept()).await?;
    pass(rig, &near, &far, b"the one that stayed").await
}
