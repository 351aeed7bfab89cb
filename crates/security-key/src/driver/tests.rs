//! The key at work on a stopped clock, with a phone and a window that do what the test says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc::unbounded_channel, task::JoinHandle, time::timeout};

use super::*;
use crate::{
    Operation,
    hid::ChannelId,
    testing::{
        CANCEL, CBOR, Heard, INIT, KEEPALIVE, hear, message,
        requests::{create_for, get},
    },
};

/// The channel of the only program.
const CHANNEL: ChannelId = ChannelId(1);
const SITE: &str = "site.example";

/// The test's end of the device.
struct Programs {
    to_key: mpsc::UnboundedSender<io::Result<Incoming>>,
    from_key: mpsc::UnboundedReceiver<Report>,
}

/// The key's end.
struct Device {
    incoming: mpsc::UnboundedReceiver<io::Result<Incoming>>,
    outgoing: mpsc::UnboundedSender<Report>,
}

impl ReportChannel for Device {
    async fn receive(&mut self) -> io::Result<Incoming> {
        self.incoming.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }

    async fn send(&mut self, report: &Report) -> io::Result<()> {
        self.outgoing.send(*report).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A phone that takes a while.
struct Phone {
    takes: Duration,
    reply: fn() -> Result<Vec<u8>, Error>,
    going_on: Arc<AtomicUsize>,
}

/// Notices the end of a session.
struct GoingOn(Arc<AtomicUsize>);

impl Drop for GoingOn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl PhoneBackend for Phone {
    fn ask(
        &mut self,
        _: PhoneRequest,
        tell: mpsc::UnboundedSender<Progress>,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send + 'static {
        self.going_on.fetch_add(1, Ordering::SeqCst);
        let (going_on, takes, reply) = (GoingOn(Arc::clone(&self.going_on)), self.takes, self.reply);
        async move {
            let _going_on = going_on;
            tell.send(Progress::Scanning).unwrap();
            tell.send(Progress::WaitingForPhone).unwrap();
            tokio::time::sleep(takes).await;
            reply()
        }
    }
}

struct Window {
    notices: mpsc::UnboundedSender<Notice>,
    decisions: mpsc::UnboundedReceiver<Decision>,
}

impl Consent for Window {
    fn tell(&mut self, notice: Notice) {
        self.notices.send(notice).unwrap();
    }

    async fn decide(&mut self) -> Decision {
        match self.decisions.recv().await {
            Some(decision) => decision,
            None => pending().await,
        }
    }
}

struct World {
    programs: Programs,
    notices: mpsc::UnboundedReceiver<Notice>,
    decide: mpsc::UnboundedSender<Decision>,
    going_on: Arc<AtomicUsize>,
    serving: JoinHandle<io::Error>,
}

impl World {
    /// A key with a phone that takes so long, and one program.
    async fn new(takes: Duration, reply: fn() -> Result<Vec<u8>, Error>) -> Self {
        let (to_key, incoming) = unbounded_channel();
        let (outgoing, from_key) = unbounded_channel();
        let (tell, notices) = unbounded_channel();
        let (decide, decisions) = unbounded_channel();
        let going_on = Arc::new(AtomicUsize::new(0));
        let phone = Phone { takes, reply, going_on: Arc::clone(&going_on) };
        let window = Window { notices: tell, decisions };
        let serving = tokio::spawn(SecurityKey::new().serve(Device { incoming, outgoing }, phone, window));
        let programs = Programs { to_key, from_key };
        let mut world = Self { programs, notices, decide, going_on, serving };
        world.say(ChannelId::BROADCAST, INIT, b"nonceabc");
        assert_eq!(world.heard().await.1, INIT);
        world
    }

    fn say(&self, channel: ChannelId, command: u8, contents: &[u8]) {
        for report in message(channel, command, contents) {
            self.programs.to_key.send(Ok(Incoming::Report(report))).unwrap();
        }
    }

    /// The next message that takes one report.
    async fn heard(&mut self) -> Heard {
        let report = timeout(Duration::from_secs(3600), self.programs.from_key.recv()).await;
        hear(report.expect("something is said")).remove(0)
    }

    /// The reply, and the KEEPALIVEs before it.
    async fn reply(&mut self) -> (Vec<u8>, Vec<u8>) {
        let mut waiting = Vec::new();
        loop {
            match self.heard().await {
                (CHANNEL, KEEPALIVE, told) => waiting.extend(told),
                (CHANNEL, CBOR, reply) => return (reply, waiting),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn notice(&mut self) -> Notice {
        self.notices.recv().await.unwrap()
    }

    /// The ticket of a request that has gone to the phone.
    async fn asked(&mut self) -> Ticket {
        let ticket = match self.notice().await {
            Notice::AskPhone { ticket, rp_id, .. } if rp_id == SITE => ticket,
            other => panic!("{other:?}"),
        };
        assert!(matches!(self.notice().await, Notice::Progress { progress: Progress::Scanning, .. }));
        assert!(matches!(self.notice().await, Notice::Progress { progress: Progress::WaitingForPhone, .. }));
        assert_eq!(self.sessions(), 1);
        ticket
    }

    async fn cancelled(&mut self) {
        let notice = self.notice().await;
        assert!(matches!(notice, Notice::Over { outcome: Outcome::Cancelled, .. }), "{notice:?}");
        assert_eq!(self.sessions(), 0, "the phone is told");
    }

    fn sessions(&self) -> usize {
        self.going_on.load(Ordering::SeqCst)
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn programs_hear_every_100_ms_that_the_phone_is_busy() {
    let mut world = World::new(Duration::from_millis(350), || Ok(vec![0, 0xa0])).await;
    world.say(CHANNEL, CBOR, &create_for(SITE, &[]));
    match world.notice().await {
        Notice::AskPhone { operation: Operation::Create, user, .. } => {
            assert_eq!(user.as_deref(), Some("ada"))
        }
        other => panic!("{other:?}"),
    }
    let begun = tokio::time::Instant::now();
    assert_eq!(world.reply().await, (vec![0, 0xa0], vec![1, 2, 2, 2, 2]));
    assert_eq!(begun.elapsed(), Duration::from_millis(350), "the reply does not wait for anything");
    world.notice().await;
    world.notice().await;
    let over = world.notice().await;
    assert!(matches!(over, Notice::Over { outcome: Outcome::Replied(StatusCode::SUCCESS), .. }), "{over:?}");
    assert_eq!(world.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_it_the_phone_and_the_program_are_told() {
    let mut world = World::new(MINUTE, || Ok(vec![0])).await;
    world.say(CHANNEL, CBOR, &get(SITE, &[], None));
    world.asked().await;
    world.say(CHANNEL, CANCEL, &[]);
    assert_eq!(world.reply().await.0, [0x2d], "the program");
    world.cancelled().await;

    world.say(CHANNEL, CBOR, &get(SITE, &[], None));
    let ticket = world.asked().await;
    world.decide.send(Decision::Close(ticket)).unwrap();
    assert_eq!(world.reply().await.0, [0x27], "the person");
    world.cancelled().await;

    world.say(CHANNEL, CBOR, &create_for(SITE, &[]));
    world.asked().await;
    world.programs.to_key.send(Ok(Incoming::Closed)).unwrap();
    world.cancelled().await;
    while world.programs.from_key.try_recv().is_ok() {}
    world.say(CHANNEL, CBOR, &[7]);
    assert_eq!(
        world.heard().await,
        (CHANNEL, CBOR, vec![0x30]),
        "the program was killed, and others are served"
    );

    world.say(CHANNEL, CBOR, &create_for(SITE, &[]));
    world.asked().await;
    world.programs.to_key.send(Err(io::ErrorKind::NotConnected.into())).unwrap();
    world.cancelled().await;
    assert_eq!(world.serving.await.unwrap().kind(), io::ErrorKind::NotConnected, "the device is gone");
}

#[tokio::test(start_paused = true)]
async fn a_touch_is_a_click() {
    let mut world = World::new(MINUTE, || Ok(vec![0])).await;
    for (click, status) in [(true, 0), (false, 0x27)] {
        world.say(CHANNEL, CBOR, &[0x0b]);
        let ticket = match world.notice().await {
            Notice::AskForTouch { ticket } => ticket,
            other => panic!("{other:?}"),
        };
        tokio::time::sleep(Duration::from_millis(250)).await;
        world.decide.send(if click { Decision::Agree(ticket) } else { Decision::Close(ticket) }).unwrap();
        assert_eq!(world.reply().await, (vec![status], vec![2, 2, 2]));
    }
    assert_eq!(world.sessions(), 0, "no phone was asked");
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_cannot_do_the_program_hears() {
    let mut world = World::new(MINUTE, || Err(Error::NobodyScanned)).await;
    world.say(CHANNEL, CBOR, &create_for(SITE, &[]));
    world.asked().await;
    assert_eq!(world.reply().await.0, [0x2f]);
    let over = world.notice().await;
    assert!(matches!(over, Notice::Over { outcome: Outcome::Failed(Error::NobodyScanned), .. }), "{over:?}");
}

#[tokio::test(start_paused = true)]
async fn at_rest_nothing_wakes_up() {
    let world = World::new(MINUTE, || Ok(vec![0])).await;
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(before, 1, "the key itself");
    // The stopped clock moves only to the next timer, and there is none before this.
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(world.programs.from_key.is_empty() && world.notices.is_empty());
}

/// The clock of a computer that was suspended jumps: nothing has run meanwhile.
#[tokio::test(start_paused = true)]
async fn after_a_night_asleep_it_goes_on() {
    const NIGHT: Duration = Duration::from_secs(8 * 3600);
    let mut world = World::new(NIGHT, || Ok(vec![0])).await;
    world.say(CHANNEL, CBOR, &create_for(SITE, &[]));
    world.asked().await;
    tokio::time::advance(NIGHT - Duration::from_millis(150)).await;
    let (reply, waiting) = world.reply().await;
    assert_eq!(reply, [0x2f], "a request does not wait for so long");
    world.cancelled().await;
    assert!(waiting.len() <= 5, "the KEEPALIVEs of the night are not made up for: {}", waiting.len());

    let half = message(CHANNEL, CBOR, &get(SITE, &[], None)).remove(0);
    world.programs.to_key.send(Ok(Incoming::Report(half))).unwrap();
    tokio::task::yield_now().await;
    tokio::time::advance(NIGHT).await;
    assert_eq!(world.heard().await, (CHANNEL, 0x3f, vec![5]), "the rest does not come");
    world.say(CHANNEL, CBOR, &[7]);
    assert_eq!(world.heard().await, (CHANNEL, CBOR, vec![0x30]), "and all is well");
}
