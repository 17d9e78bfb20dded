//! The function `track-delivery`: wiring only.

use std::time::Duration;

use lambda_runtime::{Error, service_fn};
use runtime::env::Environment;
use runtime::{Clock, aws, telemetry};
use track_delivery::{App, Config};

/// Time for three attempts of a call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    telemetry::start(&environment);
    let config = Config::from_env(&environment)?;
    let sdk = aws::sdk_config(CALL_TIMEOUT).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let app = App::new(dynamodb, sqs, secrets, config, Clock::system());
    lambda_runtime::run(service_fn(|event| async { Ok::<_, Error>(track_delivery::handle(&app, event).await) })).await
}
