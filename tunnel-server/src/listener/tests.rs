use std::{collections::VecDeque, io::Write, sync::Mutex};

use tokio::{
    io::DuplexStream,
    sync::mpsc,
    time::{Instant, sleep},
};

use super::*;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Gives the scripted answers, then nothing more.
struct Script(VecDeque<io::Result<DuplexStream>>);

impl Accept for Script {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
        match self.0.pop_front() {
            Some(answer) => answer.map(|io| (io, PEER)),
            None => std::future::pending().await,
        }
    }
}

fn connection() -> io::Result<DuplexStream> {
    Ok(tokio::io::duplex(1).0)
}

fn no_descriptors() -> io::Result<DuplexStream> {
    Err(io::Error::from_raw_os_error(24))
}

/// How long it takes until the script gives a connection.
async fn accept(script: impl IntoIterator<Item = io::Result<DuplexStream>>) -> Duration {
    let start = Instant::now();
    Acceptor::new(Script(script.into_iter().collect())).next(&Metrics::new()).await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn failing_accepts_back_off_and_recover() {
    let waited = accept((0..12).map(|_| no_descriptors()).chain([connection()])).await;
    // 5 + 10 + ... + 640 ms, then four times 1 s.
    assert_eq!(waited, Duration::from_millis(1275 + 4000));
}

#[tokio::test(start_paused = true)]
async fn aborted_connections_cost_no_wait() {
    let aborted = || Err(io::ErrorKind::ConnectionAborted.into());
    assert_eq!(accept([aborted(), aborted(), connection()]).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn failing_accepts_are_logged_once_a_second_however_often_one_succeeds() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    // A descriptor becomes free now and then, as connections end: every second attempt succeeds.
    let script = (0..1000).flat_map(|_| [no_descriptors(), connection()]);
    let mut acceptor = Acceptor::new(Script(script.collect()));
    let metrics = Metrics::new();
    for _ in 0..1000 {
        acceptor.next(&metrics).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // A thousand waits of 5 ms.
    assert_eq!(log.lines().count(), 5, "{log}");
    assert!(log.contains("times=1\n") && log.contains("times=200\n"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn no_more_connections_than_allowed_are_served() {
    let script = Script((0..5).map(|_| connection()).collect());
    let (started, mut starts) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let serve = move |_, _, place, stop: CancellationToken| {
        let started = started.clone();
        async move {
            started.send(()).unwrap();
            stop.cancelled().await;
            drop(place);
        }
    };
    let places = Arc::new(Places::new(2));
    let running = tokio::spawn({
        let (places, stop) = (Arc::clone(&places), stop.clone());
        async move { run(script, &places, &Metrics::new(), stop, serve).await }
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(starts.len(), 2);
    places.set_limit(3);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(starts.len(), 3);
    stop.cancel();
    running.await.unwrap();
    starts.recv().await.unwrap();
}
