//! The function `receive-event`: wiring only.

use std::time::Duration;

use lambda_http::{Error, service_fn};
use receive_event::{App, Config};
use runtime::env::Environment;
use runtime::{Clock, aws, telemetry};

/// Timeout of one call. A request makes up to four consecutive calls (key, signing secret, queue, use of the key) and is
/// answered within 10 s.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_400);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    telemetry::start(&environment);
    let config = Config::from_env(&environment)?;
    let sdk = aws::sdk_config(CALL_TIMEOUT).await;
    let (dynamodb, sqs) = (aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let app = App::new(dynamodb, sqs, secrets, config, Clock::system());
    lambda_http::run(service_fn(|request| async { Ok::<_, Error>(receive_event::handle(&app, request).await) })).await
}
