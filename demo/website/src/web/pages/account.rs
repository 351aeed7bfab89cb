//! The page of an account.

use data_encoding::BASE64URL_NOPAD;
use maud::{Markup, html};

use crate::{
    names::MAX_NAME,
    passkey::Stored,
    password::MIN_CHARS,
    policy::{Policy, WayIn},
    store::{Account, MAX_PASSKEYS},
};

/// What is on it.
pub(super) fn body(account: &Account, policy: &Policy) -> Markup {
    let group = &account.group;
    html! {
        p.who {
            "You are signed in as " strong #user { (account.name) } ", group " strong { (group) } "."
        }
        @if account.passkeys.is_empty() { (upgrade()) }
        section aria-labelledby="passkeys-title" {
            h2 #passkeys-title { "Passkeys" }
            @if account.passkeys.is_empty() { p.help { "None yet." } }
            ul.passkeys {
                @for (number, passkey) in account.passkeys.iter().enumerate() {
                    li { (entry(number, passkey, policy)) }
                }
            }
            @if !account.passkeys.is_empty() && account.passkeys.len() < MAX_PASSKEYS {
                div.buttons { button #add.second type="button" { "Add a passkey" } }
            }
            noscript { p.bad { "Passkeys are added by a script, which this browser does not run." } }
        }
        @if policy.password { (password(account)) }
        section aria-labelledby="rules-title" {
            h2 #rules-title { "What group \u{201c}" (group) "\u{201d} may sign in with" }
            ul { @for words in policy.words() { li { (words) } } }
        }
        div.buttons.leave {
            a href="/" { "Back to the start" }
            form method="post" action="/sign-out" { button.second type="submit" { "Sign out" } }
        }
    }
}

/// For whoever came with a password.
fn upgrade() -> Markup {
    html! {
        section.offer aria-labelledby="offer-title" {
            h2 #offer-title { "Sign in without the password next time" }
            p { "A passkey on your phone cannot be guessed, and no other site can trick you out of it." }
            div.buttons { button #add type="button" { "Add a passkey" } }
        }
    }
}

/// One passkey: what it is, and what may be done with it.
fn entry(number: usize, passkey: &Stored, policy: &Policy) -> Markup {
    let (title, field) = (format!("passkey-{number}"), format!("name-{number}"));
    let id = BASE64URL_NOPAD.encode(&passkey.credential.cred_id);
    let facts = [
        ("Kind", passkey.kind().to_owned()),
        ("Made by", passkey.maker()),
        ("Attestation", passkey.attestation().to_owned()),
        ("Reached by", passkey.transports()),
        ("Added", passkey.created()),
        ("Last used", passkey.last_used()),
    ];
    html! {
        article aria-labelledby=(title) {
            h3 id=(title) { (passkey.name) }
            (standing(passkey, policy))
            dl.facts { @for (name, words) in facts { dt { (name) } dd { (words) } } }
            div.actions {
                form.rename method="post" action="/account/rename" {
                    input type="hidden" name="id" value=(id);
                    label.unseen for=(field) { "New name for " (passkey.name) }
                    input id=(field) name="name" type="text" maxlength=(MAX_NAME) required value=(passkey.name);
                    button.second type="submit" { "Rename" }
                }
                form method="post" action="/account/delete" {
                    input type="hidden" name="id" value=(id);
                    button.danger type="submit" aria-describedby=(title) { "Delete" }
                }
            }
        }
    }
}

/// What sign-in would say of a passkey.
fn standing(passkey: &Stored, policy: &Policy) -> Markup {
    html! {
        @if let Err(breach) = policy.check(passkey, true) {
            p.bad { "Not allowed in your group: " (breach) "." }
        } @else if policy.way_in(passkey) != WayIn::Open {
            p.help { "Allowed in your group once its device checks that it is you." }
        }
    }
}

fn password(account: &Account) -> Markup {
    let has = account.password.is_some();
    html! {
        section aria-labelledby="password-title" {
            h2 #password-title { "Password" }
            p.help { @if has { "You have one." } @else { "You have none, and need none while you have a passkey." } }
            details {
                summary { @if has { "Change the password" } @else { "Set a password" } }
                form method="post" action="/account/password" {
                    // For password managers.
                    input.unseen type="text" autocomplete="username" tabindex="-1" aria-hidden="true" readonly
                        value=(account.name);
                    @if has {
                        label for="former" { "Present password" }
                        input #former name="former" type="password" autocomplete="current-password" required;
                    }
                    label for="password" { "New password" }
                    input #password name="password" type="password" autocomplete="new-password" required
                        minlength=(MIN_CHARS) aria-describedby="password-help";
                    p #password-help.help { "At least " (MIN_CHARS) " characters." }
                    div.buttons { button.second type="submit" { "Save the password" } }
                }
            }
        }
    }
}
