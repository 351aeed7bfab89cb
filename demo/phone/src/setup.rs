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
        let again = console.ask("The same again: ", Echo::Off).await.map_err(Error::Terminal)?;
        if again.as_ref() != Some(&first) {
            question = "Those were two different ones. Choose one (nothing for none): ".to_owned();
            continue;
        }
        let verifier = spawn_blocking(move || Verifier::new(&first)).await.ok().flatten();
        let verifier = verifier.ok_or(Error::Passphrase)?;
        passkeys.set_passphrase(verifier.clone())?;
        return Ok(Some(verifier));
    }
}
