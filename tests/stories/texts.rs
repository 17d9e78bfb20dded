//! Texts, names and numbers as people write them. Each is sent correctly or skipped with its reason; none is refused.

use domain::message::reason::Reason;
use domain::message::state::State;
use jiff::SignedDuration;
use kit::{World, message_sent};
use serde_json::{Value, json};

use crate::templates::{map, nothing_was_filled_wrongly, raise};

#[tokio::test]
async fn texts_arrive_for_any_typed_input() {
    let world = World::start().await.unwrap();
    let listed = json!({"components": [{"type": "BODY", "text": "Da {{1}} a {{2}}: {{3}} (fine)."}]});
    let long = json!({"body": {
        "1": {"variable": "actor.full_name", "default": "noi"}, "2": {"variable": "recipient.full_name", "default": "te"},
        "3": {"variable": "message.body", "default": "-", "shorten": true}
    }});
    map(&world, "testo", "message.sent", &listed, &long).await;
    let strict = json!({"body": {"1": {"text": "noi"}, "2": {"text": "te"}, "3": {"variable": "message.body"}}});
    map(&world, "testo_intero", "message.sent", &listed, &strict).await;
    let table = [
        ("Riga uno\nRiga due\r\n\r\n", "Riga uno - Riga due"),
        ("a\tb          c", "a b c"),
        ("Ciao 👋🏽 👨‍👩‍👧", "Ciao 👋🏽 👨‍👩‍👧"),
        ("\u{202e}rovescio\u{202c} \u{200f}ש\u{200e}", "rovescio ש"),
        ("{{1}} {{nome}} %s \\n <b>", "{{1}} {{nome}} %s \\n <b>"),
        (" \u{200b}\n\t ", "-"),
    ];
    for (index, (typed, shown)) in table.iter().enumerate() {
        let id = format!("m-{index}");
        let mut event =
            message_sent(&id, &json!([{"id": "A", "company": "Rossi & Figli S.r.l.", "phone": "3331234567"}]));
        event["data"]["message"]["id"] = json!(id);
        event["data"]["message"]["body"] = json!(typed);
        raise(&world, &event).await;
        let expected = format!("Da Marco Bianchi a Rossi & Figli S.r.l.: {shown} (fine).");
        assert!(world.texts().await.unwrap().contains(&expected), "{expected}");
        world.clock.advance(SignedDuration::from_secs(30));
    }
    let mut event = message_sent("m-long", &json!([{"id": "A", "phone": "3331234567"}]));
    event["data"]["message"]["body"] = json!("perché 👨‍👩‍👧 ".repeat(350));
    raise(&world, &event).await;
    assert_eq!(world.state("m-long", "testo", "A").await.unwrap(), State::Sent);
    let texts = world.texts().await.unwrap();
    let cut = texts.iter().find(|text| text.starts_with("Da Marco Bianchi a te: perché")).unwrap();
    assert!(cut.ends_with("… (fine).") && cut.encode_utf16().count() <= 1024, "{cut}");
    let State::Skipped(skip) = world.state("m-long", "testo_intero", "A").await.unwrap() else { panic!() };
    assert_eq!(skip.reason, Reason::TextTooLong);
    let State::Skipped(skip) = world.state("m-5", "testo_intero", "A").await.unwrap() else { panic!() };
    assert_eq!((skip.reason, skip.detail.as_str()), (Reason::ValueMissing, "{{3}} = message.body"));
    nothing_was_filled_wrongly(&world).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn typed_numbers_and_incomplete_names_are_handled() {
    let world = World::start().await.unwrap();
    let recipients = json!([
        {"id": "A", "first_name": "", "last_name": null, "phone": "0039 340 1234567"},
        {"id": "B", "company": "Rossi & Figli S.r.l.", "phone": "06 69812345"},
        {"id": "C", "first_name": "Carla", "phone": "3931234567"},
        {"id": "D", "first_name": "Dario", "phone": "+39 340 123 45 67"},
        {"id": "E", "first_name": "Ezio", "phone": "interno 12"},
        {"id": "F", "first_name": "Franca", "phone": " "}
    ]);
    let listed = json!({"components": [{"type": "BODY", "text": "Gentile {{1}}, novità."}]});
    let filled = json!({"body": {"1": {"variable": "recipient.full_name", "default": "cliente"}}});
    map(&world, "gentile", "message.sent", &listed, &filled).await;
    raise(&world, &message_sent("m-1", &recipients)).await;
    let received: Vec<(Value, Value)> = world
        .phone()
        .await
        .unwrap()
        .into_iter()
        .filter(|message| message["template"]["name"] == "gentile")
        .map(|message| (message["to"].clone(), message["text"].clone()))
        .collect();
    for (to, text) in [
        ("+393401234567", "Gentile cliente, novità."),
        ("+390669812345", "Gentile Rossi & Figli S.r.l., novità."),
        ("+393931234567", "Gentile Carla, novità."),
    ] {
        assert!(received.contains(&(json!(to), json!(text))), "{to} {received:?}");
    }
    assert_eq!(received.len(), 3);
    for (recipient, reason) in [("E", Reason::PhoneInvalid), ("F", Reason::PhoneMissing)] {
        let State::Skipped(skip) = world.state("m-1", "gentile", recipient).await.unwrap() else { panic!() };
        assert_eq!(skip.reason, reason);
    }
    let id = domain::primitives::id::EventId::parse("m-1").unwrap();
    let plan = world.ledger.plan(&world.site().unwrap(), &id).await.unwrap().unwrap();
    let same: Vec<&str> = plan
        .skips
        .iter()
        .filter(|skip| skip.skip.reason == Reason::SamePhone && skip.mapping.as_ref().unwrap().as_str() == "gentile")
        .map(|skip| skip.recipient.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(same, ["D"], "two persons with one phone are told once");
    nothing_was_filled_wrongly(&world).await;
    world.finish().await.unwrap();
}
