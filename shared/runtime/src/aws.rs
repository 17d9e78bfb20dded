//! The SDK's configuration, with every time-out said: the SDK has none for a whole operation by itself.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// To connect: AWS endpoints of one's own region answer in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt. A DynamoDB or SQS call that takes longer is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Attempts of one call, the first included.
const ATTEMPTS_MAX: u32 = 3;

/// The configuration for every client of a process: region, credentials and endpoints as the environment says. A call
/// with all its attempts takes at most `call_timeout`.
pub async fn sdk_config(call_timeout: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(call_timeout)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(retries)
        .load()
        .await
}
