//! Passwords in place of passkeys.

use std::time::Instant;

use super::Site;
use crate::{
    attempts::Owner,
    error::SiteError,
    names::user_name,
    password::{Hash, Password},
    store::Account,
    visits::Token,
};

impl Site {
    /// Makes an account with a password, and signs its owner in.
    pub(crate) async fn register_with_password(
        &self,
        token: Option<&Token>,
        name: &str,
        group: Option<String>,
        password: Password,
    ) -> Result<Token, SiteError> {
        let name = user_name(name)?.to_owned();
        password.check()?;
        let account = self.account_to_be(name, group, None).await?;
        if account.is_kept {
            return Err(SiteError::NameTaken);
        }
        let mut account = account.account;
        if !self.policies.of(&account.group)?.password {
            return Err(SiteError::NoPasswords(account.group));
        }
        account.password = Some(self.hasher.hash(password).await?);
        let user = account.id;
        self.store.run(move |db| account.insert(db)).await?;
        self.welcome(token, user)
    }

    /// Signs somebody in. A wrong password and an unknown name have the same answer, after the same work.
    pub(crate) async fn sign_in_with_password(
        &self,
        token: Option<&Token>,
        name: &str,
        password: Password,
    ) -> Result<Token, SiteError> {
        let name = user_name(name).map_err(|_| SiteError::WrongPassword)?.to_owned();
        let looked_up = name.clone();
        let account = self.store.run(move |db| Account::named(db, &looked_up)).await?;
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let owner = if account.is_some() { Owner::Account } else { Owner::Nobody };
        self.verify((&name, owner), hash, password).await?;
        let account = account.ok_or(SiteError::WrongPassword)?;
        if !account.has_password(self.policies.of(&account.group)?) {
            return Err(SiteError::NoPasswords(account.group));
        }
        self.welcome(token, account.id)
    }

    /// Gives whoever is signed in a password, in place of the one there was, which has to be known. Whoever came in with
    /// that one elsewhere is out.
    pub(crate) async fn change_password(
        &self,
        token: Option<&Token>,
        former: Password,
        password: Password,
    ) -> Result<(), SiteError> {
        let account = self.signed_in(token).await?.ok_or(SiteError::SignedOut)?;
        if !self.policies.of(&account.group)?.password {
            return Err(SiteError::NoPasswords(account.group));
        }
        password.check()?;
        if account.password.is_some() {
            self.verify((&account.name, Owner::Account), account.password.clone(), former).await?;
        }
        let (hash, user) = (self.hasher.hash(password).await?, account.id);
        self.store.run(move |db| account.set_password(db, &hash)).await?;
        self.visits().end_others(token, user);
        Ok(())
    }

    async fn verify(
        &self,
        (name, owner): (&str, Owner),
        hash: Option<Hash>,
        password: Password,
    ) -> Result<(), SiteError> {
        // What nobody has looked at is no attempt.
        let place = self.hasher.place()?;
        let begun = self.attempts().begin(name, owner, Instant::now());
        begun.map_err(|wait| SiteError::TooOften(wait.as_secs().saturating_add(1)))?;
        if !self.hasher.verify(place, hash, password).await? {
            return Err(SiteError::WrongPassword);
        }
        self.attempts().succeed(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const PASSWORD: &str = "correct horse battery";

    async fn site() -> Site {
        let site = Site::new(&Url::parse("http://localhost:8080").unwrap()).unwrap();
        site.register_with_password(None, "ada", None, PASSWORD.to_owned().into()).await.unwrap();
        site
    }

    async fn sign_in(site: &Site, password: &str) -> Result<Token, SiteError> {
        site.sign_in_with_password(None, "ada", password.to_owned().into()).await
    }

    #[tokio::test]
    async fn a_flood_of_other_names_does_not_free_a_real_one() {
        let site = site().await;
        for _ in 0..5 {
            assert!(matches!(sign_in(&site, "guess").await, Err(SiteError::WrongPassword)));
        }
        let unknown = site.sign_in_with_password(None, "nobody", "guess".to_owned().into()).await;
        assert!(matches!(unknown, Err(SiteError::WrongPassword)));
        for number in 0..=10_000 {
            let name = number.to_string();
            site.attempts().begin(&name, Owner::Nobody, Instant::now()).unwrap();
        }
        assert!(matches!(sign_in(&site, PASSWORD).await, Err(SiteError::TooOften(_))));
    }

    #[tokio::test]
    async fn what_was_not_looked_at_does_not_count() {
        let site = site().await;
        let places: Vec<_> = std::iter::from_fn(|| site.hasher.place().ok()).collect();
        for _ in 0..20 {
            assert!(matches!(sign_in(&site, "guess").await, Err(SiteError::Busy)));
        }
        drop(places);
        sign_in(&site, PASSWORD).await.unwrap();
    }
}
