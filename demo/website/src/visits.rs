//! Visits: who is signed in where, and which question the site has asked.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use data_encoding::BASE64URL_NOPAD;
use webauthn_rs::prelude::{DiscoverableAuthentication, Uuid};

use crate::{
    error::SiteError,
    site::{Registration, SignIn},
};

/// How long a visit lasts after the last request.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// How long the site waits for the answer to a question.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// The most visits at a time. The one that was quiet for longest makes room, of those that nobody is signed in to if there
/// are any: anybody can begin as many of them as they like.
const MAX_VISITS: usize = 10_000;

/// A question to the browser. It can be answered once.
pub(crate) enum Pending {
    Registration {
        user: Uuid,
        name: String,
        group: String,
        state: Registration,
    },
    /// With a user name.
    SignIn {
        user: Uuid,
        state: SignIn,
    },
    /// Without one: the passkey tells who it is.
    Discovery {
        state: DiscoverableAuthentication,
    },
}

#[derive(Default)]
struct Visit {
    user: Option<Uuid>,
    pending: Option<(Pending, Option<Instant>)>,
    /// What the next page says.
    word: Option<&'static str>,
    last_seen: Option<Instant>,
}

/// The secret in the cookie of a visit: 32 random bytes in base64url.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Token(String);

impl Token {
    fn generate() -> Result<Self, SiteError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| SiteError::Broken)?;
        Ok(Self(BASE64URL_NOPAD.encode(&bytes)))
    }

    /// What a browser sent, whether there is such a visit or not.
    pub(crate) fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// All visits.
#[derive(Default)]
pub(crate) struct Visits {
    by_token: HashMap<Token, Visit>,
}

impl Visits {
    /// Who is signed in.
    pub(crate) fn user(&mut self, token: Option<&Token>, now: Instant) -> Option<Uuid> {
        self.visit(token, now)?.user
    }

    /// Notes a question, in place of an earlier one. A visit begins if there is none; its token is given then.
    pub(crate) fn ask(
        &mut self,
        token: Option<&Token>,
        question: Pending,
        now: Instant,
    ) -> Result<Option<Token>, SiteError> {
        let pending = Some((question, now.checked_add(PATIENCE)));
        if let Some(visit) = self.visit(token, now) {
            visit.pending = pending;
            return Ok(None);
        }
        let visit = Visit { pending, last_seen: Some(now), ..Visit::default() };
        self.begin(visit, now).map(Some)
    }

    /// Takes the question that waits for an answer.
    pub(crate) fn take_question(&mut self, token: Option<&Token>, now: Instant) -> Option<Pending> {
        let (question, until) = self.visit(token, now)?.pending.take()?;
        until.is_some_and(|until| now < until).then_some(question)
    }

    /// Signs a user in. The visit goes on under a new token, so that whoever knew the former one is not in.
    pub(crate) fn sign_in(
        &mut self,
        token: Option<&Token>,
        user: Uuid,
        now: Instant,
    ) -> Result<Token, SiteError> {
        self.end(token);
        self.begin(Visit { user: Some(user), last_seen: Some(now), ..Visit::default() }, now)
    }

    /// Leaves a word for the next page.
    pub(crate) fn leave_word(&mut self, token: Option<&Token>, word: &'static str, now: Instant) {
        if let Some(visit) = self.visit(token, now) {
            visit.word = Some(word);
        }
    }

