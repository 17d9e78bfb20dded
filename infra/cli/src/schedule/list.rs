//! `bridge schedule list`: each item with why it waits until this moment.

use domain::id::EventId;
use serde_json::{Value, json};

use super::message::Explained;
use super::reminder::Looked;
use super::waiting;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

pub(super) async fn list(event: Option<&str>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let event = event.map(EventId::parse).transpose();
    let event = event.map_err(|error| Failure::Usage(format!("the event's id {error}")))?;
    let live = stack.live().await?;
    let (mut waiting, reminders) = waiting(stack).await?;
    let mut reminders = Looked::at(reminders, stack).await?;
    if let Some(event) = &event {
        waiting.retain(|waits| waits.job.event == *event);
        reminders.retain(|looked| looked.is_of(event));
    }
    let mut messages = Vec::with_capacity(waiting.len());
    for waits in waiting {
        messages.push(Explained::of(waits, stack).await?);
    }
    let of_messages: Vec<Value> = messages.iter().map(Explained::document).collect();
    let of_reminders: Vec<Value> = reminders.iter().map(Looked::document).collect();
    output.say(&json!({"waiting": of_messages, "reminders": of_reminders}), |lang| {
        if messages.is_empty() && reminders.is_empty() {
            return lang.of("Niente in programma.", "Nothing waits.").to_owned();
        }
        let of_messages = messages.iter().map(|message| message.words(&live, lang));
        of_messages.chain(reminders.iter().map(|looked| looked.words(&live.site, lang))).collect()
    });
    Ok(())
}
