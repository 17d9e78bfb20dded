//! `bridge schedule`: lists waiting messages and reminders with the reason of their due time, cancels them, or sends
//! them now.

mod kept;
mod list;
mod message;
mod reminder;
mod saved;
mod waiting;

use domain::primitives::id::EventId;
use domain::primitives::key::MessageId;

use crate::args;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

pub(crate) use saved::{Saved, reminders_of};

pub(crate) async fn run(command: args::Schedule, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Schedule::List { event, limit } => list::list(event.as_deref(), limit, stack, output).await,
        args::Schedule::Cancel { id } => match typed(&id)? {
            Typed::Message => message::cancel(&id, stack, output).await,
            Typed::Reminder(id) => reminder::cancel(&id, stack, output).await,
        },
        args::Schedule::FireNow { id } => match typed(&id)? {
            Typed::Message => message::fire_now(&id, stack, output).await,
            Typed::Reminder(id) => reminder::fire_now(&id, stack, output).await,
        },
    }
}

/// The kind of id that was typed.
enum Typed {
    Message,
    /// A reminder, identified by the event it will raise.
    Reminder(EventId),
}

fn typed(id: &str) -> Result<Typed, Failure> {
    if MessageId::parse(id).is_some() {
        return Ok(Typed::Message);
    }
    EventId::parse(id)
        .ok()
        .filter(EventId::is_reserved)
        .map(Typed::Reminder)
        .ok_or_else(|| Failure::usage(|texts| texts.not_an_id(id)))
}
