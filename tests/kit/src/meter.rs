//! Counts what the calls of the functions cost: DynamoDB's request units and SQS's requests.
//!
//! The emulator reports consumed capacity by the rules of DynamoDB, so each call asks for it. It reports none for a
//! refused write, and neither does DynamoDB. Such a write costs as much as a write of the existing item, which the
//! meter takes as one unit, or two in a transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde_json::{Value, json};

/// The size up to which SQS counts a request once, in bytes.
const SQS_CHUNK: usize = 64 * 1024;

/// What the calls cost since the last reset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// The write units, by what was written: `table operation`, or `table.index` for the entries of an index.
    pub writes: BTreeMap<String, f64>,
    /// The read units, by `table operation`.
    pub reads: BTreeMap<String, f64>,
    /// The requests to DynamoDB.
    pub dynamodb_requests: usize,
    /// The requests to SQS by which the functions send records, in chunks of 64 KB.
    pub sqs_requests: usize,
}

impl Bill {
    /// Returns the total of the write units.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.writes.values().sum()
    }

    /// Returns the total of the read units.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        self.reads.values().sum()
    }
}

/// An interceptor of the functions' clients that counts the cost of each call.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_on: bool,
    bill: Bill,
}

/// The call that a response belongs to.
#[derive(Debug)]
struct Call {
    operation: String,
    /// The table of each write of the call.
    tables: Vec<String>,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Meter {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to count.
    pub fn start(&self) {
        self.state().is_on = true;
    }

    /// Returns what the calls cost since the last reset, and resets the counters.
    #[must_use]
    pub fn take(&self) -> Bill {
        std::mem::take(&mut self.state().bill)
    }
}

impl Bill {
    fn add(&mut self, call: &Call, succeeded: bool, response: &Value) {
        self.dynamodb_requests += 1;
        if !succeeded {
            let units = if call.operation == "TransactWriteItems" { 2.0 } else { 1.0 };
            for table in &call.tables {
                *self.writes.entry(format!("{table} {} (refused)", call.operation)).or_default() += units;
            }
            return;
        }
        let consumed = response.get("ConsumedCapacity");
        match consumed.and_then(Value::as_array) {
            Some(tables) => tables.iter().for_each(|table| self.add_table(call, table)),
            None => consumed.iter().for_each(|table| self.add_table(call, table)),
        }
    }

    fn add_table(&mut self, call: &Call, consumed: &Value) {
        let name = short(consumed.get("TableName").and_then(Value::as_str).unwrap_or_default());
        let units = |consumed: &Value| consumed.get("CapacityUnits").and_then(Value::as_f64).unwrap_or_default();
        if ["GetItem", "BatchGetItem", "Query", "Scan"].contains(&call.operation.as_str()) {
            *self.reads.entry(format!("{name} {}", call.operation)).or_default() += units(consumed);
            return;
        }
        if let Some(table) = consumed.get("Table") {
            *self.writes.entry(format!("{name} {}", call.operation)).or_default() += units(table);
        }
        let indexes = consumed.get("GlobalSecondaryIndexes").and_then(Value::as_object);
        for (index, consumed) in indexes.into_iter().flatten() {
            *self.writes.entry(format!("{name}.{index}")).or_default() += units(consumed);
        }
    }
}

/// The name of a table without its stack.
fn short(table: &str) -> &str {
    table.split_once('-').map_or(table, |(_, name)| name)
}

/// Returns the table of each write of a call.
fn written_tables(operation: &str, body: &Value) -> Vec<String> {
    let table = |write: &Value| write.get("TableName").and_then(Value::as_str).map(|table| short(table).to_owned());
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => table(body).into_iter().collect(),
        "TransactWriteItems" => {
            let writes = body.get("TransactItems").and_then(Value::as_array);
            let writes = writes.into_iter().flatten().filter_map(|write| write.as_object()?.values().next());
            writes.filter_map(table).collect()
        }
        _ => Vec::new(),
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.state().is_on {
            return Ok(());
        }
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        let bytes = request.body().bytes().unwrap_or_default();
        if service == "AmazonSQS" {
            if operation.starts_with("SendMessage") {
                self.state().bill.sqs_requests += bytes.len().div_ceil(SQS_CHUNK);
            }
            return Ok(());
        }
        let mut body: Value = serde_json::from_slice(bytes)?;
        let tables = written_tables(operation, &body);
        bag.interceptor_state().store_put(Call { operation: operation.to_owned(), tables });
        if let Some(fields) = body.as_object_mut() {
            fields.insert("ReturnConsumedCapacity".to_owned(), json!("INDEXES"));
        }
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(call), Some(response)) = (bag.load::<Call>(), context.response()) else { return Ok(()) };
        let body = serde_json::from_slice(response.body().bytes().unwrap_or_default()).unwrap_or_default();
        self.state().bill.add(call, response.status().is_success(), &body);
        Ok(())
    }
}
