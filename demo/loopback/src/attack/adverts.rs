//! What can be said on the air.

use std::{sync::Arc, time::Duration};

use hybridge_client::{AttemptError, Error as LaptopError, Progress};
use hybridge_proto::{
    channel::DialFailure, domain::DomainId, ids::RoutingId, keys::QrSecret, qr::QrCode, service::ServicePath,
};

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_device::{HostileDevice, first, heard_by_laptop},
    hostile_phone::HostilePhone,
    hostile_service::HostileService,
    laptop::{Laptop, SigningIn},
    messages::nobody_came,
    network::{Directory, stand_up},
    report::Refusal,
    scene::{HOME, OTHER_SERVICE, SERVICE, Scene},
};

/// How long a laptop listens to adverts that it should ignore.
const SEARCH: Duration = Duration::from_secs(1);
/// How many adverts of one search a laptop follows at most, whoever sends them.
const MOST_FOLLOWED: usize = 64;

/// A laptop that hears an attacker's adverts and must not follow any.
struct Listening {
    directory: Directory,
    laptop: SigningIn,
}

impl Listening {
    fn start(laptop: Laptop) -> Self {
        Self { directory: laptop.directory.clone(), laptop: laptop.searching(SEARCH).sign_in() }
    }

    /// Waits until the laptop gives up, and checks that it heard and did nothing.
    async fn refusals(self, scene: &Scene) -> Verdict {
        let ended = self.laptop.end().await?;
        let (heard, dials) = (heard_by_laptop(scene)?, self.directory.dials());
        if dials > 0 || ended.count(|progress| matches!(progress, Progress::PhoneNearby(_))) > 0 {
            return Err(Failure::Succeeded(format!("the laptop followed an advert ({dials} dials)")));
        }
        let nobody = only!(ended.refusal()?, Refusal::Laptop(LaptopError::NobodyScanned))?;
        Ok(vec![Refusal::Ignored { heard }, nobody])
    }
}

pub(super) async fn forged_advert(scene: &Scene) -> Verdict {
    scene.did("advertises random bytes, of all lengths and under both UUIDs");
    let mut attacker = HostileDevice::at(scene, HOME);
    let listening = Listening::start(scene.laptop()?);
    let _adverts = attacker.babble().await?;
    listening.refusals(scene).await
}

pub(super) async fn forged_advert_wrong_key(scene: &Scene) -> Verdict {
    scene.did("advertises what is well-formed and sealed for another code");
    let mut attacker = HostilePhone::at(scene, HOME)?;
    let listening = Listening::start(scene.laptop()?);
    let other_code = QrSecret::generate(&mut *attacker.rng);
    let plaintext = attacker.plaintext(RoutingId::from_bytes([1, 2, 3]), SERVICE);
    let _advert = attacker.advertise(&other_code.eid_key(), &plaintext).await?;
    listening.refusals(scene).await
}

pub(super) async fn replayed_advert(scene: &Scene) -> Verdict {
    scene.did("records the advert of a sign-in, and replays it during the next one");
    let attacker = HostileDevice::at(scene, HOME);
    let mut recording = attacker.record().await?;
    let mut laptop = scene.laptop()?.sign_in();
    // Another phone, so that the owner's sign-in is not taken for the attacker's.
    let phone = scene.phone_of("phone", scene.strangers_passkeys().await?)?.answer(laptop.code().await?);
    laptop.end().await?.refusal()?;
    phone.end().await?.satisfied()?;
    let heard = first(&mut recording).await?;

    let listening = Listening::start(scene.laptop()?);
    let _advert = attacker.replay(&heard)?;
    listening.refusals(scene).await
}

/// The advert of this very sign-in, after its tunnel has failed. It is followed once, whoever sends it.
pub(super) async fn repeated_advert(scene: &Scene) -> Verdict {
    scene.did("breaks the tunnel of a sign-in, and replays its advert to make the laptop try again");
    let service = HostileService::answering(|path| {
        let joins = matches!(path, ServicePath::Connect { .. });
        joins.then(|| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned())
    });
    let standing = stand_up(SERVICE, service.clone())?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let attacker = HostileDevice::at(scene, HOME);
    let mut recording = attacker.record().await?;
    let mut laptop = scene.laptop()?.searching(SEARCH).dialing(directory.clone()).sign_in();
    let phone = scene.phone()?.advertising(SEARCH).dialing(SERVICE, directory).answer(laptop.code().await?);
    let heard = first(&mut recording).await?;
    laptop.until(|progress| matches!(progress, Progress::AttemptFailed { .. })).await?;
    let _advert = attacker.replay(&heard)?;

    let ended = laptop.end().await?;
    let (heard, requests) = (heard_by_laptop(scene)?, service.client_requests());
    if requests != 1 {
        return Err(Failure::Succeeded(format!("the laptop dialed {requests} times")));
    }
    let refused = AttemptError::Dial(DialFailure::Refused(404));
    let refusal =
        only!(ended.refusal()?, Refusal::Laptop(LaptopError::Tunnel { error, .. }) if *error == refused)?;
    Ok(vec![Refusal::Ignored { heard }, refusal, nobody_came(phone.end().await?)?])
}

