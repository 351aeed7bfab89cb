//! Many tunnels at once.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    end::End,
    error::Error,
    progress::Progress,
    stats::Times,
    target::{Target, Tunnel},
    wire::Message,
};

/// Tunnels that are set up at once where no one asked for a number.
pub(crate) const AT_ONCE: u32 = 32;

/// Sets tunnels up, `at_once` at a time.
pub(crate) async fn set_up(
    target: &Target,
    count: u32,
    at_once: u32,
    progress: &Progress,
) -> Result<Vec<Tunnel>, Error> {
    let mut tunnels = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    let at_once = usize::try_from(at_once).unwrap_or(1);
    let mut setting_up = stream::iter(0..count).map(|_| target.tunnel()).buffer_unordered(at_once);
    while let Some(tunnel) = setting_up.next().await {
        tunnels.push(tunnel?);
        progress.advance(1);
    }
    Ok(tunnels)
}

/// What a rally came to.
pub(crate) struct Rally {
    /// The same tunnels, to be used again.
    pub(crate) tunnels: Vec<Tunnel>,
    /// Of the round trips.
    pub(crate) times: Times,
    pub(crate) took: Duration,
}

/// Sends a message to and fro in every tunnel, `trips` times each, all tunnels at once.
pub(crate) async fn rally(
    tunnels: Vec<Tunnel>,
    message: &Arc<Message>,
    trips: u32,
    progress: &Progress,
) -> Result<Rally, Error> {
    let mut players = JoinSet::new();
    let start = Instant::now();
    for tunnel in tunnels {
        players.spawn(play(tunnel, Arc::clone(message), trips));
    }
    let (mut tunnels, mut times) = (Vec::with_capacity(players.len()), Vec::new());
    while let Some(played) = players.join_next().await {
        // A player that panicked has said so.
        let (tunnel, trips) = played.map_err(|_| Error::Ended)??;
        tunnels.push(tunnel);
        times.extend(trips);
        progress.advance(1);
    }
    Ok(Rally { tunnels, times: Times::new(times), took: start.elapsed() })
}

async fn play(
    mut tunnel: Tunnel,
    message: Arc<Message>,
    trips: u32,
) -> Result<(Tunnel, Vec<Duration>), Error> {
    let mut times = Vec::with_capacity(usize::try_from(trips).unwrap_or_default());
    for _ in 0..trips {
        let start = Instant::now();
        round_trip(&mut tunnel, &message).await?;
        times.push(start.elapsed());
    }
    Ok((tunnel, times))
}

/// One message from the client's end to the authenticator's, and one back.
pub(crate) async fn round_trip(tunnel: &mut Tunnel, message: &Message) -> Result<(), Error> {
    pass(&mut tunnel.joiner, &mut tunnel.opener, message).await?;
    pass(&mut tunnel.opener, &mut tunnel.joiner, message).await
}

async fn pass(from: &mut End, to: &mut End, message: &Message) -> Result<(), Error> {
    from.send(&message.sent).await?;
    to.expect(message).await
}
