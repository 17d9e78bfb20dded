//! `bridge explain` and `bridge audit`: outcomes recorded in the ledger.

use domain::audit::Audit;
use domain::event::Event;
use domain::message::suppression::ContactData;
use domain::primitives::id::EventId;
use domain::primitives::phone::Phone;
use domain::site::config::LiveConfig;
use serde_json::{Value, json};
use store::ledger::StoredEvent;
use texts::Texts;

use crate::args;
use crate::days::days;
use crate::failure::Failure;
use crate::number;
use crate::outcome::{self, Explained, explained};
use crate::output::{Output, table, wrapped};
use crate::progress;
use crate::schedule::{Saved, reminders_of};
use crate::stack::Stack;

/// Days of events that a search by number scans. The ledger finds a message by its number only once it is sent or
/// skipped. Waiting messages and skips of a plan are found by reading the events.
const SEARCHED_DAYS: u16 = 8;

pub(crate) async fn explain(command: &args::Explain, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let now = stack.clock.now();
    if let Some(id) = &command.event {
        let id = EventId::parse(id).map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))?;
        let event = stack.ledger.event(&live.site.id, &id).await?;
        let event = event.ok_or_else(|| Failure::no(|texts| texts.no_event(id.to_string())))?;
        let explained = explained(&event, &live, now, output);
        let reminders = reminders_of(&event, &live.site, stack).await?;
        let mut document = explained.document();
        if let (Some(fields), Some(reminders)) = (document.as_object_mut(), &reminders) {
            fields.insert("reminders".to_owned(), reminders.iter().map(Saved::document).collect());
        }
        output.say(&document, |texts| explained.words(texts) + &of_reminders(reminders.as_deref(), texts));
        return Ok(());
    }
    if let Some(typed) = &command.phone {
        return explain_phone(typed, &live, stack, output).await;
    }
    let order = command.order.as_deref().unwrap_or_default();
    let events = stack.ledger.events_of_order(&live.site.id, order).await?;
    let all: Vec<Explained> = events.iter().map(|event| explained(event, &live, now, output)).collect();
    output.say(&json!({"events": documents(&all)}), |texts| words(&all, texts));
    if all.is_empty() { Err(Failure::no(|texts| texts.no_data())) } else { Ok(()) }
}

/// Formats the reminders of a saved activity; empty for other events.
fn of_reminders(reminders: Option<&[Saved]>, texts: &Texts) -> String {
    match reminders {
        Some([]) => wrapped(&texts.no_reminders(), 2),
        Some(reminders) => reminders.iter().map(|reminder| reminder.words(texts)).collect(),
        None => String::new(),
    }
}

fn documents(all: &[Explained]) -> Vec<Value> {
    all.iter().map(Explained::document).collect()
}

fn words(all: &[Explained], texts: &Texts) -> String {
    all.iter().map(|one| one.words(texts) + "\n").collect()
}

/// Explains the messages to a number and shows its current suppressions, consent and reachability.
async fn explain_phone(typed: &str, live: &LiveConfig, stack: &Stack, output: Output) -> Result<(), Failure> {
    let phone = number::read(typed, &live.site)?;
    let contact = stack.contact(live, &phone).await?;
    let known = stack.contacts.of_contact(&contact).await?;
    let now = stack.clock.now();
    let events = by_phone(&phone, &contact, live, stack).await?;
    let all: Vec<Explained> = events.iter().map(|event| explained(event, live, now, output)).collect();
    let number = number::document(&phone, &contact, &known, output);
    output.say(&json!({"events": documents(&all), "number": number}), |texts| {
        words(&all, texts) + &number::words(&phone, &known, now, &live.site, output)
    });
    if all.is_empty() && known == ContactData::default() {
        return Err(Failure::no(|texts| texts.no_data()));
    }
    Ok(())
}

/// Returns the events with messages to a number, and recent events that name it among their recipients.
async fn by_phone(phone: &Phone, contact: &str, live: &LiveConfig, stack: &Stack) -> Result<Vec<StoredEvent>, Failure> {
    let site = &live.site.id;
    let mut events = stack.ledger.events_of_contact(site, contact).await?;
    for (from, until) in days(stack.clock.now(), SEARCHED_DAYS) {
        for event in stack.ledger.events_between(site, from, until).await? {
            if names(&event, phone, live) && !events.iter().any(|known| known.id == event.id) {
                events.push(event);
            }
        }
    }
    events.sort_by(|one, other| (one.occurred_at, &one.id).cmp(&(other.occurred_at, &other.id)));
    Ok(events)
}

/// Whether an event names a number among its recipients.
fn names(event: &StoredEvent, phone: &Phone, live: &LiveConfig) -> bool {
    let Ok(event) = Event::parse_any(event.document.clone(), event.received_at) else { return false };
    event.recipients().iter().any(|person| {
        let country = live.site.country(person.country.as_deref());
        person.phone.as_deref().is_some_and(|typed| Phone::parse(typed, country).as_ref() == Ok(phone))
    })
}

/// Counts the outcomes of recent events.
pub(crate) async fn audit(command: &args::Audit, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let now = stack.clock.now();
    let mut audit = Audit::default();
    let progress = progress::bar(command.days.into(), output.texts.days_read());
    for (from, until) in days(now, command.days) {
        for event in stack.ledger.events_between(&live.site.id, from, until).await? {
            audit.add(event.occurred_at, &event.plan, event.messages.iter().map(outcome::audited), &live, now);
        }
        progress.inc(1);
    }
    drop(progress);
    let Audit { events, messages, by_outcome, left_out, unaccounted } = audit;
    let unaccounted: Vec<String> = unaccounted.iter().map(ToString::to_string).collect();
    let document = json!({
        "events": events, "messages": messages, "by_outcome": by_outcome, "unaccounted": unaccounted.len(),
        "left_out": left_out, "unaccounted_messages": unaccounted,
    });
    output.say(&document, |texts| {
        let count = |name: String, count: usize| [name, count.to_string()];
        let heading = [texts.column_outcome(), texts.column_messages()];
        let states: Vec<_> = by_outcome.iter().map(|(name, number)| count(texts.outcome(name), *number)).collect();
        let reasons: Vec<_> = left_out.iter().map(|(name, number)| count(name.clone(), *number)).collect();
        let title = [texts.column_left_out(), texts.column_cases()];
        let left_out = if reasons.is_empty() { String::new() } else { table(title, &reasons) + "\n" };
        format!(
            "{}: {events}\n\n{}\n{left_out}{}: {}\n",
            texts.audit_events(),
            table(heading, &states),
            texts.audit_unaccounted(),
            unaccounted.len(),
        )
    });
    if unaccounted.is_empty() { Ok(()) } else { Err(Failure::no(|texts| texts.messages_unaccounted())) }
}
