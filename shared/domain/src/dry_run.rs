//! The dry run of an event: what the bridge understands of it, and what it would silently leave out.
//!
//! The plan and the decision are those of a real event, without any recorded data. The ledger, the suppressions and
//! earlier contact data can therefore still prevent a message about which the dry run has no warning.

mod notes;
mod people;
mod warning;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::decision::cart::{self, CartHistory};
use crate::decision::context::DecisionContext;
use crate::decision::plan::plan;
use crate::decision::reminder::{ActivityStatus, activity_status, to_keep};
use crate::decision::{Halt, decide, phone, reading_language};
use crate::event::person::Person;
use crate::event::{Event, EventData, EventType, Notification, unknown_fields};
use crate::mapping::{self, Mapping};
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::{EventId, MappingId, ObjectId};
use crate::primitives::language::Language;
use crate::primitives::phone::{Country, Phone};
use crate::site::config::LiveConfig;
use notes::Notes;
use people::Place;

pub use warning::{Code, Warning};

/// What the bridge understands of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// The site's idempotency key.
    pub id: EventId,
    /// The event's kind.
    pub kind: EventType,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// The people that the event lets the bridge notify, now or later.
    pub recipients: Vec<Recipient>,
    /// What is left out or missing, at most [`WARNINGS_MAX`].
    pub warnings: Vec<Warning>,
}

/// A recipient as the bridge reads their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The id in Passweb.
    pub id: ObjectId,
    /// The field of `data` that names the person.
    pub role: &'static str,
    /// JSON pointer to the person.
    pub pointer: String,
    /// The number; `None` if there is no usable one.
    pub phone: Option<Phone>,
    /// The ISO 3166 code of the country whose rules apply to a number without a prefix; `None` if it is unknown.
    pub country: Option<String>,
    /// The language of the messages to the person.
    pub language: Language,
}

/// Maximum number of warnings about one event.
pub const WARNINGS_MAX: usize = 100;

/// Returns what the bridge understands of an event at `now`, with the current configuration of its site.
#[must_use]
pub fn dry_run(event: &Event, config: &LiveConfig, now: Timestamp) -> DryRun {
    let mut notes = Notes::default();
    let places = people::to_notify(event, config);
    note_age(event, config, now, &mut notes);
    note_language(event, &mut notes);
    for place in &places {
        note_person(place, event, config, &mut notes);
    }
    note_reminders(event, config, &mut notes);
    note_decisions(event, config, now, &places, &mut notes);
    for pointer in unknown_fields(event.kind(), &event.document) {
        notes.add(Code::UnknownField, pointer);
    }
    let recipients = places.iter().map(|place| recipient(place, event, config)).collect();
    let (id, kind, occurred_at) = (event.id.clone(), event.kind(), event.occurred_at);
    DryRun { id, kind, occurred_at, recipients, warnings: notes.into_warnings() }
}

fn recipient(place: &Place<'_>, event: &Event, config: &LiveConfig) -> Recipient {
    let person = place.person;
    Recipient {
        id: person.id.clone(),
        role: place.role,
        pointer: place.pointer.clone(),
        phone: phone(person, config).ok(),
        country: config.site.country(person.country.as_deref()).code(),
        language: reading_language(event, person, config),
    }
}

/// Notes that no message about the event would still be useful, whatever the mapping.
fn note_age(event: &Event, config: &LiveConfig, now: Timestamp, notes: &mut Notes) {
    if event.kind().notification() == Notification::Never {
        return;
    }
    let limits = mappings_of(event.kind(), config).map(|mapping| useful_until(event, Some(mapping), config));
    let limit = limits.max().unwrap_or_else(|| useful_until(event, None, config));
    if now > limit {
        notes.add_with(Code::LongPast, people::moment(event), limit.to_string());
    }
}

/// Returns until when a message about the event is useful, by a mapping or by the default of the event type.
fn useful_until(event: &Event, mapping: Option<&Mapping>, config: &LiveConfig) -> Timestamp {
    match &event.data {
        EventData::CartAbandoned { cart, .. } => {
            cart::useful_until(cart, &CartHistory::default(), mapping, &config.site)
        }
        _ => mapping::useful_until(event, mapping.and_then(|mapping| mapping.useful_for)),
    }
}

fn mappings_of(kind: EventType, config: &LiveConfig) -> impl Iterator<Item = &Mapping> {
    config.mappings.iter().filter(move |mapping| mapping.enabled && mapping.event_type == kind)
}

/// Notes a session language that does not count.
fn note_language(event: &Event, notes: &mut Notes) {
    let Some(language) = &event.language else { return };
    if !event.kind().is_ecommerce() {
        notes.add(Code::LanguageNotUsed, "/language".to_owned());
    } else if !language.is_offered() {
        notes.add_with(Code::UnknownLanguage, "/language".to_owned(), language.to_string());
    }
}

