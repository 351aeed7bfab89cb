//! Looking for the phone: codes, calls and up to four candidates at once.

use std::{collections::BTreeSet, time::Instant};

use super::{
    Action, AttemptError, CallId, ClientError, Context, Event, FoundBy, Link,
    attempt::{Attempt, Call, Progress, Source, contact},
    code::Codes,
};
use crate::{
    advert::{ADVERT_LENGTH, Advert, AdvertPlaintext, MAX_SERVICE_DATA, parse_suffix},
    channel::{ChannelId, CloseCode, Route, SightingId},
    domain::{DomainId, UnassignedDomain},
    handshake::Established,
    service::{ServicePath, ServiceRequest},
    time::deadline,
};

/// How many candidates may be in the handshake at once.
pub(super) const MAX_CANDIDATES: usize = 4;

pub(super) struct Search {
    pub(super) codes: Codes,
    attempts: Vec<Attempt>,
    /// Adverts that matched, each followed once.
    tried: BTreeSet<Advert>,
    deadline: Instant,
    /// Whether adverts are heard. Without them neither a code nor a call leads anywhere.
    pub(super) scanning: bool,
    last_error: Option<ClientError>,
}

/// A search that has found its phone.
pub(super) struct Found {
    pub(super) attempt: Attempt,
    pub(super) established: Established,
}

impl Search {
    pub(super) fn new(context: &Context, now: Instant, codes: Codes) -> Self {
        let deadline = deadline(now, context.config.timing.search);
        let (attempts, tried) = (Vec::new(), BTreeSet::new());
        Self { codes, attempts, tried, deadline, scanning: true, last_error: None }
    }

    /// A search for nothing but one phone's tunnel, after its BLE channel died.
    pub(super) fn for_fallback(context: &mut Context, now: Instant, mut attempt: Attempt) -> Self {
        let mut search = Self { scanning: false, ..Self::new(context, now, Codes::none()) };
        if attempt.recover(context, now, AttemptError::ChannelLost).is_ok() {
            search.attempts.push(attempt);
        }
        search
    }

    pub(super) fn call(
        &mut self,
        context: &mut Context,
        now: Instant,
        link: Link,
    ) -> Result<CallId, UnassignedDomain> {
        let (eid_key, request) = contact(context, &link)?;
        let id = CallId(context.next_channel().0);
        let domain = link.domain;
        let source = Source::Call(Box::new(Call { id, link, eid_key }));
        let route = Route::Tunnel(request.clone());
        self.attempts.push(Attempt::dial(context, now, source, domain, request, route, None));
        Ok(id)
    }

    pub(super) fn service_data(
        &mut self,
        context: &mut Context,
        now: Instant,
        data: &[u8],
        sighting: SightingId,
    ) {
        let Some(advert) = Advert::from_service_data(data).filter(|_| data.len() <= MAX_SERVICE_DATA) else {
            return;
        };
        if self.tried.contains(&advert) {
            return;
        }
        if self.attempts.iter_mut().any(|attempt| attempt.match_advert(context, now, &advert)) {
            self.tried.insert(advert);
            return;
        }
        let candidates =
            self.attempts.iter().filter(|attempt| matches!(attempt.source, Source::Code(_))).count();
        if candidates >= MAX_CANDIDATES {
            // Not marked as tried: the phone repeats its advert, and a place may become free.
            return;
        }
        let Some((code, plaintext)) = self.codes.find(&advert) else { return };
        self.tried.insert(advert);
        let psm = data.get(ADVERT_LENGTH..).and_then(parse_suffix).filter(|_| context.config.l2cap);
        let route = psm.map(|psm| Route::L2cap { psm, sighting });
        self.matched(context, now, Source::Code(code), &plaintext, route);
    }

    fn matched(
        &mut self,
        context: &mut Context,
        now: Instant,
        source: Source,
        plaintext: &AdvertPlaintext,
        route: Option<Route>,
    ) {
        let Source::Code(code) = &source else { return };
        let domain = plaintext.domain();
        let path = ServicePath::Connect { routing: plaintext.routing_id(), tunnel: code.secret.tunnel_id() };
        let Ok(request) = ServiceRequest::new(domain, path) else {
            self.unknown_domain(context, domain);
            return;
        };
        let psk = code.secret.psk(plaintext);
        self.codes.hide(context, now);
        context.out.event(Event::PhoneNearby { found_by: FoundBy::Code });
        let route = route.unwrap_or_else(|| Route::Tunnel(request.clone()));
        self.attempts.push(Attempt::dial(context, now, source, domain, request, route, Some(psk)));
    }

