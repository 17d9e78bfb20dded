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

use crate::args;
use crate::ask;
use crate::failure::Failure;
use crate::outcome;
use crate::output::{Lang, Output};
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
    let event_id = EventId::parse(&event.id).map_err(|error| Failure::No(format!("the event's id {error}")))?;
    let planned = PlannedMessage { mapping: message.mapping.clone(), recipient: message.recipient.clone() };
    let job = MessageJob {
        send_number,
        resend_requested_at: Some(resend_requested_at),
        ..MessageJob::first(&live.site.id, &event_id, &planned)
    };
    let id = job.id();
    stack
        .queue
        .send(&Job::Message(job))
        .await
        .map_err(|error| Failure::Unreachable(domain::primitives::cause::chain(&error)))?;
    let document = json!({
        "message_id": id.to_string(), "event": event.id, "mapping": message.mapping, "recipient": message.recipient,
        "occasion": send_number, "asked_at": resend_requested_at, "first": state.to_string(),
    });
    output.say(&document, |lang| {
        lang.of(
            format!("In coda come {id}. L'esito: bridge explain --event {}", event.id),
            format!("Queued as {id}. Its outcome: bridge explain --event {}", event.id),
        )
    });
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
        return Err(Failure::No("its event was erased: there is nothing left to send".to_owned()));
    }
    if let Some(open) = event.messages.iter().find(|one| is_same(one, message) && !one.facts.state().is_final()) {
        let state = open.facts.state();
        return Err(Failure::No(format!("the message {} is {state}: wait for its outcome first", open.id)));
    }
    let mapping = live.mapping(&message.mapping).ok_or_else(|| {
        Failure::No(format!("the mapping {} is disabled or deleted: the message would be skipped", message.mapping))
    })?;
    let never = mapping.on_unknown == OnUnknown::NeverResend && !even_if_unknown;
    if never && message.facts.state() == State::Unknown {
        return Err(Failure::No(format!(
            "it is unknown whether it arrived, and the mapping {} never resends such a message. Record its outcome with \
             bridge unknown resolve, or use --even-if-unknown",
            mapping.id
        )));
    }
    Ok(())
}

fn question(state: &State, message: &StoredMessage, output: Output) -> String {
    let lang = output.lang;
    let name = state.to_string();
    let phone = message.phone.as_deref().map(|phone| format!(" {}", output.phone(phone))).unwrap_or_default();
    let word = outcome::word(&name, lang);
    let head = lang.of(
        format!("Il messaggio di {} a {}{phone} risulta: {word}.", message.mapping, message.recipient),
        format!("The message of {} to {}{phone} is {word}.", message.mapping, message.recipient),
    );
    format!("{head} {} {}", first(state, lang), lang.of("Inviarlo di nuovo?", "Send it again?"))
}

/// Describes whether the earlier sending arrived.
fn first(state: &State, lang: Lang) -> &'static str {
    match state {
        State::Sent | State::Unknown => lang.of(
            "Può essere già arrivato: lo riceverebbe due volte.",
            "It may have arrived: the recipient would get it twice.",
        ),
        State::Delivered | State::Read => lang.of("È già arrivato.", "It arrived."),
        State::Failed(_) | State::Skipped(_) | State::Pending | State::Waiting(_) | State::Sending => {
            lang.of("Non è arrivato.", "It did not arrive.")
        }
    }
}