/// Notes what is wrong with a person's contact data, whatever the mapping.
fn note_person(place: &Place<'_>, event: &Event, config: &LiveConfig, notes: &mut Notes) {
    let Person { country, language, whatsapp_opt_out, .. } = place.person;
    match phone(place.person, config) {
        Err(skip) => notes.add_skip(&skip, place.below("phone"), None),
        Ok(phone) if phone.is_landline() => notes.add(Code::Landline, place.below("phone")),
        Ok(_) => {}
    }
    if let Some(country) = country.as_ref().filter(|country| Country::parse(country).is_none()) {
        notes.add_with(Code::UnknownCountry, place.below("country"), country.clone());
    }
    let session = event.language.as_ref().filter(|_| event.kind().is_ecommerce());
    if let Some(language) = language.as_ref().filter(|language| session.is_none() && !language.is_offered()) {
        notes.add_with(Code::UnknownLanguage, place.below("language"), language.to_string());
    }
    match whatsapp_opt_out {
        None => notes.add(Code::MissingOptOut, place.below("whatsapp_opt_out")),
        Some(true) => notes.add_skip(&Reason::OptedOut.into(), place.below("whatsapp_opt_out"), None),
        Some(false) => {}
    }
}

/// Notes the reminders of a saved activity that are not kept.
fn note_reminders(event: &Event, config: &LiveConfig, notes: &mut Notes) {
    let EventData::ActivitySaved { reminders, sender_may_notify, .. } = &event.data else { return };
    if reminders.is_empty() {
        return;
    }
    if matches!(activity_status(event), Some((_, ActivityStatus::Over))) {
        notes.add(Code::ActivityOver, "/data/activity/state".to_owned());
        return;
    }
    if !sender_may_notify {
        notes.add_skip(&Reason::SenderNotPermitted.into(), "/data/sender_may_notify".to_owned(), None);
        return;
    }
    let kept: BTreeSet<ObjectId> = to_keep(event, config.site.morning).into_iter().map(|kept| kept.id).collect();
    for (index, reminder) in reminders.iter().enumerate() {
        let pointer = format!("/data/reminders/{index}");
        if !reminder.whatsapp {
            notes.add_skip(&Reason::NotifyNotRequested.into(), format!("{pointer}/notify"), None);
        } else if !kept.contains(&reminder.id) {
            notes.add(Code::ReminderPast, pointer);
        }
    }
    if !kept.is_empty() && mappings_of(EventType::ActivityReminder, config).next().is_none() {
        let skip = Skip::new(Reason::NoMapping, EventType::ActivityReminder.name());
        notes.add_skip(&skip, "/type".to_owned(), None);
    }
}

/// Notes every skip of the event's plan, and of the decision about each of its messages.
fn note_decisions(event: &Event, config: &LiveConfig, now: Timestamp, places: &[Place<'_>], notes: &mut Notes) {
    let planned = plan(event, config);
    let pointer = |skip: &Skip, person: Option<&ObjectId>| {
        let place = person.and_then(|id| places.iter().find(|place| place.person.id == *id));
        people::concerned(skip.reason, event, place)
    };
    let decided: Vec<(&MappingId, &ObjectId, Result<_, Halt>)> = planned
        .messages
        .iter()
        .map(|message| {
            let outcome = decide(event, message, config, &DecisionContext::default(), now).map(|_| ());
            (&message.mapping, &message.recipient, outcome)
        })
        .collect();
    // A mapping that does not apply is no surprise while another one does.
    let of_mapping = |mapping: Option<&MappingId>, person: Option<&ObjectId>| mapping.is_some() && person.is_none();
    for skipped in &planned.skips {
        let (mapping, person) = (skipped.mapping.as_ref(), skipped.recipient.as_ref());
        if !of_mapping(mapping, person) || planned.messages.is_empty() {
            notes.add_skip(&skipped.skip, pointer(&skipped.skip, person), mapping);
        }
    }
    let is_notified = |person: &ObjectId| {
        decided.iter().any(|(_, one, outcome)| *one == person && !matches!(outcome, Err(Halt::Skip(_))))
    };
    for (mapping, person, outcome) in &decided {
        let Err(Halt::Skip(skip)) = outcome else { continue };
        if skip.reason == Reason::GroupNotIncluded && is_notified(person) {
            continue;
        }
        let states_consent = event.recipient(person).is_some_and(|person| person.marketing_consent.is_some());
        if skip.reason == Reason::ConsentMissing && !states_consent {
            notes.add_of(Code::MissingConsent, pointer(skip, Some(person)), mapping);
        } else {
            notes.add_skip(skip, pointer(skip, Some(person)), Some(mapping));
        }
    }
}

#[cfg(test)]
mod tests;
