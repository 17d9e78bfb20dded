//! The services of AWS that the embedded emulators do not have: CloudFormation, STS, Lambda and backups. Every other call
//! to DynamoDB goes on to the emulator. It also answers as the HTTP API, so that its `Date` can be changed.

// Not every test binary changes the answers.
#![allow(dead_code)]

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use runtime::Clock;
use serde_json::json;

use crate::bridge::Bridge;

/// The name of the stack, which the secrets of the world begin with.
pub(crate) const STACK: &str = "story";

/// Answers that a test can change.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) stack_status: &'static str,
    pub(crate) quota: i32,
    /// The version in the description of `send-message`.
    pub(crate) sender: String,
    /// The functions that exist.
    pub(crate) functions: usize,
    pub(crate) recovery: &'static str,
    pub(crate) is_known: bool,
    /// How far the API's clock is ahead.
    pub(crate) ahead: SignedDuration,
}

struct Shared {
    answers: Mutex<Answers>,
    dynamodb: String,
    outputs: String,
    http: reqwest::Client,
}

/// The running services.
pub(crate) struct Front {
    url: String,
    shared: Arc<Shared>,
}

/// Returns the description of a function of this version.
pub(crate) fn own_version() -> String {
    format!("{}, queue contract {}", env!("CARGO_PKG_VERSION"), domain::queue::CONTRACT)
}

impl Front {
    pub(crate) async fn start(bridge: &Bridge, dynamodb: String) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let sqs = bridge.variable("AWS_ENDPOINT_URL_SQS")?;
        let outputs = [
            ("ApiUrl", url.clone()),
            ("ConfigTableName", bridge.variable("BRIDGE_CONFIG_TABLE")?),
            ("ContactsTableName", bridge.variable("BRIDGE_CONTACTS_TABLE")?),
            ("LedgerTableName", bridge.variable("BRIDGE_LEDGER_TABLE")?),
            ("ScheduleTableName", bridge.variable("BRIDGE_SCHEDULE_TABLE")?),
            ("EventsQueueUrl", bridge.variable("BRIDGE_EVENTS_QUEUE_URL")?),
            ("StatusesQueueUrl", bridge.variable("BRIDGE_STATUSES_QUEUE_URL")?),
            ("MissedTicksUrl", format!("{sqs}/000000000000/missed")),
            ("FailedInvocationsUrl", format!("{sqs}/000000000000/failed")),
            ("StatusesDeadLettersUrl", format!("{sqs}/000000000000/statuses-dead")),
        ];
        let output = |(key, value): &(&str, String)| {
            format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
        };
        let answers = Answers {
            stack_status: "UPDATE_COMPLETE",
            quota: 10,
            sender: own_version(),
            functions: 5,
            recovery: "ENABLED",
            is_known: true,
            ahead: SignedDuration::ZERO,
        };
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers),
            dynamodb,
            outputs: outputs.iter().map(output).collect(),
            http: reqwest::Client::new(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Changes the answers.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns the environment of a command that works on this stack.
    pub(crate) fn variables(&self, bridge: &Bridge) -> Result<Vec<(&'static str, String)>> {
        let own = [
            "AWS_ENDPOINT_URL_CLOUDFORMATION",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_LAMBDA",
            "AWS_ENDPOINT_URL_STS",
        ];
        let mut variables: Vec<_> = own.into_iter().map(|name| (name, self.url.clone())).collect();
        for name in ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SECRETS_MANAGER"] {
            variables.push((name, bridge.variable(name)?));
        }
        variables.push(("AWS_ACCESS_KEY_ID", "local".to_owned()));
        variables.push(("AWS_SECRET_ACCESS_KEY", "local".to_owned()));
        Ok(variables)
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answers = shared.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    if target.ends_with(".DescribeContinuousBackups") {
        let recovery = json!({"PointInTimeRecoveryStatus": answers.recovery});
        let status = json!({"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery});
        return json!({"ContinuousBackupsDescription": status}).to_string().into_response();
    }
    if !target.is_empty() {
        return forward(&shared, method, &headers, body).await;
    }
    if text.contains("Action=GetCallerIdentity") {
        return identity(&answers);
    }
    if text.contains("Action=DescribeStacks") {
        return described(&shared, &answers).into_response();
    }
    match uri.path() {
        "/2016-08-19/account-settings" => {
            json!({"AccountLimit": {"ConcurrentExecutions": answers.quota}}).to_string().into_response()
        }
        path if path.starts_with("/2015-03-31/functions/") => function(path, &answers),
        _ => {
            let date = (Clock::system().now() + answers.ahead).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            (StatusCode::NOT_FOUND, [(header::DATE, date)]).into_response()
        }
    }
}

async fn forward(shared: &Shared, method: Method, headers: &HeaderMap, body: Bytes) -> Response {
    let request = shared.http.request(method, &shared.dynamodb).headers(headers.clone()).body(body);
    match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            (status, answer.bytes().await.unwrap_or_default()).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

fn identity(answers: &Answers) -> Response {
    if answers.is_known {
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/anna</Arn>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
            .into_response()
    } else {
        let error = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token is invalid\
                     </Message></Error></ErrorResponse>";
        (StatusCode::FORBIDDEN, error).into_response()
    }
}

fn described(shared: &Shared, answers: &Answers) -> String {
    let parameter =
        |name: &str| format!("<member><ParameterKey>{name}</ParameterKey><ParameterValue>2</ParameterValue></member>");
    let parameters: String =
        ["SendConcurrency", "StatusConcurrency", "DeadLetterConcurrency"].into_iter().map(parameter).collect();
    let Answers { stack_status, .. } = answers;
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>{STACK}</StackName>\
         <CreationTime>{}</CreationTime><StackStatus>{stack_status}</StackStatus><Outputs>{}</Outputs>\
         <Parameters>{parameters}</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
        Timestamp::UNIX_EPOCH,
        shared.outputs,
    )
}

fn function(path: &str, answers: &Answers) -> Response {
    let functions = ["receive-event", "send-message", "track-delivery", "fire-reminders", "sync-templates"];
    let exists = |name: &&&str| path.contains(&format!("/{STACK}-{name}/"));
    match functions.iter().take(answers.functions).find(exists) {
        Some(name) => {
            let description = if *name == "send-message" { answers.sender.clone() } else { own_version() };
            json!({"Description": description, "Version": "7"}).to_string().into_response()
        }
        None => (StatusCode::NOT_FOUND, json!({"Message": "Function not found"}).to_string()).into_response(),
    }
}
