//! The control API under `/_sim`: what happened, and what shall happen next.
//!
//! Its shapes are a contract with every suite; what only the phone needs is served by `phone`.

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
    catalogue::Change,
    state::{Message, Request, Shared, TemplateRef},
};

/// Longest template name.
const NAME_BYTES_MAX: usize = 512;

/// The routes of the control API.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/_sim/messages", get(messages))
        .route("/_sim/requests", get(requests))
        .route("/_sim/reset", post(reset))
        .route("/_sim/faults", post(faults))
        .route("/_sim/templates/{name}/{language}", post(set_template).delete(remove_template))
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
    match readable(body).and_then(|body| Change::parse(&body)) {
        Ok(change) => Json(shared.lock().templates.set(&name, &language, change)).into_response(),
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
    }
}

fn readable(body: Result<Bytes, BytesRejection>) -> Result<Bytes, String> {
    body.map_err(|rejection| rejection.body_text())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

async fn remove_template(State(shared): State<Shared>, Path((name, language)): Path<(String, String)>) -> Response {
    if shared.lock().templates.remove(&name, &language) {
        Json(json!({"removed": true})).into_response()
    } else {
        refuse(StatusCode::NOT_FOUND, &format!("there is no template {name} in {language}"))
    }
}

/// A control call that is not understood.
pub(crate) fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}
