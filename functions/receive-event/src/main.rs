//! The function `receive-event`: wiring only.

use lambda_http::{Error, service_fn};
use receive_event::{App, Config};
use runtime::env::Environment;
use runtime::{Clock, aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::process();
    telemetry::start(&environment);
    let config = Config::from_env(&environment)?;
    let sdk = aws::sdk_config().await;
    let (dynamodb, sqs) = (aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
    let app = App::new(dynamodb, sqs, config, Clock::system());
    lambda_http::run(service_fn(|request| async { Ok::<_, Error>(receive_event::handle(&app, request).await) })).await
}
