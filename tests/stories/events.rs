//! The published example of every event type, sent unchanged.

use domain::decision::plan::Plan;
use domain::event::{EventType, Notification};
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::id::{EventId, ObjectId};
use domain::primitives::key::activity_key;
use jiff::SignedDuration;
use kit::{World, example, order_status_changed};
use serde_json::{Value, json};

/// Returns the recipient's number and the text on the phone for each example. `None` if no message is sent at once.
fn expected(kind: EventType) -> Option<(&'static str, &'static str)> {
    let (anna, marco, giulia) = ("+393401234567", "+393331234567", "+393351234567");
    Some(match kind {
        EventType::OrderStatusChanged => {
            (anna, "Gentile Anna Rossi, il tuo ordine OC1/1320 è ora *MEMORIZZATO*. Totale: 129,90 €.")
        }
        EventType::MessageSent => (
            anna,
            "Gentile Anna Rossi, Marco Bianchi ti ha scritto un messaggio con oggetto «Consegna di giovedì». Lo trovi nella tua area riservata.",
        ),
        EventType::MessageRead => (
            marco,
            "Gentile Marco Bianchi, il tuo messaggio «Consegna di giovedì» è stato letto da Anna Rossi nell'area riservata.",
        ),
        EventType::ActivityStatusChanged => (
            marco,
            "Gentile Marco Bianchi, l'attività «Sopralluogo» del 24/11/2026 è passata da Pianificata a *Completata*. L'ha aggiornata Anna Rossi dall'agenda.",
        ),
        EventType::ActivityAcknowledged => (
            marco,
            "Gentile Marco Bianchi, Anna Rossi ha preso visione dell'attività «Sopralluogo» in programma il 24/11/2026. Trovi i dettagli in agenda.",
        ),
        EventType::ActivityReminder => (
            anna,
            "Gentile Anna Rossi, ti ricordiamo l'attività «Sopralluogo»: inizia il 24/11/2026 alle 15:30. Trovi i dettagli in agenda.",
        ),
        EventType::FileUploaded => (
            giulia,
            "Gentile Giulia Verdi, Anna Rossi ha caricato il file *Listino 2027.pdf* nella cartella Listini. Lo trovi nell'area riservata.",
        ),
        EventType::FileDownloaded => (
            giulia,
            "Gentile Giulia Verdi, Anna Rossi ha scaricato il file *Listino 2027.pdf* dalla cartella Listini dell'area riservata.",
        ),
        EventType::FilePreviewed => (
            giulia,
            "Gentile Giulia Verdi, Anna Rossi ha aperto l'anteprima del file *Listino 2027.pdf* nella cartella Listini dell'area riservata.",
        ),
        EventType::DocumentsPublished => (
            "+393471234567",
            "Gentile Rossi Impianti S.r.l., abbiamo pubblicato 2 documenti nella tua area riservata: Cedolino ottobre.pdf, F24 novembre.pdf. La consultazione richiede l'accesso.",
        ),
        EventType::CartAbandoned
        | EventType::CartClosed
        | EventType::ActivitySaved
        | EventType::ActivityDeleted
        | EventType::CustomerUpdated => return None,
    })
}

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

async fn plan(world: &World, event: &Value) -> Plan {
    let id = EventId::parse(event["id"].as_str().unwrap()).unwrap();
    world.ledger.plan(&world.site().unwrap(), &id).await.unwrap().unwrap()
}

fn received(messages: &[Value]) -> Vec<(String, String)> {
    let text = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
    messages.iter().map(|message| (text(message, "to"), text(message, "text"))).collect()
}

