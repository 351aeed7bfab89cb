//! The service at work: starts processes, moves lines, and holds no rule.

use std::{future::pending, path::PathBuf, sync::mpsc as channel, time::Duration};

use tokio::{
    process::Command,
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use zeroize::Zeroizing;

use super::{
    ServiceArgs,
    desk::{Action, Desk, Order, WindowId},
    error::Error,
    process::{Mouth, Process, Told},
    programs,
    state::State,
    tell, tray,
};

/// How long the key may take for its goodbye to a phone.
const FAREWELL: Duration = Duration::from_secs(3);
/// How many lines of processes may wait to be looked at.
const WAITING: usize = 64;

/// Who told something.
enum Heard {
    /// The key; which of those that have been.
    Key(u64, Told),
    Window(WindowId, Told),
    Order(Order),
    Timeout,
    Signal,
}

/// Everything that runs.
struct World {
    args: ServiceArgs,
    key: Option<Process>,
    keys: u64,
    window: Option<(WindowId, Process)>,
    tell: mpsc::Sender<Heard>,
    tray: Option<channel::Sender<State>>,
}

/// Serves until a signal or a person ends it, or the key cannot run.
pub(super) async fn serve(args: ServiceArgs) -> Result<(), Error> {
    let mut signals = signals().map_err(Error::System)?;
    let (tell, mut told) = mpsc::channel(WAITING);
    let (order, mut orders) = mpsc::unbounded_channel();
    let tray = (!args.no_tray).then(|| tray::start(order));
    let mut world = World { args, key: None, keys: 0, window: None, tell, tray };
    let mut desk = Desk::new(now());
    loop {
        while let Some(action) = desk.poll_action() {
            if let Action::End(words) = action {
                world.end(&mut told).await;
                return words.map_or(Ok(()), |message| Err(Error::KeyRefuses { message }));
            }
            world.act(action, &mut desk)?;
        }
        let heard = select! {
            biased;
            () = any(&mut signals) => Heard::Signal,
            Some(order) = orders.recv() => Heard::Order(order),
            Some(told) = told.recv() => told,
            () = until(desk.poll_timeout()) => Heard::Timeout,
        };
        world.take(heard, &mut desk);
    }
}

impl World {
    fn take(&mut self, heard: Heard, desk: &mut Desk) {
        match heard {
            Heard::Signal => desk.order(Order::Quit, now()),
            Heard::Order(order) => desk.order(order, now()),
            Heard::Timeout => desk.timeout(now()),
            Heard::Key(number, told) if number == self.keys => match told {
                Told::Line(line) => desk.key_line(line, now()),
                Told::Ended(code) => {
                    self.key = None;
                    desk.key_ended(code, now());
                }
            },
            Heard::Window(id, Told::Line(line)) => desk.window_line(id, &line, now()),
            Heard::Window(id, Told::Ended(_)) => {
                self.window.take_if(|(open, _)| *open == id);
                desk.window_ended(id);
            }
            Heard::Key(..) => {}
        }
    }

    fn act(&mut self, action: Action, desk: &mut Desk) -> Result<(), Error> {
        match action {
            Action::StartKey => self.start_key(desk)?,
            // It ends by itself when nothing can come any more, and tells the phone before.
            Action::StopKey => self.key.iter_mut().for_each(Process::let_go),
            Action::ToKey(line) => {
                self.key.take_if(|key| !key.tell(line));
            }
            Action::OpenWindow(id) => self.open_window(id, desk),
            Action::ToWindow(id, line) => {
                self.window.take_if(|(open, window)| *open == id && !window.tell(line));
            }
            Action::LetWindowGo(id) => {
                self.window
                    .iter_mut()
                    .filter(|(open, _)| *open == id)
                    .for_each(|(_, window)| window.let_go());
            }
            Action::KillWindow(id) => {
                self.window.take_if(|(open, _)| *open == id);
            }
            Action::Show(state) => self.show(state),
            Action::End(_) => {}
        }
        Ok(())
    }

    /// Only the first one has to start. Later, its file may be missing for a moment, as while a package is updated.
    fn start_key(&mut self, desk: &mut Desk) -> Result<(), Error> {
        self.keys = self.keys.wrapping_add(1);
        let number = self.keys;
        let mut command = Command::new(self.args.hybridge.clone().unwrap_or_else(programs::key));
        command.args(["key", "--events", "json"]).args(&self.args.key);
        let name = move |told| Heard::Key(number, told);
        let key = Process::start(&mut command, Mouth::Stderr, self.tell.clone(), name);
        match key.map_err(Error::NoKeyProgram) {
            Ok(key) => self.key = Some(key),
            Err(error) if number == 1 => return Err(error),
            Err(error) => {
                // Its last words are what is told.
                desk.key_line(Zeroizing::new(error.in_one_line().into_bytes()), now());
                desk.key_ended(None, now());
            }
        }
        Ok(())
    }

    fn open_window(&mut self, id: WindowId, desk: &mut Desk) {
        let program: PathBuf = self.args.window.clone().unwrap_or_else(programs::window);
        let name = move |told| Heard::Window(id, told);
        let command = &mut Command::new(program);
        match Process::start(command.arg("window"), Mouth::Stdout, self.tell.clone(), name) {
            Ok(window) => self.window = Some((id, window)),
            Err(error) => {
                tell(&format!("the window cannot be opened, so the program was told no ({error})"));
                desk.window_ended(id);
            }
        }
    }

    fn show(&mut self, state: State) {
        tell(&state.line());
        // A tray that is not there is none of the service's business.
        self.tray.take_if(|tray| tray.send(state).is_err());
    }

    /// Ends everything that runs, in time for the key to tell a phone.
    async fn end(&mut self, told: &mut mpsc::Receiver<Heard>) {
        (self.window, self.tray) = (None, None);
        let Some(key) = &mut self.key else { return };
        key.let_go();
        let ended = async {
            while !matches!(told.recv().await, Some(Heard::Key(number, Told::Ended(_))) if number == self.keys)
            {
            }
        };
        // Beyond that, dropping it is its end.
        let _ = timeout(FAREWELL, ended).await;
    }
}

fn signals() -> std::io::Result<[Signal; 3]> {
    let [interrupt, terminate, hang_up] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    Ok([interrupt?, terminate?, hang_up?])
}

async fn any([interrupt, terminate, hang_up]: &mut [Signal; 3]) {
    select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

async fn until(due: Option<std::time::Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => pending().await,
    }
}

/// The runtime's clock.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
