//! The function `fire-reminders`: wiring only.

use std::time::Duration;

use domain::primitives::cause::chain;
use fire_reminders::{App, Config};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::env::Environment;
use runtime::telemetry::{self, field};
use runtime::{Clock, aws};
use tracing::Instrument;

/// Time for three attempts of a call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    telemetry::start(&environment);
    let config = Config::from_env(&environment)?;
    let sdk = aws::sdk_config(CALL_TIMEOUT).await;
    let (dynamodb, sqs) = (aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let app = App::new(dynamodb, sqs, secrets, config, Clock::system());
    lambda_runtime::run(service_fn(|tick: LambdaEvent<serde_json::Value>| {
        let app = &app;
        let context = telemetry::context(&[(field::REQUEST, &tick.context.request_id)]);
        let sweep = fire_reminders::handle(app, tick.context.deadline).instrument(context);
        async move { sweep.await.map_err(|error| Error::from(chain(&error))) }
    }))
    .await
}
