//! The plan: who is notified because of an event. It is made once per event and written before anything is sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::person::Person;
use crate::event::{Event, EventData, EventType, Notification};
use crate::mapping::{Mapping, RecipientRule};
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::{MappingId, ObjectId};
use crate::primitives::phone::Phone;
use crate::site::config::LiveConfig;

/// The messages that an event requires, and what was skipped. Both lists are empty for an event that only affects
/// scheduled messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One entry per mapping and recipient to notify.
    pub messages: Vec<PlannedMessage>,
    /// The skips, decided before any message existed.
    pub skips: Vec<PlannedSkip>,
}

/// A message to decide and send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// The mapping.
    pub mapping: MappingId,
    /// The recipient: the person's id among the event's recipients.
    pub recipient: ObjectId,
}

/// A skip: the whole event, a mapping, or a recipient of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSkip {
    /// The skipped mapping; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingId>,
    /// The skipped recipient; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<ObjectId>,
    /// The reason.
    #[serde(flatten)]
    pub skip: Skip,
}

/// Plans an event. The order of the checks is a contract: the first failed check is the recorded reason.
#[must_use]
pub fn plan(event: &Event, config: &LiveConfig) -> Plan {
    let mut plan = Plan::default();
    if let Err(skip) = event_may_notify(event, config) {
        plan.skips.push(PlannedSkip { mapping: None, recipient: None, skip });
        return plan;
    }
    if event.kind().notification() == Notification::Never {
        return plan;
    }
    let of_type = config.mappings.iter().filter(|mapping| mapping.enabled && mapping.event_type == event.kind());
    for mapping in of_type {
        match mapping.applies(event) {
            Ok(()) => plan_recipients(event, config, mapping, &mut plan),
            Err(skip) => plan.skips.push(PlannedSkip { mapping: Some(mapping.id.clone()), recipient: None, skip }),
        }
    }
    if plan.messages.is_empty() && plan.skips.is_empty() {
        plan.skips.push(PlannedSkip { mapping: None, recipient: None, skip: Reason::NoMapping.into() });
    }
    plan
}

/// Checks the whole event: the site, the ticked channel, the sender's permission and the exclusions of the event type.
fn event_may_notify(event: &Event, config: &LiveConfig) -> Result<(), Skip> {
    if !config.site.active {
        return Err(Reason::SiteInactive.into());
    }
    if let Some(notify) = event.notify() {
        if !notify.whatsapp {
            return Err(Reason::NotifyNotRequested.into());
        }
        if !notify.sender_may_notify {
            return Err(Reason::SenderNotPermitted.into());
        }
    }
    match &event.data {
        EventData::OrderStatusChanged { order, .. } => match &order.marketplace {
            Some(marketplace) if !config.site.marketplace_orders => {
                Err(Skip::new(Reason::MarketplaceOrder, marketplace.as_str()))
            }
            _ => Ok(()),
        },
        EventData::CartAbandoned { cart, customer } if cart.created_by_agent || customer.is_agent => {
            Err(Reason::CreatedByAgent.into())
        }
        _ => Ok(()),
    }
}

/// Plans one message per recipient, and never two for the same id or number. The actor is skipped unless the mapping
/// sets `notify_actor`.
fn plan_recipients(event: &Event, config: &LiveConfig, mapping: &Mapping, plan: &mut Plan) {
    let mut skip = |recipient: Option<&Person>, skip: Skip| {
        let recipient = recipient.map(|person| person.id.clone());
        plan.skips.push(PlannedSkip { mapping: Some(mapping.id.clone()), recipient, skip });
    };
    let recipients = recipients(event, mapping.recipient_rule);
    let excluded = event.actor().filter(|_| !mapping.notify_actor);
    if recipients.is_empty() {
        skip(None, Reason::NoRecipient.into());
    }
    let mut seen_ids = BTreeSet::new();
    let mut seen_phones = BTreeSet::new();
    // If two people share a number, a person in the mapping's groups has priority.
    let mut recipients: Vec<&Person> = recipients.iter().collect();
    if event.kind() == EventType::ActivityReminder {
        // Passweb and the bridge may list the recipients in different orders, and both must choose the same one.
        recipients.sort_by(|one, other| one.id.cmp(&other.id));
    }
    let (inside, outside): (Vec<&Person>, Vec<&Person>) =
        recipients.into_iter().partition(|person| mapping.includes(person));
    for person in inside.into_iter().chain(outside) {
        if !seen_ids.insert(&person.id) {
            continue;
        }
        if excluded.is_some_and(|actor| actor.id == person.id) {
            skip(Some(person), Reason::ActorIsRecipient.into());
            continue;
        }
        let typed = person.phone.as_deref().unwrap_or_default();
        if let Ok(phone) = Phone::parse(typed, config.site.country(person.country.as_deref()))
            && !seen_phones.insert(phone)
        {
            skip(Some(person), Reason::SamePhone.into());
            continue;
        }
        plan.messages.push(PlannedMessage { mapping: mapping.id.clone(), recipient: person.id.clone() });
    }
}

/// Returns the recipients of a mapping. The actor may be among them: the creator may also be an assignee ("Attività
/// Propria").
#[must_use]
pub fn recipients(event: &Event, rule: RecipientRule) -> &[Person] {
    if let EventData::ActivityStatusChanged(change) = &event.data {
        let by_creator = change.actor.id == change.creator.id;
        match rule {
            RecipientRule::Assignees => return &change.assignees,
            RecipientRule::OtherParty if by_creator => return &change.assignees,
            RecipientRule::OtherParty | RecipientRule::Creator => {}
        }
    }
    event.recipients()
}
