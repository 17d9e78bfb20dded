//! Files that one person adds to one folder. A digest message covers them while the mapping holds it back.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use domain::mapping::{Repeat, UsefulFor};
use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::message::suppression::{Scope, Source, Suppression};
use domain::site::health::{Cause, Proof};
use jiff::SignedDuration;
use kit::{World, file_uploaded};
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const MAPPING: &str = "nuovo-file";

/// Anna uploads a file into a folder that P1 administers.
fn uploaded(number: usize) -> Value {
    let administrator = json!([{"id": "P1", "first_name": "Luca", "last_name": "Bianchi", "phone": "340 1234567"}]);
    let mut event = file_uploaded(&format!("f-{number}"), &administrator);
    event["data"]["file"]["id"] = json!(format!("F{number}"));
    event["data"]["file"]["name"] = json!(format!("Listino {number}.pdf"));
    event
}

/// Starts a world whose mapping of uploads collects files for ten minutes and shows their number.
async fn collecting() -> World {
    let world = World::start().await.unwrap();
    world.configure(MAPPING, |_, mapping| collect(mapping)).await.unwrap();
    world
}

fn collect(mapping: &mut domain::mapping::Mapping) {
    mapping.hold_for = Some(UsefulFor::parse("10m").unwrap());
    for used in mapping.templates.values_mut() {
        let mut body = serde_json::to_value(&used.body).unwrap();
        body["4"] = json!({"variable": "files.count"});
        used.body = serde_json::from_value(body).unwrap();
    }
}

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

async fn state(world: &World, number: usize) -> State {
    world.state(&format!("f-{number}"), MAPPING, "P1").await.unwrap()
}

#[track_caller]
fn is_already_notified(state: &State) {
    assert!(matches!(state, State::Skipped(skip) if skip.reason == Reason::AlreadyNotified), "{state:?}");
}

