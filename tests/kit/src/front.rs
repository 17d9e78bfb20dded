//! The HTTP front of a story. Webhooks of the simulator reach `receive-event` over HTTP, as they do through API
//! Gateway.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Result;
use axum::Router;
use axum::body::{Body as AxumBody, to_bytes};
use axum::extract::{Request as AxumRequest, State};
use axum::response::Response;
use lambda_http::{Body, Request};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Larger than any webhook of the simulator.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The function that the server forwards to.
type Served = Arc<RwLock<Arc<receive_event::App>>>;

/// The server. It stops when the story ends.
pub(crate) struct Front {
    served: Served,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    pub(crate) fn serve(listener: TcpListener, app: Arc<receive_event::App>) -> Self {
        let served = Arc::new(RwLock::new(app));
        let router = Router::new().fallback(forward).with_state(Arc::clone(&served));
        let task = tokio::spawn(async move {
            // The server runs until it is dropped, so there is no error to handle.
            let _ended = axum::serve(listener, router).await;
        });
        Self { served, task }
    }

    /// Forwards later requests to another instance of the function.
    pub(crate) fn replace(&self, app: Arc<receive_event::App>) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = app;
    }
}

async fn forward(State(served): State<Served>, request: AxumRequest) -> Response {
    let app = Arc::clone(&served.read().unwrap_or_else(PoisonError::into_inner));
    let (parts, body) = request.into_parts();
    let Ok(request) = lambda_request(parts, body).await else {
        let mut response = Response::new(AxumBody::empty());
        *response.status_mut() = axum::http::StatusCode::BAD_REQUEST;
        return response;
    };
    let (parts, body) = receive_event::handle(&app, request).await.into_parts();
    Response::from_parts(parts, AxumBody::from(body.to_vec()))
}

async fn lambda_request(parts: axum::http::request::Parts, body: AxumBody) -> Result<Request> {
    let bytes = to_bytes(body, BODY_BYTES_MAX).await?;
    Ok(Request::from_parts(parts, Body::Binary(bytes.to_vec())))
}
