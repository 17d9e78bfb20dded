//! The places of an event that its warnings point to.

use crate::decision::plan;
use crate::dry_run::mappings_of;
use crate::event::person::Person;
use crate::event::{Event, EventData};
use crate::message::reason::Reason;
use crate::primitives::id::ObjectId;
use crate::site::config::LiveConfig;

/// A person and their place in the event.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// The field of `data` that names the person.
    pub(super) role: &'static str,
    /// JSON pointer to the person.
    pub(super) pointer: String,
    pub(super) person: &'a Person,
}

impl<'a> Place<'a> {
    fn of(role: &'static str, person: &'a Person) -> Self {
        Self { role, pointer: format!("/data/{role}"), person }
    }

    fn each(role: &'static str, people: &'a [Person]) -> Vec<Self> {
        let place = |(index, person)| Self { role, pointer: format!("/data/{role}/{index}"), person };
        people.iter().enumerate().map(place).collect()
    }

    /// Returns the JSON pointer to a field of the person.
    pub(super) fn below(&self, field: &str) -> String {
        format!("{}/{field}", self.pointer)
    }
}

/// Returns the people that the event lets the bridge notify, now or later. Of a changed record, it is the person whose
/// contact data the bridge takes over.
pub(super) fn to_notify<'a>(event: &'a Event, config: &LiveConfig) -> Vec<Place<'a>> {
    match &event.data {
        EventData::OrderStatusChanged { customer, .. }
        | EventData::CartAbandoned { customer, .. }
        | EventData::CustomerUpdated { customer } => vec![Place::of("customer", customer)],
        EventData::MessageSent { recipients, .. } => Place::each("recipients", recipients),
        EventData::MessageRead { sender, .. } => vec![Place::of("sender", sender)],
        EventData::ActivityStatusChanged(_) => of_status_change(event, config),
        EventData::ActivityAcknowledged { creator, .. } => vec![Place::of("creator", creator)],
        EventData::ActivityReminder { owner: Some(owner), .. } => vec![Place::of("owner", owner)],
        EventData::ActivityReminder { owner: None, assignees, .. } => Place::each("assignees", assignees),
        EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
            Place::each("administrators", &action.administrators)
        }
        EventData::DocumentsPublished { company, .. } => vec![Place::of("company", company)],
        EventData::ActivitySaved { .. } => of_reminders(event),
        EventData::CartClosed { .. } | EventData::ActivityDeleted { .. } => Vec::new(),
    }
}

/// Returns the creator and the assignees, as far as a mapping notifies them. Without a mapping: the creator.
fn of_status_change<'a>(event: &'a Event, config: &LiveConfig) -> Vec<Place<'a>> {
    let EventData::ActivityStatusChanged(change) = &event.data else { return Vec::new() };
    let selected: Vec<&ObjectId> = mappings_of(event.kind(), config)
        .flat_map(|mapping| plan::recipients(event, mapping.recipient_rule))
        .map(|person| &person.id)
        .collect();
    let mut places = vec![Place::of("creator", &change.creator)];
    places.extend(Place::each("assignees", &change.assignees));
    places.retain(|place| match selected.as_slice() {
        [] => place.role == "creator",
        selected => selected.contains(&&place.person.id),
    });
    places
}

/// Returns the owners of the reminders to send on WhatsApp, and the assignees if such a reminder has no owner.
fn of_reminders(event: &Event) -> Vec<Place<'_>> {
    let EventData::ActivitySaved { reminders, assignees, .. } = &event.data else { return Vec::new() };
    let mut places = Vec::new();
    let ticked = || reminders.iter().enumerate().filter(|(_, reminder)| reminder.whatsapp);
    if ticked().any(|(_, reminder)| reminder.owner.is_none()) {
        places.extend(Place::each("assignees", assignees));
    }
    for (index, reminder) in ticked() {
        let owner = reminder.owner.as_ref();
        let pointer = format!("/data/reminders/{index}/owner");
        places.extend(owner.map(|person| Place { role: "owner", pointer, person }));
    }
    places
}

/// Returns the JSON pointer to the time from which the usefulness of the event's messages counts.
pub(super) fn moment(event: &Event) -> String {
    let pointer = match &event.data {
        EventData::CartAbandoned { .. } => "/data/cart/abandoned_at",
        EventData::ActivityReminder { .. } => "/data/activity/starts_at",
        _ => "/occurred_at",
    };
    pointer.to_owned()
}

/// Returns the JSON pointer to the value that caused a skip, as closely as it is known.
pub(super) fn concerned(reason: Reason, event: &Event, place: Option<&Place<'_>>) -> String {
    let of_person = |field: &str| place.map_or_else(|| "/data".to_owned(), |place| place.below(field));
    match reason {
        Reason::SiteInactive | Reason::AccountInactive => String::new(),
        Reason::NoMapping => "/type".to_owned(),
        Reason::NotifyNotRequested => "/data/notify".to_owned(),
        Reason::SenderNotPermitted => "/data/sender_may_notify".to_owned(),
        Reason::MarketplaceOrder => "/data/order/marketplace".to_owned(),
        Reason::BeforeActivation | Reason::Expired => moment(event),
        Reason::PhoneMissing | Reason::PhoneInvalid | Reason::SamePhone => of_person("phone"),
        Reason::OptedOut => of_person("whatsapp_opt_out"),
        Reason::ConsentMissing => of_person("marketing_consent"),
        Reason::GroupNotIncluded => of_person("groups"),
        Reason::NoTemplateForLanguage => of_person("language"),
        Reason::ActorIsRecipient => of_person("id"),
        _ => "/data".to_owned(),
    }
}