#[tokio::test]
async fn files_of_one_folder_are_sent_in_one_digest_with_count_and_names() {
    let world = collecting().await;
    for number in 1..=3 {
        raise(&world, &uploaded(number)).await;
        world.pass(MINUTE).await.unwrap();
    }
    let State::Waiting(waiting) = state(&world, 2).await else { panic!() };
    let digest = world.facts("f-1", MAPPING, "P1").await.unwrap();
    assert!(matches!(digest.state(), State::Waiting(own) if own.why == WaitReason::Hold && own.until < waiting.until));
    world.pass(MINUTE * 12).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(
        matches!(texts.as_slice(), [text] if text.contains("Listino 1.pdf, Listino 2.pdf, Listino 3.pdf")
        && text.contains(" 3")),
        "{texts:?}"
    );
    assert_eq!(state(&world, 1).await, State::Sent);
    for number in 2..=3 {
        is_already_notified(&state(&world, number).await);
    }
    // A later file gets its own message.
    raise(&world, &uploaded(4)).await;
    world.pass(MINUTE * 12).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(matches!(texts.as_slice(), [_, text] if text.contains("Listino 4.pdf") && !text.contains("Listino 1")));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn other_folders_and_other_actors_get_separate_messages() {
    let world = collecting().await;
    let mut elsewhere = uploaded(2);
    elsewhere["data"]["file"]["folder"] = json!("Contratti");
    let mut by_another = uploaded(3);
    by_another["data"]["actor"] = json!({"id": "C8", "first_name": "Piero"});
    for event in [uploaded(1), elsewhere, by_another] {
        raise(&world, &event).await;
    }
    world.pass(MINUTE * 12).await.unwrap();
    assert_eq!(world.texts().await.unwrap().len(), 3);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_hundred_files_at_once_are_one_message() {
    let world = collecting().await;
    let events: Vec<Value> = (1..=100).map(uploaded).collect();
    assert_eq!(world.post_batch(&json!({"events": events})).await.unwrap().status, 202);
    world.pass(MINUTE * 14).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(matches!(texts.as_slice(), [text] if text.contains(" 100") && text.contains("(+")), "{texts:?}");
    for number in 1..=100 {
        assert!(state(&world, number).await.is_final(), "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_previewed_again_is_not_notified_again() {
    let world = World::start().await.unwrap();
    let mapping = "file-visualizzato";
    world.configure(mapping, |_, mapping| mapping.hold_for = Some(UsefulFor::parse("10m").unwrap())).await.unwrap();
    let previewed = |id: &str, number: usize| {
        let mut event = uploaded(number);
        event["id"] = json!(id);
        event["type"] = json!("file.previewed");
        event
    };
    for (id, number) in [("p-1", 1), ("p-2", 2)] {
        raise(&world, &previewed(id, number)).await;
    }
    world.pass(MINUTE * 12).await.unwrap();
    for (id, number) in [("p-3", 2), ("p-4", 3)] {
        raise(&world, &previewed(id, number)).await;
    }
    world.pass(MINUTE * 12).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(
        matches!(texts.as_slice(), [first, second] if first.contains("Listino 1.pdf, Listino 2.pdf")
        && second.contains("Listino 3.pdf") && !second.contains("Listino 2")),
        "{texts:?}"
    );
    is_already_notified(&world.state("p-3", mapping, "P1").await.unwrap());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn each_file_of_an_unsent_digest_records_the_reason() {
    let world = collecting().await;
    for number in 1..=2 {
        raise(&world, &uploaded(number)).await;
    }
    let contact = world.contact("+393401234567").await.unwrap();
    let since = world.clock.now();
    let suppression = domain::message::suppression::Suppression {
        scope: domain::message::suppression::Scope::All,
        source: domain::message::suppression::Source::Stop,
        since,
        reason: String::new(),
    };
    world.contacts.suppress(&world.site().unwrap(), &contact, &suppression).await.unwrap();
    // The second message is on its own again and waits for other files.
    world.pass(MINUTE * 25).await.unwrap();
    for number in 1..=2 {
        let state = state(&world, number).await;
        assert!(matches!(&state, State::Skipped(skip) if skip.reason == Reason::Suppressed), "{state:?}");
    }
    // The next file does not join a digest message that was skipped.
    world.lift_stop(&contact).await.unwrap();
    raise(&world, &uploaded(3)).await;
    world.pass(MINUTE * 12).await.unwrap();
    assert_eq!(state(&world, 3).await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sender_killed_at_any_poll_notifies_each_file_once() {
    let world = collecting().await;
    let mut killed = 0;
    loop {
        world.accept(&uploaded(killed)).await.unwrap();
        let batch = world.take().await.unwrap();
        let done = world.handle_killed(&batch, killed).await;
        if done {
            world.delete(batch.first().unwrap()).await.unwrap();
            break;
        }
        world.redeliver(&batch).await.unwrap();
        world.deliver().await.unwrap();
        killed += 1;
    }
    // The execution that sends the digest message is killed too.
    assert!(killed >= 5, "only {killed} polls");
    world.clock.advance(MINUTE * 11);
    world.sweep().await.unwrap();
    for polls in 1..60 {
        let batch = world.take().await.unwrap();
        if batch.is_empty() {
            break;
        }
        world.handle_killed(&batch, polls).await;
        world.redeliver(&batch).await.unwrap();
    }
    world.pass(MINUTE * 30).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(texts.len() <= 1, "{texts:?}");
    let digest = state(&world, 0).await;
    match texts.as_slice() {
        [text] => assert!(text.contains(&format!(" {}", killed + 1)), "{killed}: {text}"),
        _ => assert_eq!(digest, State::Unknown),
    }
    for number in 0..=killed {
        let state = state(&world, number).await;
        assert!(state.is_final(), "{number}: {state:?}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn files_whose_digest_expired_are_sent_in_a_new_digest() {
    let world = collecting().await;
    world.configure(MAPPING, |_, mapping| mapping.useful_for = Some(UsefulFor::parse("1h").unwrap())).await.unwrap();
    let lane = store::schedule::Lane {
        site: world.site().unwrap(),
        account: domain::primitives::id::AccountId::parse("main").unwrap(),
    };
    let (began, day) = (world.clock.now(), MINUTE * 60 * 24);
    let at = |number: usize, minutes: i32| {
        let mut event = uploaded(number);
        event["occurred_at"] = json!((began + MINUTE * minutes).to_string());
        event
    };
    let cause = Cause { code: "131031", by_report: false, at: began, probe_after: day };
    world.schedule.stop_account(&lane, cause, began).await.unwrap();
    raise(&world, &at(1, 0)).await;
    world.pass(MINUTE * 50).await.unwrap();
    assert!(matches!(state(&world, 1).await, State::Waiting(waiting) if waiting.why == WaitReason::AccountStopped));
    for number in 2..=3 {
        raise(&world, &at(number, 50)).await;
    }
    world.pass(MINUTE * 15).await.unwrap();
    let State::Skipped(skip) = state(&world, 1).await else { panic!() };
    assert_eq!(skip.reason, Reason::Expired);
    world.schedule.start_account(&lane, Proof::Operator).await.unwrap();
    world.pass(MINUTE * 40).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(
        matches!(texts.as_slice(), [text] if ["2.pdf", "3.pdf"].iter().all(|name| text.contains(name)) && !text.contains("1.pdf")),
        "{texts:?}"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn members_of_a_digest_are_not_sent_again_when_hold_for_is_removed() {
    for (after, is_enabled) in [(MINUTE * 5, true), (MINUTE * 11, true), (MINUTE * 11, false)] {
        let world = collecting().await;
        for number in 1..=3 {
            raise(&world, &uploaded(number)).await;
        }
        world.pass(after).await.unwrap();
        world.configure(MAPPING, |_, mapping| (mapping.hold_for, mapping.enabled) = (None, is_enabled)).await.unwrap();
        world.pass(MINUTE * 30).await.unwrap();
        let texts = world.texts().await.unwrap();
        assert!(
            matches!(texts.as_slice(), [text] if text.contains("Listino 1.pdf, Listino 2.pdf, Listino 3.pdf")),
            "{after}: {texts:?}"
        );
        for number in 2..=3 {
            is_already_notified(&state(&world, number).await);
        }
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_restarted_digest_keeps_its_members() {
    let world = collecting().await;
    for number in 1..=2 {
        raise(&world, &uploaded(number)).await;
    }
    // The response to its first enqueue was lost, and it is put back unchanged.
    let again = json!({"job": "message.1", "site": "demo", "event": "f-1", "mapping": MAPPING, "recipient": "P1",
                       "attempt": 1});
    world.enqueue(&again.to_string()).await.unwrap();
    world.pass(MINUTE * 15).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(matches!(texts.as_slice(), [text] if text.contains("Listino 1.pdf, Listino 2.pdf")), "{texts:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn files_uploaded_in_quiet_hours_are_sent_in_one_digest_when_they_end() {
    let world = collecting().await;
    // Stories begin at 11:00 in Rome.
    let quiet = serde_json::from_value(json!({"from": "10:30", "to": "12:00", "holidays": []})).unwrap();
    world.configure(MAPPING, |_, mapping| mapping.quiet_hours = Some(quiet)).await.unwrap();
    for number in 1..=3 {
        raise(&world, &uploaded(number)).await;
        world.pass(MINUTE * 15).await.unwrap();
    }
    assert!(world.texts().await.unwrap().is_empty());
    world.pass(MINUTE * 30).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert!(
        matches!(texts.as_slice(), [text] if text.contains("Listino 1.pdf, Listino 2.pdf, Listino 3.pdf")),
        "{texts:?}"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn two_members_that_lose_their_digest_at_once_share_a_new_one() {
    const STOPS: usize = 40;
    let world = collecting().await;
    let of_folder = |stop: usize, place: usize| {
        let mut event = uploaded(stop * 10 + place);
        event["data"]["file"]["folder"] = json!(format!("L{stop}"));
        event
    };
    for stop in 1..=STOPS {
        raise(&world, &of_folder(stop, 0)).await;
        let id = domain::primitives::id::EventId::parse(&format!("f-{}", stop * 10)).unwrap();
        let mapping = domain::primitives::id::MappingId::parse(MAPPING).unwrap();
        let recipient = domain::primitives::id::ObjectId::parse("P1").unwrap();
        let digest = domain::primitives::key::MessageId {
            event: domain::primitives::key::event_key(&world.site().unwrap(), &id),
            message: domain::primitives::key::message_key(&mapping, &recipient, 1),
        };
        assert!(world.parking().cancel(&digest, &Reason::Expired.into()).await.unwrap());
        for place in 1..=2 {
            world.accept(&of_folder(stop, place)).await.unwrap();
        }
        let batch = world.take().await.unwrap();
        let [first, second] = batch.as_slice() else { panic!("{batch:?}") };
        // The second execution stops at some point, and the first completes in the meantime.
        let mut stopped = pin!(world.handle(std::slice::from_ref(second)));
        let mut left = stop;
        let done = poll_fn(|context| {
            left -= 1;
            match stopped.as_mut().poll(context) {
                Poll::Pending if left > 0 => Poll::Pending,
                other => Poll::Ready(other.is_ready()),
            }
        });
        let done = done.await;
        assert!(world.handle(std::slice::from_ref(first)).await.is_empty());
        if !done {
            assert!(stopped.await.is_empty());
        }
        for message in &batch {
            world.delete(message).await.unwrap();
        }
    }
    world.pass(MINUTE * 30).await.unwrap();
    let texts = world.texts().await.unwrap();
    assert_eq!(texts.len(), STOPS);
    for stop in 1..=STOPS {
        let both = |text: &&String| (1..=2).all(|place| text.contains(&format!("Listino {}.pdf", stop * 10 + place)));
        assert_eq!(texts.iter().filter(both).count(), 1, "{stop}: {texts:?}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_suppression_takes_precedence_over_already_notified_for_a_file() {
    let world = collecting().await;
    world.configure(MAPPING, |_, mapping| mapping.repeat = Some(Repeat::OncePerActor)).await.unwrap();
    raise(&world, &uploaded(1)).await;
    world.pass(MINUTE * 12).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    let (site, contact) = (world.site().unwrap(), world.contact("340 1234567").await.unwrap());
    let (scope, source, since) = (Scope::All, Source::Operator, world.clock.now());
    let suppression = Suppression { scope, source, since, reason: "asked".to_owned() };
    world.contacts.suppress(&site, &contact, &suppression).await.unwrap();
    let mut again = uploaded(2);
    again["data"]["file"] = uploaded(1)["data"]["file"].clone();
    raise(&world, &again).await;
    assert!(matches!(state(&world, 2).await, State::Skipped(skip) if skip.reason == Reason::Suppressed));
    world.finish().await.unwrap();
}
