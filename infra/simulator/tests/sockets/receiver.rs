//! A webhook receiver that verifies each signature over the raw bytes, keeps each POST, and answers as configured.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use simulator::Webhook;
use tokio::{net::TcpListener, sync::watch};

/// How long any operation may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
const SECRET: &str = "secret-of-the-test";

pub(crate) struct Receiver {
    pub(crate) webhook: Webhook,
    desk: Arc<Desk>,
}

struct Desk {
    posts: Mutex<Vec<Bytes>>,
    /// The answers to the next POSTs with the given status. Without an entry the answer is 200.
    refusals: Mutex<Vec<(&'static str, u16)>>,
    /// The number of received POSTs.
    came: watch::Sender<usize>,
    /// Whether POSTs are answered immediately or must wait.
    open: watch::Sender<bool>,
}

impl Desk {
    fn answer(&self, body: &str) -> StatusCode {
        let mut refusals = self.refusals.lock().unwrap();
        match refusals.iter().position(|(word, _)| body.contains(&format!(r#""status":"{word}""#))) {
            Some(index) => StatusCode::from_u16(refusals.remove(index).1).unwrap(),
            None => StatusCode::OK,
        }
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let desk = Arc::new(Desk {
            posts: Mutex::default(),
            refusals: Mutex::default(),
            came: watch::Sender::new(0),
            open: watch::Sender::new(true),
        });
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&desk));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { webhook: Webhook { url, secret: SECRET.into() }, desk }
    }

    /// Configures the answers to the next POSTs that contain this status.
    pub(crate) fn refuse(&self, word: &'static str, answers: &[u16]) {
        self.desk.refusals.lock().unwrap().extend(answers.iter().map(|answer| (word, *answer)));
    }

    /// Holds the answers of all further POSTs until [`Receiver::release`].
    pub(crate) fn hold(&self) {
        self.desk.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.desk.open.send_replace(true);
    }

    /// Waits until this many POSTs were received, answered or not.
    pub(crate) async fn until_came(&self, count: usize) {
        let mut came = self.desk.came.subscribe();
        tokio::time::timeout(LIMIT, came.wait_for(|came| *came >= count)).await.unwrap().unwrap();
    }

    /// Returns the raw body of every POST so far.
    pub(crate) fn raw(&self) -> Vec<Bytes> {
        self.desk.posts.lock().unwrap().clone()
    }

    /// Returns the single change of each POST so far.
    pub(crate) fn changes(&self) -> Vec<Value> {
        let change = |raw: &Bytes| {
            let body: Value = serde_json::from_slice(raw).unwrap();
            assert_eq!(
                (&body["object"], &body["entry"][0]["id"]),
                (&"whatsapp_business_account".into(), &"2002".into())
            );
            assert_eq!(
                (body["entry"].as_array().unwrap().len(), body["entry"][0]["changes"].as_array().unwrap().len()),
                (1, 1)
            );
            body["entry"][0]["changes"][0].clone()
        };
        self.raw().iter().map(change).collect()
    }

    /// Returns the statuses of each POST so far.
    pub(crate) fn batches(&self) -> Vec<Vec<Value>> {
        let statuses = |change: Value| change["value"]["statuses"].as_array().cloned().unwrap_or_default();
        self.changes().into_iter().map(statuses).collect()
    }

    /// Returns the names of all statuses in the order received.
    pub(crate) fn words(&self) -> Vec<String> {
        self.batches().concat().iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let digits = hex::encode(mac.finalize().into_bytes());
    // A POST with a wrong signature is not recorded, so the test that waits for it fails.
    if headers["x-hub-signature-256"] != format!("sha256={digits}") || headers["content-type"] != "application/json" {
        return StatusCode::UNAUTHORIZED;
    }
    let notified = String::from_utf8_lossy(&body).into_owned();
    desk.posts.lock().unwrap().push(body);
    desk.came.send_modify(|came| *came += 1);
    desk.open.subscribe().wait_for(|open| *open).await.unwrap();
    desk.answer(&notified)
}