    /// Takes the word that was left.
    pub(crate) fn take_word(&mut self, token: Option<&Token>, now: Instant) -> Option<&'static str> {
        self.visit(token, now)?.word.take()
    }

    /// Forgets a visit.
    pub(crate) fn end(&mut self, token: Option<&Token>) {
        if let Some(token) = token {
            self.by_token.remove(token);
        }
    }

    /// Forgets the visits of a user, but for one.
    pub(crate) fn end_others(&mut self, kept: Option<&Token>, user: Uuid) {
        self.by_token.retain(|token, visit| visit.user != Some(user) || kept == Some(token));
    }

    fn begin(&mut self, visit: Visit, now: Instant) -> Result<Token, SiteError> {
        if self.by_token.len() >= MAX_VISITS {
            self.by_token.retain(|_, visit| visit.is_alive(now));
        }
        if self.by_token.len() >= MAX_VISITS {
            let order = |visit: &Visit| (visit.user.is_some(), visit.last_seen);
            let quietest = self.by_token.iter().min_by_key(|(_, visit)| order(visit));
            let quietest = quietest.map(|(token, _)| token.clone());
            self.end(quietest.as_ref());
        }
        let token = Token::generate()?;
        self.by_token.insert(token.clone(), visit);
        Ok(token)
    }

    fn visit(&mut self, token: Option<&Token>, now: Instant) -> Option<&mut Visit> {
        let visit = self.by_token.get_mut(token?)?;
        if !visit.is_alive(now) {
            return None;
        }
        visit.last_seen = Some(now);
        Some(visit)
    }
}

impl Visit {
    fn is_alive(&self, now: Instant) -> bool {
        self.last_seen.is_some_and(|seen| now.saturating_duration_since(seen) < LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_ends_when_it_was_quiet_for_an_hour() {
        let (mut visits, start, user) = (Visits::default(), Instant::now(), Uuid::new_v4());
        let token = visits.sign_in(None, user, start).unwrap();
        let later = start + LIFETIME / 2;
        assert_eq!(visits.user(Some(&token), later), Some(user));
        assert_eq!(visits.user(Some(&token), start + LIFETIME), Some(user), "it was seen in between");
        assert_eq!(visits.user(Some(&token), start + LIFETIME * 3), None);
    }

    #[test]
    fn signing_in_changes_the_token() {
        let (mut visits, now) = (Visits::default(), Instant::now());
        let (ada, eve) = (Uuid::new_v4(), Uuid::new_v4());
        let first = visits.sign_in(None, eve, now).unwrap();
        let second = visits.sign_in(Some(&first), ada, now).unwrap();
        assert_eq!(visits.user(Some(&first), now), None);
        assert_eq!(visits.user(Some(&second), now), Some(ada));
        assert_eq!(visits.user(Some(&Token::received("")), now), None);
        assert_eq!(visits.user(None, now), None);
    }

    #[test]
    fn the_quietest_visit_makes_room() {
        let (mut visits, start, user) = (Visits::default(), Instant::now(), Uuid::new_v4());
        let mut tokens = Vec::new();
        for number in 0..=u64::try_from(MAX_VISITS).unwrap() {
            tokens.push(visits.sign_in(None, user, start + Duration::from_millis(number)).unwrap());
        }
        let end = start + Duration::from_secs(60);
        assert_eq!(visits.by_token.len(), MAX_VISITS);
        assert_eq!(visits.user(tokens.first(), end), None);
        assert_eq!(visits.user(tokens.get(1), end), Some(user));
        assert_eq!(visits.user(tokens.last(), end), Some(user));
    }

    #[test]
    fn visits_of_nobody_make_room_first() {
        let (mut visits, start, user) = (Visits::default(), Instant::now(), Uuid::new_v4());
        let signed_in = visits.sign_in(None, user, start).unwrap();
        for number in 0..=u64::try_from(MAX_VISITS).unwrap() {
            let later = start + Duration::from_millis(number);
            visits.begin(Visit { last_seen: Some(later), ..Visit::default() }, later).unwrap();
        }
        assert_eq!(visits.by_token.len(), MAX_VISITS);
        assert_eq!(visits.user(Some(&signed_in), start + Duration::from_secs(60)), Some(user));
    }

    #[test]
    fn the_other_visits_of_one_user_end() {
        let (mut visits, now) = (Visits::default(), Instant::now());
        let (ada, bob) = (Uuid::new_v4(), Uuid::new_v4());
        let [here, there] = [(); 2].map(|()| visits.sign_in(None, ada, now).unwrap());
        let other = visits.sign_in(None, bob, now).unwrap();
        visits.end_others(Some(&here), ada);
        let left = [&here, &there, &other].map(|token| visits.user(Some(token), now));
        assert_eq!(left, [Some(ada), None, Some(bob)]);
    }
}
