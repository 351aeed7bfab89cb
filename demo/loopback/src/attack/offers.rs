//! What neighbours can do to the data channel over Bluetooth: the offer of one is not sealed, and anybody in range can
//! connect.

use std::time::Duration;

use hybridge_ble::{
    Advertisement, Advertiser, RadioError, Scanner, ServiceUuid,
    l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket},
    sim::{SimDevice, SimSocket},
};
use hybridge_proto::advert::{ADVERT_LENGTH, Advert, Psm, parse_suffix, service_data};
use zeroize::Zeroizing;

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_device::first,
    laptop::SigningIn,
    network::Directory,
    phone::Answering,
    report::{Party, Refusal},
    scene::{ELSEWHERE, HOME, Scene},
};

/// How long laptop and phone wait for each other while the attacker is busy.
const PATIENCE: Duration = Duration::from_secs(8);
/// As long as a handshake message, and none.
const GARBAGE: [u8; 81] = [4; 81];

/// A laptop and a phone that are out of each other's range, with a neighbour between them.
struct Between {
    attacker: SimDevice,
    directory: Directory,
    laptop: SigningIn,
    phone: Answering,
}

impl Between {
    async fn new(scene: &Scene) -> Result<Self, Setup> {
        let attacker = scene.air.device_in("attacker", [HOME, ELSEWHERE]);
        let laptop = scene.laptop()?.over_bluetooth().searching(PATIENCE);
        let directory = laptop.directory.clone();
        let mut laptop = laptop.sign_in();
        let code: Zeroizing<String> = laptop.code().await?;
        let phone = scene.phone()?.over_bluetooth().advertising(PATIENCE).at(ELSEWHERE).answer(code);
        Ok(Self { attacker, directory, laptop, phone })
    }

    /// The owner has signed in, with so many tunnels.
    async fn signed_in(self, tunnels: usize) -> Result<(), Failure> {
        self.laptop.end().await?.signed_in()?;
        self.phone.end().await?.satisfied()?;
        match self.directory.dials() {
            dials if dials == tunnels => Ok(()),
            dials => Err(Failure::Succeeded(format!("the laptop dialed {dials} times"))),
        }
    }
}

/// Waits until a connection of the attacker is ended from the other side.
async fn turned_away(socket: &SimSocket, by: Party) -> Result<Refusal, Failure> {
    loop {
        if let Err(error) = socket.receive().await {
            let refusal = Refusal::TurnedAway { by, error };
            return only!(refusal, Refusal::TurnedAway { error: RadioError::Disconnected, .. });
        }
    }
}

pub(super) async fn forged_offer(scene: &Scene) -> Verdict {
    scene.did("carries the phone's advert to the laptop with an offer of its own behind it, and answers who connects");
    let between = Between::new(scene).await?;
    let heard = first(&mut between.attacker.scan().await.map_err(Setup::from)?).await?;
    let mut listening = between.attacker.listen().await.map_err(Setup::from)?;
    let advert = Advert::from_service_data(&heard.data).ok_or(Setup::from("not an advert"))?;
    let data = service_data(&advert, Some(Psm(listening.psm())));
    let forged = Advertisement::new(ServiceUuid::Fido, data).connectable();
    let _forged = between.attacker.advertise(forged).await.map_err(Setup::from)?;
    let socket = listening.accept().await.map_err(Setup::from)?;
    socket.receive().await.map_err(Setup::from)?;
    socket.send(&GARBAGE).await.map_err(Setup::from)?;
    let refusal = turned_away(&socket, Party::Laptop).await?;
    between.signed_in(1).await?;
    Ok(vec![refusal])
}

pub(super) async fn garbage_on_psm(scene: &Scene) -> Verdict {
    scene.did(
        "connects to the phone before the laptop does, seven times with garbage and four times in silence",
    );
    let between = Between::new(scene).await?;
    let heard = first(&mut between.attacker.scan().await.map_err(Setup::from)?).await?;
    let suffix = heard.data.get(ADVERT_LENGTH..).and_then(parse_suffix);
    let psm = suffix.ok_or(Setup::from("the phone offers no Bluetooth channel"))?;
    let connect = || async { between.attacker.connect(heard.device, psm.0).await };
    let mut refusals = Vec::new();
    for _ in 0..7 {
        let socket = connect().await.map_err(Setup::from)?;
        socket.send(&GARBAGE).await.map_err(Setup::from)?;
        refusals.push(turned_away(&socket, Party::Phone).await?);
    }
    let mut silent: Vec<SimSocket> = Vec::new();
    for _ in 0..4 {
        silent.push(connect().await.map_err(Setup::from)?);
    }
    between.phone.radio.move_to([HOME]);
    between.signed_in(0).await?;
    refusals.truncate(1);
    Ok(refusals)
}
