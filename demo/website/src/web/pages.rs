//! The pages.

mod account;

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Visitor, forms::status};
use crate::{
    error::SiteError,
    names::MAX_NAME,
    password::MIN_CHARS,
    policy::{EVERYONE, Policies},
    site::{Person, Site},
    visits::Token,
};

/// What the status of a page says.
#[derive(Clone, Copy)]
enum Word<'a> {
    None,
    Good(&'a str),
    Bad(&'a str),
}

/// A page with a title, and a place where it says what happens.
fn page(title: &str, wide: bool, word: Word<'_>, body: &Markup) -> Html<String> {
    let (class, text) = match word {
        Word::None => ("", ""),
        Word::Good(text) => ("good", text),
        Word::Bad(text) => ("bad", text),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="/page.css";
                script src="/page.js" type="module" {}
            }
            body {
                main aria-busy="false" class=(if wide { "wide" } else { "" }) {
                    h1 { (title) }
                    p #status role="status" aria-live="polite" class=(class) { (text) }
                    (body)
                }
                footer { "A demonstration of passkeys on phones, by Hybridge." }
            }
        }
    };
    Html(page.into_string())
}

/// The start: a form for whoever is not signed in, and who it is otherwise. The script shows one or the other.
pub(super) async fn start(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let person = match site.who(token.as_ref()).await {
        Ok(person) => person,
        Err(error) => return failed(&error),
    };
    let word = match (&person, query.as_deref()) {
        (None, Some("signed-out")) => Word::Good("You are signed out."),
        _ => Word::None,
    };
    let body = html! {
        section #signed-out aria-label="Sign in or register" hidden[person.is_some()] {
            p { "No password. The browser shows a QR code, and your phone does the rest." }
            noscript { p.bad { "Passkeys are asked for by a script, which this browser does not run. Use a password." } }
            form #form novalidate {
                (user_name("Needed to register. To sign in you may leave it empty.", ""))
                (group(site.policies()))
                div.buttons {
                    button #sign-in type="submit" { "Sign in" }
                    button #register.second type="button" { "Register" }
                }
            }
            p.other { a href="/password" { "Use a password instead" } }
            (rules(site.policies()))
        }
        (signed_in(person.as_ref()))
    };
    page("Sign in with your phone", false, word, &body).into_response()
}

fn signed_in(person: Option<&Person>) -> Markup {
    let passkeys = person.map_or(0, |person| person.passkeys);
    let count = if passkeys == 1 { "one passkey".to_owned() } else { format!("{passkeys} passkeys") };
    html! {
        section #signed-in aria-label="Your account" hidden[person.is_none()] {
            p { "You are signed in as " strong #user { (person.map_or("", |person| &person.user)) } "." }
            p.help { span #passkeys { "The account has " (count) "." } }
            p { a href="/account" { "Passkeys and password" } }
            div.buttons {
                button #add type="button" { "Add a passkey" }
                form #leave method="post" action="/sign-out" {
                    button #sign-out.second type="submit" { "Sign out" }
                }
            }
        }
    }
}

fn user_name(help: &str, value: &str) -> Markup {
    html! {
        label for="username" { "User name" }
        input #username name="username" type="text" maxlength=(MAX_NAME) autocomplete="username"
            autocapitalize="none" spellcheck="false" aria-describedby="username-help" value=(value);
        p #username-help.help { (help) }
    }
}

/// Groups to choose from, with the rules of the chosen one, which the script changes with the choice.
fn group(policies: &Policies) -> Markup {
    let rules = |group| policies.of(group).map(|policy| policy.words().join(" ")).unwrap_or_default();
    html! {
        label for="group" { "Group" }
        select #group name="group" aria-describedby="group-help" autocomplete="off" {
            @for group in policies.groups() { option value=(group) data-rules=(rules(group)) { (group) } }
        }
        p #group-help.help {
            "For a new account. " span #rules { (rules(EVERYONE)) }
        }
    }
}

/// The rules of every group.
fn rules(policies: &Policies) -> Markup {
    html! {
        details.rules {
            summary { "What each group may sign in with" }
            dl {
                @for group in policies.groups() {
                    dt { (group) }
                    @if let Ok(policy) = policies.of(group) {
                        dd { ul { @for words in policy.words() { li { (words) } } } }
                    }
                }
            }
        }
    }
}

/// For whoever has no passkey, or a browser that knows none.
pub(super) async fn password(State(site): State<Arc<Site>>, Visitor(token): Visitor) -> Response {
    match site.who(token.as_ref()).await {
        Ok(Some(_)) => Redirect::to("/account").into_response(),
        Ok(None) => password_page(&site, "", Word::None).into_response(),
        Err(error) => failed(&error),
    }
}

/// The same page, after something on it was not done.
pub(super) fn password_again(site: &Site, name: &str, error: &SiteError) -> Response {
    (status(error), password_page(site, name, Word::Bad(&error.to_string()))).into_response()
}

fn password_page(site: &Site, name: &str, word: Word<'_>) -> Html<String> {
    let body = html! {
        p { "For now. Once you are in, you can add a passkey and forget the password." }
        form method="post" {
            (user_name("Yours, or a new one.", name))
            label for="password" { "Password" }
            input #password name="password" type="password" autocomplete="current-password" required
                aria-describedby="password-help";
            p #password-help.help { "A new one has at least " (MIN_CHARS) " characters." }
            (group(site.policies()))
            div.buttons {
                button type="submit" formaction="/password/sign-in" { "Sign in" }
                button.second type="submit" formaction="/password/register" { "Register" }
            }
        }
        p.other { a href="/" { "Use a passkey instead" } }
        (rules(site.policies()))
    };
    page("Sign in with a password", false, word, &body)
}

/// Somebody's passkeys and password.
pub(super) async fn account(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let added = (query.as_deref() == Some("added")).then_some("The passkey was added.");
    let text = site.take_word(token.as_ref()).or(added);
    account_page(&site, token.as_ref(), text.map_or(Word::None, Word::Good)).await
}

/// The same page, after something on it was not done.
pub(super) async fn account_again(site: &Site, token: Option<&Token>, error: &SiteError) -> Response {
    let page = account_page(site, token, Word::Bad(&error.to_string())).await;
    (status(error), page).into_response()
}

async fn account_page(site: &Site, token: Option<&Token>, word: Word<'_>) -> Response {
    let account = match site.signed_in(token).await {
        Ok(Some(account)) => account,
        Ok(None) => return Redirect::to("/").into_response(),
        Err(error) => return failed(&error),
    };
    match site.policies().of(&account.group) {
        Ok(policy) => page("Your account", true, word, &account::body(&account, policy)).into_response(),
        Err(error) => failed(&error),
    }
}

/// A page for when there is none.
fn failed(error: &SiteError) -> Response {
    let again = PreEscaped("<p><a href=\"/\">Back to the start</a></p>".to_owned());
    (status(error), page("Something is wrong", false, Word::Bad(&error.to_string()), &again)).into_response()
}