    fn unknown_domain(&mut self, context: &mut Context, domain: DomainId) {
        self.last_error = Some(ClientError::UnknownTunnelService(domain));
        context.out.event(Event::UnknownTunnelService(domain));
    }

    fn position(&self, channel: ChannelId) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.channel == channel)
    }

    pub(super) fn opened(&mut self, context: &mut Context, now: Instant, channel: ChannelId, signal: bool) {
        if let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.channel == channel) {
            attempt.opened(context, now, signal);
        }
    }

    pub(super) fn message(
        &mut self,
        context: &mut Context,
        now: Instant,
        channel: ChannelId,
        message: Vec<u8>,
    ) -> Option<Found> {
        let position = self.position(channel)?;
        match self.attempts.get_mut(position)?.message(context, message) {
            Ok(Progress::Waiting) => None,
            Ok(Progress::Finished(established)) => {
                let attempt = self.attempts.swap_remove(position);
                Some(Found { attempt, established: *established })
            }
            Err(error) => {
                let attempt = self.attempts.swap_remove(position);
                attempt.close(context, CloseCode::PROTOCOL);
                self.recover(context, now, attempt, error);
                None
            }
        }
    }

    /// A channel failed to open, or closed.
    pub(super) fn failed(
        &mut self,
        context: &mut Context,
        now: Instant,
        channel: ChannelId,
        error: AttemptError,
    ) {
        let Some(position) = self.position(channel) else { return };
        let attempt = self.attempts.swap_remove(position);
        self.recover(context, now, attempt, error);
    }

    /// Takes another way to the phone, if there is one.
    fn recover(&mut self, context: &mut Context, now: Instant, mut attempt: Attempt, error: AttemptError) {
        match attempt.recover(context, now, error) {
            Ok(()) => self.attempts.push(attempt),
            Err(error) => self.give_up(context, now, attempt, error),
        }
    }

    fn give_up(&mut self, context: &mut Context, now: Instant, attempt: Attempt, error: AttemptError) {
        self.last_error = Some(error.into());
        if let Some(call) = attempt.is_gone(error) {
            context.out.event(Event::LinkGone(call));
        }
        let found_by = attempt.source.found_by();
        context.out.event(Event::AttemptFailed { found_by, channel: attempt.channel, error });
        // The phone answers a code once, so after a failure its owner needs a fresh one to scan.
        let can_rescan = self.scanning && matches!(attempt.source, Source::Code(_));
        if can_rescan && !self.codes.is_shown() && now < self.deadline {
            self.codes.show_fresh(context, now);
        }
    }

    /// Closes all candidates that have not won.
    pub(super) fn close_all(&self, context: &mut Context) {
        self.attempts.iter().for_each(|attempt| attempt.close(context, CloseCode::GOING_AWAY));
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let attempts = self.attempts.iter().map(|attempt| attempt.deadline).min();
        // Candidates that are under way may finish after the search's own end, which takes the codes away.
        let search = (self.attempts.is_empty() || !self.codes.is_empty()).then_some(self.deadline);
        [attempts, search, self.codes.next_timeout()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context, now: Instant) {
        while let Some(position) = self.attempts.iter().position(|attempt| attempt.deadline <= now) {
            let attempt = self.attempts.swap_remove(position);
            let error = attempt.timed_out();
            attempt.close(context, CloseCode::GOING_AWAY);
            self.recover(context, now, attempt, error);
        }
        if now < self.deadline {
            self.codes.handle_timeout(context, now);
        } else {
            self.codes.hide(context, now);
            self.codes = Codes::none();
        }
    }

    /// Whether nothing can come of this search any more, and why.
    pub(super) fn verdict(&self, now: Instant) -> Option<ClientError> {
        let hopeless = self.codes.is_empty() && self.last_error.is_some();
        if self.attempts.is_empty() && (hopeless || now >= self.deadline) {
            return Some(self.last_error.unwrap_or(ClientError::NobodyScanned));
        }
        None
    }

    pub(super) fn stop(&self, context: &mut Context) {
        if self.scanning {
            context.out.action(Action::StopScan);
        }
        self.close_all(context);
    }
}
