//! The first questions: a passphrase for the owner of a new state.

use tokio::task::spawn_blocking;

use crate::{
    error::Error,
    passphrase::{MIN_CHARS, Verifier},
    state::Passkeys,
    terminal::{Console, Echo},
};

/// What tells the owner's passphrase. If the state has none, the person chooses one, or does without.
pub(crate) async fn passphrase(
    console: &dyn Console,
    passkeys: &mut Passkeys,
) -> Result<Option<Verifier>, Error> {
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
