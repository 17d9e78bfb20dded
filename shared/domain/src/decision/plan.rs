//! The plan: who is to be told because of an event. Made once per event and written before anything is sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::person::Person;
use crate::event::{Event, EventData, EventType, Notification};
use crate::mapping::{Mapping, RecipientRule};
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::{MappingId, ObjectId};
use crate::primitives::phone::Phone;
use crate::site::config::LiveConfig;

/// The messages an event calls for, and who or what was left out. Neither of both: there is nothing to tell now, the
/// event matters to what is scheduled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One entry per mapping and recipient to be told.
    pub messages: Vec<PlannedMessage>,
    /// What will not be told, decided before any message existed.
    pub skips: Vec<PlannedSkip>,
}

/// A message that is to be decided and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// Through which mapping.
    pub mapping: MappingId,
    /// To whom: the person's id among the event's recipients.
    pub recipient: ObjectId,
}

/// Something left out: the whole event, a mapping, or a recipient of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSkip {
    /// The mapping left out; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingId>,
    /// The person left out; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<ObjectId>,
    /// Why.
    #[serde(flatten)]
    pub skip: Skip,
}

/// Plans an event. The order of the checks is a contract: the first "no" is the recorded reason.
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

/// What concerns the whole event: the site, the ticked channel, the sender's permission, the type's own exclusions.
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

/// One message per recipient, nobody twice by id or by number. Whoever did it is left out, unless the mapping notifies them.
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
    // Of two people with one number the one the mapping is for is told.
    let mut recipients: Vec<&Person> = recipients.iter().collect();
    if event.kind() == EventType::ActivityReminder {
        // Passweb and the bridge may list them differently, and both must choose the same.
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

/// The people a mapping is for. Whoever did it may be among them: the creator may be an assignee too ("Attività Propria").
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
