//! The SDK's configuration, with every time-out said: the SDK has none for a whole operation by itself.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// To connect: AWS endpoints of one's own region answer in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt. A DynamoDB or SQS call that takes longer is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// All attempts of one call: three attempts and the pauses between them, within the shortest function's 10 s.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// Attempts of one call, the first included.
const ATTEMPTS_MAX: u32 = 3;

/// The configuration for every client of a process: region, credentials and endpoints as the environment says.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(retries)
        .load()
        .await
}
