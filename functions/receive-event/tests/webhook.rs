//! The path of a webhook from its request to the statuses queue and the tables, on emulators.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::primitives::id::SiteId;
use domain::queue::platform_event::PlatformEvent;
use domain::site::credential::webhook_id;
use domain::site::intake::EventsPerMinute;
use domain::webhook::{Mode, Webhook};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::{Body, Request, RequestExt};
use local::emulators::{DataDir, Emulators};
use receive_event::{App, Config, WEBHOOK_BYTES_MAX};
use runtime::Clock;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use sha2::Sha256;
use store::tables::{create_all, table_name};
use store::webhooks::Webhooks;

const STACK: &str = "bridge";
const APP_SECRET: &str = "app-secret";
const VERIFY_TOKEN: &str = "verify-token";
const TOKEN: &str = "static-token";

/// A site with a webhook, and the app that receives its requests.
struct World {
    app: App,
    webhooks: Webhooks,
    id: String,
    queue_url: String,
    /// Seconds since the start.
    seconds: Arc<AtomicI64>,
    emulators: Emulators,
}

impl World {
    /// Starts a site with the number 111 and the account 222.
    async fn start(mode: Mode) -> Self {
        let emulators = Emulators::start(DataDir::Memory).unwrap();
        create_all(&emulators.dynamodb(), STACK).await.unwrap();
        let queue = emulators.sqs().create_queue().queue_name("statuses").send().await.unwrap();
        let secret = json!({"app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN, "token": TOKEN}).to_string();
        let secrets = emulators.secrets();
        secrets.create_secret().name(format!("{STACK}/demo/inbound")).secret_string(secret).send().await.unwrap();
        let webhooks = Webhooks::new(emulators.dynamodb(), table_name(STACK, "Config"));
        let webhook =
            Webhook { site: site("demo"), mode, phone_number_ids: Vec::new(), waba_ids: Vec::new(), set_at: None };
        let id = webhook_id(&[7; 32]);
        webhooks.put(&id, &webhook).await.unwrap();
        webhooks.add_sender(&site("demo"), "111", "222").await.unwrap();
        let queue_url = queue.queue_url.unwrap();
        let seconds = Arc::new(AtomicI64::new(0));
        let app = app(&emulators, &queue_url, &seconds);
        Self { app, webhooks, id, queue_url, seconds, emulators }
    }

    fn path(&self) -> String {
        format!("/v1/webhooks/whatsapp/{}", self.id)
    }

    /// Posts a body to the site's webhook.
    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        post(&self.app, &self.path(), headers, body).await
    }

    async fn post_signed(&self, document: &Value) -> (u16, Value) {
        let body = document.to_string();
        self.post(&[("x-hub-signature-256", &signature(body.as_bytes()))], body.as_bytes()).await
    }

    /// Requests the challenge with these parameters.
    async fn get(&self, path: &str, query: &str) -> (u16, String) {
        let mut request = Request::new(Body::Empty);
        *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
        let request = request.with_query_string_parameters(query.parse::<QueryMap>().unwrap());
        let response = receive_event::handle(&self.app, request).await;
        let plain = response.headers()["content-type"] == "text/plain; charset=utf-8";
        let body = String::from_utf8(response.body().as_ref().to_vec()).unwrap();
        (response.status().as_u16(), if plain { body } else { String::new() })
    }

    /// Receives all platform events from the statuses queue.
    async fn platform_events(&self) -> Vec<PlatformEvent> {
        let sqs = self.emulators.sqs();
        let mut platform_events = Vec::new();
        loop {
            let request = sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let messages = request.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return platform_events;
            }
            for message in messages {
                platform_events.push(serde_json::from_str(message.body().unwrap()).unwrap());
                let handle = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(&self.queue_url).receipt_handle(handle).send().await.unwrap();
            }
        }
    }
}

fn app(emulators: &Emulators, statuses_queue_url: &str, seconds: &Arc<AtomicI64>) -> App {
    let config = Config {
        config_table: table_name(STACK, "Config"),
        events_queue_url: "http://127.0.0.1:9/none".to_owned(),
        statuses_queue_url: statuses_queue_url.to_owned(),
        stack: STACK.to_owned(),
        metrics: Metrics::kept(STACK, "receive-event"),
        events_per_minute: EventsPerMinute(NonZeroU32::MIN),
    };
    let seconds = Arc::clone(seconds);
    let clock = Clock::from_fn(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap());
    App::new(emulators.dynamodb(), emulators.sqs(), emulators.secrets(), config, clock)
}

async fn post(app: &App, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
    let mut request = Request::new(Body::Binary(body.to_vec()));
    *request.method_mut() = lambda_http::http::Method::POST;
    *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
    for (name, value) in headers {
        let name: lambda_http::http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let response = receive_event::handle(app, request).await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

fn site(id: &str) -> SiteId {
    SiteId::parse(id).unwrap()
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Returns a webhook body with `count` statuses of a number.
fn statuses(phone_number_id: &str, count: usize) -> Value {
    let statuses: Vec<Value> =
        (0..count).map(|index| json!({"id": format!("wamid.{index}"), "status": "sent", "timestamp": "1"})).collect();
    let value = json!({"metadata": {"phone_number_id": phone_number_id}, "statuses": statuses});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "222", "changes": [{"field": "messages", "value": value}]}]})
}

