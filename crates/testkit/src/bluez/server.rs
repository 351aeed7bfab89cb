//! The loop between the daemon and its connections: one to a bus, or one to each program where there is no bus.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use zbus::{Connection, Message, MessageStream, OwnedVariant, message::Flags, message::Type};

use super::{
    adapter::{AdvertKey, Heard},
    calls::{Outcome, Reply},
    client::Client,
    daemon::Daemon,
    refusal::Refusal,
    wire,
};

/// How long a program may take to tell what its advert is.
const PATIENCE: Duration = Duration::from_secs(25);

/// Something to be done to the daemon.
pub(super) type Control = Box<dyn FnOnce(&mut Daemon) + Send>;

/// What the loop waits for, beside adverts and time.
pub(super) enum Event {
    /// A connection to serve.
    Link(MessageStream),
    Message {
        link: u32,
        message: Message,
    },
    LinkEnded(u32),
    AdvertRead(AdvertRead),
    Control(Control),
    /// The daemon dies.
    Stop,
}

/// An advert object that was read, and the call that waits for it.
pub(super) struct AdvertRead {
    adapter: u8,
    key: AdvertKey,
    properties: Option<BTreeMap<String, OwnedVariant>>,
    call: Message,
}

/// A connection.
struct Link {
    connection: Connection,
    /// A task sends, so that a program that does not read stops nobody else.
    outgoing: mpsc::UnboundedSender<Message>,
}

/// The daemon and its connections.
pub(super) struct Server {
    daemon: Daemon,
    links: BTreeMap<u32, Link>,
    next_link: u32,
    inbox: mpsc::UnboundedReceiver<Event>,
    events: mpsc::UnboundedSender<Event>,
    heard: mpsc::Receiver<Heard>,
    /// Ends with the server.
    tasks: JoinSet<()>,
}

impl Server {
    /// A server of `daemon`, whose adapters send what they hear to `heard`, and where events for it go.
    pub(super) fn new(daemon: Daemon, heard: mpsc::Receiver<Heard>) -> (Self, mpsc::UnboundedSender<Event>) {
        let (events, inbox) = mpsc::unbounded_channel();
        let links = BTreeMap::new();
        let to_it = events.clone();
        (Self { daemon, links, next_link: 0, inbox, events, heard, tasks: JoinSet::new() }, to_it)
    }

    /// Serves until it is told to stop.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.daemon.due();
            let time = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = self.inbox.recv() => match event {
                    None | Some(Event::Stop) => break,
                    Some(event) => self.take(event),
                },
                Some((adapter, sighting)) = self.heard.recv() => {
                    self.daemon.hear(adapter, &sighting, Instant::now());
                }
                () = time => self.pass_time(),
            }
            while self.tasks.try_join_next().is_some() {}
            self.publish();
        }
        self.tasks.shutdown().await;
        for (_, link) in self.links {
            // Whether the other side is still there does not matter any more.
            let _ = link.connection.close().await;
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Link(stream) => self.add_link(stream),
            Event::Message { link, message } => self.message(link, &message),
            Event::LinkEnded(link) => {
                self.links.remove(&link);
                self.daemon.client_left(&Client { link, name: None });
            }
            Event::AdvertRead(AdvertRead { adapter, key, properties, call }) => {
                let link = key.0.link;
                let read = self.daemon.advert_read(adapter, key, properties.as_ref(), Instant::now());
                self.answer(link, &call, read.map(|()| Reply::Nothing));
            }
            Event::Control(control) => control(&mut self.daemon),
            Event::Stop => {}
        }
    }

    fn add_link(&mut self, mut stream: MessageStream) {
        let link = self.next_link;
        self.next_link = self.next_link.wrapping_add(1);
        let connection = Connection::from(&stream);
        let (outgoing, mut to_send) = mpsc::unbounded_channel::<Message>();
        let events = self.events.clone();
        self.tasks.spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if events.send(Event::Message { link, message }).is_err() {
                    return;
                }
            }
            let _ = events.send(Event::LinkEnded(link));
        });
        let sender = connection.clone();
        self.tasks.spawn(async move {
            while let Some(message) = to_send.recv().await {
                if sender.send(&message).await.is_err() {
                    return;
                }
            }
        });
        self.links.insert(link, Link { connection, outgoing });
    }

    fn message(&mut self, link: u32, message: &Message) {
        match message.message_type() {
            Type::MethodCall => self.call(link, message),
            Type::Signal => {
                if let Some(name) = wire::name_lost(message) {
                    self.daemon.client_left(&Client { link, name: Some(name.into()) });
                }
            }
            Type::MethodReturn | Type::Error => {}
        }
    }

    fn call(&mut self, link: u32, message: &Message) {
        let name = message.header().sender().map(|name| Arc::from(name.as_str()));
        let bus = self.links.get(&link).is_some_and(|link| link.connection.is_bus());
        let client = Client { link, name: name.filter(|_| bus) };
        match self.daemon.call(&client, message) {
            Ok(Outcome::ReadAdvert { adapter, path }) => {
                self.read_advert(adapter, (client, path), message.clone());
            }
            Ok(Outcome::Reply(reply)) => self.answer(link, message, Ok(reply)),
            Err(refusal) => self.answer(link, message, Err(refusal)),
        }
    }

    /// Asks the caller what its advert is.
    fn read_advert(&mut self, adapter: u8, key: AdvertKey, call: Message) {
        let Some(link) = self.links.get(&key.0.link) else { return };
        let (connection, events) = (link.connection.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let read = timeout(PATIENCE, wire::read_advert(&connection, key.0.name.as_deref(), &key.1));
            let properties = read.await.ok().and_then(Result::ok);
            let _ = events.send(Event::AdvertRead(AdvertRead { adapter, key, properties, call }));
        });
    }

    fn pass_time(&mut self) {
        for (client, path) in self.daemon.pass_time(Instant::now()) {
            if let Ok(release) = wire::release(client.name.as_deref(), &path) {
                self.send(client.link, release);
            }
        }
    }

    fn answer(&self, link: u32, call: &Message, answer: Result<Reply, Refusal>) {
        if call.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED) {
            return;
        }
        tracing::debug!(
            member = call.header().member().map(tracing::field::display),
            refused = answer.as_ref().err().map(|refusal| refusal.name()),
            "call"
        );
        match wire::answer(call, answer) {
            Ok(message) => self.send(link, message),
            Err(error) => tracing::error!(%error, "answer that cannot be written"),
        }
    }

    fn publish(&mut self) {
        for change in self.daemon.publish() {
            match wire::signal(&change) {
                Ok(signal) => self.links.keys().for_each(|link| self.send(*link, signal.clone())),
                Err(error) => tracing::error!(%error, "signal that cannot be written"),
            }
        }
    }

    fn send(&self, link: u32, message: Message) {
        if let Some(link) = self.links.get(&link) {
            // A connection that is gone says so to the loop by itself.
            let _ = link.outgoing.send(message);
        }
    }
}
