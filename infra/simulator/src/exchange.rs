//! The processing of one send: access checks, fault, rules, limits, record, statuses.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    faults::Effect,
    graph_error::GraphError,
    send::{self, Checked},
    state::{Message, Request, Shared, State, TemplateRef},
    statuses,
};

/// A send as received over HTTP.
pub(crate) struct Incoming<'a> {
    /// The phone number id from the path, if the path has one.
    pub(crate) phone_number_id: Option<&'a str>,
    /// `Ok` if the token is valid, otherwise the refusal.
    pub(crate) token: Result<(), GraphError>,
    /// The body as JSON, or the refusal.
    pub(crate) body: Result<Value, GraphError>,
}

/// The answer for the caller, and what must happen before it.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    /// Resolves once the statuses were posted, if the answer must come after them.
    pub(crate) posted: Option<oneshot::Receiver<()>>,
}

/// The kind of answer to a send.
pub(crate) enum Reply {
    /// Status and JSON body, after this delay.
    Json { status: u16, body: Value, delay: Duration },
    /// A closed connection.
    Cut,
}

/// Processes one send, records the outcome and returns the answer.
pub(crate) fn receive(shared: &Shared, incoming: Incoming<'_>) -> Answer {
    let now = shared.now();
    let mut state = shared.lock();
    let seen = incoming.body.as_ref().ok();
    let to = seen.and_then(|body| body.get("to")).and_then(Value::as_str).map(str::to_owned);
    let template = seen.and_then(|body| body.pointer("/template/name")).and_then(Value::as_str).map(str::to_owned);
    let record = Record { to, template, at: now };

    let body = match gate(shared, incoming) {
        Ok(body) => body,
        Err(error) => return record.refused(&mut state, error, Duration::ZERO),
    };
    let mut turn = Turn::default();
    match state.faults.find(record.to.as_deref(), record.template.as_deref()) {
        None => {}
        Some((index, Effect::AcceptThenCut)) => turn = Turn { accepted: Some(index), cut: true, ..turn },
        Some((index, Effect::AcceptThenError(error))) => {
            turn = Turn { accepted: Some(index), error: Some(error), ..turn };
        }
        Some((index, Effect::FailLater(code))) => turn = Turn { accepted: Some(index), failure: Some(code), ..turn },
        Some((index, Effect::Delay(ms))) => {
            state.faults.spend(index);
            turn.delay = Duration::from_millis(ms);
        }
        Some((index, Effect::Error(error))) => {
            state.faults.spend(index);
            return record.refused(&mut state, error, Duration::ZERO);
        }
        Some((index, Effect::CutBefore)) => {
            state.faults.spend(index);
            return record.cut(&mut state, false);
        }
    }
    let checked = match permit(shared, &mut state, &body, now) {
        Ok(checked) => checked,
        // A fault for accepted sends stays pending until a send is accepted.
        Err(error) => return record.refused(&mut state, error, turn.delay),
    };
    let id = state.ids.wamid(&checked.wa_id);
    let answer = accepted(&id, &checked);
    let message = message(id, checked, body, now);
    let subject = message.subject();
    state.messages.push(message);
    let posted = statuses::follow(shared, &mut state, subject, turn.failure);
    if let Some(index) = turn.accepted {
        state.faults.spend(index);
    }
    if turn.cut {
        return Answer { posted, ..record.cut(&mut state, true) };
    }
    if let Some(error) = turn.error {
        return Answer { posted, ..record.answered(&mut state, error, true, turn.delay) };
    }
    record.push(&mut state, Some(200), None, true);
    Answer { reply: Reply::Json { status: 200, body: answer, delay: turn.delay }, posted }
}

/// A fault's changes to a send that is otherwise processed normally.
#[derive(Default)]
struct Turn {
    /// The fault to spend once the send is accepted.
    accepted: Option<usize>,
    cut: bool,
    /// The error to answer although the send is accepted.
    error: Option<GraphError>,
    failure: Option<i64>,
    delay: Duration,
}

fn gate(shared: &Shared, incoming: Incoming<'_>) -> Result<Value, GraphError> {
    incoming.token?;
    match incoming.phone_number_id {
        Some(id) if id != shared.settings().phone_number_id => Err(GraphError::unknown_object(id)),
        _ => incoming.body,
    }
}

fn permit(shared: &Shared, state: &mut State, body: &Value, now: Timestamp) -> Result<Checked, GraphError> {
    let checked = send::check(body, &state.templates, &shared.settings().display_phone_number)?;
    state.limits.spend(&checked.wa_id, now)?;
    Ok(checked)
}

fn accepted(id: &str, checked: &Checked) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": checked.to, "wa_id": checked.wa_id}],
        "messages": [{"id": id, "message_status": "accepted"}],
    })
}

fn message(id: String, checked: Checked, body: Value, now: Timestamp) -> Message {
    Message {
        id,
        to: checked.to,
        wa_id: checked.wa_id,
        template: TemplateRef { name: checked.template, language: checked.language },
        category: checked.category,
        rendered: checked.rendered,
        body,
        callback_data: checked.callback_data,
        received_at: now,
    }
}

/// The known facts of a request before its outcome is decided.
struct Record {
    to: Option<String>,
    template: Option<String>,
    at: Timestamp,
}

impl Record {
    fn refused(self, state: &mut State, error: GraphError, delay: Duration) -> Answer {
        self.answered(state, error, false, delay)
    }

    /// Answers with an error. If `accepted` is set, the send was accepted nevertheless.
    fn answered(self, state: &mut State, error: GraphError, accepted: bool, delay: Duration) -> Answer {
        let body = error.body(&state.ids.trace());
        let status = error.status;
        self.push(state, Some(status), Some(error), accepted);
        Answer { reply: Reply::Json { status, body, delay }, posted: None }
    }

    fn cut(self, state: &mut State, accepted: bool) -> Answer {
        self.push(state, None, None, accepted);
        Answer { reply: Reply::Cut, posted: None }
    }

    fn push(self, state: &mut State, status: Option<u16>, error: Option<GraphError>, accepted: bool) {
        state.requests.push(Request {
            to: self.to,
            template: self.template,
            status,
            code: error.as_ref().map(|error| error.code),
            accepted,
            details: error.map(GraphError::reason),
            received_at: self.at,
        });
    }
}
