//! A running simulator whose clock moves only when the test advances it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use simulator::{Running, Settings, Simulator, Webhook};
use tokio::net::TcpListener;

use crate::receiver::Receiver;

pub(crate) const TOKEN: &str = "token-of-the-test";
/// 2026-11-22T09:15:00Z.
const START_MS: i64 = 1_795_338_900_000;
/// How long a send may take to be accepted on a busy machine.
const ACCEPT_LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) client: Client,
    clock_ms: Arc<AtomicI64>,
}

impl World {
    /// Starts a simulator without a webhook.
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts a simulator and the receiver of its webhooks.
    pub(crate) async fn with_receiver() -> (Self, Receiver) {
        let receiver = Receiver::start().await;
        (Self::start_with(Some(receiver.webhook.clone())).await, receiver)
    }

    async fn start_with(webhook: Option<Webhook>) -> Self {
        let clock_ms = Arc::new(AtomicI64::new(START_MS));
        let clock = {
            let clock_ms = Arc::clone(&clock_ms);
            Arc::new(move || Timestamp::from_millisecond(clock_ms.load(Ordering::SeqCst)).unwrap())
        };
        let simulator = Simulator::new(Settings {
            phone_number_id: "1001".into(),
            waba_id: "2002".into(),
            access_token: TOKEN.into(),
            display_phone_number: "+390212345678".into(),
            clock,
            templates: templates(),
            webhook,
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = simulator.start(listener).unwrap();
        Self { running, client: Client::builder().no_proxy().build().unwrap(), clock_ms }
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.clock_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    /// Sends with a valid token and path. An error means that the connection gave no answer.
    pub(crate) async fn try_send(&self, body: &Value) -> Result<Response, reqwest::Error> {
        self.client.post(self.url("/v1/1001/messages")).bearer_auth(TOKEN).json(body).send().await
    }

    pub(crate) async fn send(&self, body: &Value) -> (u16, Value) {
        read(self.try_send(body).await.unwrap()).await
    }

    /// Makes any call without a token. Control calls need none.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let request = self.client.request(method, self.url(path)).body(body.to_owned());
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, "").await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.call(Method::POST, path, &body.to_string()).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Waits until this many messages were accepted.
    pub(crate) async fn until_accepted(&self, count: usize) {
        let limit = Instant::now() + ACCEPT_LIMIT;
        while self.get("/_sim/messages").await.as_array().unwrap().len() < count {
            assert!(Instant::now() < limit, "fewer than {count} messages after {ACCEPT_LIMIT:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Returns a page of the template list.
    pub(crate) async fn list(&self, query: &str) -> (u16, Value) {
        let url = self.url(&format!("/v1/2002/message_templates?{query}"));
        read(self.client.get(url).bearer_auth(TOKEN).send().await.unwrap()).await
    }
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    (status, response.json().await.unwrap())
}

fn templates() -> Vec<Value> {
    vec![
        json!({"name": "stato_ordine", "language": "it", "parameter_format": "POSITIONAL", "components": [
            {"type": "BODY", "text": "Ciao {{1}}, il tuo ordine {{2}} è cambiato."}]}),
        json!({"name": "stato_ordine", "language": "en", "parameter_format": "POSITIONAL", "components": [
            {"type": "BODY", "text": "Hi {{1}}, your order {{2}} has changed."}]}),
        json!({"name": "avviso", "language": "it", "parameter_format": "NAMED", "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Avviso"},
            {"type": "BODY", "text": "Ciao {{nome}}."},
            {"type": "FOOTER", "text": "STOP per uscire"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Grazie"},
                {"type": "URL", "text": "Apri", "url": "https://negozio.example/{{1}}"}]}]}),
    ]
}

/// Returns a valid send of the first template.
pub(crate) fn order(to: &str) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "biz_opaque_callback_data": "m-1",
        "template": {"name": "stato_ordine", "language": {"code": "it"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Anna"}, {"type": "text", "text": "A-1"}]}]},
    })
}

/// Returns a valid send of the named template.
pub(crate) fn notice(to: &str) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "to": to,
        "type": "template",
        "template": {"name": "avviso", "language": {"code": "it"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "nome", "text": "Anna"}]},
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "a1"}]}]},
    })
}
