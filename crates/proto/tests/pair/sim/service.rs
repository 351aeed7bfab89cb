//! The tunnel service, and the way of messages and reports through the world.

use core::time::Duration;

use hybridge_proto::{
    advert::Psm,
    channel::DialFailure,
    ids::{RoutingId, TunnelId},
    link::ClientPayload,
    packets::Framing,
    service::{CLIENT_PAYLOAD_HEADER, SIGNAL_HEADER, ServicePath, ServiceRequest},
};

use super::{
    faults::{Fault, Point},
    remembered::owner_of,
    trace::Who,
    wire::{End, Report, Stage, Tunnel, unwrapped},
    world::{Happening, World},
};

/// What a service makes of a request: a report, or silence.
type Answer = Option<Report>;

impl World {
    /// A machine dials the tunnel service.
    pub(super) fn dial(&mut self, end: End, request: &ServiceRequest) {
        self.wire.add(end, Stage::Dialing);
        let (point, after) = match end {
            End::Laptop(_) => (Point::LaptopOpens, self.settings.timing.laptop_opens),
            End::Phone(..) => (Point::PhoneOpens, self.settings.timing.phone_opens),
        };
        let fault = self.strike(point);
        let answer = match fault {
            Some(Fault::Fail(failure)) => Some(Report::Failed(failure)),
            _ => self.serve(end, request),
        };
        if let Some(report) = answer {
            self.report(end, report, after, fault);
        }
    }

    fn serve(&mut self, end: End, request: &ServiceRequest) -> Answer {
        let Some(service) = self.hosts.iter().position(|host| *host == request.host) else {
            let failures = [DialFailure::Unreachable, DialFailure::Refused(404)];
            return self.dice.percent(50).then(|| Report::Failed(self.dice.pick(&failures)));
        };
        let served = match (end, &request.path) {
            (End::Phone(..), ServicePath::New { tunnel }) => self.serve_new(end, (service, *tunnel)),
            (_, ServicePath::Connect { routing, tunnel }) => {
                self.serve_connect(end, &(service, *tunnel), *routing)
            }
            (End::Laptop(_), ServicePath::Contact { contact }) => {
                self.serve_contact(end, service, owner_of(contact), request)
            }
            _ => panic!("the wrong side dials {:?}", request.path),
        };
        Some(served.unwrap_or_else(Report::Failed))
    }

    fn serve_new(&mut self, end: End, tunnel: Tunnel) -> Result<Report, DialFailure> {
        let routing = RoutingId::from_bytes(self.dice.array());
        self.wire.open_tunnel(end, tunnel, routing)?;
        Ok(Report::Opened { routing: Some(routing), signal: false })
    }

    fn serve_connect(
        &mut self,
        end: End,
        tunnel: &Tunnel,
        routing: RoutingId,
    ) -> Result<Report, DialFailure> {
        let peer = self.wire.join_tunnel(end, tunnel, routing)?;
        if let (End::Phone(..), true) = (end, self.settings.signal) {
            self.carry(end, peer, vec![0]);
        }
        for message in self.wire.take_unsent(peer) {
            self.carry(peer, end, message);
        }
        Ok(Report::Opened { routing: None, signal: false })
    }

    fn serve_contact(
        &mut self,
        end: End,
        service: usize,
        owner: usize,
        request: &ServiceRequest,
    ) -> Result<Report, DialFailure> {
        if let Some(failure) = self.settings.contact_failure {
            return Err(failure);
        }
        let header = |name| request.headers.iter().find(|header| header.0 == name).map(|header| &header.1);
        let payload = header(CLIENT_PAYLOAD_HEADER).expect("a call carries a payload");
        let payload = ClientPayload::from_header(payload).expect("well-formed");
        assert!(header(SIGNAL_HEADER).is_some(), "the client asks for the signal");
        let (tunnel, routing) =
            (TunnelId::from_bytes(self.dice.array()), RoutingId::from_bytes(self.dice.array()));
        self.wire.open_tunnel(end, (service, tunnel), routing)?;
        self.ring(owner, tunnel, routing, &payload);
        Ok(Report::Opened { routing: None, signal: self.settings.signal })
    }

    fn ring(&mut self, owner: usize, tunnel: TunnelId, routing: RoutingId, payload: &ClientPayload) {
        let fault = self.strike(Point::Call);
        let wake = self.settings.timing.wake;
        for late in delays(fault) {
            let payload = payload.clone();
            self.later(wake + late, Happening::Rung { owner, tunnel, routing, payload });
        }
    }

    /// Tells a machine that a channel opened, or did not, or is closed.
    fn report(&mut self, end: End, report: Report, after: Duration, fault: Option<Fault>) {
        for late in delays(fault) {
            let report = match report {
                Report::Opened { signal, .. } if fault == Some(Fault::NoRouting) => {
                    Report::Opened { routing: None, signal }
                }
                ref report => report.clone(),
            };
            self.later(after + late, Happening::Reported { end, report });
        }
    }