/// Codes go out of date. Each is good for its time on the screen and a grace time, and no longer.
pub(super) async fn late_advert(scene: &Scene) -> Verdict {
    scene.did("keeps a photographed code until the laptop shows the second one after it, then answers it");
    let mut laptop = scene.laptop()?;
    laptop.config.timing.code_lifetime = Duration::from_millis(150);
    laptop.config.timing.code_grace = Duration::from_millis(50);
    let directory = laptop.directory.clone();
    let mut laptop = laptop.searching(2 * SEARCH).sign_in();
    let expired = laptop.code().await?;
    laptop.code().await?;
    laptop.code().await?;
    // In the attacker's hands, so that the air's trace tells whose advert was heard.
    let phone = scene.phone_of("attacker", scene.strangers_passkeys().await?)?;
    let phone = phone.advertising(SEARCH).answer(expired);
    let ended = laptop.end().await?;
    let (heard, dials) = (heard_by_laptop(scene)?, directory.dials());
    if dials > 0 {
        return Err(Failure::Succeeded(format!("the laptop dialed {dials} times after a late advert")));
    }
    let nobody = only!(ended.refusal()?, Refusal::Laptop(LaptopError::NobodyScanned))?;
    Ok(vec![Refusal::Ignored { heard }, nobody, nobody_came(phone.end().await?)?])
}

/// After a sign-in the laptop's radio is off, and its code is good for nothing.
pub(super) async fn advert_after_end(scene: &Scene) -> Verdict {
    scene.did("photographs the owner's code, and answers it when the owner has signed in");
    let laptop = scene.laptop()?;
    let directory = laptop.directory.clone();
    let mut laptop = laptop.sign_in();
    let (code, radio) = (laptop.code().await?, laptop.radio.clone());
    let owner = scene.phone()?.answer(code.clone());
    laptop.end().await?.signed_in()?;
    owner.end().await?.satisfied()?;
    let dials = directory.dials();

    let passkeys = scene.strangers_passkeys().await?;
    let phone = scene.phone_of("attacker", passkeys)?.advertising(SEARCH).answer(code);
    let refusal = nobody_came(phone.end().await?)?;
    if radio.running_scans() > 0 || directory.dials() != dials {
        return Err(Failure::Succeeded("the laptop listened after its session".to_owned()));
    }
    Ok(vec![refusal])
}

/// Whoever has the code can make adverts that open, but the host that they lead to must exist.
pub(super) async fn unassigned_service(scene: &Scene) -> Verdict {
    const UNASSIGNED: DomainId = DomainId::new(77);
    scene.did("photographs the code, and advertises a tunnel service that the standard has not assigned");
    let laptop = scene.laptop()?.searching(SEARCH);
    let directory = laptop.directory.clone();
    let mut laptop = laptop.sign_in();
    let code = QrCode::parse(&laptop.code().await?).map_err(Setup::from)?;
    let mut attacker = HostilePhone::at(scene, HOME)?;
    let plaintext = attacker.plaintext(RoutingId::from_bytes([1, 2, 3]), UNASSIGNED);
    let _advert = attacker.advertise(&code.secret.eid_key(), &plaintext).await?;
    let ended = laptop.end().await?;
    if directory.dials() > 0 {
        return Err(Failure::Succeeded("the laptop dialed an unassigned tunnel service".to_owned()));
    }
    Ok(vec![only!(ended.refusal()?, Refusal::Laptop(LaptopError::UnknownTunnelService(UNASSIGNED)))?])
}

/// Whoever has the code can make any number of adverts that open. What the laptop does for them is bounded, and the
/// code that it shows after the first failure is out of the attacker's reach.
pub(super) async fn advert_flood(scene: &Scene) -> Verdict {
    const ADVERTS: usize = 200;
    scene.did(format!("photographs the code, and advertises {ADVERTS} tunnels that do not exist"));
    let laptop = scene.laptop()?;
    let directory = laptop.directory.clone();
    let mut laptop = laptop.sign_in();
    let code = QrCode::parse(&laptop.code().await?).map_err(Setup::from)?;
    let mut attacker = HostilePhone::at(scene, HOME)?;
    let mut adverts = Vec::new();
    for _ in 0..ADVERTS {
        let plaintext = attacker.plaintext(RoutingId::from_bytes([1, 2, 3]), OTHER_SERVICE);
        adverts.push(attacker.advertise(&code.secret.eid_key(), &plaintext).await?);
    }
    let owner = scene.phone()?.answer(laptop.code().await?);
    let ended = laptop.end().await?;
    let (followed, dials) = (ended.count(|p| matches!(p, Progress::PhoneNearby(_))), directory.dials());
    // The owner's advert is followed too. Each failure to reach a host is tried once more.
    if followed > MOST_FOLLOWED + 1 || dials > 2 * MOST_FOLLOWED + 1 {
        return Err(Failure::Succeeded(format!("{followed} adverts were followed, with {dials} dials")));
    }
    let failed = ended.progress.iter().find_map(|progress| match progress {
        Progress::AttemptFailed { error, .. } => Some(*error),
        _ => None,
    });
    ended.signed_in()?;
    owner.end().await?.satisfied()?;
    let refusal = Refusal::Attempt(failed.ok_or(Setup::from("the laptop followed none of them"))?);
    Ok(vec![only!(refusal, Refusal::Attempt(AttemptError::Dial(DialFailure::Unreachable)))?])
}
