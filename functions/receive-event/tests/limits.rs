//! The limit of an API key over several executions, on emulators.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::event::example::filled;
use domain::primitives::id::SiteId;
use domain::site::config::Site;
use domain::site::credential::{SECRET_BYTES, StoredKey};
use domain::site::intake::EventsPerMinute;
use jiff::Timestamp;
use lambda_http::{Body, Request};
use local::emulators::{DataDir, Emulators};
use receive_event::{App, Config};
use runtime::Clock;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use store::config::ConfigTable;
use store::tables::{create_all, table_name};

const STACK: &str = "bridge";
/// 2026-11-22T09:15:00Z, in seconds since 1970.
const BEGAN: i64 = 1_795_338_900;

/// Two executions of the function, and the keys of two sites.
struct World {
    executions: [App; 2],
    keys: [String; 2],
    seconds: Arc<AtomicI64>,
    config: ConfigTable,
    _emulators: Emulators,
}

impl World {
    async fn start(limit: u32) -> Self {
        let emulators = Emulators::start(DataDir::Memory).unwrap();
        create_all(&emulators.dynamodb(), STACK).await.unwrap();
        let queue = emulators.sqs().create_queue().queue_name("events").send().await.unwrap();
        let seconds = Arc::new(AtomicI64::new(BEGAN));
        let execution = || {
            let config = Config {
                config_table: table_name(STACK, "Config"),
                events_queue_url: queue.queue_url.clone().unwrap(),
                statuses_queue_url: "http://127.0.0.1:9/none".to_owned(),
                stack: STACK.to_owned(),
                metrics: Metrics::kept(STACK, "receive-event"),
                events_per_minute: EventsPerMinute(NonZeroU32::new(limit).unwrap()),
            };
            let seconds = Arc::clone(&seconds);
            let clock = Clock::from_fn(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap());
            App::new(emulators.dynamodb(), emulators.sqs(), emulators.secrets(), config, clock)
        };
        let config = ConfigTable::new(emulators.dynamodb(), table_name(STACK, "Config"));
        let mut keys = Vec::new();
        for (site, id) in [("demo", "k1"), ("outlet", "k2")] {
            let (stored, key) = StoredKey::create(SiteId::parse(site).unwrap(), id, &[1; SECRET_BYTES]);
            config.put_key(&stored).await.unwrap();
            keys.push(key);
        }
        let executions = [execution(), execution()];
        Self { executions, keys: keys.try_into().unwrap(), seconds, config, _emulators: emulators }
    }

    /// Posts to one of the executions with one of the keys. Returns the status and `Retry-After`.
    async fn post(&self, execution: usize, key: usize, path: &str, body: &Value) -> (u16, Option<String>) {
        let mut request = Request::new(Body::Text(body.to_string()));
        *request.method_mut() = lambda_http::http::Method::POST;
        *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("x-api-key", self.keys.get(key).unwrap().parse().unwrap());
        let response = receive_event::handle(self.executions.get(execution).unwrap(), request).await;
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), wait)
    }
}

fn event(number: usize) -> Value {
    let example = include_str!("../../../docs/events/examples/order.status_changed.json");
    let mut event: Value = serde_json::from_str(&filled(example, "2026-11-22T09:15:00Z".parse().unwrap())).unwrap();
    event.as_object_mut().unwrap().insert("id".to_owned(), json!(format!("e-{number}")));
    event
}

#[tokio::test]
async fn the_limit_of_a_key_holds_over_executions_and_minutes() {
    let world = World::start(40).await;
    for minute in 0..2 {
        let mut accepted = 0;
        for number in 0..100 {
            match world.post(number % 2, 0, "/v1/events", &event(number)).await {
                (202, None) => accepted += 1,
                (429, Some(wait)) => assert_eq!(wait, "60"),
                other => panic!("{minute}: {other:?}"),
            }
        }
        assert!((40..=42).contains(&accepted), "{accepted} in minute {minute}: each execution may not know one event");
        assert_eq!(world.post(0, 1, "/v1/events", &event(0)).await, (202, None), "another key");
        world.seconds.fetch_add(60, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn each_accepted_event_of_a_batch_counts() {
    let world = World::start(40).await;
    let events: Vec<Value> = (0..30).map(event).chain((0..10).map(|_| json!({}))).collect();
    let batch = json!({"events": events});
    world.seconds.fetch_add(45, Ordering::SeqCst);
    assert_eq!(world.post(0, 0, "/v1/events/batch", &batch).await, (202, None));
    assert_eq!(world.post(0, 0, "/v1/events/batch", &batch).await, (202, None), "the limit was not used up before");
    assert_eq!(world.post(0, 0, "/v1/events/batch", &batch).await, (429, Some("15".to_owned())));
    assert_eq!(world.post(1, 0, "/v1/events", &event(1)).await, (202, None), "not known there yet");
    assert_eq!(world.post(1, 0, "/v1/events", &event(2)).await, (429, Some("15".to_owned())));
}

#[tokio::test]
async fn a_dry_run_counts_as_an_event_and_the_count_is_not_written() {
    let world = World::start(40).await;
    world.config.put_site(&Site::new(SiteId::parse("demo").unwrap())).await.unwrap();
    for number in 0..40 {
        assert_eq!(world.post(0, 0, "/v1/events/validate", &event(number)).await, (200, None));
    }
    let minute = jiff::Timestamp::from_second(BEGAN).unwrap().as_second().div_euclid(60);
    let share = domain::site::intake::Share { minute, events: 1 };
    assert_eq!(world.config.share_usage("k1", share).await.unwrap(), 1, "nothing was shared");
    for path in ["/v1/events/validate", "/v1/events"] {
        assert_eq!(world.post(0, 0, path, &event(40)).await, (429, Some("60".to_owned())), "{path}");
    }
}

#[tokio::test]
async fn an_execution_that_is_behind_does_not_reset_a_minute() {
    let world = World::start(40).await;
    let share = |minute, events| domain::site::intake::Share { minute, events };
    assert_eq!(world.config.share_usage("k1", share(7, 5)).await.unwrap(), 5);
    assert_eq!(world.config.share_usage("k1", share(7, 6)).await.unwrap(), 11);
    assert_eq!(world.config.share_usage("k1", share(8, 1)).await.unwrap(), 1);
    assert!(world.config.share_usage("k1", share(7, 9)).await.is_err(), "its minute is over");
    assert_eq!(world.config.share_usage("k1", share(8, 1)).await.unwrap(), 2);
}
