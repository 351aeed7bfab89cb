//! Whole ceremonies between a phone and a laptop over the simulated air.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use std::sync::Arc;

use hybridge_phone::{Approval, Echo, Passkeys, StateDirectory, Verifier};
use support::{Creation, Granted, Person, Table, UP, UV, assertion};

fn table(approval: Approval) -> Table {
    Table::new(Passkeys::in_memory(), approval)
}

fn asking(person: &Person) -> Approval {
    Approval::Ask { console: Arc::new(person.clone()), passphrase: None }
}

#[tokio::test]
async fn a_passkey_is_made_and_used() {
    let mut table = table(Approval::Always);
    let made = Granted::made(&table.ask(&Creation::default().bytes()).await);
    assert_eq!((made.flags, made.counter), (UP | UV, 0));
    for allow in [&[][..], &[&b"of another phone"[..], &made.credential_id]] {
        let signed = Granted::signed(&table.ask(&assertion(allow, true)).await);
        assert_eq!((signed.flags, signed.counter), (UP | UV, 0), "signatures are not counted");
        assert_eq!(signed.credential_id, made.credential_id);
        assert_eq!(signed.user_handle.as_deref(), Some(&b"handle of ada"[..]));
    }
    let kinds: Vec<_> =
        table.told().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    let ceremony =
        ["connecting", "advertising", "client-connected", "request", "decided", "replied", "finished"];
    assert_eq!(kinds, ceremony.repeat(3));
    assert_eq!(table.newest("connecting")["tunnel_service"], "cable.wufkweyy3uaxb.com");
    let request = table.newest("request");
    assert_eq!(request["operation"], "get-assertion");
    assert_eq!((&request["rp_id"], &request["accounts"][0]), (&support::RP_ID.into(), &"ada".into()));
    assert_eq!(table.newest("replied")["status"], 0);
    assert_eq!(
        (&table.newest("decided")["test_mode"], &table.newest("decided")["approved"]),
        (&true.into(), &true.into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_service_that_cannot_be_used_is_told_where_bluetooth_does_without() {
    let mut table = Table::without_tunnel(Passkeys::in_memory(), Approval::Always);
    Granted::made(&table.ask(&Creation::default().bytes()).await);
    let reason = table.newest("tunnel-unavailable")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("no secure connection") && reason.contains("of another host"), "{reason}");
}

#[tokio::test]
async fn a_passkey_that_is_not_discoverable_needs_its_id() {
    let mut table = table(Approval::Always);
    let hidden = Creation { discoverable: false, ..Creation::default() };
    let made = Granted::made(&table.ask(&hidden.bytes()).await);
    assert_eq!(table.ask(&assertion(&[], true)).await, [0x2E]);
    let signed = Granted::signed(&table.ask(&assertion(&[&made.credential_id], true)).await);
    assert_eq!((signed.credential_id, signed.user_handle), (made.credential_id.clone(), None));
    assert_eq!(table.newest("request")["accounts"][0], "ada", "the person sees whose it is");

    let excluded = Creation { exclude: &[&made.credential_id], ..Creation::default() };
    assert_eq!(table.ask(&excluded.bytes()).await, [0x19]);
}

#[tokio::test]
async fn an_account_has_one_discoverable_passkey() {
    let mut table = table(Approval::Always);
    let first = Granted::made(&table.ask(&Creation::default().bytes()).await);
    let hidden = Creation { discoverable: false, ..Creation::default() };
    Granted::made(&table.ask(&hidden.bytes()).await);
    let second = Granted::made(&table.ask(&Creation::default().bytes()).await);
    assert_eq!(table.phone.passkeys().len(), 2, "the second discoverable one took the first one's place");
    assert_eq!(table.ask(&assertion(&[&first.credential_id], true)).await, [0x2E]);
    Granted::signed(&table.ask(&assertion(&[&second.credential_id], true)).await);
}

#[tokio::test]
async fn an_excluded_passkey_is_not_made_again() {
    let person = Person::new(&["y"]);
    let mut table = table(asking(&person));
    let unverified = || Creation { verified: false, ..Creation::default() };
    let made = Granted::made(&table.ask(&unverified().bytes()).await);
    person.was_asked();
    // Whatever the person says, as CTAP has it.
    for answer in ["y", "n"] {
        person.will_say(&[answer]);
        let excluded = Creation { exclude: &[&made.credential_id], ..unverified() };
        assert_eq!(table.ask(&excluded.bytes()).await, [0x19]);
        let [(question, Echo::On)] = &person.was_asked()[..] else { panic!("one question, in the open") };
        assert!(
            question.contains("already") && question.contains(support::RP_ID) && question.contains("ada")
        );
        assert!(question.contains("Press return") && !question.contains("y/N"), "{question}");
    }
    let of_another = Creation { exclude: &[b"of another phone"], ..unverified() };
    person.will_say(&["y"]);
    Granted::made(&table.ask(&of_another.bytes()).await);
}

#[tokio::test]
async fn never_refuses_everything_and_shows_it() {
    let mut table = table(Approval::Never);
    for request in [Creation::default().bytes(), assertion(&[], true)] {
        assert_eq!(table.ask(&request).await, [0x27]);
        assert_eq!(table.newest("request")["rp_id"], support::RP_ID);
        assert_eq!(table.newest("decided")["approved"], false);
        assert_eq!(table.newest("replied")["status"], 0x27);
        assert_eq!(table.newest("finished")["event"], "finished", "the phone answered as it was meant to");
    }
    assert!(table.phone.passkeys().is_empty());
}

#[tokio::test]
async fn the_person_is_asked_and_obeyed() {
    let person = Person::default();
    let mut table = table(asking(&person));
    for (answer, status) in [("", 0x27), ("n", 0x27), ("yessir", 0x27), ("y", 0), ("Yes", 0)] {
        person.will_say(&[answer]);
        let unverified = Creation { verified: false, ..Creation::default() };
        assert_eq!(table.ask(&unverified.bytes()).await[0], status, "{answer:?}");
        let [(question, Echo::On)] = &person.was_asked()[..] else { panic!("one question, in the open") };
        // Whatever standard output is, what the person agrees to stands in the question.
        assert_eq!(question, "Approve making a passkey for login.example as ada? [y/N] ");
        assert_eq!(table.newest("decided")["approved"], status == 0);
        assert_eq!(table.newest("decided")["user_verified"], false);
    }
    // Nobody there.
    assert_eq!(table.ask(&assertion(&[], false)).await, [0x27]);
    person.was_asked();
    person.will_say(&["y"]);
    let signed = Granted::signed(&table.ask(&assertion(&[], false)).await);
    assert_eq!(signed.flags, UP, "seen, and not verified");
    assert_eq!(person.was_asked()[0].0, "Approve signing in to login.example as ada? [y/N] ");
}

#[tokio::test]
async fn the_passphrase_verifies_its_owner() {
    let person = Person::default();
    let passphrase = Verifier::new("correct horse");
    let mut table = table(Approval::Ask { console: Arc::new(person.clone()), passphrase });
    for (answers, status) in [
        (&["correct horse"][..], 0),
        (&["wrong", "correct horse"], 0),
        (&["wrong", "wrong", "wrong"], 0x27),
        (&["wrong", ""], 0x27),
        (&["y", ""], 0x27),
        (&[""], 0x27),
    ] {
        person.will_say(answers);
        let reply = table.ask(&Creation::default().bytes()).await;
        assert_eq!(reply[0], status, "{answers:?}");
        for (question, echo) in person.was_asked() {
            assert_eq!(echo, Echo::Off);
            assert!(question.contains("approve making a passkey for login.example as ada"), "{question}");
        }
        assert_eq!(table.newest("decided")["user_verified"], status == 0);
        assert_eq!(table.newest("decided")["test_mode"], false);
    }
    person.will_say(&["correct horse"]);
    assert_eq!(Granted::signed(&table.ask(&assertion(&[], true)).await).flags, UP | UV);
    assert!(person.was_asked()[0].0.contains("approve signing in to login.example as ada"));
    // Nobody wants it verified, so that seeing somebody is enough, and no more is claimed.
    person.will_say(&["y"]);
    assert_eq!(Granted::signed(&table.ask(&assertion(&[], false)).await).flags, UP);
}

#[tokio::test]
async fn without_a_passphrase_nobody_is_verified() {
    let person = Person::default();
    let mut table = table(asking(&person));
    for request in [Creation::default().bytes(), assertion(&[], true)] {
        assert_eq!(table.ask(&request).await, [0x2B]);
        assert!(person.was_asked().is_empty(), "no answer could make up for it");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_with_consent_only() {
    let person = Person::default();
    let mut table = table(asking(&person));
    for (answer, status) in [("n", 0x27), ("y", 0x2E)] {
        person.will_say(&[answer]);
        assert_eq!(table.ask(&assertion(&[], false)).await, [status]);
        let question = &person.was_asked()[0].0;
        assert!(question.contains("no passkey for login.example") && question.contains("Tell the computer?"));
    }
}

#[tokio::test]
async fn the_person_chooses_among_accounts() {
    let person = Person::default();
    let mut table = table(asking(&person));
    for user in ["ada", "b\u{202e}ob", "eve"] {
        person.will_say(&["y"]);
        Granted::made(&table.ask(&Creation { user, verified: false, ..Creation::default() }.bytes()).await);
    }
    person.was_asked();
    // The newest first; a wrong number is asked about again.
    for (answers, user) in
        [(&["3", "y"][..], "ada"), (&["0", "x", "2", "y"], "b\u{202e}ob"), (&["1", "y"], "eve")]
    {
        person.will_say(answers);
        let signed = Granted::signed(&table.ask(&assertion(&[], false)).await);
        assert_eq!(signed.user_handle, Some(format!("handle of {user}").into_bytes()));
        let questions = person.was_asked();
        assert!(questions[0].0.contains("3  ada") && questions[0].0.contains("2  b\u{fffd}ob"));
        assert!(questions.iter().all(|(question, _)| question.contains(support::RP_ID)));
        let (last, _) = questions.last().unwrap();
        assert!(last.contains(&format!(" as {}?", user.replace('\u{202e}', "\u{fffd}"))), "{last}");
    }
    for answers in [&[""][..], &["7", "8", "9"], &["1", "n"]] {
        person.will_say(answers);
        assert_eq!(table.ask(&assertion(&[], false)).await, [0x27]);
        person.was_asked();
    }
    assert_eq!(table.newest("request")["accounts"], serde_json::json!(["eve", "b\u{fffd}ob", "ada"]));
    // What cannot be granted for any account.
    assert_eq!(table.ask(&assertion(&[], true)).await, [0x2B]);
    assert!(person.was_asked().is_empty());
}

#[tokio::test]
async fn malformed_requests_are_nobodys_business() {
    let person = Person::default();
    let mut table = table(asking(&person));
    for (request, status) in [(&[0x01][..], 0x12), (&[0x02, 0xA0], 0x14), (&[0x07], 0x01), (&[0x04], 0x00)] {
        assert_eq!(table.ask(request).await[0], status);
    }
    assert!(person.was_asked().is_empty());
    assert!(table.told().iter().all(|event| event["event"] != "request"));
}

#[tokio::test]
async fn passkeys_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let open = || async {
        let (directory, state) = StateDirectory::open(&path, hybridge_phone::LOCK_PATIENCE).await.unwrap();
        Passkeys::in_directory(directory, state)
    };
    let mut table = Table::new(open().await, Approval::Always);
    let made = Granted::made(&table.ask(&Creation::default().bytes()).await);
    drop(table);
    let mut table = Table::new(open().await, Approval::Always);
    let signed = Granted::signed(&table.ask(&assertion(&[], true)).await);
    assert_eq!(signed.credential_id, made.credential_id);
}

#[tokio::test]
async fn a_passkey_that_cannot_be_kept_is_not_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (directory, state) = StateDirectory::open(&path, hybridge_phone::LOCK_PATIENCE).await.unwrap();
    let mut table = Table::new(Passkeys::in_directory(directory, state), Approval::Always);
    std::fs::remove_dir_all(&path).unwrap();
    let (reply, phone) = table.ceremony(&Creation::default().bytes()).await;
    assert_eq!(reply.unwrap(), [0x7F]);
    let error = phone.unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("nothing new was kept"));
    assert!(table.phone.passkeys().is_empty());
}
