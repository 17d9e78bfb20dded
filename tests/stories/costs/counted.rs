//! What was counted, and its price.

use kit::Bill;

use crate::prices::price;

/// The memory of the functions, in GB.
const MEMORY_GB: f64 = 0.25;
/// Assumed billed durations in seconds: of a request, of a batch of statuses, and of a batch of events with its calls to
/// the provider. Only a deployed stack can measure them.
const REQUEST_SECONDS: f64 = 0.03;
const STATUS_BATCH_SECONDS: f64 = 0.03;
const SEND_BATCH_SECONDS: f64 = 0.3;
/// The requests by which Lambda takes a batch out of a queue and deletes it.
const POLLS_OF_BATCH: usize = 2;
/// The size of a line of the gateway's access log.
const ACCESS_LINE_BYTES: usize = 330;
/// The months that an item is kept by default: 90 days.
const MONTHS_KEPT: f64 = 3.0;

/// The services of a bill.
pub(crate) const SERVICES: [&str; 7] =
    ["HTTP API", "Lambda", "SQS", "DynamoDB writes", "DynamoDB reads", "DynamoDB storage", "logs"];

pub(crate) struct Counted {
    pub(crate) messages: usize,
    pub(crate) bill: Bill,
    pub(crate) api_requests: usize,
    pub(crate) send_batches: usize,
    pub(crate) status_batches: usize,
    pub(crate) log_bytes: usize,
    pub(crate) stored_bytes: usize,
}

impl Counted {
    /// Returns the share of one message.
    pub(crate) fn each(&self, value: f64) -> f64 {
        value / float(self.messages)
    }

    fn of(&self, count: usize) -> f64 {
        self.each(float(count))
    }

    fn batches(&self) -> usize {
        self.send_batches + self.status_batches
    }

    /// Returns the counts of one message that depend on how it is written, by name.
    pub(crate) fn units(&self) -> Vec<(String, f64)> {
        self.bill.writes.iter().map(|(what, units)| (what.clone(), self.each(*units))).collect()
    }

    /// Returns the other counts of one message, by name.
    pub(crate) fn counts(&self) -> [(&'static str, f64); 9] {
        [
            ("write units", self.each(self.bill.write_units())),
            ("read units", self.each(self.bill.read_units())),
            ("requests to DynamoDB", self.of(self.bill.dynamodb_requests)),
            ("requests to the HTTP API", self.of(self.api_requests)),
            ("invocations of functions", self.of(self.api_requests + self.batches())),
            ("SQS requests that send", self.of(self.bill.sqs_requests)),
            ("SQS requests that take and delete a batch", self.of(POLLS_OF_BATCH * self.batches())),
            ("log bytes of the functions", self.of(self.log_bytes)),
            ("bytes stored", self.of(self.stored_bytes)),
        ]
    }

    /// Returns the cost of one message in USD, in the order of [`SERVICES`].
    pub(crate) fn costs(&self) -> [f64; SERVICES.len()] {
        let seconds = REQUEST_SECONDS * self.of(self.api_requests)
            + SEND_BATCH_SECONDS * self.of(self.send_batches)
            + STATUS_BATCH_SECONDS * self.of(self.status_batches);
        let invocations = self.of(self.api_requests + self.batches());
        let logs = self.of(self.log_bytes + ACCESS_LINE_BYTES * self.api_requests);
        let stored = self.of(self.stored_bytes) / 1e9 * MONTHS_KEPT;
        [
            self.of(self.api_requests) * price("api_request"),
            invocations * price("lambda_request") + seconds * MEMORY_GB * price("lambda_gb_second"),
            self.of(self.bill.sqs_requests + POLLS_OF_BATCH * self.batches()) * price("sqs_request"),
            self.each(self.bill.write_units()) * price("write_unit"),
            self.each(self.bill.read_units()) * price("read_unit"),
            stored * (price("storage_gb_month") + price("recovery_gb_month")),
            logs / 1e9 * price("log_gb"),
        ]
    }
}

pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Returns the cost of a request that is refused without a read and without a line of its own.
pub(crate) fn refused_request() -> f64 {
    let function = price("lambda_request") + REQUEST_SECONDS * MEMORY_GB * price("lambda_gb_second");
    price("api_request") + function + float(ACCESS_LINE_BYTES) / 1e9 * price("log_gb")
}
