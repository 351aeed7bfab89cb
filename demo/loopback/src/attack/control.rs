//! The same ceremonies without the manipulation. An attack that fails in a world where nothing works proves nothing.

use std::sync::Arc;

use hybridge_authenticator::CtapService;
use tokio::sync::Notify;

use super::{
    failure::{Failure, Setup},
    hostile_laptop::HostileLaptop,
    hostile_phone::HostilePhone,
    hostile_service::HostileService,
    links::{call_remembered_phone, remember_phone},
    messages::through,
    scene::{HOME, Scene},
};

/// Attacks that have a control in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Laptop and phone at the real tunnel service.
    Ceremony,
    /// Laptop and phone without a tunnel service between them.
    Bluetooth,
    /// Laptop and phone at the attacker's tunnel service.
    Service,
    /// The attacker's laptop and a phone.
    Laptop,
    /// A laptop and the attacker's phone.
    Phone,
    /// A laptop and a phone that it remembers.
    Link,
}

impl Family {
    /// Runs the control.
    ///
    /// # Errors
    /// [`Failure`] when what should work does not.
    pub(super) async fn control(self, seed: u64) -> Result<(), Failure> {
        let scene = Scene::set(seed).await?;
        match self {
            Self::Ceremony => ceremony(&scene).await?,
            Self::Bluetooth => bluetooth(&scene).await?,
            Self::Service => service(&scene).await?,
            Self::Laptop => return laptop(&scene).await,
            Self::Phone => phone(&scene).await?,
            Self::Link => link(&scene).await?,
        }
        if scene.damage()? { Ok(()) } else { Err(Setup::from("the website saw no sign-in").into()) }
    }
}

async fn ceremony(scene: &Scene) -> Result<(), Failure> {
    let mut laptop = scene.laptop()?.sign_in();
    let phone = scene.phone()?.answer(laptop.code().await?);
    laptop.end().await?.signed_in()?;
    phone.end().await?.satisfied()
}

async fn bluetooth(scene: &Scene) -> Result<(), Failure> {
    let laptop = scene.laptop()?.over_bluetooth();
    let directory = laptop.directory.clone();
    let mut laptop = laptop.sign_in();
    let phone = scene.phone()?.over_bluetooth().answer(laptop.code().await?);
    laptop.end().await?.signed_in()?;
    phone.end().await?.satisfied()?;
    if directory.dials() == 0 { Ok(()) } else { Err(Setup::from("the laptop took the tunnel").into()) }
}

async fn service(scene: &Scene) -> Result<(), Failure> {
    let pair = through(scene, HostileService::forwarding(), |_, _| {}).await?;
    pair.laptop.signed_in()?;
    pair.phone.satisfied()
}

/// The attacker's laptop, with a code of its own and near the phone, gets an answer.
async fn laptop(scene: &Scene) -> Result<(), Failure> {
    const GET_INFO: &[u8] = &[0x04];
    scene.permit(GET_INFO);
    let mut laptop = HostileLaptop::at(scene, HOME)?;
    let code = laptop.make_code();
    let phone = scene.phone()?.answer(code.text());
    let mut connected = laptop.connect(&code).await?;
    connected.send(&[1, 4]).await?;
    let reply = connected.receive().await?;
    connected.send(&[0]).await?;
    phone.end().await?.satisfied()?;
    match reply.as_slice() {
        [1, 0, ..] => Ok(()),
        _ => Err(Setup::from("the phone did not answer").into()),
    }
}

/// The attacker's phone does all by hand, but has the owner's passkeys.
async fn phone(scene: &Scene) -> Result<(), Failure> {
    let mut passkeys = scene.owners_passkeys()?;
    let mut laptop = scene.laptop()?;
    let go = Arc::new(Notify::new());
    laptop.hesitation = Some(Arc::clone(&go));
    let mut laptop = laptop.sign_in();
    let mut phone = HostilePhone::at(scene, HOME)?;
    let mut connected = phone.pose(&laptop.code().await?, passkeys.get_info().await).await?;
    go.notify_one();
    let message = connected.receive().await?;
    let request = message.strip_prefix(&[1]).ok_or(Setup::from("not a CTAP request"))?;
    let reply = passkeys.call(request).await;
    connected.send(&[[1].as_slice(), &reply].concat()).await?;
    connected.until_hung_up().await;
    laptop.end().await?.signed_in()
}

async fn link(scene: &Scene) -> Result<(), Failure> {
    let remembered = remember_phone(scene).await?;
    let (laptop, phone) = call_remembered_phone(scene, remembered).await?;
    laptop.signed_in()?;
    phone.satisfied()
}