#[tokio::test]
async fn every_status_of_a_signed_webhook_is_in_the_queue() {
    let world = World::start(Mode::Signature).await;
    assert_eq!(world.post_signed(&statuses("111", 1000)).await, (200, json!({"received": 1000})));
    let mut ids: Vec<String> = world
        .platform_events()
        .await
        .into_iter()
        .map(|platform_event| match platform_event {
            PlatformEvent::Status { provider_id, .. } => provider_id,
            other => panic!("{other:?}"),
        })
        .collect();
    ids.sort();
    let mut expected: Vec<String> = (0..1000).map(|index| format!("wamid.{index}")).collect();
    expected.sort();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_webhook_is_recorded_as_working_at_most_once_an_hour() {
    let world = World::start(Mode::Signature).await;
    let seen = async || world.webhooks.last_request(&world.id).await.unwrap().map(Timestamp::as_second);
    let at = |seconds: i64| world.seconds.store(seconds, Ordering::SeqCst);
    world.post(&[("x-hub-signature-256", "sha256=00")], b"{}").await;
    world.post_signed(&json!({"entry": []})).await;
    assert_eq!(world.post_signed(&statuses("999", 1)).await.1, json!({"received": 0}));
    assert_eq!(seen().await, None, "nothing of the site came");
    for (seconds, recorded) in [(10, 10), (3609, 10), (3611, 3611)] {
        at(seconds);
        world.post_signed(&statuses("111", 1)).await;
        assert_eq!(seen().await, Some(recorded), "after {seconds} s");
    }
    // Another execution does not write what is recorded.
    let another = app(&world.emulators, &world.queue_url, &world.seconds);
    let body = statuses("111", 1).to_string();
    let header = signature(body.as_bytes());
    at(3650);
    let (status, _) = post(&another, &world.path(), &[("x-hub-signature-256", &header)], body.as_bytes()).await;
    assert_eq!((status, seen().await), (200, Some(3611)));
    // A new secret must be proven anew.
    let webhook = world.webhooks.webhook(&world.id).await.unwrap().unwrap();
    let set_at = Some(Timestamp::from_second(3650).unwrap());
    world.webhooks.put(&world.id, &Webhook { set_at, ..webhook }).await.unwrap();
    // Until an execution no longer accepts the former secret, a request proves nothing.
    at(3709);
    world.post_signed(&statuses("111", 1)).await;
    assert_eq!(seen().await, Some(3611));
    at(3710);
    world.post_signed(&statuses("111", 1)).await;
    assert_eq!(seen().await, Some(3710));
}

#[tokio::test]
async fn only_the_exact_signed_bytes_are_accepted() {
    let world = World::start(Mode::Signature).await;
    // Meta escapes non-ASCII characters, so serialising the JSON again changes its bytes.
    let body = br#"{"entry": [ {"changes":[]} ], "note":"\u00e8"}"#;
    let header = signature(body);
    assert_eq!(world.post(&[("x-hub-signature-256", &header)], body).await.0, 200);
    let again = serde_json::from_slice::<Value>(body).unwrap().to_string();
    assert_eq!(world.post(&[("x-hub-signature-256", &header)], again.as_bytes()).await.0, 401);
    let twice = [("x-hub-signature-256", header.as_str()), ("x-hub-signature-256", header.as_str())];
    let refused: [&[(&str, &str)]; 4] = [&[], &[("x-hub-signature-256", "sha256=00")], &[("x-token", TOKEN)], &twice];
    for headers in refused {
        let (status, problem) = world.post(headers, body).await;
        assert_eq!((status, &problem["status"]), (401, &json!(401)), "{headers:?}");
    }
}

#[tokio::test]
async fn a_static_token_is_accepted_only_in_the_sites_header() {
    let world = World::start(Mode::Token { header: "X-Token".to_owned() }).await;
    let document = statuses("111", 1).to_string();
    assert_eq!(world.post(&[("x-token", TOKEN)], document.as_bytes()).await, (200, json!({"received": 1})));
    let signed = signature(document.as_bytes());
    for headers in [[("x-token", "another")], [("x-hub-signature-256", signed.as_str())], [("authorization", TOKEN)]] {
        assert_eq!(world.post(&headers, document.as_bytes()).await.0, 401, "{headers:?}");
    }
    assert_eq!(world.platform_events().await.len(), 1);
}

#[tokio::test]
async fn an_unknown_webhook_is_404_and_an_invalid_body_is_400_or_413() {
    let world = World::start(Mode::Signature).await;
    let body = b"not json";
    let header = signature(body);
    let signed = [("x-hub-signature-256", header.as_str())];
    assert_eq!(world.post(&signed, body).await.0, 400);
    let elsewhere = webhook_id(&[8; 32]);
    for id in ["", "x/y", "%20", elsewhere.as_str()] {
        let (status, problem) = post(&world.app, &format!("/v1/webhooks/whatsapp/{id}"), &signed, body).await;
        assert_eq!((status, &problem["type"]), (404, &json!("urn:passweb-bridge:problem:not-found")), "{id}");
    }
    let large = vec![b' '; WEBHOOK_BYTES_MAX + 1];
    assert_eq!(world.post(&[], &large).await.0, 413);
    let header = signature(&large[1..]);
    assert_eq!(world.post(&[("x-hub-signature-256", header.as_str())], &large[1..]).await.0, 400, "just small enough");
}

#[tokio::test]
async fn the_challenge_is_returned_only_for_the_right_token() {
    let world = World::start(Mode::Signature).await;
    let query = |mode: &str, token: &str| format!("hub.mode={mode}&hub.challenge=1158201444&hub.verify_token={token}");
    let path = world.path();
    assert_eq!(world.get(&path, &query("subscribe", VERIFY_TOKEN)).await, (200, "1158201444".to_owned()));
    let underscores = query("subscribe", VERIFY_TOKEN).replace("hub.", "hub_");
    assert_eq!(world.get(&path, &underscores).await.0, 200);
    let long = query("subscribe", VERIFY_TOKEN).replace("1158201444", &"1".repeat(257));
    for query in [query("subscribe", "another"), query("unsubscribe", VERIFY_TOKEN), long, String::new()] {
        assert_eq!(world.get(&path, &query).await, (403, String::new()), "{query}");
    }
    assert_eq!(world.get("/v1/webhooks/whatsapp/another", &query("subscribe", VERIFY_TOKEN)).await.0, 404);
}

#[tokio::test]
async fn a_webhook_is_503_when_sqs_is_unreachable() {
    let world = World::start(Mode::Signature).await;
    let app = app(&world.emulators, "http://127.0.0.1:9/none", &world.seconds);
    let body = statuses("111", 1).to_string();
    let header = signature(body.as_bytes());
    let headers = [("x-hub-signature-256", header.as_str())];
    let (status, problem) = post(&app, &world.path(), &headers, body.as_bytes()).await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:passweb-bridge:problem:not-queued")));
}

#[tokio::test]
async fn a_webhook_is_503_when_its_secret_has_no_value() {
    let world = World::start(Mode::Signature).await;
    let secrets = world.emulators.secrets();
    let name = format!("{STACK}/demo/inbound");
    secrets.put_secret_value().secret_id(name).secret_string("{}").send().await.unwrap();
    assert_eq!(world.post_signed(&statuses("111", 1)).await.0, 503, "Meta keeps it until somebody repaired the secret");
}

#[tokio::test]
async fn a_number_is_accepted_as_soon_as_it_is_added_to_the_site() {
    let world = World::start(Mode::Signature).await;
    assert_eq!(world.post_signed(&statuses("333", 1)).await, (200, json!({"received": 0})));
    world.webhooks.add_sender(&site("demo"), "333", "222").await.unwrap();
    assert_eq!(world.post_signed(&statuses("333", 1)).await, (200, json!({"received": 1})));
}

#[tokio::test]
async fn a_replaced_webhook_is_404_within_a_minute() {
    let world = World::start(Mode::Signature).await;
    assert_eq!(world.post_signed(&statuses("111", 1)).await.0, 200);
    let webhook = world.webhooks.webhook(&world.id).await.unwrap().unwrap();
    let successor = webhook_id(&[9; 32]);
    world.webhooks.put(&successor, &webhook).await.unwrap();
    world.seconds.store(60, Ordering::SeqCst);
    assert_eq!(world.post_signed(&statuses("111", 1)).await.0, 404);
    assert_eq!(world.webhooks.webhook_id_of(&site("demo")).await.unwrap(), Some(successor));
}

#[tokio::test]
async fn the_sites_of_a_number_are_listed() {
    let world = World::start(Mode::Signature).await;
    world.webhooks.add_sender(&site("other"), "111", "222").await.unwrap();
    assert_eq!(world.webhooks.sites_of("111").await.unwrap(), [site("demo"), site("other")]);
    assert_eq!(world.webhooks.webhook_id_of(&site("other")).await.unwrap(), None);
    let webhook = world.webhooks.webhook(&world.id).await.unwrap().unwrap();
    assert_eq!((webhook.phone_number_ids, webhook.waba_ids), (vec!["111".to_owned()], vec!["222".to_owned()]));
    world.webhooks.remove(&site("demo")).await.unwrap();
    assert_eq!(world.webhooks.sites_of("111").await.unwrap(), [site("other")]);
    assert_eq!(world.webhooks.webhook(&world.id).await.unwrap(), None);
    assert_eq!(world.webhooks.webhook_id_of(&site("demo")).await.unwrap(), None);
}
