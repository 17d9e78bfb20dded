//! Responses of the Cloud API: JSON, a refusal, and a cut connection.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{graph_error::GraphError, state::Shared};

/// Returns a JSON body with this HTTP status.
pub(crate) fn json(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
}

/// Returns an error as the platform writes it, with a new trace id.
pub(crate) fn refusal(shared: &Shared, error: &GraphError) -> Response {
    let trace = shared.lock().ids.trace();
    json(error.status, error.body(&trace))
}

/// Marks a response that must not be sent: its connection is closed instead. As a service error it makes hyper drop the
/// connection before it writes any byte of an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is cut as ordered")]
pub(crate) struct Cut;

impl IntoResponse for Cut {
    fn into_response(self) -> Response {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
