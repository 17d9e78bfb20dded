//! Signed requests: what a site with signatures accepts and refuses.

use domain::site::signing::Signing;
use jiff::{SignedDuration, Timestamp};
use kit::{Answer, World, order_status_changed, signed};
use serde_json::{Value, json};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How long a function may still use a key or a secret that was replaced.
const CACHED: SignedDuration = SignedDuration::from_secs(61);

/// A request in the making.
struct Request<'a> {
    world: &'a World,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl<'a> Request<'a> {
    fn of(world: &'a World, event: &Value) -> Self {
        Self { world, path: "/v1/events", headers: Vec::new(), body: event.to_string() }
    }

    fn signed_at(mut self, secret: &str, at: Timestamp) -> Self {
        self.headers = signed(secret, "order-1320", at, self.body.as_bytes()).unwrap().into();
        self
    }

    fn signed(self, secret: &str) -> Self {
        let now = self.world.clock.now();
        self.signed_at(secret, now)
    }

    /// Replaces a header, or removes it.
    fn with(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.headers.retain(|(one, _)| *one != name);
        self.headers.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    async fn send(self) -> Answer {
        let mut headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(("x-api-key", self.world.api_key()));
        self.world.request(self.path, &headers, self.body.as_bytes()).await.unwrap()
    }

    /// Returns the status and the name of the problem.
    async fn outcome(self) -> (u16, String) {
        let answer = self.send().await;
        let kind = answer.body["type"].as_str().unwrap_or_default();
        (answer.status, kind.replace("urn:passweb-bridge:problem:", ""))
    }
}

fn accepted() -> (u16, String) {
    (202, String::new())
}

fn refused(kind: &str) -> (u16, String) {
    (401, kind.to_owned())
}

#[tokio::test]
async fn a_site_that_requires_signatures_accepts_each_attempt_signed_anew() {
    let world = World::start().await.unwrap();
    world.set_signing(Signing::Required, &[OLD]).await.unwrap();
    let event = order_status_changed("e-1");
    assert_eq!(Request::of(&world, &event).signed(OLD).outcome().await, accepted());
    let first = world.clock.now();
    world.clock.advance(SignedDuration::from_mins(10));
    let late = Request::of(&world, &event).signed_at(OLD, first);
    assert_eq!(late.outcome().await, refused("signature-stale"));
    assert_eq!(Request::of(&world, &event).signed(OLD).outcome().await, accepted());
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_refusal_names_the_problem_and_comes_before_the_body_is_read() {
    let world = World::start().await.unwrap();
    world.set_signing(Signing::Required, &[OLD]).await.unwrap();
    let event = order_status_changed("e-1");
    let request = || Request::of(&world, &event);
    let (id, timestamp, signature) = ("webhook-id", "webhook-timestamp", "webhook-signature");
    for path in ["/v1/events", "/v1/events/batch", "/v1/events/validate"] {
        let unsigned = Request { path, body: "{".to_owned(), ..request() };
        assert_eq!(unsigned.outcome().await, refused("signature-missing"), "{path}");
    }
    for name in [id, timestamp, signature] {
        let without = request().signed(OLD).with(name, None).send().await;
        assert_eq!(without.body["type"], "urn:passweb-bridge:problem:signature-missing");
        assert!(without.body["detail"].as_str().unwrap().contains(name), "{without:?}");
    }
    let malformed = [(id, "{}"), (timestamp, "now"), (signature, " ")];
    for (name, value) in malformed {
        let request = request().signed(OLD).with(name, Some(value));
        assert_eq!(request.outcome().await, refused("signature-malformed"), "{name}");
    }
    let mismatch = refused("signature-mismatch");
    assert_eq!(request().signed(NEW).outcome().await, mismatch);
    assert_eq!(request().signed(OLD).with(id, Some("order-1321")).outcome().await, mismatch);
    let other_body = Request { body: json!({"events": []}).to_string(), ..request().signed(OLD) };
    assert_eq!(other_body.outcome().await, mismatch);
    for seconds in [-301, 301] {
        let at = world.clock.now() + SignedDuration::from_secs(seconds);
        assert_eq!(request().signed_at(OLD, at).outcome().await, refused("signature-stale"), "{seconds}");
    }
    for seconds in [-299, 299] {
        let at = world.clock.now() + SignedDuration::from_secs(seconds);
        assert_eq!(request().signed_at(OLD, at).outcome().await, accepted(), "{seconds}");
    }
    world.deliver().await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_signature_that_is_not_required_must_still_be_valid() {
    let world = World::start().await.unwrap();
    let event = order_status_changed("e-1");
    let request = || Request::of(&world, &event);
    // Without a secret, signatures are ignored.
    assert_eq!(request().signed(NEW).outcome().await, accepted());
    world.set_signing(Signing::Optional, &[OLD]).await.unwrap();
    world.clock.advance(CACHED);
    assert_eq!(request().outcome().await, accepted());
    assert_eq!(request().signed(OLD).outcome().await, accepted());
    assert_eq!(request().signed(NEW).outcome().await, refused("signature-mismatch"));
    assert_eq!(request().with("webhook-id", Some("x")).outcome().await, refused("signature-missing"));
    world.deliver().await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn two_secrets_are_valid_while_they_are_exchanged() {
    let world = World::start().await.unwrap();
    let event = order_status_changed("e-1");
    world.set_signing(Signing::Required, &[OLD, NEW]).await.unwrap();
    for secret in [OLD, NEW] {
        assert_eq!(Request::of(&world, &event).signed(secret).outcome().await, accepted());
    }
    world.set_signing(Signing::Required, &[NEW]).await.unwrap();
    world.clock.advance(CACHED);
    assert_eq!(Request::of(&world, &event).signed(OLD).outcome().await, refused("signature-mismatch"));
    assert_eq!(Request::of(&world, &event).signed(NEW).outcome().await, accepted());
    world.deliver().await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_signature_is_not_accepted_without_its_secret_or_with_a_wrong_key() {
    let world = World::start().await.unwrap();
    let event = order_status_changed("e-1");
    world.set_signing(Signing::Required, &[]).await.unwrap();
    let answer = Request::of(&world, &event).signed(OLD).outcome().await;
    assert_eq!(answer, (503, "not-ready".to_owned()));
    let body = event.to_string();
    let headers = signed(OLD, "order-1320", world.clock.now(), body.as_bytes()).unwrap();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.request("/v1/events", &headers, body.as_bytes()).await.unwrap().status, 401);
    world.finish().await.unwrap();
}
