//! From an event to the phone: exactly one message, whatever happens in between.

use domain::message::state::{Answer, Failure, State};
use domain::primitives::id::EventId;
use domain::primitives::key::{MessageId, event_key, message_key};
use jiff::SignedDuration;
use kit::{World, file_uploaded, message_sent, order_status_changed};
use serde_json::{Value, json};

/// An event about an order that no other event is about.
fn other_order(id: &str) -> Value {
    let mut event = order_status_changed(id);
    event["data"]["order"]["id"] = json!(id);
    event
}

#[tokio::test]
async fn an_order_becomes_a_message_on_the_phone() {
    let world = World::start().await.unwrap();
    world.accept(&order_status_changed("c4a1b7e2-77")).await.unwrap();
    world.deliver().await.unwrap();
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    assert_eq!(message["text"], "Gentile Anna Rossi, il tuo ordine OC1/1320 è ora *MEMORIZZATO*. Totale: 129,90 €.");
    let parameters: Vec<_> =
        ["Anna Rossi", "OC1/1320", "MEMORIZZATO", "129,90 €"].map(|text| json!({"type": "text", "text": text})).into();
    let body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+393401234567", "type": "template",
        "biz_opaque_callback_data": message["biz_opaque_callback_data"],
        "template": {
            "name": "conferma_ordine", "language": {"code": "it"},
            "components": [{"type": "body", "parameters": parameters}]
        }
    });
    assert_eq!(message["body"], body);
    assert_eq!(world.state("c4a1b7e2-77", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn messages_are_sent_in_the_recipients_language() {
    let world = World::start().await.unwrap();
    let readers = json!([
        {"id": "A", "first_name": "Anna", "phone": "3331234567"},
        {"id": "B", "first_name": "Bob", "phone": "+447400123456", "country": "GB"}
    ]);
    world.accept(&message_sent("m-1", &readers)).await.unwrap();
    world.deliver().await.unwrap();
    let administrator = json!([{"id": "G", "first_name": "Giulia", "phone": "3351234567"}]);
    world.accept(&file_uploaded("f-1", &administrator)).await.unwrap();
    world.deliver().await.unwrap();
    let mut texts = world.texts().await.unwrap();
    texts.sort_unstable();
    let expected = [
        "Dear Bob, Marco Bianchi has sent you a message about “Consegna di giovedì”. You can read it in your private area.",
        "Gentile Anna, Marco Bianchi ti ha scritto un messaggio con oggetto «Consegna di giovedì». Lo trovi nella tua area riservata.",
        "Gentile Giulia, Anna Rossi ha caricato il file *Listino 2027.pdf* nella cartella Listini. Lo trovi nell'area riservata.",
    ];
    assert_eq!(texts, expected);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_same_event_twice_is_one_message() {
    let world = World::start().await.unwrap();
    for _ in 0..2 {
        world.accept(&order_status_changed("e-1")).await.unwrap();
    }
    assert_eq!(world.deliver().await.unwrap(), 2);
    world.accept(&order_status_changed("e-1")).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_id_with_different_content_is_a_conflict_and_the_first_event_applies() {
    let world = World::start().await.unwrap();
    world.accept(&order_status_changed("e-1")).await.unwrap();
    world.deliver().await.unwrap();
    let mut other = order_status_changed("e-1");
    other["data"]["order"]["status"] = json!("ANNULLATO");
    world.accept(&other).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    let conflicts = world.ledger.conflicts(&world.site().unwrap(), world.clock.now()).await.unwrap();
    assert_eq!(conflicts, ["e-1"]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_thousand_messages_claimed_by_two_executions_at_once_are_sent_once() {
    let world = World::start().await.unwrap();
    for round in 0..100 {
        let orders: Vec<Value> = (0..10)
            .map(|place| {
                let mut event = other_order(&format!("e-{round}-{place}"));
                event["data"]["customer"]["phone"] = json!(format!("+39340{:07}", 1_000_000 + round * 10 + place));
                event
            })
            .collect();
        assert_eq!(world.post_batch(&json!({"events": orders})).await.unwrap().status, 202);
        let batch = world.take().await.unwrap();
        tokio::join!(world.handle(&batch), world.handle(&batch));
        for message in &batch {
            world.delete(message).await.unwrap();
        }
        world.deliver().await.unwrap();
    }
    let requests = world.requests().await.unwrap();
    assert_eq!(requests.len(), 1_000);
    let numbers: std::collections::BTreeSet<&str> =
        requests.iter().map(|request| request["to"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), 1_000);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_refused_recipient_does_not_stop_another_recipient() {
    let world = World::start().await.unwrap();
    world
        .fault(&json!({"match": {"to": "+393331234567"}, "effect": {"error": {"status": 400, "code": 131026}}}))
        .await
        .unwrap();
    let readers = json!([
        {"id": "A", "first_name": "Anna", "phone": "3331234567"},
        {"id": "B", "first_name": "Bea", "phone": "3341234567"}
    ]);
    world.accept(&message_sent("m-1", &readers)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.state("m-1", "nuovo-messaggio", "A").await.unwrap(), State::Failed("131026".to_owned()));
    assert_eq!(world.state("m-1", "nuovo-messaggio", "B").await.unwrap(), State::Sent);
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_send_that_may_have_been_accepted_is_unknown_and_never_repeated() {
    let world = World::start().await.unwrap();
    let effects = [
        json!({"accept_then_cut": true}),
        json!({"cut_before": true}),
        json!({"error": {"status": 500, "code": 131000}}),
    ];
    for (index, effect) in effects.iter().enumerate() {
        let id = format!("e-{index}");
        world.fault(&json!({"effect": effect})).await.unwrap();
        world.accept(&other_order(&id)).await.unwrap();
        world.deliver().await.unwrap();
        assert_eq!(world.state(&id, "stato-ordine", "C7").await.unwrap(), State::Unknown, "{effect}");
        world.accept(&other_order(&id)).await.unwrap();
        world.deliver().await.unwrap();
        assert_eq!(world.state(&id, "stato-ordine", "C7").await.unwrap(), State::Unknown, "{effect}");
    }
    let requests = world.simulator_get("/_sim/requests").await.unwrap();
    assert_eq!(requests.as_array().unwrap().len(), 3, "{requests}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_code_that_may_mean_sent_leads_to_one_call_at_every_status() {
    let world = World::start().await.unwrap();
    let statuses = [200, 302, 303, 400, 401, 403, 404, 408, 429, 500, 503];
    for status in statuses {
        let id = format!("e-{status}");
        let effect = json!({"error": {"status": status, "code": 131_000, "accepted": true}});
        world.fault(&json!({"effect": effect})).await.unwrap();
        let mut event = other_order(&id);
        event["data"]["customer"]["phone"] = json!(format!("+393401000{status}"));
        world.accept(&event).await.unwrap();
        world.pass(SignedDuration::from_mins(3)).await.unwrap();
        assert_eq!(world.state(&id, "stato-ordine", "C7").await.unwrap(), State::Unknown, "{status}");
        // A success in between prevents a stop of the account.
        world.accept(&other_order(&format!("ok-{status}"))).await.unwrap();
        world.pass(SignedDuration::from_mins(3)).await.unwrap();
    }
    world.pass(SignedDuration::from_hours(2)).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2 * statuses.len());
    assert_eq!(world.requests().await.unwrap().len(), 2 * statuses.len());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_send_whose_owner_died_becomes_unknown_and_stays_so() {
    let world = World::start().await.unwrap();
    world.fault(&json!({"effect": {"delay_ms": 60_000}})).await.unwrap();
    world.accept(&order_status_changed("e-1")).await.unwrap();
    let batch = world.take().await.unwrap();
    {
        // The function is killed while the provider delays its response: the future is dropped after the claim.
        let mut sending = std::pin::pin!(world.handle(&batch));
        let claimed = async {
            while !matches!(world.state("e-1", "stato-ordine", "C7").await, Ok(State::Sending)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = &mut sending => panic!("it was not kept waiting"),
            () = claimed => {}
        }
    }
    let requests = || async { world.simulator_get("/_sim/requests").await.unwrap().as_array().unwrap().len() };
    let sent_by_the_dead = requests().await;
    world.redeliver(&batch).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Sending, "nobody takes it over");

    let early = fire_reminders::handle(&world.sweep, world.clock.deadline_ms()).await.unwrap();
    assert_eq!(early.unknown, 0);
    world.clock.advance(SignedDuration::from_mins(7));
    let swept = fire_reminders::handle(&world.sweep, world.clock.deadline_ms()).await.unwrap();
    assert_eq!((swept.unknown, swept.fired), (1, 0));
    assert_eq!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Unknown);
    let again = fire_reminders::handle(&world.sweep, world.clock.deadline_ms()).await.unwrap();
    assert_eq!(again.unknown, 0);
    world.accept(&order_status_changed("e-1")).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Unknown);
    assert_eq!(requests().await, sent_by_the_dead);
    world.finish().await.unwrap();
}

/// The answer of a dying execution may be written after its record is delivered again. That record then brings the
/// message back.
#[tokio::test]
async fn a_record_that_meets_another_execution_at_work_is_not_given_up() {
    let world = World::start().await.unwrap();
    world.fault(&json!({"effect": {"delay_ms": 60_000}})).await.unwrap();
    world.accept(&order_status_changed("e-1")).await.unwrap();
    let batch = world.take().await.unwrap();
    {
        let mut sending = std::pin::pin!(world.handle(&batch));
        let claimed = async {
            while !matches!(world.state("e-1", "stato-ordine", "C7").await, Ok(State::Sending)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = &mut sending => panic!("it was not kept waiting"),
            () = claimed => {}
        }
    }
    world.reset_simulator().await.unwrap();
    world.redeliver(&batch).await.unwrap();
    world.deliver().await.unwrap();
    let facts = world.facts("e-1", "stato-ordine", "C7").await.unwrap();
    assert_eq!(facts.state(), State::Sending);
    let failure = Failure { code: "none".to_owned(), details: "no connection".to_owned(), trace_id: None };
    let late = Answer::NotAccepted { at: world.clock.now(), failure };
    let (site, event) = (world.site().unwrap(), EventId::parse("e-1").unwrap());
    let planned = world.ledger.plan(&site, &event).await.unwrap().unwrap().messages.remove(0);
    let message = message_key(&planned.mapping, &planned.recipient, 1);
    let id = MessageId { event: event_key(&site, &event), message };
    world.ledger.settle(&site, &id, &facts.claim.unwrap().owner, &late).await.unwrap();
    world.pass(SignedDuration::from_mins(3)).await.unwrap();
    assert_eq!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn unreadable_records_become_dead_letters_and_fail_no_other_record() {
    let world = World::start().await.unwrap();
    let poison = [
        "not json".to_owned(),
        r#"{"job":"event.9"}"#.to_owned(),
        r#"{"job":"event.1","site":"nowhere","received_at":"2026-11-22T10:00:00Z","event":{}}"#.to_owned(),
        r#"{"job":"event.1","site":"demo","received_at":"2026-11-22T10:00:00Z","event":{"id":"x"}}"#.to_owned(),
    ];
    for body in &poison {
        world.enqueue(body).await.unwrap();
    }
    world.accept(&order_status_changed("e-1")).await.unwrap();
    assert_eq!(world.deliver().await.unwrap(), 5);
    assert_eq!(world.phone().await.unwrap().len(), 1);
    let letters = |site: Option<&'static str>| {
        let site = site.map(|site| domain::primitives::id::SiteId::parse(site).unwrap());
        let world = &world;
        async move { world.ledger.dead_letters(site.as_ref(), world.clock.now()).await.unwrap() }
    };
    assert_eq!(letters(None).await.len(), 2);
    assert_eq!(letters(Some("nowhere")).await, ["the site nowhere does not exist"]);
    assert_eq!(letters(Some("demo")).await, ["3 field(s) missing or wrong"]);
    world.finish().await.unwrap();
}
