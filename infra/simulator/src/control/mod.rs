//! The control API under `/_sim`: it reports past requests and configures what happens next.
//!
//! All test suites depend on its JSON shapes. Data that only the phone needs is served by `phone`.

mod webhooks;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    catalogue::{Change, Removal},
    limits::Limits,
    state::{Message, Request, Shared, TemplateRef},
    webhook::template,
};

/// Maximum length of a template name.
const NAME_BYTES_MAX: usize = 512;

/// Returns the routes of the control API.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/_sim/messages", get(messages))
        .route("/_sim/requests", get(requests))
        .route("/_sim/reset", post(reset))
        .route("/_sim/faults", post(faults))
        .route("/_sim/limits", get(limits).post(set_limits))
        .route("/_sim/templates/{name}/{language}", post(set_template).delete(remove_template))
        .merge(webhooks::routes())
}

#[derive(Serialize)]
struct MessageView<'a> {
    id: &'a str,
    to: &'a str,
    template: &'a TemplateRef,
    text: &'a str,
    body: &'a Value,
    biz_opaque_callback_data: Option<&'a str>,
    received_at: Timestamp,
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            to: &message.to,
            template: &message.template,
            text: &message.rendered.body,
            body: &message.body,
            biz_opaque_callback_data: message.callback_data.as_deref(),
            received_at: message.received_at,
        }
    }
}

#[derive(Serialize)]
struct RequestView<'a> {
    to: Option<&'a str>,
    template: Option<&'a str>,
    status: Option<u16>,
    code: Option<i64>,
    accepted: bool,
    received_at: Timestamp,
}

impl<'a> From<&'a Request> for RequestView<'a> {
    fn from(request: &'a Request) -> Self {
        Self {
            to: request.to.as_deref(),
            template: request.template.as_deref(),
            status: request.status,
            code: request.code,
            accepted: request.accepted,
            received_at: request.received_at,
        }
    }
}

async fn messages(State(shared): State<Shared>) -> Response {
    let state = shared.lock();
    Json(state.messages.iter().map(MessageView::from).collect::<Vec<_>>()).into_response()
}

async fn requests(State(shared): State<Shared>) -> Response {
    let state = shared.lock();
    Json(state.requests.iter().map(RequestView::from).collect::<Vec<_>>()).into_response()
}

async fn reset(State(shared): State<Shared>) -> Response {
    shared.reset();
    Json(json!({"reset": true})).into_response()
}

async fn faults(State(shared): State<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    let posted = readable(body).and_then(|body| shared.lock().faults.post(&body));
    match posted {
        Ok(pending) => Json(json!({"pending": pending})).into_response(),
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
    }
}

async fn limits(State(shared): State<Shared>) -> Response {
    limits_view(&shared.lock().limits)
}

async fn set_limits(State(shared): State<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    let mut state = shared.lock();
    match readable(body).and_then(|body| state.limits.post(&body)) {
        Ok(()) => limits_view(&state.limits),
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
    }
}

fn limits_view(limits: &Limits) -> Response {
    Json(json!({"messages_per_second": limits.per_second()})).into_response()
}

async fn set_template(
    State(shared): State<Shared>,
    Path((name, language)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !is_name(&name) {
        return refuse(StatusCode::BAD_REQUEST, "a template name has lower-case letters, digits and underscores only");
    }
    if language.is_empty() || !language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return refuse(StatusCode::BAD_REQUEST, "a language is written as in it or en_US");
    }
    let change = match readable(body).and_then(|body| Change::parse(&body)) {
        Ok(change) => change,
        Err(reason) => return refuse(StatusCode::BAD_REQUEST, &reason),
    };
    let notified = change.webhook();
    if notified && !shared.outbox().has_receiver() {
        return refuse(StatusCode::CONFLICT, webhooks::NO_RECEIVER);
    }
    let now = shared.now();
    let mut state = shared.lock();
    let before = state.templates.find(&name, &language).cloned();
    let after = state.templates.set(&name, &language, change);
    if notified {
        for update in template::changed(before.as_ref(), &after, now) {
            shared.outbox().raise(update);
        }
    }
    Json(after).into_response()
}

fn readable(body: Result<Bytes, BytesRejection>) -> Result<Bytes, String> {
    body.map_err(|rejection| rejection.body_text())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

async fn remove_template(
    State(shared): State<Shared>,
    Path((name, language)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let notified = match readable(body).and_then(|body| Removal::parse(&body)) {
        Ok(removal) => removal.webhook,
        Err(reason) => return refuse(StatusCode::BAD_REQUEST, &reason),
    };
    if notified && !shared.outbox().has_receiver() {
        return refuse(StatusCode::CONFLICT, webhooks::NO_RECEIVER);
    }
    let now = shared.now();
    match shared.lock().templates.remove(&name, &language) {
        Some(row) => {
            if notified {
                shared.outbox().raise(template::removed(&row, now));
            }
            Json(json!({"removed": true})).into_response()
        }
        None => refuse(StatusCode::NOT_FOUND, &format!("there is no template {name} in {language}")),
    }
}

/// Refuses a control call.
pub(crate) fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}
