//! `bridge schedule`: what waits for its moment.

use domain::job::{Job, MessageJob};
use domain::key::{MessageId, event_key, message_key};
use domain::message::State;
use domain::reason::{Reason, Skip};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::schedule::{Due, DueItem, Lane, ReminderItem, SHARDS};

use crate::args;
use crate::failure::Failure;
use crate::output::{Lang, Output, moment, wrapped};
use crate::stack::Stack;
use crate::unknown;

/// A message that waits.
struct Waits {
    item: DueItem,
    job: MessageJob,
    useful_until: Timestamp,
    /// The lane it stands in; `None`: it waits for a moment of its own.
    lane: Option<Lane>,
}

pub(crate) async fn run(command: args::Schedule, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Schedule::List => list(stack, output).await,
        args::Schedule::Cancel { message } => cancel(&message, stack, output).await,
        args::Schedule::FireNow { message } => fire_now(&message, stack, output).await,
    }
}

impl Waits {
    fn id(&self) -> MessageId {
        let MessageJob { site, event, mapping, recipient, occasion, .. } = &self.job;
        MessageId { event: event_key(site, event), message: message_key(mapping, recipient, *occasion) }
    }

    fn document(&self) -> Value {
        let MessageJob { event, mapping, recipient, occasion, .. } = &self.job;
        let (due_at, happened_at) = match self.lane {
            None => (Some(&self.item.due_at), None),
            Some(_) => (None, Some(&self.item.due_at)),
        };
        json!({
            "message_id": self.id().to_string(), "event": event, "mapping": mapping, "recipient": recipient,
            "occasion": occasion, "due_at": due_at, "lane": self.lane.as_ref().map(|lane| &lane.account),
            "occurred_at": happened_at, "useful_until": self.useful_until,
        })
    }

    fn words(&self, lang: Lang) -> String {
        let MessageJob { event, mapping, recipient, .. } = &self.job;
        let place = match &self.lane {
            None => format!("{} {}", lang.of("il", "at"), self.item.due_at),
            Some(lane) => format!("{} {}", lang.of("in coda per l'account", "in the lane of"), lane.account),
        };
        let line = format!(
            "{mapping} → {recipient}, {} {event}: {place}; {} {}",
            lang.of("evento", "event"),
            lang.of("utile fino al", "of use until"),
            self.useful_until
        );
        format!("{}\n{}", self.id(), wrapped(&line, 4))
    }
}

/// Everything of the site that waits: the messages that have a moment of their own by that moment, then those of the
/// lanes; and the reminders.
async fn waiting(stack: &Stack) -> Result<(Vec<Waits>, Vec<ReminderItem>), Failure> {
    let site = stack.site()?;
    let (mut waiting, mut lanes, mut reminders) = (Vec::new(), Vec::new(), Vec::new());
    for shard in 0..SHARDS {
        for item in stack.schedule.due(shard, Timestamp::MAX, usize::MAX).await? {
            match item.what.clone() {
                Due::Message { job, useful_until } if job.site == *site => {
                    waiting.push(Waits { item, job, useful_until, lane: None });
                }
                Due::Lane(lane) if lane.site == *site => lanes.push(lane),
                Due::Reminder(reminder) if reminder.site == *site => reminders.push(reminder),
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
    reminders.sort_by_key(|reminder| reminder.due_at);
    Ok((waiting, reminders))
}

async fn list(stack: &Stack, output: Output) -> Result<(), Failure> {
    let (waiting, reminders) = waiting(stack).await?;
    let documents: Vec<Value> = waiting.iter().map(Waits::document).collect();
    let of_reminder = |reminder: &ReminderItem| {
        let ReminderItem { event, activity, reminder, due_at, .. } = reminder;
        json!({"event": event, "activity": activity, "reminder": reminder, "due_at": due_at})
    };
    let of_reminders: Vec<Value> = reminders.iter().map(of_reminder).collect();
    output.say(&json!({"waiting": documents, "reminders": of_reminders}), |lang| {
        if waiting.is_empty() && reminders.is_empty() {
            return lang.of("Niente in programma.", "Nothing waits.").to_owned();
        }
        let reminders = reminders.iter().map(|one| {
            let name = lang.of("Promemoria dell'attività", "Reminder of the activity");
            wrapped(&format!("{name} {}, {}: {}", one.activity, one.reminder, moment(one.due_at)), 0)
        });
        waiting.iter().map(|one| one.words(lang)).chain(reminders).collect()
    });
    Ok(())
}

async fn cancel(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    let cancelled = match message.facts.state() {
        State::Waiting(_) => stack.parking.cancel(&message.id, &Skip::new(Reason::Cancelled, "operator")).await?,
        _ => false,
    };
    if !cancelled {
        let (_, message) = unknown::find(typed, stack).await?;
        return Err(Failure::No(format!("it does not wait, it is {}", message.facts.state())));
    }
    let id = message.id.to_string();
    let document = json!({"message_id": id, "event": event.id, "outcome": "skipped", "reason": Reason::Cancelled});
    output.say(&document, |lang| lang.of("Annullato.", "Cancelled.").to_owned());
    Ok(())
}

async fn fire_now(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    let found = waiting(stack).await?.0.into_iter().find(|one| one.id() == message.id);
    let found = found.ok_or_else(|| match message.facts.state() {
        State::Waiting(waiting) => {
            Failure::No(format!("it is not in the schedule but in the queue, which brings it until {}", waiting.until))
        }
        state => Failure::No(format!("it does not wait, it is {state}")),
    })?;
    // The record is in the queue before the item goes: a crash in between repeats it, which the claim absorbs.
    stack.queue.send(&Job::Message(found.job)).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
    stack.schedule.remove(&found.item).await?;
    output.say(&json!({"message_id": message.id.to_string(), "event": event.id}), |lang| {
        lang.of(
            format!("In coda. L'esito: bridge explain --event {}", event.id),
            format!("Queued. Its outcome: bridge explain --event {}", event.id),
        )
    });
    Ok(())
}
