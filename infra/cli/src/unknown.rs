//! `bridge unknown`: messages whose outcome is unknown, and their resolution by an operator.

use domain::message::state::{Answer, Resolved, State};
use domain::primitives::key::MessageId;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::ledger::{StoredEvent, StoredMessage};

use crate::args;
use crate::ask;
use crate::days::days;
use crate::failure::Failure;
use crate::outcome::explained;
use crate::output::{Output, wrapped};
use crate::progress;
use crate::stack::Stack;

pub(crate) async fn run(command: args::Unknown, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Unknown::List { days } => list(days, stack, output).await,
        args::Unknown::Resolve { message, arrived, note, .. } => resolve(&message, arrived, &note, stack, output).await,
    }
}

/// Finds a message by the id that the commands print.
///
/// # Errors
/// [`Failure::Usage`] if the id is malformed, [`Failure::No`] if the site has no such message.
pub(crate) async fn find(typed: &str, stack: &Stack) -> Result<(StoredEvent, StoredMessage), Failure> {
    let id = MessageId::parse(typed).ok_or_else(|| Failure::usage(|texts| texts.not_a_message_id(typed)))?;
    let found = stack.ledger.event_of_message(stack.site()?, &id).await?.and_then(|event| {
        let message = event.messages.iter().find(|message| message.id == id).cloned()?;
        Some((event, message))
    });
    found.ok_or_else(|| Failure::no(|texts| texts.no_such_message(id.to_string())))
}

/// A message with an unknown outcome, and its event.
struct Unknown {
    event: String,
    message: StoredMessage,
    answer: Answer,
}

async fn list(count: u16, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.site()?;
    let mut unknown = Vec::new();
    let progress = progress::bar(count.into(), output.texts.days_read());
    for (from, until) in days(stack.clock.now(), count) {
        for event in stack.ledger.events_between(site, from, until).await? {
            for message in event.messages {
                if let (State::Unknown, Some(answer)) = (message.facts.state(), message.facts.answer.clone()) {
                    unknown.push(Unknown { event: event.id.clone(), message, answer });
                }
            }
        }
        progress.inc(1);
    }
    drop(progress);
    let zone = stack.zone().await?;
    let documents: Vec<Value> = unknown.iter().map(|one| as_document(one, output)).collect();
    output.say(&json!({"unknown": documents}), |texts| {
        if unknown.is_empty() {
            return texts.unknown_none().to_owned();
        }
        unknown.iter().map(|one| words(one, &zone, output)).collect()
    });
    Ok(())
}

fn as_document(unknown: &Unknown, output: Output) -> Value {
    let Unknown { event, message, answer } = unknown;
    let (at, cause) = when(answer);
    json!({
        "message_id": message.id.to_string(), "event": event, "mapping": message.mapping,
        "recipient": message.recipient, "occasion": message.send_number,
        "phone": message.phone.as_deref().map(|phone| output.phone(phone)), "at": at, "cause": cause,
    })
}

fn words(unknown: &Unknown, zone: &TimeZone, output: Output) -> String {
    let texts = output.texts;
    let Unknown { event, message, answer } = unknown;
    let (at, cause) = when(answer);
    let phone = message.phone.as_deref().map(|phone| output.phone(phone)).unwrap_or_default();
    let at = at.map(|at| texts.moment(at, zone)).unwrap_or_default();
    let line =
        texts.unknown_message(message.mapping.as_str(), message.recipient.as_str(), phone, event.as_str(), at, cause);
    format!("{}\n{}", message.id, wrapped(&line, 4))
}

fn when(answer: &Answer) -> (Option<jiff::Timestamp>, &str) {
    match answer {
        Answer::Unknown { at, cause, .. } => (Some(*at), cause),
        Answer::Accepted { .. } | Answer::Refused { .. } | Answer::NotAccepted { .. } => (None, ""),
    }
}

async fn resolve(typed: &str, arrived: bool, note: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let note = ask::words(note, "--note")?;
    let (_, message) = find(typed, stack).await?;
    let resolved = Resolved { at: stack.clock.now(), arrived, note };
    if !stack.ledger.resolve(&message.id, &resolved).await? {
        return Err(Failure::no(|texts| texts.outcome_known(message.facts.state().to_string())));
    }
    let (event, _) = find(typed, stack).await?;
    let explained = explained(&event, &stack.live().await?, stack.clock.now(), output);
    output.say(&explained.document(), |texts| explained.words(texts));
    Ok(())
}
