//! Counts the calls to DynamoDB and injects faults into them.
//!
//! The emulator has no transaction conflicts and no throttled writes, and it never loses a response. This module
//! injects such faults in one of two ways:
//!
//! - It replaces the call by a harmless one before it is sent, so nothing is written.
//! - It executes the call and drops the response.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::clock::SharedClock;

const VERSION: &str = "DynamoDB_20120810";
/// Writes of a single item.
const PLAIN: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];
const TRANSACTION: &str = "TransactWriteItems";

/// A fault that a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The call is never sent, and the SDK does not retry it.
    Unreachable,
    /// A running transaction contains one of its items. Nothing is written.
    Conflict,
    /// The write is throttled. Nothing is written.
    Throttled,
    /// The call is executed, and the connection is cut before the response.
    Cut,
    /// The call is executed, and the response is a server error.
    ServerError,
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Cut => "cut",
            Self::ServerError => "server_error",
        }
    }
}

/// A fault that a story plans for certain calls.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// The operation that meets the fault.
    pub operation: &'static str,
    /// A string that the body of the call contains. Empty for any call.
    pub containing: &'static str,
    /// The fault.
    pub trouble: Trouble,
    /// How many calls pass before the fault.
    pub after: usize,
    /// How many calls meet the fault.
    pub times: usize,
    /// How long each of these calls takes on the story's clock.
    pub takes: SignedDuration,
}

/// The percentage of calls that meet each kind of fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// Any call is never sent.
    pub failing_percent: u64,
    /// A write conflicts with a running transaction.
    pub conflicts_percent: u64,
    /// A plain write is throttled.
    pub throttled_percent: u64,
    /// A transaction is executed and its response is lost. Half of these are cut connections.
    pub lost_percent: u64,
}

/// Counts the calls of a client and injects faults into some of them.
#[derive(Clone, Debug)]
pub struct Wire {
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

/// The recorded data of one attempt of a call.
#[derive(Clone, Copy, Debug, Default)]
struct Attempt {
    trouble: Option<Trouble>,
    is_transaction: bool,
    /// The number of its writes.
    writes: usize,
    /// Its number among the calls in flight.
    flight: Option<u64>,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<String, usize>,
    met: BTreeMap<&'static str, usize>,
    odds: Odds,
    /// The state of the random number generator.
    seed: u64,
    planned: Vec<Planned>,
    /// Whether transactions conflict with concurrent ones, as in DynamoDB.
    overlapping: bool,
    /// The items of the transactions in flight, by the number of the call.
    flights: BTreeMap<u64, Vec<String>>,
    last_flight: u64,
}

impl Wire {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, state: Arc::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of calls per operation since the last reset, and resets the counters.
    #[must_use]
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.state().calls)
    }

    /// Returns the number of injected faults per kind since the last reset, and resets the counters.
    #[must_use]
    pub fn take_met(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.state().met)
    }

    /// Injects random faults into all later calls, drawn from a seed.
    pub fn unleash(&self, odds: Odds, seed: u64) {
        let mut state = self.state();
        (state.odds, state.seed) = (odds, seed);
    }

    /// Injects a fault into the next calls of one kind.
    pub fn plan(&self, planned: Planned) {
        self.state().planned.push(planned);
    }

    /// Cancels all planned faults.
    pub fn plan_nothing(&self) {
        self.state().planned.clear();
    }

    /// Returns how many calls are still to meet a planned fault.
    #[must_use]
    pub fn still_planned(&self) -> usize {
        self.state().planned.iter().map(|planned| planned.times).sum()
    }

    /// Makes a write conflict with a transaction in flight on the same item, as in DynamoDB.
    ///
    /// Not for stories that kill functions: the transactions of a killed function stay in flight.
    pub fn let_transactions_conflict(&self) {
        self.state().overlapping = true;
    }
}

impl State {
    /// Counts an attempt and chooses its fault. Returns how long the call takes on the story's clock.
    fn meet(&mut self, operation: &str, body: &str, attempt: &mut Attempt) -> SignedDuration {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let met = self.trouble(operation, body);
        attempt.trouble = met.map(|(trouble, _)| trouble);
        if met.is_none() && self.overlapping {
            attempt.flight = self.takes_off(operation, body);
            attempt.trouble = attempt.flight.is_none().then_some(Trouble::Conflict);
        }
        if let Some(trouble) = attempt.trouble {
            *self.met.entry(trouble.name()).or_default() += 1;
        }
        met.map_or(SignedDuration::ZERO, |(_, takes)| takes)
    }

