//! Forms, which work without a script. What goes well leads to another page, what does not back to the same one.

use std::sync::Arc;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::{Visitor, cookie, pages};
use crate::{error::SiteError, password::Password, site::Site, visits::Token};

type Body<T> = Result<Form<T>, FormRejection>;

fn read<T>(body: Body<T>) -> Result<T, SiteError> {
    body.map(|Form(body)| body).map_err(|_| SiteError::Malformed)
}

/// A user name and a password, with a group if they are new.
#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    password: Password,
    group: Option<String>,
}

/// A passkey, as the page names it.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: String,
    #[serde(default)]
    name: String,
}

impl Chosen {
    fn id(&self) -> Result<Vec<u8>, SiteError> {
        BASE64URL_NOPAD.decode(self.id.as_bytes()).map_err(|_| SiteError::Malformed)
    }
}

/// A new password, and the former one if there is any.
#[derive(Deserialize)]
pub(super) struct Change {
    former: Option<Password>,
    password: Password,
}

pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Credentials>,
) -> Response {
    let mut name = String::new();
    let done = async {
        let form = read(body)?;
        name.clone_from(&form.username);
        site.sign_in_with_password(token.as_ref(), &form.username, form.password).await
    };
    let done = done.await;
    entered(&site, done, &name, "Welcome back.")
}

pub(super) async fn register(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Credentials>,
) -> Response {
    let mut name = String::new();
    let done = async {
        let form = read(body)?;
        name.clone_from(&form.username);
        site.register_with_password(token.as_ref(), &form.username, form.group, form.password).await
    };
    let done = done.await;
    entered(&site, done, &name, "You are registered.")
}

fn entered(site: &Site, done: Result<Token, SiteError>, name: &str, word: &'static str) -> Response {
    match done {
        Ok(token) => {
            site.leave_word(Some(&token), word);
            let cookie = cookie(site, Some(&token));
            ([(header::SET_COOKIE, cookie)], Redirect::to("/account")).into_response()
        }
        Err(error) => pages::password_again(site, name, &error),
    }
}

pub(super) async fn sign_out(State(site): State<Arc<Site>>, Visitor(token): Visitor) -> Response {
    site.sign_out(token.as_ref());
    ([(header::SET_COOKIE, cookie(&site, None))], Redirect::to("/?signed-out")).into_response()
}

pub(super) async fn rename(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Chosen>,
) -> Response {
    let done = async {
        let form = read(body)?;
        site.rename(token.as_ref(), form.id()?, &form.name).await
    };
    let done = done.await;
    changed(&site, token.as_ref(), done, "The passkey has a new name.").await
}

pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Chosen>,
) -> Response {
    let done = async { site.delete(token.as_ref(), read(body)?.id()?).await };
    let done = done.await;
    changed(&site, token.as_ref(), done, "The passkey is deleted. Remove it from your device too.").await
}

pub(super) async fn change_password(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Change>,
) -> Response {
    let done = async {
        let form = read(body)?;
        let former = form.former.unwrap_or_else(|| String::new().into());
        site.change_password(token.as_ref(), former, form.password).await
    };
    let done = done.await;
    changed(&site, token.as_ref(), done, "The password is set.").await
}

async fn changed(
    site: &Site,
    token: Option<&Token>,
    done: Result<(), SiteError>,
    word: &'static str,
) -> Response {
    match done {
        Ok(()) => {
            site.leave_word(token, word);
            Redirect::to("/account").into_response()
        }
        Err(SiteError::SignedOut) => Redirect::to("/").into_response(),
        Err(error) => pages::account_again(site, token, &error).await,
    }
}

/// The status of a page that says why something was not done.
pub(super) fn status(error: &SiteError) -> StatusCode {
    error.log();
    error.status()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_read_or_refused(id: Vec<u8>, text: String) {
            let chosen = |id| Chosen { id, name: String::new() };
            prop_assert_eq!(chosen(BASE64URL_NOPAD.encode(&id)).id().unwrap(), id);
            if let Ok(id) = chosen(text.clone()).id() {
                prop_assert_eq!(BASE64URL_NOPAD.encode(&id), text);
            }
        }
    }
}
