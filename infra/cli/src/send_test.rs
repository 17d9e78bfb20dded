//! `bridge send-test`: a test message to one number, processed like every other message.
//!
//! The command records the event in the ledger with a plan of this message only, and then queues it. `send-message`
//! uses a plan that is already recorded. Therefore a test message cannot be sent twice, and `explain` shows it like any
//! other.

use std::time::Duration;

use domain::decision::plan::{Plan, plan};
use domain::event::Event;
use domain::primitives::id::{EventId, ObjectId};
use domain::primitives::phone::Phone;
use domain::queue::job::Job;
use jiff::SignedDuration;
use serde_json::Value;
use store::ledger::{EventRecord, StoredEvent};

use crate::args;
use crate::failure::Failure;
use crate::mapping;
use crate::number;
use crate::outcome::explained;
use crate::output::Output;
use crate::preview::read_event;
use crate::random::random;
use crate::stack::Stack;

/// Interval at which the ledger is polled for the outcome.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) async fn run(command: &args::SendTest, stack: &Stack, output: Output) -> Result<(), Failure> {
    let mut live = stack.live().await?;
    let phone = number::read(&command.phone, &live.site)?;
    live.mappings = vec![mapping::find(&command.mapping, stack).await?];
    let id = format!("test.{}", hex::encode(random::<6>()?));
    let (event, _) = read_event(&command.event, Some(stack)).await?;
    let now = stack.clock.now();
    let document = as_test(&event, &id, &phone, now);
    let event = Event::parse(document, now).map_err(|error| Failure::usage(|texts| texts.event_error(&error)))?;

    let mut test_plan = plan(&event, &live);
    // Keep one message to the test recipient. `replace` skips recipients that have an id only, and gives all others the
    // test id.
    test_plan.messages.retain(|planned| planned.recipient.as_str() == id);
    test_plan.messages.truncate(1);
    if test_plan.messages.is_empty() {
        let reasons = test_plan.skips.iter().map(|planned| planned.skip.reason);
        let reasons: Vec<_> = reasons.collect();
        return Err(Failure::no(|texts| texts.no_message(output.phone(phone.as_e164()), texts.reasons(&reasons))));
    }
    let test_plan = Plan { skips: Vec::new(), ..test_plan };
    let site = &live.site.id;
    let record = EventRecord {
        trace: None,
        site,
        event: &event,
        received_at: now,
        plan: &test_plan,
        retention_days: live.site.retention_days,
    };
    stack.ledger.record_event(record, now).await?;
    let job = Job::event(site.clone(), now, event.document.clone());
    stack.queue.send(&job).await.map_err(|error| Failure::aws(&error))?;

    let stored = wait(&event.id, command.wait, stack).await?;
    let explained = explained(&stored, &live, stack.clock.now(), output);
    output.say(&explained.document(), |texts| explained.words(texts));
    let sent =
        explained.outcomes.iter().all(|outcome| ["sent", "delivered", "read"].contains(&outcome.outcome.as_str()));
    if sent { Ok(()) } else { Err(Failure::no(|texts| texts.message_not_sent())) }
}

/// Waits until the messages are final or the time is over, then returns the event from the ledger.
async fn wait(id: &EventId, seconds: u32, stack: &Stack) -> Result<StoredEvent, Failure> {
    let until = stack.clock.now() + SignedDuration::from_secs(seconds.into());
    loop {
        let event = stack.ledger.event(stack.site()?, id).await?;
        let event = event.ok_or_else(|| Failure::no(|texts| texts.event_gone(id.to_string())))?;
        if event.messages.iter().all(|message| message.facts.state().is_final()) || stack.clock.now() >= until {
            return Ok(event);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Copies the event with a new id and the current time, and replaces its recipients by a person with the given number.
/// That person gets an id of the test's own, so that the real person does not count as notified.
fn as_test(event: &Event, id: &str, phone: &Phone, now: jiff::Timestamp) -> Value {
    let recipients: Vec<ObjectId> = event.recipients().iter().map(|person| person.id.clone()).collect();
    let mut document = event.document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("id".to_owned(), id.into());
        fields.insert("occurred_at".to_owned(), now.to_string().into());
    }
    if let Some(data) = document.get_mut("data") {
        replace(data, &recipients, id, phone);
    }
    document
}

/// Gives every recipient the test id and number, and removes the number of every other person.
fn replace(value: &mut Value, recipients: &[ObjectId], id: &str, phone: &Phone) {
    match value {
        Value::Object(fields) => {
            let own = fields.get("id").and_then(Value::as_str);
            let is_person =
                ["phone", "first_name", "last_name", "company"].iter().any(|name| fields.contains_key(*name));
            let is_recipient = is_person && recipients.iter().any(|recipient| Some(recipient.as_str()) == own);
            if is_recipient {
                fields.insert("id".to_owned(), id.into());
                fields.insert("phone".to_owned(), phone.as_e164().into());
            } else {
                fields.remove("phone");
            }
            fields.values_mut().for_each(|value| replace(value, recipients, id, phone));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, recipients, id, phone)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::primitives::phone::Country;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_test_event_contains_no_phone_number_of_the_original() {
        let at: jiff::Timestamp = "2026-11-22T09:15:00Z".parse().unwrap();
        let document = json!({
            "id": "e1", "type": "message.sent", "occurred_at": "2026-11-22T09:15:00Z", "data": {
                "message": {"id": "M1", "subject": "a", "body": "b"}, "sender": {"id": "S1", "phone": "3401111111"},
                "recipients": [{"id": "C1", "phone": "3402222222", "last_name": "Rossi"}, {"id": "C2", "phone": "3403333333"}],
                "notify": ["whatsapp"],
            },
        });
        let event = Event::parse(document, at).unwrap();
        let phone = Phone::parse("340 1234567", Country::ITALY).unwrap();
        let now = "2026-11-23T09:15:00Z".parse().unwrap();
        let test = as_test(&event, "test.1", &phone, now);
        assert!(!test.to_string().contains("340111") && !test.to_string().contains("340222"));
        let test = Event::parse(test, now).unwrap();
        assert!(test.recipients().iter().all(|person| person.id.as_str() == "test.1"));
        assert_eq!(test.recipients()[0].last_name.as_deref(), Some("Rossi"));
    }
}
