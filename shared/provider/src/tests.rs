use std::io;

use domain::decision::render::Filled;
use domain::primitives::id::AccountId;
use domain::primitives::language::Language;
use domain::primitives::phone::{Country, Phone};
use domain::template::Placeholder;
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn account(base_url: &str) -> Account {
    Account {
        id: AccountId::parse("main").unwrap(),
        active: true,
        base_url: base_url.to_owned(),
        phone_number_id: "111".to_owned(),
        phone_number_id_in_path: true,
        waba_id: "222".to_owned(),
        token_header: "Authorization".to_owned(),
        token_scheme: "Bearer".to_owned(),
        throughput: 80,
        came_later: false,
    }
}

fn outgoing<'a>(account: &'a Account, language: &'a Language, values: &[(&str, &str)]) -> Outgoing<'a> {
    let values = values.iter().map(|(name, value)| (Placeholder::parse(name).unwrap(), (*value).to_owned())).collect();
    Outgoing {
        account,
        phone: Phone::parse("340 1234567", Country::ITALY).unwrap(),
        template: "avviso",
        language,
        header: None,
        body: Filled { values, text: String::new() },
        buttons: Vec::new(),
        marketing: false,
        useful_until: jiff::Timestamp::MAX,
    }
}

fn token() -> AccountToken {
    AccountToken { token: SecretString::from("EAAG-secret"), host: None }
}

/// Starts a server that answers each connection with the next of `answers`, after it has read the whole request.
/// Returns the requests. An empty answer closes the connection.
async fn server(answers: Vec<String>) -> (String, tokio::task::JoinHandle<io::Result<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await?;
            requests.push(read_request(&mut stream).await?);
            stream.write_all(answer.as_bytes()).await?;
        }
        Ok(requests)
    });
    (base_url, serving)
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> io::Result<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) || read == 0 {
            return Ok(text);
        }
    }
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn send_to(answers: Vec<String>) -> (Result<Accepted, SendError>, Vec<String>) {
    let (base_url, serving) = server(answers).await;
    let (account, language) = (account(&base_url), Language::italian());
    let provider = Provider::new(Network::Any).unwrap();
    let result = provider.send(&outgoing(&account, &language, &[("1", "Anna")]), &token(), "e.m").await;
    (result, serving.await.unwrap().unwrap())
}