#[tokio::test]
async fn every_published_example_is_accepted_and_notified_as_expected() {
    let world = World::start().await.unwrap();
    for kind in EventType::ALL {
        let (event, before) = (example(kind).unwrap(), world.phone().await.unwrap().len());
        let answer = world.post(&event).await.unwrap();
        assert_eq!((answer.status, &answer.body["id"]), (202, &event["id"]), "{kind}: {answer:?}");
        world.deliver().await.unwrap();
        let phone = world.phone().await.unwrap();
        let expected: Vec<_> = expected(kind).map(|(to, text)| (to.to_owned(), text.to_owned())).into_iter().collect();
        assert_eq!(received(phone.get(before..).unwrap()), expected, "{kind}");
        let plan = plan(&world, &event).await;
        let at_once = kind.notification() != Notification::Never;
        assert_eq!((plan.messages.len(), plan.skips.len()), (usize::from(at_once), 0), "{kind}: {plan:?}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_agents_cart_is_never_notified() {
    let world = World::start().await.unwrap();
    for (id, pointer) in [("k-1", "/data/cart/created_by_agent"), ("k-2", "/data/customer/is_agent")] {
        let mut event = example(EventType::CartAbandoned).unwrap();
        event["id"] = json!(id);
        *event.pointer_mut(pointer).unwrap() = json!(true);
        raise(&world, &event).await;
        assert_eq!(plan(&world, &event).await.skips.first().unwrap().skip.reason, Reason::CreatedByAgent);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_actor_is_not_notified_of_a_file_they_opened() {
    let world = World::start().await.unwrap();
    for kind in [EventType::FileDownloaded, EventType::FilePreviewed] {
        let mut event = example(kind).unwrap();
        event["data"]["actor"]["id"] = event["data"]["administrators"][0]["id"].clone();
        raise(&world, &event).await;
        assert_eq!(plan(&world, &event).await.skips.first().unwrap().skip.reason, Reason::ActorIsRecipient, "{kind}");
    }
    assert!(world.phone().await.unwrap().is_empty());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_without_an_owner_is_sent_to_every_assignee() {
    let world = World::start().await.unwrap();
    let mut event = example(EventType::ActivityReminder).unwrap();
    event["data"]["owner"] = Value::Null;
    raise(&world, &event).await;
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_expires_once_its_activity_has_begun() {
    let world = World::start().await.unwrap();
    let live = world.live().await.unwrap();
    let mut mapping = live.mappings.into_iter().find(|one| one.id.as_str() == "promemoria-attivita").unwrap();
    mapping.useful_for = None;
    world.config.put_mapping(&world.site().unwrap(), &mapping).await.unwrap();
    for (id, starts_at, expected) in
        [("r-1", "2026-11-22T10:20:00+01:00", "skipped"), ("r-2", "2026-11-24T15:30:00+01:00", "sent")]
    {
        let mut event = example(EventType::ActivityReminder).unwrap();
        event["id"] = json!(id);
        event["data"]["activity"]["starts_at"] = json!(starts_at);
        raise(&world, &event).await;
        assert_eq!(world.state(id, "promemoria-attivita", "C7").await.unwrap().to_string(), expected);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_recipient_rule_decides_the_recipients_of_a_state() {
    // Anna and Giulia are the assignees of an activity that Marco created.
    for (rule, actor, expected) in [
        ("creator", "C7", vec!["S1"]),
        ("assignees", "C7", vec!["G3"]),
        ("other_party", "C7", vec!["S1"]),
        ("other_party", "S1", vec!["C7", "G3"]),
        // Nobody is notified of their own action.
        ("creator", "S1", vec![]),
    ] {
        let world = World::start().await.unwrap();
        let live = world.live().await.unwrap();
        let mut mapping = live.mappings.into_iter().find(|one| one.id.as_str() == "stato-attivita").unwrap();
        mapping.recipient_rule = serde_json::from_value(json!(rule)).unwrap();
        world.config.put_mapping(&world.site().unwrap(), &mapping).await.unwrap();
        let mut event = example(EventType::ActivityStatusChanged).unwrap();
        event["data"]["actor"]["id"] = json!(actor);
        raise(&world, &event).await;
        let plan = plan(&world, &event).await;
        let received: Vec<&str> = plan.messages.iter().map(|message| message.recipient.as_str()).collect();
        assert_eq!(received, expected, "{rule} {actor}");
        assert_eq!(world.phone().await.unwrap().len(), expected.len());
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_event_received_weeks_ago_takes_effect_and_sends_only_useful_messages() {
    let world = World::start().await.unwrap();
    let received_at = world.clock.now() - SignedDuration::from_hours(60 * 24);
    let enqueue = async |event: &Value| {
        let job = json!({"job": "event.1", "site": "demo", "received_at": received_at, "event": event});
        world.enqueue(&job.to_string()).await.unwrap();
        world.deliver().await.unwrap();
    };
    let mut opted_out = example(EventType::CustomerUpdated).unwrap();
    opted_out["occurred_at"] = json!(received_at);
    opted_out["data"]["customer"] = json!({"id": "C7", "whatsapp_opt_out": true});
    enqueue(&opted_out).await;
    let mut saved = example(EventType::ActivitySaved).unwrap();
    let activity = saved["data"]["activity"]["id"].as_str().unwrap().to_owned();
    saved["occurred_at"] = json!(received_at);
    enqueue(&saved).await;
    let mut order = order_status_changed("o-1");
    order["occurred_at"] = json!(received_at);
    order["data"]["customer"]["id"] = json!("C8");
    enqueue(&order).await;
    let state = world.state("o-1", "stato-ordine", "C8").await.unwrap();
    assert!(matches!(&state, State::Skipped(skip) if skip.reason == Reason::Expired), "{state:?}");
    let key = activity_key(&world.site().unwrap(), &ObjectId::parse(&activity).unwrap());
    let heads = world.contacts.activities(std::slice::from_ref(&key)).await.unwrap();
    assert!(heads.contains_key(&key), "the activity has its reminders");
    let mut newer = order_status_changed("o-2");
    newer["data"]["customer"].as_object_mut().unwrap().remove("whatsapp_opt_out");
    world.accept(&newer).await.unwrap();
    world.deliver().await.unwrap();
    let state = world.state("o-2", "stato-ordine", "C7").await.unwrap();
    assert!(matches!(&state, State::Skipped(skip) if skip.reason == Reason::OptedOut), "{state:?}");
    let dead = world.ledger.dead_letters(Some(&world.site().unwrap()), world.clock.now()).await.unwrap();
    assert_eq!(dead, [""; 0]);
    world.finish().await.unwrap();
}
