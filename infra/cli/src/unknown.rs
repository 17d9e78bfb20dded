//! `bridge unknown`: messages whose outcome is unknown, and their resolution by an operator.

use domain::message::state::{Answer, Resolved, State};
use domain::primitives::key::MessageId;
use serde_json::{Value, json};
use store::ledger::{StoredEvent, StoredMessage};

use crate::args;
use crate::ask;
use crate::days::days;
use crate::failure::Failure;
use crate::outcome::explained;
use crate::output::{Lang, Output, moment, wrapped};
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
    let id = MessageId::parse(typed).ok_or_else(|| {
        Failure::Usage(format!("{typed} is not a message id: two parts of 32 characters with a dot between them"))
    })?;
    let found = stack.ledger.event_of_message(stack.site()?, &id).await?.and_then(|event| {
        let message = event.messages.iter().find(|message| message.id == id).cloned()?;
        Some((event, message))
    });
    found.ok_or_else(|| Failure::No(format!("the ledger has no message {id}")))
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
    let progress = progress::bar(count.into(), output.lang.of("Giorni letti", "Days read"));
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
    let documents: Vec<Value> = unknown.iter().map(|one| as_document(one, output)).collect();
    output.say(&json!({"unknown": documents}), |lang| {
        if unknown.is_empty() {
            return lang.of("Nessun messaggio ha un esito ignoto.", "No outcome is unknown.").to_owned();
        }
        unknown.iter().map(|one| words(one, (lang, output))).collect()
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

fn words(unknown: &Unknown, (lang, output): (Lang, Output)) -> String {
    let Unknown { event, message, answer } = unknown;
    let (at, cause) = when(answer);
    let phone = message.phone.as_deref().map(|phone| output.phone(phone)).unwrap_or_default();
    let line = format!(
        "{} → {} {phone}, {} {event}, {}: {cause}",
        message.mapping,
        message.recipient,
        lang.of("evento", "event"),
        at.map(moment).unwrap_or_default(),
    );
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
        return Err(Failure::No(format!("its outcome is not unknown, it is {}", message.facts.state())));
    }
    let (event, _) = find(typed, stack).await?;
    let explained = explained(&event, &stack.live().await?, stack.clock.now(), output);
    output.say(&explained.document(), |lang| explained.words(lang));
    Ok(())
}
