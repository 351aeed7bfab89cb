//! How long a program waits.

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use hybridge_authenticator::DomainId;
use hybridge_ble::sim::Air;
use hybridge_picture::{from_pixels, screen::X11Screen};
use hybridge_testkit::{
    bluez::FakeBluez,
    phone::{Answer, PhoneState, ScriptedPhone},
    tunnel::TunnelService,
};
use tokio::{net::UnixListener, time::timeout};

use crate::{
    Programs,
    failure::Failure,
    figures::{Figure, of_times},
    program::Program,
    service::Service,
    window::{SOCKET, next_code},
};

/// Milliseconds until the code is to be seen, and from the phone's yes to the program's answer.
const CODE: f64 = 300.0;
const ANSWER: f64 = 50.0;
/// How long a step may take at most.
const SOON: Duration = Duration::from_secs(20);
const DOMAIN: u16 = 266;

/// Where codes come from.
enum Eyes {
    /// With the code of before: where no desktop paints over it, it stays when its window is gone.
    Screen(X11Screen, String),
    Passed(UnixListener),
}

/// What the service needs of the world: radios, a tunnel service, and a phone that waits for its owner.
struct World {
    bluez: FakeBluez,
    tunnel: TunnelService,
    phone: ScriptedPhone,
}

impl World {
    async fn start() -> Result<Self, Failure> {
        let bluez = FakeBluez::start(&Air::new(1), 2).await?;
        let tunnel = TunnelService::start(DomainId::new(DOMAIN), 0).await?;
        let dialer = tunnel.dialer().map_err(|error| Failure::unexpected(error.to_string()))?;
        let radio = bluez.radio("hci1")?.clone();
        let phone = ScriptedPhone::new(radio, DomainId::new(DOMAIN), Arc::new(dialer));
        phone.set_answer(Answer::Wait);
        Ok(Self { bluez, tunnel, phone })
    }

    /// Options of the key.
    fn key(&self) -> Vec<String> {
        let (address, root) =
            (self.tunnel.address().to_string(), self.tunnel.root_file().display().to_string());
        let adapter = ["--adapter", "hci0"].map(str::to_owned);
        let relay = ["--dangerous-relay-addr", &address, "--dangerous-relay-ca", &root].map(str::to_owned);
        [adapter.as_slice(), relay.as_slice()].concat()
    }
}

/// Asks for a passkey so many times.
pub(crate) async fn measure(
    programs: &Programs,
    rounds: usize,
    screen: bool,
    slack: u32,
) -> Result<Vec<Figure>, Failure> {
    let world = World::start().await?;
    let folder = tempfile::tempdir()?;
    let passed = folder.path().join("codes");
    let mut eyes = match screen {
        true => Eyes::Screen(X11Screen::open(None)?, String::new()),
        false => Eyes::Passed(UnixListener::bind(&passed)?),
    };
    let own = env::current_exe()?.display().to_string();
    let window = if screen { vec![] } else { vec!["--window", own.as_str()] };
    let more = [&["--no-tray"], window.as_slice()].concat();
    let bus = ("DBUS_SYSTEM_BUS_ADDRESS", world.bluez.bus_address().to_owned());
    let environment = [bus, (SOCKET, passed.display().to_string())];
    let mut service = Service::start(programs, &more, &world.key(), &environment).await?;
    let mut program = Program::begin(&mut service.programs).await?;
    let (mut codes, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (code, answer) = once(&mut program, &world.phone, &mut eyes).await?;
        codes.push(code);
        answers.push(answer);
    }
    Ok(figures(codes, answers, screen, f64::from(slack)))
}

fn figures(codes: Vec<Duration>, answers: Vec<Duration>, screen: bool, slack: f64) -> Vec<Figure> {
    let where_seen = if screen { "to the code on the screen" } else { "to the code in a window's process" };
    let code = of_times(&format!("from the request {where_seen}"), codes, CODE * slack);
    let answer = of_times("from the phone's yes to the program's answer", answers, ANSWER * slack);
    code.into_iter().chain(answer).collect()
}

async fn once(
    program: &mut Program<'_>,
    phone: &ScriptedPhone,
    eyes: &mut Eyes,
) -> Result<(Duration, Duration), Failure> {
    let asked = Instant::now();
    program.ask().await?;
    let seen = timeout(SOON, eyes.see()).await;
    let (code, seen) = seen.map_err(|_| Failure::unexpected("no code is to be seen"))??;
    let session = phone.scan(&code);
    let asks = |status: &hybridge_testkit::phone::PhoneStatus| {
        status.session == session && matches!(status.state, PhoneState::Asking(_) | PhoneState::Failed { .. })
    };
    let status = timeout(SOON, phone.wait_for(asks)).await;
    let status = status.map_err(|_| Failure::unexpected("the phone does not ask"))?;
    if let PhoneState::Failed { reason } = status.state {
        return Err(Failure::Unexpected(reason));
    }
    let agreed = Instant::now();
    phone.approve().map_err(|error| Failure::unexpected(error.to_string()))?;
    let answered = timeout(SOON, program.status()).await;
    match answered.map_err(|_| Failure::unexpected("the program has no answer"))?? {
        0 => Ok((seen.saturating_duration_since(asked), agreed.elapsed())),
        status => Err(Failure::Unexpected(format!("the program has status {status:#04x}"))),
    }
}

impl Eyes {
    /// The next code, and when it was there. Of a screen, when its picture was taken; reading it takes a while, for which
    /// the next picture waits.
    async fn see(&mut self) -> Result<(String, Instant), Failure> {
        match self {
            Self::Passed(listener) => Ok((next_code(listener).await?, Instant::now())),
            Self::Screen(screen, before) => loop {
                let picture = screen.capture().await?;
                let taken = Instant::now();
                if let Ok(code) = from_pixels(picture)
                    && *code != *before
                {
                    before.clone_from(&code);
                    return Ok((code.to_string(), taken));
                }
            },
        }
    }
}
