//! Tests the HTTP front with a real function behind it.

use std::{net::SocketAddr, time::Duration};

use axum::http::Method;
use local::gateway::{Route, router};
use serde_json::{Value, json};

use crate::Fixture;

async fn start(timeout: Duration) -> (Fixture, String) {
    let fixture = Fixture::start(1, timeout).await;
    let route = |path, function| Route { method: Method::POST, path, function };
    let routes = vec![route("/echo", "stand-in"), route("/hooks/{id}", "stand-in"), route("/nowhere", "missing")];
    let front = router(fixture.api.clone(), routes, "home".to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = front.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (fixture, url)
}

async fn post(url: String, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_request_reaches_its_function_and_comes_back() {
    let (_fixture, url) = start(Duration::from_secs(60)).await;
    let (status, event) = post(format!("{url}/echo?a=1"), "{\"name\":\"Citt\u{e0}\"}").await;
    assert_eq!(status, 200);
    assert_eq!(event["routeKey"], "POST /echo");
    assert_eq!(event["queryStringParameters"]["a"], "1");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["body"], "{\"name\":\"Città\"}");
}

#[tokio::test]
async fn a_path_parameter_is_passed_to_the_function() {
    let (_fixture, url) = start(Duration::from_secs(60)).await;
    let (status, event) = post(format!("{url}/hooks/h-1"), "{}").await;
    assert_eq!(status, 200);
    assert_eq!(event["routeKey"], "POST /hooks/{id}");
    assert_eq!(event["rawPath"], "/hooks/h-1");
    assert_eq!(event["pathParameters"], json!({"id": "h-1"}));
}

#[tokio::test]
async fn a_path_without_a_route_is_not_found() {
    let (_fixture, url) = start(Duration::from_secs(60)).await;
    for path in ["/echo/", "/", "/v2", "/hooks", "/hooks/", "/hooks/a/b"] {
        assert_eq!(post(format!("{url}{path}"), "{}").await, (404, json!({"message": "Not Found"})), "{path}");
    }
    assert_eq!(reqwest::Client::new().get(&url).send().await.unwrap().text().await.unwrap(), "home");
}

#[tokio::test]
async fn a_body_larger_than_a_function_accepts_is_413() {
    let (_fixture, url) = start(Duration::from_secs(60)).await;
    let too_long = (413, json!({"message": "Request Too Long"}));
    for megabytes in [6, 7, 20] {
        assert_eq!(post(format!("{url}/echo"), "x".repeat(megabytes * 1024 * 1024)).await, too_long);
    }
    let (status, event) = post(format!("{url}/echo"), "x".repeat(1024 * 1024)).await;
    assert_eq!((status, event["body"].as_str().unwrap().len()), (200, 1024 * 1024));
}

#[tokio::test]
async fn a_function_that_fails_or_overruns_is_unavailable() {
    let (_fixture, url) = start(Duration::from_millis(300)).await;
    let unavailable = (503, json!({"message": "Service Unavailable"}));
    for order in ["fail", "exit", "hang"] {
        assert_eq!(post(format!("{url}/echo"), json!({"do": order}).to_string()).await, unavailable, "{order}");
    }
    assert_eq!(post(format!("{url}/nowhere"), "{}").await, unavailable);
    assert_eq!(post(format!("{url}/echo"), "{}").await.0, 200, "the replacement answers");
}
