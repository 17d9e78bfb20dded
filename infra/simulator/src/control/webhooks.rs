//! The part of the control API that orders webhooks to the bridge: statuses, inbound messages, and any other change.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{readable, refuse};
use crate::{
    course::Mode,
    send,
    state::{InboundMessage, Shared},
    webhook::{
        Update,
        inbound::{self, Content, Order, What},
    },
};

/// The reason why a webhook cannot be raised.
pub(super) const NO_RECEIVER: &str = "no webhook is set: nobody would hear of this";

/// Returns the routes of this part.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/_sim/statuses", post(statuses))
        .route("/_sim/inbound", post(from_phone))
        .route("/_sim/webhooks", get(tally).post(raise))
}

/// Any change, as posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    field: String,
    value: Value,
}

async fn statuses(State(shared): State<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    match readable(body).and_then(|body| Mode::parse(&body)) {
        Ok(mode) => {
            shared.lock().mode = mode;
            Json(mode).into_response()
        }
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
    }
}

async fn tally(State(shared): State<Shared>) -> Response {
    let tally = *shared.outbox().watch().borrow();
    Json(tally).into_response()
}

async fn raise(State(shared): State<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    let change = readable(body)
        .and_then(|body| serde_json::from_slice::<Change>(&body).map_err(|error| format!("not a webhook: {error}")));
    match change {
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
        Ok(_) if !shared.outbox().has_receiver() => refuse(StatusCode::CONFLICT, NO_RECEIVER),
        Ok(Change { field, value }) => {
            shared.outbox().raise(Update::Change { field, value, at: shared.now() });
            Json(json!({"raised": true})).into_response()
        }
    }
}

async fn from_phone(State(shared): State<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    let order = readable(body).and_then(|body| Order::parse(&body)).and_then(|order| Ok((wa_id(&order.from)?, order)));
    match order {
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
        Ok(_) if !shared.outbox().has_receiver() => refuse(StatusCode::CONFLICT, NO_RECEIVER),
        Ok((wa_id, Order { what: What::Message(content), .. })) => {
            Json(json!({"id": arrive(&shared, wa_id, &content)})).into_response()
        }
        Ok((wa_id, Order { what: What::Preference(preference), .. })) => {
            let outbox = shared.outbox();
            outbox.raise(inbound::preference(outbox.account(), &wa_id, preference, shared.now()));
            Json(json!({"preference": preference.word()})).into_response()
        }
    }
}

/// Returns the digits of the phone number. Only the international form is accepted, because a phone knows its full
/// number.
fn wa_id(from: &str) -> Result<String, String> {
    let from = from.trim();
    let international = from.strip_prefix('+').and_then(|_| send::wa_id(from, from));
    international.ok_or_else(|| "from is a number in international form, as in +393401234567".to_owned())
}

/// Records the message for the phone and raises its webhook. Returns its id.
fn arrive(shared: &Shared, wa_id: String, content: &Content) -> String {
    let now = shared.now();
    let mut state = shared.lock();
    let id = state.ids.wamid(&wa_id);
    let last = state.messages.iter().rev().find(|message| message.wa_id == wa_id);
    let context = last.map(|message| message.id.as_str());
    let outbox = shared.outbox();
    outbox.raise(inbound::message(outbox.account(), content, [&wa_id, &id], context, now));
    state.inbound.push(InboundMessage { id: id.clone(), wa_id, text: content.text().to_owned(), received_at: now });
    id
}