    /// A machine sends a message.
    pub(super) fn transmit(&mut self, from: End, message: Vec<u8>) {
        assert_eq!(self.wire.stage(from), Some(Stage::Open), "messages go into open channels only");
        let message = match self.wire.is_over_ble(from) {
            true => unwrapped(self.settings.framing, &message),
            false => message,
        };
        match self.wire.peer(from) {
            Some(to) => self.carry(from, to, message),
            None => self.wire.keep_unsent(from, message),
        }
    }

    fn carry(&mut self, from: End, to: End, message: Vec<u8>) {
        let (point, direction) = match to {
            End::Laptop(_) => (Point::ToLaptop, 0),
            End::Phone(..) => (Point::ToPhone, 1),
        };
        let way = self.settings.timing.way;
        let fault = self.strike(point);
        let earlier = match self.passed[direction].len() {
            0 => None,
            length => self.passed[direction].get(self.dice.index(length)).cloned(),
        };
        self.passed[direction].push(message.clone());
        if fault == Some(Fault::HangUp) {
            self.wire.forget(from);
            self.closed(from);
            return self.closed(to);
        }
        if fault == Some(Fault::Reflect) {
            self.later(way, Happening::Reported { end: from, report: Report::Message(message.clone()) });
        }
        let on_time = || vec![(Duration::ZERO, message.clone())];
        for (late, copy) in
            fault.map_or_else(on_time, |fault| fault.copies(message.clone(), earlier.as_ref()))
        {
            for part in self.parts(to, copy) {
                self.later(way + late, Happening::Reported { end: to, report: Report::Message(part) });
            }
        }
    }

    /// What a message travels in: itself in a tunnel, and packets over BLE, as some sender may cut them.
    fn parts(&mut self, to: End, message: Vec<u8>) -> Vec<Vec<u8>> {
        if !self.wire.is_over_ble(to) {
            return vec![message];
        }
        let size = self.dice.pick(&[7, 64, 82, 672, 65_535]).max(message.len() / 64);
        let framing = self.settings.framing;
        match self.dice.percent(80) {
            true => framing.wrap(&message).chunks(size).map(Vec::from).collect(),
            false if framing == Framing::CrLf => vec![message],
            false => vec![framing.wrap(&message)],
        }
    }

    /// A machine closes a channel, open or not. Its peer hears of it after everything that was sent.
    pub(super) fn hang_up(&mut self, end: End) {
        let stage = self.wire.stage(end).expect("a channel of this machine");
        assert_ne!(stage, Stage::Gone, "{end:?} is closed a second time");
        self.wire.set_stage(end, Stage::Gone);
        if let Some(peer) = self.wire.forget(end) {
            self.closed(peer);
        }
    }

    /// The other side of this end is gone.
    fn closed(&mut self, end: End) {
        let point = match end {
            End::Laptop(_) => Point::LaptopCloses,
            End::Phone(..) => Point::PhoneCloses,
        };
        let fault = self.strike(point);
        self.report(end, Report::Closed, self.settings.timing.way, fault);
    }

    /// The laptop opens a BLE channel to a phone.
    pub(super) fn connect_over_ble(&mut self, end: End, phone: usize, psm: Psm) {
        if self.wire.stage(end) == Some(Stage::Gone) {
            return;
        }
        let fault = self.strike(Point::LaptopOpens);
        let failure = match fault {
            Some(Fault::Fail(failure)) => Some(failure),
            _ if self.accept_over_ble(end, phone, psm) => None,
            _ => Some(DialFailure::L2cap),
        };
        let opened = Report::Opened { routing: None, signal: false };
        self.report(end, failure.map_or(opened, Report::Failed), Duration::ZERO, fault);
    }

    fn accept_over_ble(&mut self, end: End, phone: usize, psm: Psm) -> bool {
        let Some(state) = self.phones.get_mut(phone).filter(|state| state.listening == Some(psm)) else {
            return false;
        };
        let Some(channel) = state.machine.handle_l2cap_accepted() else { return false };
        let accepted = End::Phone(phone, channel);
        self.trace.note(Who::Phone(phone), "accepts a BLE connection");
        self.wire.add(accepted, Stage::Open);
        self.wire.join_over_ble(end, accepted);
        true
    }
}

/// How much later something comes, once for each time it comes.
fn delays(fault: Option<Fault>) -> Vec<Duration> {
    match fault {
        Some(Fault::Drop) => Vec::new(),
        Some(Fault::Duplicate) => vec![Duration::ZERO; 2],
        Some(Fault::Late(seconds)) => vec![Duration::from_secs(seconds)],
        _ => vec![Duration::ZERO],
    }
}