#[tokio::test]
async fn an_accepted_send_returns_the_id_and_makes_a_correct_request() {
    let body = r#"{"contacts":[null],"messages":[{"id":"wamid.1","message_status":"accepted"}]}"#;
    let (result, requests) = send_to(vec![answer("200 OK", body)]).await;
    let expected = Accepted { provider_id: "wamid.1".to_owned(), note: Some("accepted".to_owned()) };
    assert_eq!(result, Ok(expected));
    let request = requests.first().unwrap();
    assert!(request.starts_with("POST /v1/111/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer EAAG-secret\r\n"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
}

#[tokio::test]
async fn a_success_without_an_id_is_unknown() {
    for body in ["", "{}", r#"{"messages":[null]}"#, r#"{"messages":[{"id":""}]}"#, "<html>"] {
        let (result, _) = send_to(vec![answer("200 OK", body)]).await;
        assert_eq!(result, Err(SendError::unknown("the answer has no message id".to_owned())), "{body}");
    }
}

#[tokio::test]
async fn a_connection_cut_after_the_request_is_unknown_and_not_repeated() {
    let (result, requests) = send_to(vec![String::new()]).await;
    assert!(matches!(result, Err(SendError::Unknown { .. })), "{result:?}");
    assert_eq!(requests.len(), 1);
    let cut_within = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":[{\"id\":\"wamid.1\"".to_owned();
    let (result, _) = send_to(vec![cut_within]).await;
    assert!(matches!(result, Err(SendError::Unknown { .. })), "{result:?}");
    let (result, _) = send_to(vec![answer("200 OK", &"x".repeat(ANSWER_BYTES_MAX + 1))]).await;
    assert!(matches!(result, Err(SendError::Unknown { .. })), "{result:?}");
}

#[tokio::test]
async fn a_refused_connection_counts_as_not_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (account, language) = (account(&base_url), Language::italian());
    let result = Provider::new(Network::Any).unwrap().send(&outgoing(&account, &language, &[]), &token(), "e.m").await;
    assert!(matches!(result, Err(SendError::NotAccepted { .. })), "{result:?}");
}

#[tokio::test]
async fn a_base_url_without_https_is_not_called() {
    let (account, language) = (account("http://127.0.0.1:9/v1"), Language::italian());
    let result = Provider::new(Network::Public).unwrap().send(&outgoing(&account, &language, &[]), &token(), "e").await;
    let Err(SendError::NotAccepted { failure, .. }) = result else { panic!("{result:?}") };
    assert_eq!(failure.details, "the account's base URL cannot be used: it is not https");
}

#[tokio::test]
async fn a_token_is_sent_to_the_host_it_is_stored_for_only() {
    let (base_url, serving) = server(vec![answer("200 OK", r#"{"messages":[{"id":"wamid.1"}]}"#)]).await;
    let (account, language) = (account(&base_url), Language::italian());
    let provider = Provider::new(Network::Any).unwrap();
    for other in ["127.0.0.1", "127.0.0.1:1", "api.example.com", ""] {
        let elsewhere = AccountToken { host: Some(other.to_owned()), ..token() };
        let result = provider.send(&outgoing(&account, &language, &[]), &elsewhere, "e").await;
        let Err(SendError::NotAccepted { failure, .. }) = result else { panic!("{other}: {result:?}") };
        assert_eq!(failure.details, SetupError::Host.to_string(), "{other}");
        let listed = provider.templates(&account, &elsewhere).await;
        assert!(matches!(listed, Err(ListError::Setup(SetupError::Host))), "{other}: {listed:?}");
    }
    let here = AccountToken { host: host(&base_url), ..token() };
    provider.send(&outgoing(&account, &language, &[]), &here, "e").await.unwrap();
    assert_eq!(serving.await.unwrap().unwrap().len(), 1, "no refused call reached the server");
}

#[test]
fn a_host_has_its_port_unless_that_is_the_default() {
    let hosts = [
        ("https://api.example.com/v1", Some("api.example.com")),
        ("https://API.Example.com:443", Some("api.example.com")),
        ("https://api.example.com:8443/", Some("api.example.com:8443")),
        ("https://user@evil.example/api.example.com", Some("evil.example")),
        ("https://[::1]:9/", Some("[::1]:9")),
        ("api.example.com", None),
        ("data:x", None),
    ];
    for (base_url, expected) in hosts {
        assert_eq!(host(base_url).as_deref(), expected, "{base_url}");
    }
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let secret = AccountToken { token: SecretString::from("bad\ntoken"), host: None };
    let (account, language) = (account("http://127.0.0.1:9/v1"), Language::italian());
    let result = Provider::new(Network::Any).unwrap().send(&outgoing(&account, &language, &[]), &secret, "e").await;
    assert!(!format!("{result:?}{secret:?}").contains("bad"), "{result:?}");
}

#[tokio::test]
async fn the_path_and_the_tokens_header_are_settings() {
    let (base_url, serving) = server(vec![answer("200 OK", r#"{"messages":[{"id":"wamid.1"}]}"#)]).await;
    let language = Language::italian();
    let account = Account {
        phone_number_id_in_path: false,
        token_header: "D360-API-KEY".to_owned(),
        token_scheme: String::new(),
        ..account(&format!("{base_url}/"))
    };
    let provider = Provider::new(Network::Any).unwrap();
    provider.send(&outgoing(&account, &language, &[]), &token(), "e.m").await.unwrap();
    let requests = serving.await.unwrap().unwrap();
    let request = requests.first().unwrap();
    assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("d360-api-key: EAAG-secret\r\n"), "{request}");
}

fn row(name: &str, components: &Value) -> Value {
    json!({"id": "1", "name": name, "language": "it", "status": "APPROVED", "category": "UTILITY",
           "parameter_format": "POSITIONAL", "components": components})
}

#[tokio::test]
async fn a_list_is_read_page_by_page_until_there_is_no_next() {
    let body = json!([{"type": "BODY", "text": "Ciao {{1}}."}]);
    let first =
        json!({"data": [row("one", &body)], "paging": {"cursors": {"after": "c=1&x"}, "next": "https://evil/?t"}});
    let second = json!({"data": [], "paging": {"cursors": {"after": "c2"}, "next": "x"}});
    let third = json!({"data": [row("two", &body)], "paging": {"cursors": {"after": "c3"}}});
    let pages = [first, second, third].iter().map(|page| answer("200 OK", &page.to_string())).collect();
    let (base_url, serving) = server(pages).await;
    let templates = Provider::new(Network::Any).unwrap().templates(&account(&base_url), &token()).await.unwrap();
    let names: Vec<&str> = templates.iter().map(|template| template.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    let requests = serving.await.unwrap().unwrap();
    assert!(requests[0].starts_with("GET /v1/222/message_templates?fields="), "{}", requests[0]);
    assert!(requests[1].contains("after=c%3D1%26x "), "{}", requests[1]);
}

#[tokio::test]
async fn an_incomplete_list_is_an_error() {
    let first = json!({"data": [], "paging": {"cursors": {"after": "c1"}, "next": "x"}}).to_string();
    let broken =
        [answer("500 Oops", r#"{"error":{"code":2}}"#), answer("200 OK", "{"), answer("200 OK", "{}"), String::new()];
    for second in broken {
        let (base_url, _serving) = server(vec![answer("200 OK", &first), second.clone()]).await;
        let result = Provider::new(Network::Any).unwrap().templates(&account(&base_url), &token()).await;
        assert!(result.is_err(), "{second}");
    }
}
