//! `bridge schedule list`: lists each item with the reason of its due time.

use domain::primitives::id::EventId;
use serde_json::{Value, json};

use super::message::Explained;
use super::reminder::Looked;
use super::waiting::{self, Waiting};
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

pub(super) async fn list(event: Option<&str>, limit: usize, stack: &Stack, output: Output) -> Result<(), Failure> {
    let event = event.map(EventId::parse).transpose();
    let event = event.map_err(|error| Failure::Usage(format!("the event's id {error}")))?;
    let live = stack.live().await?;
    let Waiting { messages: waits, reminders, more, unreadable } = match &event {
        Some(event) => waiting::of_event(event, stack).await?,
        None => waiting::soonest(limit, stack).await?,
    };
    let reminders = Looked::at(reminders, stack).await?;
    let mut messages = Vec::with_capacity(waits.len());
    for waits in waits {
        messages.push(Explained::of(waits, &live, stack).await?);
    }
    let of_messages: Vec<Value> = messages.iter().map(Explained::document).collect();
    let of_reminders: Vec<Value> = reminders.iter().map(Looked::document).collect();
    let document = json!({"waiting": of_messages, "reminders": of_reminders, "more": more, "unreadable": unreadable});
    output.say(&document, |lang| {
        let of_messages = messages.iter().map(|message| message.words(&live, lang));
        let mut words: String =
            of_messages.chain(reminders.iter().map(|looked| looked.words(&live.site, lang))).collect();
        if words.is_empty() {
            words.push_str(lang.of("Niente in programma.\n", "Nothing waits.\n"));
        }
        if more {
            words += lang.of("Ce n'è altro, più in là: --limit.\n", "There are more items: --limit.\n");
        }
        if unreadable > 0 {
            words += &lang.of(
                format!("Voci che non si possono leggere: {unreadable}.\n"),
                format!("Items that cannot be read: {unreadable}.\n"),
            );
        }
        words
    });
    Ok(())
}
