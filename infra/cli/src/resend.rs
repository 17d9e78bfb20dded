//! `bridge resend`: sends a message once more on an operator's request. The resend has its own send number, so that the
//! ledger keeps both.

use domain::decision::plan::PlannedMessage;
use domain::mapping::OnUnknown;
use domain::message::state::State;
use domain::primitives::id::EventId;
use domain::queue::job::{Job, MessageJob};
use domain::site::config::LiveConfig;
use serde_json::json;
use store::ledger::{StoredEvent, StoredMessage, is_erased};
use texts::Texts;

use crate::args;
use crate::ask;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;
use crate::unknown;

pub(crate) async fn run(command: &args::Resend, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let (event, message) = unknown::find(&command.message, stack).await?;
    may_be_resent(&event, &message, command.even_if_unknown, &live)?;
    let state = message.facts.state();
    ask::confirmed(&question(&state, &message, output), command.yes, output)?;

    let of_message = |one: &&StoredMessage| is_same(one, &message);
    let last = event.messages.iter().filter(of_message).map(|one| one.send_number).max().unwrap_or(message.send_number);
    let send_number = last.saturating_add(1);
    let resend_requested_at = stack.clock.now();
    let event_id =
        EventId::parse(&event.id).map_err(|error| Failure::no(|texts| texts.wrong_id(texts.id_error(error))))?;
    let planned = PlannedMessage { mapping: message.mapping.clone(), recipient: message.recipient.clone() };
    let job = MessageJob {
        send_number,
        resend_requested_at: Some(resend_requested_at),
        ..MessageJob::first(&live.site.id, &event_id, &planned)
    };
    let id = job.id();
    stack.queue.send(&Job::Message(job)).await.map_err(|error| Failure::aws(&error))?;
    let document = json!({
        "message_id": id.to_string(), "event": event.id, "mapping": message.mapping, "recipient": message.recipient,
        "occasion": send_number, "asked_at": resend_requested_at, "first": state.to_string(),
    });
    output.say(&document, |texts| texts.resend_queued(id.to_string(), event.id));
    Ok(())
}

fn is_same(one: &StoredMessage, other: &StoredMessage) -> bool {
    one.mapping == other.mapping && one.recipient == other.recipient
}

/// Refuses a resend of an erased event, while another sending is open, without an active mapping, or under
/// `never_resend` with an unknown outcome.
fn may_be_resent(
    event: &StoredEvent,
    message: &StoredMessage,
    even_if_unknown: bool,
    live: &LiveConfig,
) -> Result<(), Failure> {
    if is_erased(&event.document) {
        return Err(Failure::no(|texts| texts.event_erased()));
    }
    if let Some(open) = event.messages.iter().find(|one| is_same(one, message) && !one.facts.state().is_final()) {
        let state = open.facts.state();
        return Err(Failure::no(|texts| texts.message_open(open.id.to_string(), state.to_string())));
    }
    let mapping = live
        .mapping(&message.mapping)
        .ok_or_else(|| Failure::no(|texts| texts.mapping_off(message.mapping.to_string())))?;
    let never = mapping.on_unknown == OnUnknown::NeverResend && !even_if_unknown;
    if never && message.facts.state() == State::Unknown {
        return Err(Failure::no(|texts| texts.never_resent(mapping.id.to_string())));
    }
    Ok(())
}

fn question(state: &State, message: &StoredMessage, output: Output) -> String {
    let texts = output.texts;
    let name = state.to_string();
    let phone = message.phone.as_deref().map(|phone| format!(" {}", output.phone(phone))).unwrap_or_default();
    let word = texts.outcome(&name);
    let recipient = format!("{}{phone}", message.recipient);
    let head = texts.message_state(message.mapping.as_str(), recipient, word);
    format!("{head} {} {}", first(state, texts), texts.resend_question())
}

/// Describes whether the earlier sending arrived.
fn first(state: &State, texts: &Texts) -> String {
    match state {
        State::Sent | State::Unknown => texts.resend_may_have_arrived(),
        State::Delivered | State::Read => texts.resend_arrived(),
        State::Failed(_) | State::Skipped(_) | State::Pending | State::Waiting(_) | State::Sending => {
            texts.resend_not_arrived()
        }
    }
}