    /// Returns the fault of a call and how long the call takes.
    fn trouble(&mut self, operation: &str, body: &str) -> Option<(Trouble, SignedDuration)> {
        let meets = |planned: &Planned| planned.operation == operation && body.contains(planned.containing);
        if let Some(index) = self.planned.iter().position(meets)
            && let Some(planned) = self.planned.get_mut(index)
        {
            if planned.after > 0 {
                planned.after -= 1;
                return None;
            }
            let met = (planned.trouble, planned.takes);
            planned.times = planned.times.saturating_sub(1);
            if planned.times == 0 {
                self.planned.remove(index);
            }
            return Some(met);
        }
        let Odds { failing_percent, conflicts_percent, throttled_percent, lost_percent } = self.odds;
        let (plain, transaction) = (PLAIN.contains(&operation), operation == TRANSACTION);
        let mut meets = |percent: u64, may: bool| may && percent > 0 && drawn(&mut self.seed) % 100 < percent;
        let trouble = if meets(failing_percent, true) {
            Trouble::Unreachable
        } else if meets(conflicts_percent, plain || transaction) {
            Trouble::Conflict
        } else if meets(throttled_percent, plain) {
            Trouble::Throttled
        } else if meets(lost_percent, transaction) {
            if drawn(&mut self.seed).is_multiple_of(2) { Trouble::Cut } else { Trouble::ServerError }
        } else {
            return None;
        };
        Some((trouble, SignedDuration::ZERO))
    }

    /// Registers a write as in flight and returns its number. Returns `None` if the write conflicts with a transaction
    /// in flight.
    fn takes_off(&mut self, operation: &str, body: &str) -> Option<u64> {
        let keys = if operation == TRANSACTION { keys_of(body) } else { Vec::new() };
        let touched = if PLAIN.contains(&operation) { plain_key(body).into_iter().collect() } else { keys.clone() };
        let taken = |key: &String| self.flights.values().flatten().any(|other| other == key);
        if touched.iter().any(taken) {
            return None;
        }
        self.last_flight += 1;
        self.flights.insert(self.last_flight, keys);
        Some(self.last_flight)
    }
}

/// Returns the next number of a pseudorandom sequence (splitmix64). The same seed gives the same numbers.
pub(crate) fn drawn(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Returns the keys of the items of a transaction.
fn keys_of(body: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    let writes = document.get("TransactItems").and_then(Value::as_array).cloned().unwrap_or_default();
    writes.iter().filter_map(|write| item_key(write.as_object()?.values().next()?)).collect()
}

fn plain_key(body: &str) -> Option<String> {
    item_key(&serde_json::from_str(body).ok()?)
}

fn item_key(write: &Value) -> Option<String> {
    let key = write.get("Key").or_else(|| write.get("Item"))?;
    Some(format!("{}/{}/{}", write.get("TableName")?, key.get("pk")?, key.get("sk").unwrap_or(&Value::Null)))
}

/// Returns DynamoDB's response to a fault: the status and the body.
fn answer(trouble: Trouble, Attempt { is_transaction, writes, .. }: Attempt) -> (u16, Value) {
    let named =
        |name: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "the story"});
    match trouble {
        Trouble::Conflict if is_transaction => {
            let mut reasons = vec![json!({"Code": "None"}); writes.saturating_sub(1)];
            reasons.push(json!({"Code": "TransactionConflict", "Message": "the story"}));
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            (400, json!({"__type": kind, "message": "the story", "CancellationReasons": reasons}))
        }
        Trouble::Conflict => (400, named("TransactionConflictException")),
        Trouble::Throttled => (400, named("ProvisionedThroughputExceededException")),
        Trouble::ServerError | Trouble::Unreachable | Trouble::Cut => (500, named("InternalServerError")),
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let is_transaction = operation == TRANSACTION;
        let mut attempt = Attempt { is_transaction, writes: keys_of(&body).len(), ..Attempt::default() };
        let takes = self.state().meet(&operation, &body, &mut attempt);
        self.clock.advance(takes);
        bag.interceptor_state().store_put(attempt);
        match attempt.trouble {
            Some(Trouble::Unreachable) => return Err("the table is too busy, says the story".into()),
            Some(Trouble::Conflict | Trouble::Throttled) => {
                request.headers_mut().insert("x-amz-target", format!("{VERSION}.ListTables"));
                request.headers_mut().insert("content-length", "2");
                *request.body_mut() = "{}".into();
            }
            Some(Trouble::Cut | Trouble::ServerError) | None => {}
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempt = bag.load::<Attempt>().copied().unwrap_or_default();
        let Some(trouble) = attempt.trouble else { return Ok(()) };
        if trouble == Trouble::Cut {
            return Err("the connection was cut, says the story".into());
        }
        let (status, body) = answer(trouble, attempt);
        let response = context.response_mut();
        *response.status_mut() = status.try_into()?;
        response.headers_mut().remove("x-amz-crc32");
        *response.body_mut() = body.to_string().into();
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(flight) = bag.load::<Attempt>().and_then(|attempt| attempt.flight) {
            self.state().flights.remove(&flight);
        }
        Ok(())
    }
}
