//! Who decides, and the first questions: a passphrase for the owner of a new state.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::{
    args::Approve,
    error::Error,
    passphrase::{MIN_CHARS, Verifier},
    person::Approval,
    state::Passkeys,
    terminal::{Console, Echo, Terminal},
};

/// Who will decide, before there are passkeys to decide about.
pub(crate) enum Asker {
    Person(Arc<dyn Console>),
    Always,
    Never,
}

impl Asker {
    pub(crate) fn for_choice(choice: Approve, has_state: bool) -> Result<Self, Error> {
        match choice {
            Approve::Ask => Ok(Self::Person(Arc::new(Terminal::open().map_err(Error::NoTerminal)?))),
            Approve::Always if !has_state => Err(Error::AlwaysNeedsState),
            Approve::Always => Ok(Self::Always),
            Approve::Never => Ok(Self::Never),
        }
    }

    pub(crate) async fn approval(self, passkeys: &mut Passkeys) -> Result<Approval, Error> {
        match self {
            Self::Person(console) => {
                let passphrase = passphrase(&*console, passkeys).await?;
                Ok(Approval::Ask { console, passphrase })
            }
            // Whoever chose it is the one to be verified, and nobody is.
            Self::Always if passkeys.passphrase().is_some() => Err(Error::AlwaysNeedsTests),
            Self::Always => Ok(Approval::Always),
            Self::Never => Ok(Approval::Never),
        }
    }
}

/// What tells the owner's passphrase. If the state has none, the person chooses one, or does without.
async fn passphrase(console: &dyn Console, passkeys: &mut Passkeys) -> Result<Option<Verifier>, Error> {
    if let Some(verifier) = passkeys.passphrase() {
        return Ok(Some(verifier.clone()));
    }
    // Without a state, there is no time at which somebody else could come.
    if passkeys.directory().is_none() {
        return Ok(None);
    }
    let mut question = "Choose a passphrase by which this phone knows you (nothing for none): ".to_owned();
    loop {
        let Some(first) = console.ask(&question, Echo::Off).await.map_err(Error::Terminal)? else {
            return Err(Error::Interrupted);
        };
        if first.is_empty() {
            return Ok(None);
        }
        if first.chars().count() < MIN_CHARS {
            question = format!("That is short. At least {MIN_CHARS} characters (nothing for none): ");
            continue;
        }
        let Some(again) = console.ask("The same again: ", Echo::Off).await.map_err(Error::Terminal)? else {
            return Err(Error::Interrupted);
        };
        if again != first {
            question = "Those were two different ones. Choose one (nothing for none): ".to_owned();
            continue;
        }
        let verifier = spawn_blocking(move || Verifier::new(&first)).await.ok().flatten();
        let verifier = verifier.ok_or(Error::Passphrase)?;
        passkeys.set_passphrase(verifier.clone())?;
        return Ok(Some(verifier));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, io, sync::Mutex};

    use async_trait::async_trait;
    use zeroize::Zeroizing;

    use super::*;
    use crate::state::{LOCK_PATIENCE, StateDirectory};

    /// Gives these answers, in secret, and then no more.
    struct Answers(Mutex<VecDeque<&'static str>>);

    impl Answers {
        fn new(answers: &[&'static str]) -> Self {
            Self(Mutex::new(answers.iter().copied().collect()))
        }
    }

    #[async_trait]
    impl Console for Answers {
        async fn ask(&self, _question: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
            assert_eq!(echo, Echo::Off);
            Ok(self.0.lock().unwrap().pop_front().map(|answer| Zeroizing::new(answer.to_owned())))
        }
    }

    async fn open(folder: &tempfile::TempDir) -> Passkeys {
        let (directory, state) = StateDirectory::open(folder.path(), LOCK_PATIENCE).await.unwrap();
        Passkeys::in_directory(directory, state)
    }

    #[tokio::test]
    async fn a_passphrase_is_chosen_once() {
        let folder = tempfile::tempdir().unwrap();
        let console = Answers::new(&["abc", "first try", "another", "correct horse", "correct horse"]);
        let mut passkeys = open(&folder).await;
        let chosen = passphrase(&console, &mut passkeys).await.unwrap().unwrap();
        assert!(console.0.lock().unwrap().is_empty(), "too short, two different ones, and then");
        assert!(chosen.matches("correct horse"));
        drop(passkeys);
        let known = passphrase(&Answers::new(&[]), &mut open(&folder).await).await.unwrap().unwrap();
        assert!(known.matches("correct horse"));
    }

    #[tokio::test]
    async fn a_state_with_an_owner_is_not_for_tests() {
        let folder = tempfile::tempdir().unwrap();
        let mut passkeys = open(&folder).await;
        let always = || Asker::for_choice(Approve::Always, true).unwrap();
        assert!(matches!(always().approval(&mut passkeys).await, Ok(Approval::Always)));
        passphrase(&Answers::new(&["correct horse", "correct horse"]), &mut passkeys).await.unwrap();
        let refused = always().approval(&mut passkeys).await.err().unwrap();
        assert!(matches!(refused, Error::AlwaysNeedsTests) && refused.exit_code() == 2, "{refused}");
        let never = Asker::for_choice(Approve::Never, true).unwrap();
        assert!(matches!(never.approval(&mut passkeys).await, Ok(Approval::Never)), "nothing is granted");
    }

    #[tokio::test]
    async fn doing_without_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut passkeys = open(&folder).await;
        assert!(passphrase(&Answers::new(&[""]), &mut passkeys).await.unwrap().is_none());
        for answers in [&[][..], &["correct horse"]] {
            let gone = passphrase(&Answers::new(answers), &mut passkeys).await;
            assert!(matches!(gone, Err(Error::Interrupted)), "whoever leaves has not chosen");
        }
        drop(passkeys);
        assert!(open(&folder).await.passphrase().is_none());
        let nowhere = passphrase(&Answers::new(&[]), &mut Passkeys::in_memory()).await;
        assert!(nowhere.unwrap().is_none(), "nobody is asked");
    }
}
