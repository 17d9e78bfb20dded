//! `bridge explain` and `bridge audit`: what the ledger knows.

use std::collections::BTreeMap;

use domain::config::LiveConfig;
use domain::event::Event;
use domain::id::EventId;
use domain::phone::Phone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::ledger::StoredEvent;

use crate::args;
use crate::failure::Failure;
use crate::outcome::{self, Explained, explained};
use crate::output::{Output, table};
use crate::stack::Stack;

/// Days of which events are searched for a number that nothing was sent to: only sends are indexed by number.
const SEARCHED_DAYS: u16 = 8;
/// Longest day.
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) async fn explain(command: &args::Explain, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let now = stack.clock.now();
    if let Some(id) = &command.event {
        let id = EventId::parse(id).map_err(|error| Failure::Usage(format!("the event's id {error}")))?;
        let event = stack.ledger.event(&live.site.id, &id).await?;
        let event = event.ok_or_else(|| {
            Failure::No(format!("the ledger knows no event {id}; one just accepted may still be in the queue"))
        })?;
        let explained = explained(&event, &live, now, output);
        output.say(&explained.document(), |lang| explained.words(lang));
        return Ok(());
    }
    let events = match (&command.phone, &command.order) {
        (Some(phone), _) => by_phone(phone, &live, stack).await?,
        (None, Some(order)) => stack.ledger.events_of_subject(&live.site.id, &format!("order:{order}")).await?,
        (None, None) => return Err(Failure::Usage("name an event, a number or an order".to_owned())),
    };
    let all: Vec<Explained> = events.iter().map(|event| explained(event, &live, now, output)).collect();
    let documents: Vec<Value> = all.iter().map(Explained::document).collect();
    output.say(&json!({"events": documents}), |lang| all.iter().map(|one| one.words(lang) + "\n").collect());
    if all.is_empty() { Err(Failure::No("the ledger knows nothing of it".to_owned())) } else { Ok(()) }
}

/// What was sent to a number, and the events of the last days that name it among their recipients.
async fn by_phone(typed: &str, live: &LiveConfig, stack: &Stack) -> Result<Vec<StoredEvent>, Failure> {
    let site = &live.site.id;
    let phone = Phone::parse(typed, live.site.country(None));
    let phone = phone.map_err(|error| Failure::Usage(format!("the number {error}")))?;
    let contact = stack.contact_secret().await?.contact_key(site, &phone);
    let mut events = stack.ledger.events_of_contact(site, &contact).await?;
    for (from, until) in days(stack.clock.now(), SEARCHED_DAYS) {
        for event in stack.ledger.events_between(site, from, until).await? {
            if names(&event, &phone, live) && !events.iter().any(|known| known.id == event.id) {
                events.push(event);
            }
        }
    }
    events.sort_by(|one, other| (one.occurred_at, &one.id).cmp(&(other.occurred_at, &other.id)));
    Ok(events)
}

/// Whether an event names a number among its recipients.
fn names(event: &StoredEvent, phone: &Phone, live: &LiveConfig) -> bool {
    let Ok(event) = Event::parse(event.document.clone(), event.received_at) else { return false };
    event.recipients().iter().any(|person| {
        let country = live.site.country(person.country.as_deref());
        person.phone.as_deref().is_some_and(|typed| Phone::parse(typed, country).as_ref() == Ok(phone))
    })
}

/// The last days one by one, the newest first, so that never more than one is in memory. The first reaches a little into
/// the future: the machine that wrote may be ahead of this one.
fn days(now: Timestamp, count: u16) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let before = move |days: i32| now.saturating_sub(DAY * days).unwrap_or(now);
    let gap = SignedDuration::from_nanos(1);
    (0..i32::from(count)).map(move |day| {
        let until = if day == 0 { before(-1) } else { before(day).saturating_sub(gap).unwrap_or(now) };
        (before(day + 1), until)
    })
}

/// Counts the outcomes of the last days.
pub(crate) async fn audit(command: &args::Audit, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let now = stack.clock.now();
    let (mut events, mut messages, mut unaccounted) = (0, 0, Vec::new());
    let (mut by_outcome, mut left_out) = (BTreeMap::new(), BTreeMap::new());
    for (from, until) in days(now, command.days) {
        for event in stack.ledger.events_between(&live.site.id, from, until).await? {
            events += 1;
            messages += event.messages.len();
            for message in &event.messages {
                *by_outcome.entry(message.facts.state().to_string()).or_insert(0_usize) += 1;
                if outcome::is_unaccounted(message, &event, &live, now) {
                    unaccounted.push(message.id.to_string());
                }
            }
            for planned in &event.plan.skips {
                *left_out.entry(planned.skip.reason.to_string()).or_insert(0_usize) += 1;
            }
        }
    }
    let document = json!({
        "events": events, "messages": messages, "by_outcome": by_outcome, "unaccounted": unaccounted.len(),
        "left_out": left_out, "unaccounted_messages": unaccounted,
    });
    output.say(&document, |lang| {
        let count = |(name, count): (&str, usize)| [name.to_owned(), count.to_string()];
        let heading = lang.of(["ESITO", "MESSAGGI"], ["OUTCOME", "MESSAGES"]);
        let states: Vec<_> =
            by_outcome.iter().map(|(name, number)| count((outcome::word(name, lang), *number))).collect();
        let reasons: Vec<_> = left_out.iter().map(|(name, number)| count((name.as_str(), *number))).collect();
        let title = lang.of(["ESCLUSI DAL PIANO", "CASI"], ["LEFT OUT OF THE PLAN", "CASES"]);
        let left_out = if reasons.is_empty() { String::new() } else { table(title, &reasons) + "\n" };
        format!(
            "{}: {events}\n\n{}\n{left_out}{}: {}\n",
            lang.of("Eventi", "Events"),
            table(heading, &states),
            lang.of("Senza esito", "Unaccounted"),
            unaccounted.len(),
        )
    });
    if unaccounted.is_empty() { Ok(()) } else { Err(Failure::No("messages are unaccounted for".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_touch_and_do_not_overlap() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let days: Vec<_> = days(now, 3).collect();
        assert_eq!(days.len(), 3);
        assert!(days[0].1 > now);
        for pair in days.windows(2) {
            assert_eq!(pair[0].0, pair[1].1.saturating_add(SignedDuration::from_nanos(1)).unwrap());
        }
        assert_eq!(days[2].0, "2026-11-19T10:00:00Z".parse().unwrap());
    }
}
