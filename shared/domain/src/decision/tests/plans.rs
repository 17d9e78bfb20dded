//! Who a plan names: carts of agents, and the two parties of an activity.

use super::*;
use crate::event::EventType;
use crate::mapping::RecipientRule;
use crate::plan::recipients;

/// The published example of a type, with some fields changed.
pub(super) fn example(kind: EventType, changes: &[(&str, Value)]) -> Event {
    let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for (pointer, value) in changes {
        set(&mut document, pointer, value.clone());
    }
    Event::parse(document, now()).unwrap()
}

#[test]
fn a_cart_of_an_agent_is_nobodys() {
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

/// The recipients of a change of an activity's state, and the person who is left out.
fn parties(rule: RecipientRule, actor: &str) -> (Vec<String>, Option<String>) {
    let event = example(EventType::ActivityStatusChanged, &[("/data/actor", json!({"id": actor}))]);
    let (people, left_out) = recipients(&event, rule);
    let ids = people.iter().map(|person| person.id.to_string()).collect();
    (ids, left_out.map(|person| person.id.to_string()))
}

#[test]
fn the_other_party_is_the_one_that_did_not_act() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    // S1 created the activity; C7 and G3 are its assignees.
    assert_eq!(parties(RecipientRule::OtherParty, "C7").0, ids(&["S1"]));
    assert_eq!(parties(RecipientRule::OtherParty, "S1"), (ids(&["C7", "G3"]), Some("S1".to_owned())));
    assert_eq!(parties(RecipientRule::Creator, "C7").0, ids(&["S1"]));
    assert_eq!(parties(RecipientRule::Creator, "S1").0, ids(&["S1"]));
    assert_eq!(parties(RecipientRule::Assignees, "S1").0, ids(&["C7", "G3"]));
}
