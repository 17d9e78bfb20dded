//! `bridge erase`: removes a person's data from the ledger and the contacts.

mod target;

use std::collections::BTreeMap;

use domain::message::reason::{Reason, Skip};
use domain::primitives::id::{ObjectId, SiteId};
use serde_json::{Value, json};
use store::ledger::{Entry, Erased, Trace};
use texts::Texts;

use crate::args;
use crate::ask;
use crate::failure::Failure;
use crate::number;
use crate::output::Output;
use crate::progress;
use crate::stack::Stack;
use target::Target;

/// The data of a person in the ledger.
#[derive(Default)]
struct Found {
    /// Events by key, with the part that may stay.
    events: BTreeMap<String, Option<Value>>,
    conflicts: Vec<Entry>,
    dead_letters: Vec<Entry>,
    orphans: Vec<Entry>,
    collections: Vec<(Entry, String)>,
}

pub(crate) async fn run(command: &args::Erase, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.live().await?.site;
    let mut target = match (&command.phone, &command.person) {
        (Some(phone), _) => Target::with_phone(&site, number::read(phone, &site)?),
        (None, Some(id)) => Target::with_id(
            &site,
            ObjectId::parse(id).map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))?,
        ),
        (None, None) => return Err(Failure::usage(|texts| texts.erase_whom())),
    };
    // Find the ids that belong to the number, or the numbers of the person. Other records may contain only one of the
    // two.
    let progress = progress::counter(output.texts.erase_finding_person());
    let seen = |trace: Trace| {
        progress.inc(1);
        match trace {
            Trace::Event { document, .. } | Trace::Conflict(_, document) => target.learn(&document),
            Trace::DeadLetter(_, body) => target.learn(&serde_json::from_str(&body).unwrap_or_default()),
            Trace::Message { .. } | Trace::Orphan(..) | Trace::Collection(..) => {}
        }
    };
    stack.ledger.traces(&site.id, seen).await?;
    drop(progress);
    target.end_learning();
    let found = find(&target, &site.id, stack, output.texts).await?;
    ask::confirmed(&question(&found, output.texts), command.yes, output)?;

    for (entry, _) in found.collections.iter().filter(|(_, event)| found.events.contains_key(event)) {
        stack.ledger.erase_whole(entry).await?;
    }
    let skip = Skip::from(Reason::Cancelled);
    let mut erased = Erased::default();
    let progress = progress::bar(found.events.len(), output.texts.erase_events_erased());
    for (key, rest) in &found.events {
        let one = stack.parking.erase_event(key, rest.as_ref(), &skip).await?;
        erased.messages += one.messages;
        erased.cancelled += one.cancelled;
        erased.sending += one.sending;
        progress.inc(1);
    }
    drop(progress);
    for entry in found.conflicts.iter().chain(&found.dead_letters) {
        stack.ledger.erase_entry(entry).await?;
    }
    for entry in &found.orphans {
        stack.ledger.erase_whole(entry).await?;
    }
    let secret = stack.contact_secret().await?;
    let mut persons = 0_usize;
    for id in target.ids() {
        persons += usize::from(stack.contacts.forget_person(&secret.person_key(&site.id, id)).await?);
    }
    let mut reasons = 0_usize;
    for phone in target.phones() {
        reasons += stack.contacts.blank_reasons(&secret.contact_key(&site.id, phone)).await?;
    }
    let contacts = OfContacts { persons, reasons };
    let document = document(&found, erased, contacts);
    output.say(&document, |texts| words(&document, erased, texts));
    if erased.sending > 0 {
        return Err(Failure::no(|texts| texts.erase_later()));
    }
    let nothing = found.is_empty() && persons == 0 && reasons == 0;
    if nothing { Err(Failure::no(|texts| texts.erase_nothing())) } else { Ok(()) }
}

/// The number of erased items in the contacts table.
#[derive(Clone, Copy)]
struct OfContacts {
    /// Records of persons.
    persons: usize,
    /// Texts of the reasons of suppressions and lifts.
    reasons: usize,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.conflicts.is_empty() && self.dead_letters.is_empty() && self.orphans.is_empty()
    }
}

async fn find(target: &Target<'_>, site: &SiteId, stack: &Stack, texts: &Texts) -> Result<Found, Failure> {
    let (mut found, now) = (Found::default(), stack.clock.now());
    let progress = progress::counter(texts.erase_finding_data());
    let seen = |trace: Trace| {
        progress.inc(1);
        match trace {
            Trace::Event { key, document } if target.is_in(&document) => {
                found.events.insert(key, target.rest(&document, now));
            }
            Trace::Message { event, phone } if target.has_phone(&phone) => {
                found.events.entry(event).or_default();
            }
            Trace::Conflict(entry, document) if target.is_in(&document) => found.conflicts.push(entry),
            Trace::DeadLetter(entry, body) if target.is_in_text(&body) => found.dead_letters.push(entry),
            Trace::Orphan(entry, notice) if target.is_in_text(&notice) => found.orphans.push(entry),
            // Whether it belongs to an erased event is known only after all events are read.
            Trace::Collection(entry, event) => found.collections.push((entry, event)),
            _ => {}
        }
    };
    stack.ledger.traces(site, seen).await?;
    Ok(found)
}

fn question(found: &Found, texts: &Texts) -> String {
    let Found { events, conflicts, dead_letters, orphans, .. } = found;
    let (events, conflicts, dead, orphans) = (events.len(), conflicts.len(), dead_letters.len(), orphans.len());
    texts.erase_question(events, conflicts, dead, orphans)
}

fn document(found: &Found, erased: Erased, contacts: OfContacts) -> Value {
    let OfContacts { persons, reasons } = contacts;
    json!({
        "events": found.events.len(), "messages": erased.messages, "cancelled": erased.cancelled,
        "sending": erased.sending, "conflicts": found.conflicts.len(), "dead_letters": found.dead_letters.len(),
        "orphans": found.orphans.len(), "persons": persons, "reasons": reasons,
    })
}

fn words(document: &Value, erased: Erased, texts: &Texts) -> String {
    let count = |name: &str| document.get(name).and_then(Value::as_u64).unwrap_or_default();
    let counts = texts.erase_counts(
        count("events"),
        count("messages"),
        count("cancelled"),
        count("conflicts"),
        count("dead_letters"),
        count("orphans"),
        count("persons"),
        count("reasons"),
    );
    let sending =
        if erased.sending == 0 { String::new() } else { format!("\n{}", texts.erase_sending(erased.sending)) };
    format!("{}\n{counts}{sending}", texts.erase_done())
}
