//! Tunnel services that answer requests wrongly, and hosts that pretend to be one.

use std::{sync::Arc, time::Duration};

use hybridge_client::{AttemptError, Error as LaptopError, Progress};
use hybridge_proto::{channel::DialFailure, handshake::HandshakeError, service::ServicePath};
use hybridge_tunnel::{DialError, RedirectRefused, WebSocketDialer};

use super::{
    Failure, Verdict,
    failure::only,
    hostile_service::HostileService,
    laptop::Laptop,
    links::untrusted,
    meddling::{Toward, inject},
    messages::{MESSAGE_1, left_alone, nobody_came, through},
    network::{Directory, Standing, stand_up},
    phone::{Phone, PhoneError},
    report::Refusal,
    scene::{SERVICE, Scene},
};

/// How long the laptop looks on after a failure.
const SEARCH: Duration = Duration::from_secs(1);

fn shorten(laptop: &mut Laptop, phone: &mut Phone) {
    laptop.config.timing.search = SEARCH;
    phone.timing.advertise = SEARCH;
}

/// 410 means "for ever" on a call of a remembered phone. Here it is a failure like any other.
pub(super) async fn gone_on_connect(scene: &Scene) -> Verdict {
    scene.did("answers the laptop that joins a tunnel with 410, as if its phone were gone for good");
    let service = HostileService::answering(|path| {
        let joins = matches!(path, ServicePath::Connect { .. });
        joins.then(|| "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n".to_owned())
    });
    let pair = through(scene, service, shorten).await?;
    if pair.laptop.count(|progress| matches!(progress, Progress::LinkGone(_))) > 0 {
        return Err(Failure::Succeeded("the laptop forgot a link".to_owned()));
    }
    let refused = AttemptError::Dial(DialFailure::Refused(410));
    let refusal = pair.laptop.refusal()?;
    Ok(vec![
        only!(refusal, Refusal::Laptop(LaptopError::Tunnel { error, .. }) if *error == refused)?,
        nobody_came(pair.phone)?,
    ])
}

/// Redirects are followed to secure hosts only.
pub(super) async fn redirect_to_plaintext(scene: &Scene) -> Verdict {
    scene.did("redirects phone and laptop to an address without TLS");
    let service = HostileService::answering(|path| {
        let location = format!("ws://plain.example{path}");
        Some(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
    });
    let phone = phone_at(scene, stand_up(SERVICE, service)?.dialer).await?;
    let joins_only = HostileService::answering(|path| match path {
        ServicePath::Connect { .. } => {
            let location = format!("http://plain.example{path}");
            Some(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
        }
        _ => None,
    });
    let pair = through(scene, joins_only, shorten).await?;
    let refusal = pair.laptop.refusal()?;
    Ok(vec![
        only!(
            phone,
            Refusal::Phone(PhoneError::Tunnel { source: Some(source), .. }) if leads_away(source)
        )?,
        only!(
            refusal,
            Refusal::Laptop(LaptopError::Tunnel { source: Some(source), .. }) if leads_away(source)
        )?,
    ])
}

fn leads_away(error: &DialError) -> bool {
    matches!(error, DialError::RedirectRefused(RedirectRefused::NotSecure))
}

/// How a phone ends that is alone with this tunnel service.
async fn phone_at(scene: &Scene, dialer: WebSocketDialer) -> Result<Refusal, Failure> {
    let directory = Directory::of([(SERVICE, Arc::new(dialer))])?;
    let mut laptop = scene.laptop()?.sign_in();
    let phone = scene.phone()?.dialing(SERVICE, directory).answer(laptop.code().await?);
    phone.end().await?.refusal()
}

/// The name is right, and the certificate is nobody's.
pub(super) async fn impostor_service(scene: &Scene) -> Verdict {
    scene.did(
        "stands in the network before the tunnel service, without its certificate, for phone and laptop",
    );
    let Standing { dialer, suspicious } = stand_up(SERVICE, HostileService::forwarding())?;
    let phone = phone_at(scene, suspicious.clone()).await?;
    let phone = only!(
        phone,
        Refusal::Phone(PhoneError::Tunnel { source: Some(source), .. }) if matches!(source, DialError::Tls(_))
    )?;
    // A phone that trusts the impostor brings the laptop as far as dialing.
    let trusting = Directory::of([(SERVICE, Arc::new(dialer))])?;
    let careful = Directory::of([(SERVICE, Arc::new(suspicious))])?;
    let mut laptop = scene.laptop()?.searching(SEARCH).dialing(careful).sign_in();
    let tricked = scene.phone()?.advertising(SEARCH).dialing(SERVICE, trusting).answer(laptop.code().await?);
    let laptop = untrusted(laptop.end().await?.refusal()?)?;
    Ok(vec![phone, laptop, nobody_came(tricked.end().await?)?])
}

/// The byte that signals a called phone's coming has no place after a code.
pub(super) async fn signal_on_code(scene: &Scene) -> Verdict {
    scene.did("sends the laptop a connect signal that nobody agreed on, before message 2");
    let service = HostileService::new(inject(MESSAGE_1, Toward::Laptop, vec![0]));
    let pair = through(scene, service, |_, _| {}).await?;
    let length = AttemptError::Handshake(HandshakeError::Length(1));
    Ok(vec![pair.laptop.failed_handshake(length)?, left_alone(pair.phone)?])
}
