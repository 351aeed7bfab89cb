//! From a code or a call to an open tunnel.

use std::time::Instant;

use super::{Action, AuthenticatorError, Context, IncomingCall, StartError};
use crate::{
    advert::{AdvertPlaintext, Psm},
    channel::{ChannelId, CloseCode, DialFailure},
    ids::RoutingId,
    keys::{EidKey, Psk, PublicKey, QrSecret},
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
    time::deadline,
};

/// Where a session's secrets come from.
pub(super) enum Origin {
    Code { secret: QrSecret, client: PublicKey, can_link: bool },
    Call { call: IncomingCall },
}

impl Origin {
    pub(super) fn eid_key(&self) -> EidKey {
        match self {
            Self::Code { secret, .. } => secret.eid_key(),
            Self::Call { call } => call.secret.eid_key(&call.payload.nonce),
        }
    }

    pub(super) fn psk(&self, plaintext: &AdvertPlaintext) -> Psk {
        match self {
            Self::Code { secret, .. } => secret.psk(plaintext),
            Self::Call { call } => call.secret.psk(plaintext),
        }
    }

    /// The key of a client that said it can remember phones; in a call it already does.
    pub(super) const fn linkable(&self) -> Option<PublicKey> {
        match self {
            Self::Code { client, can_link: true, .. } => Some(*client),
            _ => None,
        }
    }
}

pub(super) struct Preparing {
    origin: Origin,
    tunnel: Tunnel,
    l2cap: L2cap,
    retries: u8,
}

enum Tunnel {
    /// The client cannot use one.
    Unused,
    Dialing {
        channel: ChannelId,
        request: ServiceRequest,
        deadline: Instant,
    },
    Open {
        channel: ChannelId,
        routing: Option<RoutingId>,
    },
    /// There is none, and BLE may do instead.
    Failed(AuthenticatorError),
}

/// What the advert and the time on the air are made from.
pub(super) struct Prepared {
    pub(super) origin: Origin,
    /// For the advert, if there is a tunnel to route to.
    pub(super) routing: Option<RoutingId>,
    pub(super) psm: Option<Psm>,
    pub(super) tunnel: Option<ChannelId>,
    /// Why there is no tunnel, although the client could use one.
    pub(super) failure: Option<AuthenticatorError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum L2cap {
    /// The driver was told to listen and has not reported yet.
    Pending {
        deadline: Instant,
    },
    Known(Option<Psm>),
}

/// The retries of a dial that failed for a passing reason.
const RETRIES: u8 = 1;

impl Preparing {
    pub(super) fn for_code(context: &mut Context, code: &QrCode, now: Instant) -> Result<Self, StartError> {
        let domain = context.config.domain;
        if !domain.is_known_to(code.effective_known_domains()) {
            return Err(StartError::UnknownToClient(domain));
        }
        let channels = code.effective_channels();
        let l2cap = context.config.l2cap && channels.l2cap();
        if !channels.websocket() && !l2cap {
            return Err(StartError::NoCommonChannel);
        }
        let tunnel = code.secret.tunnel_id();
        let request = ServiceRequest::new(domain, ServicePath::New { tunnel })
            .map_err(|_| StartError::Unassigned(domain))?;
        let origin = Origin::Code {
            secret: QrSecret::from_bytes(code.secret.expose_bytes()),
            client: code.public_key,
            can_link: code.effective_linking(),
        };
        if l2cap {
            context.out.action(Action::ListenL2cap);
        }
        let l2cap = if l2cap {
            L2cap::Pending { deadline: deadline(now, context.config.timing.connect) }
        } else {
            L2cap::Known(None)
        };
        let tunnel = if channels.websocket() { Tunnel::dial(context, now, request) } else { Tunnel::Unused };
        Ok(Self { origin, tunnel, l2cap, retries: RETRIES })
    }

    pub(super) fn for_call(
        context: &mut Context,
        call: IncomingCall,
        now: Instant,
    ) -> Result<Self, StartError> {
        let domain = context.config.domain;
        let path = ServicePath::Connect { routing: call.routing, tunnel: call.tunnel };
        let request = ServiceRequest::new(domain, path).map_err(|_| StartError::Unassigned(domain))?;
        let tunnel = Tunnel::dial(context, now, request);
        Ok(Self { origin: Origin::Call { call }, tunnel, l2cap: L2cap::Known(None), retries: RETRIES })
    }

    pub(super) fn tunnel_opened(
        &mut self,
        context: &mut Context,
        opened: ChannelId,
        routing: Option<RoutingId>,
    ) -> Result<(), AuthenticatorError> {
        match &self.tunnel {
            Tunnel::Dialing { channel, .. } if *channel == opened => {}
            _ => return Ok(()),
        }
        let routing = match self.origin {
            Origin::Code { .. } if routing.is_none() => {
                self.close_tunnel(context);
                return self.without_tunnel(DialFailure::NotATunnelService.into());
            }
            Origin::Code { .. } => routing,
            // The client has its tunnel already; the bytes are filled at random.
            Origin::Call { .. } => None,
        };
        self.tunnel = Tunnel::Open { channel: opened, routing };
        Ok(())
    }

