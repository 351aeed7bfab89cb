//! What people do with their accounts.

use super::Site;
use crate::{error::SiteError, names::passkey_name, store::Account, visits::Token};

impl Site {
    /// Calls a passkey of whoever is signed in something else.
    pub(crate) async fn rename(
        &self,
        token: Option<&Token>,
        id: Vec<u8>,
        name: &str,
    ) -> Result<(), SiteError> {
        let account = self.signed_in(token).await?.ok_or(SiteError::SignedOut)?;
        let name = passkey_name(name)?.to_owned();
        self.store.run(move |db| account.rename(db, &id, &name)).await
    }

    /// Deletes a passkey of whoever is signed in, unless it is the last way in. Whoever came in with it elsewhere is
    /// out.
    pub(crate) async fn delete(&self, token: Option<&Token>, id: Vec<u8>) -> Result<(), SiteError> {
        let user = self.signed_in(token).await?.ok_or(SiteError::SignedOut)?.id;
        let policies = self.policies.clone();
        // Looked at and deleted in one: two that are deleted at once must not both be the last but one.
        self.store
            .run(move |db| {
                let account = Account::by_id(db, user)?.ok_or(SiteError::SignedOut)?;
                let policy = policies.of(&account.group)?;
                account.passkey(&id).ok_or(SiteError::UnknownPasskey)?;
                let last = account.passkeys.len() == 1 && account.password.is_none();
                // One that the policy refuses may come to be allowed again, if there is nothing else.
                if last || account.way_in(policy, &id) < account.way_in(policy, &[]) {
                    return Err(SiteError::LastWayIn);
                }
                account.delete(db, &id)
            })
            .await?;
        self.visits().end_others(token, user);
        Ok(())
    }
}
