//! `bridge schedule`: what waits for its moment, why at this one, and what a person does about it.

mod list;
mod message;
mod reminder;
mod when;

use domain::id::EventId;
use domain::key::MessageId;
use jiff::Timestamp;
use store::schedule::{Due, SHARDS};

use crate::args;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

use message::Waits;
use reminder::Kept;

pub(crate) async fn run(command: args::Schedule, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Schedule::List { event } => list::list(event.as_deref(), stack, output).await,
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

/// What a person typed the id of.
enum Typed {
    Message,
    /// A reminder is called by the event it will raise.
    Reminder(EventId),
}

fn typed(id: &str) -> Result<Typed, Failure> {
    if MessageId::parse(id).is_some() {
        return Ok(Typed::Message);
    }
    EventId::parse(id).ok().filter(EventId::is_reserved).map(Typed::Reminder).ok_or_else(|| {
        Failure::Usage(format!(
            "{id} is neither a message's id, which is two of 32 characters with a dot between, nor a reminder's, which \
             begins with bridge:rem."
        ))
    })
}

/// Everything of the site that waits: the messages that have a moment of their own by that moment, then those of the
/// lanes; and the reminders by their moment.
async fn waiting(stack: &Stack) -> Result<(Vec<Waits>, Vec<Kept>), Failure> {
    let site = stack.site()?;
    let (mut waiting, mut lanes, mut reminders) = (Vec::new(), Vec::new(), Vec::new());
    for shard in 0..SHARDS {
        for item in stack.schedule.due(shard, Timestamp::MAX, usize::MAX).await? {
            match item.what.clone() {
                Due::Message { job, useful_until } if job.site == *site => {
                    waiting.push(Waits { item, job, useful_until, lane: None });
                }
                Due::Lane(lane) if lane.site == *site => lanes.push(lane),
                Due::Reminder(reminder) if reminder.site == *site => reminders.push(Kept { item, reminder }),
                Due::Message { .. } | Due::Lane(_) | Due::Reminder(_) => {}
            }
        }
    }
    waiting.sort_by(|one, other| one.item.due_at.cmp(&other.item.due_at));
    lanes.sort();
    for lane in lanes {
        for item in stack.schedule.parked(&lane, usize::MAX).await? {
            if let Due::Message { job, useful_until } = item.what.clone() {
                waiting.push(Waits { item, job, useful_until, lane: Some(lane.clone()) });
            }
        }
    }
    reminders.sort_by_key(|kept| kept.reminder.due_at);
    Ok((waiting, reminders))
}