    /// Goes on without a tunnel if a client may still come over BLE.
    fn without_tunnel(&mut self, error: AuthenticatorError) -> Result<(), AuthenticatorError> {
        if self.l2cap == L2cap::Known(None) {
            return Err(error);
        }
        self.tunnel = Tunnel::Failed(error);
        Ok(())
    }

    pub(super) fn dial_failed(
        &mut self,
        context: &mut Context,
        now: Instant,
        failed: ChannelId,
        failure: DialFailure,
    ) -> Result<(), AuthenticatorError> {
        match &self.tunnel {
            Tunnel::Dialing { channel, .. } if *channel == failed => {}
            _ => return Ok(()),
        }
        if failure.is_transient() {
            self.redial(context, now, failure.into())
        } else {
            self.without_tunnel(failure.into())
        }
    }

    fn redial(
        &mut self,
        context: &mut Context,
        now: Instant,
        error: AuthenticatorError,
    ) -> Result<(), AuthenticatorError> {
        match (&self.tunnel, self.retries.checked_sub(1)) {
            (Tunnel::Dialing { request, .. }, Some(left)) => {
                self.retries = left;
                self.tunnel = Tunnel::dial(context, now, request.clone());
                Ok(())
            }
            _ => self.without_tunnel(error),
        }
    }

    pub(super) fn tunnel_lost(
        &mut self,
        context: &mut Context,
        now: Instant,
        lost: ChannelId,
    ) -> Result<(), AuthenticatorError> {
        match &self.tunnel {
            Tunnel::Dialing { channel, .. } if *channel == lost => {
                self.redial(context, now, AuthenticatorError::TunnelLost)
            }
            Tunnel::Open { channel, .. } if *channel == lost => {
                self.without_tunnel(AuthenticatorError::TunnelLost)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn l2cap_known(&mut self, psm: Option<Psm>) -> Result<(), AuthenticatorError> {
        if matches!(self.l2cap, L2cap::Pending { .. }) {
            self.l2cap = L2cap::Known(psm);
        }
        match (self.l2cap, &self.tunnel) {
            (L2cap::Known(None), Tunnel::Unused) => Err(DialFailure::L2cap.into()),
            (L2cap::Known(None), Tunnel::Failed(error)) => Err(*error),
            _ => Ok(()),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.l2cap, L2cap::Known(_)) && !matches!(self.tunnel, Tunnel::Dialing { .. })
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let tunnel = match &self.tunnel {
            Tunnel::Dialing { deadline, .. } => Some(*deadline),
            Tunnel::Unused | Tunnel::Open { .. } | Tunnel::Failed(_) => None,
        };
        let l2cap = match self.l2cap {
            L2cap::Pending { deadline } => Some(deadline),
            L2cap::Known(_) => None,
        };
        tunnel.into_iter().chain(l2cap).min()
    }

    pub(super) fn handle_timeout(
        &mut self,
        context: &mut Context,
        now: Instant,
    ) -> Result<(), AuthenticatorError> {
        match self.l2cap {
            L2cap::Pending { deadline } if deadline <= now => {
                self.stop_listening(context);
                self.l2cap_known(None)?;
            }
            _ => {}
        }
        match &self.tunnel {
            Tunnel::Dialing { deadline, .. } if *deadline <= now => {
                self.close_tunnel(context);
                self.redial(context, now, AuthenticatorError::DialTimeout)
            }
            _ => Ok(()),
        }
    }

    /// Gives everything up.
    pub(super) fn close(&self, context: &mut Context) {
        self.stop_listening(context);
        self.close_tunnel(context);
    }

    pub(super) fn stop_listening(&self, context: &mut Context) {
        if self.l2cap != L2cap::Known(None) {
            context.out.action(Action::StopAdvertising);
        }
    }

    fn close_tunnel(&self, context: &mut Context) {
        if let Tunnel::Dialing { channel, .. } | Tunnel::Open { channel, .. } = &self.tunnel {
            context.out.action(Action::Close { channel: *channel, code: CloseCode::GOING_AWAY });
        }
    }

    pub(super) fn into_parts(self) -> Prepared {
        let psm = match self.l2cap {
            L2cap::Known(psm) => psm,
            L2cap::Pending { .. } => None,
        };
        let (tunnel, routing, failure) = match self.tunnel {
            Tunnel::Open { channel, routing } => (Some(channel), routing, None),
            Tunnel::Failed(error) => (None, None, Some(error)),
            Tunnel::Unused | Tunnel::Dialing { .. } => (None, None, None),
        };
        Prepared { origin: self.origin, routing, psm, tunnel, failure }
    }
}

impl Tunnel {
    fn dial(context: &mut Context, now: Instant, request: ServiceRequest) -> Self {
        let channel = context.next_channel();
        context.out.action(Action::Dial { channel, request: request.clone() });
        Self::Dialing { channel, request, deadline: deadline(now, context.config.timing.connect) }
    }
}
