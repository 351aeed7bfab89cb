//! What a case is, and how it goes.

use std::{path::Path, sync::Arc, time::Duration};

use hybridge_proto::domain::DomainId;
use tokio::time::timeout;

use crate::{
    chromium::{Chromium, Log, Place},
    display::Display,
    failure::Failure,
    meddling::Meddling,
    phone::{Answering, Phone, Pocket},
    radio::Radios,
    relying_party::{Ceremony, Pending, RelyingParty},
    site::{Answer, Site},
    tunnel::Tunnel,
};

/// Far more than any step takes.
const LONG: Duration = Duration::from_secs(40);

/// One Chromium, and what happens in it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) domain: DomainId,
    /// The laptop hears the phone under 0xFDE2.
    pub(crate) translated: bool,
    pub(crate) meddling: Option<Meddling>,
    pub(crate) steps: Vec<Step>,
}

/// One ceremony of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) ceremony: Ceremony,
    pub(crate) phone: Phone,
    pub(crate) expected: Expected,
}

/// How a step has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The relying party accepts the credential, and the phone is left in peace.
    Verified,
    /// The same, after Chromium has passed over an advert. It logs this, at least so often.
    PassedOver(&'static str, usize),
    /// The page gets this exception, and the phone is left in peace.
    Exception(&'static str),
    /// Chromium logs this, and the page gets no credential. It may get nothing at all.
    Logged(&'static str),
    /// Chromium logs this, and the page gets the exception `NotAllowedError`.
    Rejected(&'static str),
    /// The page gets a credential, and the relying party refuses it with this error.
    Refused(&'static str),
}

/// Everything in which a case happens.
pub(crate) struct Scene {
    radios: Radios,
    tunnel: Tunnel,
    display: Display,
    site: Site,
    chromium: Chromium,
    relying_party: RelyingParty,
    pocket: Pocket,
    last_code: Option<String>,
}

impl Scene {
    /// Starts all programs and opens the page.
    pub(crate) async fn set(case: &Case, program: &Path, folder: &Path) -> Result<Self, Failure> {
        let tunnel = Tunnel::start(case.domain, case.meddling).await?;
        let radios = if case.translated { Radios::translated().await? } else { Radios::shared().await? };
        let display = Display::start(folder).await?;
        let site = Site::start().await?;
        let place = Place { display: &display.name, bus: radios.laptop_bus(), folder, tunnel: &tunnel };
        let chromium = Chromium::start(&place, site.url.as_str())?;
        let relying_party = RelyingParty::new(&site.url)?;
        let pocket =
            Pocket { program: program.to_owned(), folder: folder.to_owned(), passkeys: Arc::default() };
        Ok(Self { radios, tunnel, display, site, chromium, relying_party, pocket, last_code: None })
    }

    /// Goes through the steps.
    pub(crate) async fn play(&mut self, case: &Case) -> Result<(), Failure> {
        for step in &case.steps {
            let played = timeout(LONG, self.step(step)).await;
            played.unwrap_or(Err(Failure::Undecided(LONG.as_secs())))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        let (order, pending) = self.relying_party.begin(step.ceremony)?;
        let skipped = self.chromium.log.len();
        self.site.order(order).await;
        if step.phone == Phone::Watcher {
            let phone = self.pocket.watch(&self.display.name, &self.radios, &self.tunnel)?;
            return self.decide(step.expected, skipped, &pending, phone).await;
        }
        let listed = matches!(step.ceremony, Ceremony::Create { discoverable: false, .. });
        let code = tokio::select! {
            code = self.display.code(listed, self.last_code.as_deref()) => code?,
            answer = self.site.answer() => return Err(Failure::otherwise("a code", told(&answer))),
            failure = self.chromium.ended() => return Err(failure),
        };
        self.last_code = Some(code.clone());
        let phone = self.pocket.answer(step.phone, code, &self.radios, &self.tunnel).await?;
        self.decide(step.expected, skipped, &pending, phone).await
    }

    /// Waits for what decides, and compares it.
    async fn decide(
        &mut self,
        expected: Expected,
        skipped: usize,
        pending: &Pending,
        mut phone: Answering,
    ) -> Result<(), Failure> {
        let log = self.chromium.log.clone();
        let decision = tokio::select! {
            decision = decision(&mut self.site, &log, expected, skipped) => decision?,
            failure = phone.failed() => return Err(failure),
            failure = self.chromium.ended() => return Err(failure),
        };
        match (expected, decision) {
            (Expected::PassedOver(text, times), _) if log.count(skipped, text) < times => {
                Err(Failure::otherwise(expected.told(), "a laptop that says nothing of the kind"))
            }
            (Expected::Verified | Expected::PassedOver(..), Some(Answer::Credential(credential))) => {
                self.relying_party.finish(pending, credential)?;
                phone.left_in_peace().await
            }
            (Expected::Refused(why), Some(Answer::Credential(credential))) => {
                refused(expected, why, self.relying_party.finish(pending, credential))
            }
            (Expected::Exception(name), Some(Answer::Exception(found))) if found == name => {
                phone.left_in_peace().await
            }
            (Expected::Logged(_), None) => Ok(()),
            (Expected::Rejected(_), Some(Answer::Exception(found))) if found == "NotAllowedError" => Ok(()),
            (_, Some(answer)) => Err(Failure::otherwise(expected.told(), told(&answer))),
            (_, None) => Err(Failure::otherwise(expected.told(), "nothing for the page")),
        }
    }

    /// What Chromium has said of phones, for a failed case.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.chromium.log.about_phones(25)
    }

    /// Keeps what a person needs to find out why a case failed.
    pub(crate) async fn keep(&self, folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("chromium.log"), self.chromium.log.text())?;
        for name in ["phone.stdout", "phone.stderr"] {
            let from = self.pocket.folder.join(name);
            if from.exists() {
                std::fs::copy(from, folder.join(name))?;
            }
        }
        self.display.keep(&folder.join("screen.png")).await
    }
}

/// Whether the relying party refused for this reason.
fn refused(expected: Expected, why: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(Failure::Refused(error)) if format!("{error:?}") == why => Ok(()),
        Err(failure) => Err(Failure::otherwise(expected.told(), format!("{failure:?}"))),
        Ok(()) => Err(Failure::otherwise(expected.told(), "a credential that verifies")),
    }
}

/// Waits for the log line that a step wants, if any, and for the page's answer, if there is to be one.
async fn decision(
    site: &mut Site,
    log: &Log,
    expected: Expected,
    skipped: usize,
) -> Result<Option<Answer>, Failure> {
    let wanted = expected.logged();
    let texts: Vec<_> = wanted.into_iter().chain(FAILURES).collect();
    if wanted.is_some() {
        tokio::select! {
            found = log.until(skipped, &texts) => expected.check(found)?,
            answer = site.credential() => return Ok(Some(answer)),
        }
    }
    match expected {
        Expected::Logged(_) => Ok(site.answer_now().filter(|answer| matches!(answer, Answer::Credential(_)))),
        Expected::Rejected(_) => Ok(Some(site.answer().await)),
        _ => tokio::select! {
            biased;
            answer = site.answer() => Ok(Some(answer)),
            found = log.until(skipped, &texts) => Err(Failure::otherwise(expected.told(), found)),
        },
    }
}

/// What Chromium logs when it gives a phone up. The page hears nothing then, so there is nothing to wait for.
const FAILURES: [&str; 4] = [
    "caBLEv2 handshake failed",
    "caBLE post-handshake message",
    "decryption failed for caBLE",
    "Tunnel server didn't select cable protocol",
];

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Credential(_) => "a credential".to_owned(),
        Answer::Exception(name) => format!("the exception {name}"),
    }
}

impl Expected {
    /// What Chromium is to log before anything is decided.
    const fn logged(self) -> Option<&'static str> {
        match self {
            Self::Logged(text) | Self::Rejected(text) => Some(text),
            Self::Verified | Self::PassedOver(..) | Self::Exception(_) | Self::Refused(_) => None,
        }
    }

    /// Whether a line is the one.
    fn check(self, found: &'static str) -> Result<(), Failure> {
        match self.logged() {
            Some(wanted) if wanted == found => Ok(()),
            _ => Err(Failure::otherwise(self.told(), found)),
        }
    }

    fn told(self) -> String {
        match self {
            Self::Verified => "a credential that verifies".to_owned(),
            Self::PassedOver(text, _) => {
                format!("Chromium to log \"{text}\", and a credential that verifies")
            }
            Self::Exception(name) => format!("the exception {name}"),
            Self::Logged(text) => format!("Chromium to log \"{text}\", and nothing for the page"),
            Self::Rejected(text) => format!("Chromium to log \"{text}\", and the exception NotAllowedError"),
            Self::Refused(why) => format!("the relying party to refuse with {why}"),
        }
    }
}
