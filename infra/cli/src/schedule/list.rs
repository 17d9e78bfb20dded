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
    let event = event.map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))?;
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
    output.say(&document, |texts| {
        let of_messages = messages.iter().map(|message| message.words(&live, texts));
        let mut words: String =
            of_messages.chain(reminders.iter().map(|looked| looked.words(&live.site, texts))).collect();
        if words.is_empty() {
            words += &(texts.schedule_empty() + "\n");
        }
        if more {
            words += &(texts.schedule_more() + "\n");
        }
        if unreadable > 0 {
            words += &(texts.schedule_unreadable(unreadable) + "\n");
        }
        words
    });
    Ok(())
}
