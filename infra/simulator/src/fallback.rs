//! Requests that no route serves. Below `/_sim` the control API refuses them, elsewhere the Cloud API.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use crate::{control, graph_error::GraphError, response, state::Shared};

/// Refuses a path without a route.
pub(crate) async fn not_found(State(shared): State<Shared>, uri: Uri) -> Response {
    if is_control(&uri) {
        control::refuse(StatusCode::NOT_FOUND, &format!("there is no control call {}", uri.path()))
    } else {
        unknown_path(&shared)
    }
}

/// Refuses a method that the route of this path does not have.
pub(crate) async fn wrong_method(State(shared): State<Shared>, uri: Uri) -> Response {
    if is_control(&uri) {
        control::refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("{} takes another method", uri.path()))
    } else {
        unknown_path(&shared)
    }
}

/// Refuses a path that belongs to neither the Cloud API nor the control API.
pub(crate) fn unknown_path(shared: &Shared) -> Response {
    response::refusal(shared, &GraphError::new(2500, "Unknown path components"))
}

fn is_control(uri: &Uri) -> bool {
    uri.path().starts_with("/_sim")
}
