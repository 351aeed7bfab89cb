//! What cannot be used is told in one line.

use serde_json::{Value, json};

use crate::{
    failure::{Failure, check},
    laptop::Order,
    phone::Phone,
    scene::Scene,
    site::Site,
};

pub(super) async fn malformed_json(scene: &mut Scene) -> Result<(), Failure> {
    for (input, words) in
        [("", "line 1"), ("{\"challenge\": }", "column 15"), ("{}", "missing field `challenge`")]
    {
        Order::get(input).run_for_a_person(scene).await?.refused(1, words)?;
        Order::get(input).start(scene).await?.end().await?.refused(1)?;
    }
    Ok(())
}

pub(super) async fn wrong_origin(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.creation()?;
    for (origin, words) in [
        ("https://bank.example", "may not ask for passkeys of demo.example"),
        ("http://www.demo.example", "not secure"),
        ("demo.example", "not a URL"),
    ] {
        let order = Order { origin, ..Order::create(&options) };
        order.run_for_a_person(scene).await?.refused(1, words)?;
    }
    Ok(())
}

pub(super) async fn unknown_hints(scene: &mut Scene) -> Result<(), Failure> {
    let mut site = Site::new()?;
    let (mut options, state) = site.creation()?;
    let members = options.get_mut("publicKey").and_then(Value::as_object_mut);
    members.into_iter().for_each(|members| {
        members.insert("hints".to_owned(), json!(["crystal-ball", "hybrid"]));
        members.insert("unheardOf".to_owned(), json!({"nested": [1, 2, 3]}));
    });
    let mut laptop = Order::create(options).start(scene).await?;
    let answering = Phone::default().answer(scene, &laptop.code().await?).await?;
    site.created(&state, laptop.end().await?.credential()?)?;
    answering.content().await
}

pub(super) async fn bad_certificate(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.creation()?;
    let order = Order { trusting: false, ..Order::create(options).with(&["--timeout", "8s"]) };
    let mut laptop = order.start(scene).await?;
    let _answering = Phone::default().answer(scene, &laptop.code().await?).await?;
    let failed = laptop.until("attempt-failed").await?;
    check(failed.get("message").is_some_and(Value::is_string), "a reason", &failed)?;
    laptop.end().await?.refused(5)
}

pub(super) async fn bad_certificate_at_the_phone(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.creation()?;
    let mut laptop = Order::create(options).start(scene).await?;
    let phone = Phone { trusting: false, ..Phone::default() };
    phone.answer(scene, &laptop.code().await?).await?.ended_with(5).await
}

pub(super) async fn no_relay(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.creation()?;
    // The name of no host at all (RFC 6761).
    let order = Order { relay: Some("relay.invalid:443"), ..Order::create(options) };
    order.start(scene).await?.end().await?.refused(5)
}
