//! Tests with a worker that is simulated over HTTP: the events it receives, and the outcome of events it does not
//! answer.

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::*;

/// How long a condition may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(10);

struct Fixture {
    api: RuntimeApi,
    base: String,
    http: Client,
}

impl Fixture {
    async fn start(timeout: Duration) -> Self {
        let api = RuntimeApi::new([("echo", timeout)]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = api.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { api, base, http: Client::new() }
    }

    fn invoke(&self, payload: &Value) -> tokio::task::JoinHandle<Answer> {
        let (api, payload) = (self.api.clone(), payload.to_string().into_bytes());
        tokio::spawn(async move { api.invoke("echo", payload).await })
    }

    fn url(&self, worker: &str, path: &str) -> String {
        format!("{}/{worker}/2018-06-01/runtime/{path}", self.base)
    }

    async fn next(&self, worker: &str) -> Response {
        let asked = self.http.get(self.url(worker, "invocation/next")).send();
        tokio::time::timeout(PATIENCE, asked).await.expect("an event within the limit").unwrap()
    }

    async fn post(&self, worker: &str, path: &str, body: &Value) -> u16 {
        self.http.post(self.url(worker, path)).json(body).send().await.unwrap().status().as_u16()
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_event_carries_a_true_deadline_and_its_answer_comes_back() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let worker = fixture.api.enlist("echo").id;
    let invoked = fixture.invoke(&json!({"hello": "world"}));
    let before = clock::now().as_millisecond();
    let event = fixture.next(&worker).await;
    let left = header(&event, "lambda-runtime-deadline-ms").parse::<i64>().unwrap() - before;
    assert!((59_000..=61_000).contains(&left), "{left} ms left of 60 s");
    assert_eq!(
        header(&event, "lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:eu-south-1:000000000000:function:echo"
    );
    assert!(header(&event, "lambda-runtime-trace-id").starts_with("Root=1-"));
    let id = header(&event, "lambda-runtime-aws-request-id");
    assert_eq!(event.json::<Value>().await.unwrap(), json!({"hello": "world"}));
    assert_eq!(fixture.post(&worker, &format!("invocation/{id}/response"), &json!("done")).await, 202);
    assert_eq!(invoked.await.unwrap().unwrap(), "\"done\"");
    assert_eq!(fixture.post(&worker, &format!("invocation/{id}/response"), &json!("again")).await, 400);
}

#[tokio::test]
async fn a_reported_error_reaches_the_caller() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let worker = fixture.api.enlist("echo").id;
    let invoked = fixture.invoke(&json!({}));
    let id = header(&fixture.next(&worker).await, "lambda-runtime-aws-request-id");
    let diagnostic = json!({"errorType": "Panic", "errorMessage": "out of cheese"});
    assert_eq!(fixture.post(&worker, &format!("invocation/{id}/error"), &diagnostic).await, 202);
    let expected = InvokeError::Failed { error_type: "Panic".into(), message: "out of cheese".into() };
    assert_eq!(invoked.await.unwrap(), Err(expected));
}

#[tokio::test]
async fn an_event_not_answered_in_time_condemns_its_worker() {
    let timeout = Duration::from_millis(50);
    let fixture = Fixture::start(timeout).await;
    let worker = fixture.api.enlist("echo");
    let invoked = fixture.invoke(&json!({}));
    let id = header(&fixture.next(&worker.id).await, "lambda-runtime-aws-request-id");
    assert_eq!(invoked.await.unwrap(), Err(InvokeError::TimedOut(timeout)));
    tokio::time::timeout(PATIENCE, worker.condemned.notified()).await.expect("condemned within the limit");
    assert_eq!(fixture.post(&worker.id, &format!("invocation/{id}/response"), &json!("late")).await, 400);
}

#[tokio::test]
async fn a_dead_workers_event_fails_and_the_next_one_goes_to_its_successor() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let first = fixture.api.enlist("echo").id;
    let held = fixture.invoke(&json!(1));
    fixture.next(&first).await;
    assert!(fixture.api.dismiss(&first, "signal 9"), "it had served");
    assert_eq!(held.await.unwrap(), Err(InvokeError::Exited("signal 9".into())));
    assert_eq!(fixture.next(&first).await.status(), 403);
    let second = fixture.api.enlist("echo").id;
    let _waiting = fixture.invoke(&json!(2));
    assert_eq!(fixture.next(&second).await.json::<Value>().await.unwrap(), json!(2));
}

#[tokio::test]
async fn a_function_that_cannot_start_fails_its_waiting_events() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let worker = fixture.api.enlist("echo").id;
    let waiting = fixture.invoke(&json!({}));
    while fixture.api.state().functions["echo"].pending.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!fixture.api.dismiss(&worker, "exit status 1"), "it never served");
    assert_eq!(waiting.await.unwrap(), Err(InvokeError::Exited("exit status 1".into())));
}

#[tokio::test]
async fn an_abandoned_event_is_not_handed_out() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let given_up = fixture.invoke(&json!("given up"));
    while fixture.api.state().functions["echo"].pending.is_empty() {
        tokio::task::yield_now().await;
    }
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    let worker = fixture.api.enlist("echo").id;
    let _wanted = fixture.invoke(&json!("wanted"));
    assert_eq!(fixture.next(&worker).await.json::<Value>().await.unwrap(), json!("wanted"));
    assert_eq!(fixture.api.invoke("nobody", Vec::new()).await, Err(InvokeError::Unknown));
}

#[tokio::test]
async fn two_workers_share_the_events_of_their_function() {
    let fixture = Fixture::start(Duration::from_secs(60)).await;
    let workers = [fixture.api.enlist("echo").id, fixture.api.enlist("echo").id];
    let (one, two) = (fixture.next(&workers[0]), fixture.next(&workers[1]));
    let invoked = [fixture.invoke(&json!(1)), fixture.invoke(&json!(2))];
    let (one, two) = tokio::join!(one, two);
    fixture.api.ready().await;
    for (worker, event) in workers.iter().zip([one, two]) {
        let id = header(&event, "lambda-runtime-aws-request-id");
        let payload: Value = event.json().await.unwrap();
        fixture.post(worker, &format!("invocation/{id}/response"), &payload).await;
    }
    for (invoked, expected) in invoked.into_iter().zip(["1", "2"]) {
        assert_eq!(invoked.await.unwrap().unwrap(), expected);
    }
}
