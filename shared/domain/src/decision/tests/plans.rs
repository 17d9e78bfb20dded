//! Tests of the recipients of a plan: agents' carts, and the two parties of an activity.

use super::*;
use crate::decision::plan::recipients;
use crate::event::EventType;
use crate::event::example::published;
use crate::mapping::RecipientRule;

/// Returns the published example of an event type, with some fields changed.
pub(super) fn example(kind: EventType, changes: &[(&str, Value)]) -> Event {
    let mut document = published(kind);
    for (pointer, value) in changes {
        set(&mut document, pointer, value.clone());
    }
    Event::parse(document, now()).unwrap()
}

#[test]
fn an_agents_cart_notifies_nobody() {
    let carts = with(|config| config.mappings.push(mapping("carts", "cart.abandoned")));
    let reason = |changes: &[(&str, Value)]| {
        let planned = plan(&example(EventType::CartAbandoned, changes), &carts);
        let reasons: Vec<Reason> = planned.skips.iter().map(|planned| planned.skip.reason).collect();
        (planned.messages.len(), reasons)
    };
    let agent = (0, vec![Reason::CreatedByAgent]);
    assert_eq!(reason(&[]), (1, vec![]));
    assert_eq!(reason(&[("/data/cart/created_by_agent", json!(true))]), agent);
    assert_eq!(reason(&[("/data/customer/is_agent", json!(true))]), agent);
}

/// Returns the recipients of a change of an activity's state.
fn parties(rule: RecipientRule, actor: &str) -> Vec<String> {
    let event = example(EventType::ActivityStatusChanged, &[("/data/actor", json!({"id": actor}))]);
    recipients(&event, rule).iter().map(|person| person.id.to_string()).collect()
}

#[test]
fn the_other_party_is_the_one_that_did_not_act() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    // S1 created the activity; C7 and G3 are its assignees.
    assert_eq!(parties(RecipientRule::OtherParty, "C7"), ids(&["S1"]));
    assert_eq!(parties(RecipientRule::OtherParty, "S1"), ids(&["C7", "G3"]));
    assert_eq!(parties(RecipientRule::Creator, "C7"), ids(&["S1"]));
    assert_eq!(parties(RecipientRule::Creator, "S1"), ids(&["S1"]));
    assert_eq!(parties(RecipientRule::Assignees, "S1"), ids(&["C7", "G3"]));
}

#[test]
fn an_actor_is_not_notified_unless_the_mapping_sets_notify_actor() {
    let to = |people: &[&str]| json!(people.iter().map(|id| json!({"id": id})).collect::<Vec<_>>());
    let creator = ("/data/actor", json!({"id": "S1"}));
    let cases = [
        (example(EventType::MessageSent, &[("/data/recipients", to(&["S1", "C7"]))]), "creator", vec!["C7"], "S1"),
        (example(EventType::MessageRead, &[("/data/reader", json!({"id": "S1"}))]), "creator", vec![], "S1"),
        (example(EventType::ActivityStatusChanged, std::slice::from_ref(&creator)), "creator", vec![], "S1"),
        (
            example(EventType::ActivityStatusChanged, &[creator.clone(), ("/data/assignees", to(&["S1", "G3"]))]),
            "other_party",
            vec!["G3"],
            "S1",
        ),
        (
            example(EventType::ActivityStatusChanged, &[("/data/actor", json!({"id": "C7"}))]),
            "assignees",
            vec!["G3"],
            "C7",
        ),
        (example(EventType::ActivityAcknowledged, &[creator]), "creator", vec![], "S1"),
        (example(EventType::FileUploaded, &[("/data/administrators", to(&["C7", "G3"]))]), "creator", vec!["G3"], "C7"),
    ];
    for (event, rule, others, actor) in cases {
        for notify_actor in [false, true] {
            let mut one = mapping("one", event.kind().name());
            one.recipient_rule = serde_json::from_value(json!(rule)).unwrap();
            one.notify_actor = notify_actor;
            let planned = plan(&event, &with(|config| config.mappings = vec![one]));
            let notified: Vec<&str> = planned.messages.iter().map(|message| message.recipient.as_str()).collect();
            let left_out: Vec<(&str, Reason)> = planned
                .skips
                .iter()
                .filter_map(|planned| Some((planned.recipient.as_ref()?.as_str(), planned.skip.reason)))
                .collect();
            if notify_actor {
                assert!(
                    notified.contains(&actor) && notified.len() == others.len() + 1,
                    "{}: {planned:?}",
                    event.kind()
                );
            } else {
                assert_eq!(
                    (notified, left_out),
                    (others.clone(), vec![(actor, Reason::ActorIsRecipient)]),
                    "{}",
                    event.kind()
                );
            }
        }
    }
}

#[test]
fn a_reminder_picks_the_same_recipient_of_a_shared_number_in_any_order() {
    let people = json!([{"id": "B", "phone": "3401234567"}, {"id": "A", "phone": "3401234567"}]);
    let config = with(|config| config.mappings.push(mapping("reminders", "activity.reminder")));
    let changes = [("/data/owner", json!(null)), ("/data/assignees", people.clone())];
    let planned = plan(&example(EventType::ActivityReminder, &changes), &config);
    let recipients: Vec<&str> = planned.messages.iter().map(|message| message.recipient.as_str()).collect();
    assert_eq!(recipients, ["A"]);
    // For other events, the order of the list applies.
    let planned = plan(&upload(people, &[]), &config);
    let recipients: Vec<&str> = planned.messages.iter().map(|message| message.recipient.as_str()).collect();
    assert_eq!(recipients, ["B"]);
}
