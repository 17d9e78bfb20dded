//! The life of one send: gate, fault, rules, limits, record.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    faults::Effect,
    graph_error::GraphError,
    send::{self, Checked},
    state::{Message, Request, Shared, State, TemplateRef},
};

/// A send as it came over HTTP.
pub(crate) struct Incoming<'a> {
    /// The number's id in the path, where the path has one.
    pub(crate) phone_number_id: Option<&'a str>,
    /// Whether the token was right, else the refusal.
    pub(crate) token: Result<(), GraphError>,
    /// The body as JSON, else the refusal.
    pub(crate) body: Result<Value, GraphError>,
}

/// What the caller gets.
pub(crate) enum Answer {
    /// Status and JSON body, after this delay.
    Json { status: u16, body: Value, delay: Duration },
    /// A closed connection.
    Cut,
}

/// Takes one send, records what became of it, and says what to answer.
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
    let (delay, cut_after) = match state.faults.find(record.to.as_deref(), record.template.as_deref()) {
        None => (Duration::ZERO, None),
        Some((index, Effect::AcceptThenCut)) => (Duration::ZERO, Some(index)),
        Some((index, Effect::Delay(ms))) => {
            state.faults.spend(index);
            (Duration::from_millis(ms), None)
        }
        Some((index, Effect::Error(error))) => {
            state.faults.spend(index);
            return record.refused(&mut state, error, Duration::ZERO);
        }
        Some((index, Effect::CutBefore)) => {
            state.faults.spend(index);
            return record.cut(&mut state, false);
        }
    };
    let checked = match permit(shared, &mut state, &body, now) {
        Ok(checked) => checked,
        // A cut after acceptance stays ordered until a send is accepted.
        Err(error) => return record.refused(&mut state, error, delay),
    };
    let id = state.ids.wamid();
    let answer = accepted(&id, &checked);
    store(&mut state, id, checked, body, now);
    if let Some(index) = cut_after {
        state.faults.spend(index);
        return record.cut(&mut state, true);
    }
    record.push(&mut state, Some(200), None, true);
    Answer::Json { status: 200, body: answer, delay }
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

fn store(state: &mut State, id: String, checked: Checked, body: Value, now: Timestamp) {
    state.messages.push(Message {
        id,
        to: checked.to,
        wa_id: checked.wa_id,
        template: TemplateRef { name: checked.template, language: checked.language },
        category: checked.category,
        rendered: checked.rendered,
        body,
        callback_data: checked.callback_data,
        received_at: now,
    });
}

/// What is known of a request before its fate is.
struct Record {
    to: Option<String>,
    template: Option<String>,
    at: Timestamp,
}

impl Record {
    fn refused(self, state: &mut State, error: GraphError, delay: Duration) -> Answer {
        let body = error.body(&state.ids.trace());
        let status = error.status;
        self.push(state, Some(status), Some(error), false);
        Answer::Json { status, body, delay }
    }

    fn cut(self, state: &mut State, accepted: bool) -> Answer {
        self.push(state, None, None, accepted);
        Answer::Cut
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
