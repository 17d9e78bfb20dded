//! The scenarios: messages sent one by one or in batches with three statuses each, a repeated event, an idle sweep.

use jiff::SignedDuration;
use kit::{Bill, World, order_status_changed};
use serde_json::{Value, json};

use crate::counted::Counted;

/// The log of this binary.
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/logs/stories/costs.log");

/// The statuses of a message that is read.
const STATUSES: [&str; 3] = ["sent", "delivered", "read"];
/// The lines that the emulator of DynamoDB writes into the same log.
const OF_EMULATOR: &str = "\"message\":\"error response\"";

pub(crate) struct Scenario {
    /// The number of records in a batch.
    pub(crate) batch: usize,
    pub(crate) messages: usize,
}

impl Scenario {
    pub(crate) async fn run(&self) -> Counted {
        let world = World::start().await.unwrap();
        // The first message is not counted. It opens the connections, and the volume valve writes the first of a day.
        self.send(&world, 0, 1).await;
        world.meter.start();
        let (lines, stored) = (log_bytes(&world), world.stored_bytes().await.unwrap());
        for first in (1..=self.messages).step_by(self.batch) {
            self.send(&world, first, self.batch).await;
        }
        let (bill, log_bytes) = (world.meter.take(), log_bytes(&world) - lines);
        let stored_bytes = world.stored_bytes().await.unwrap() - stored;
        let batches = self.messages.div_ceil(self.batch);
        world.finish().await.unwrap();
        // One request for each event and each status. One batch of events, and one of each status.
        Counted {
            messages: self.messages,
            bill,
            api_requests: self.messages * (1 + STATUSES.len()),
            send_batches: batches,
            status_batches: batches * STATUSES.len(),
            log_bytes,
            stored_bytes,
        }
    }

    /// Sends messages in one batch and reports their statuses in batches.
    async fn send(&self, world: &World, first: usize, count: usize) {
        // The configuration and the keys are read again, and every slot has passed.
        world.clock.advance(SignedDuration::from_mins(2));
        for number in first..first + count {
            world.accept(&order(number)).await.unwrap();
        }
        assert_eq!(world.deliver().await.unwrap(), count);
        let phone = world.phone().await.unwrap();
        assert_eq!(phone.len(), first + count);
        for status in STATUSES {
            world.clock.advance(SignedDuration::from_secs(20));
            for message in &phone[first..] {
                let report = report(message, status, world);
                assert_eq!(world.report(&report).await.unwrap().status, 200);
            }
            assert_eq!(world.deliver_reports().await.unwrap(), count);
        }
    }
}

/// Raises the state of an order again, which its dedup key refuses.
pub(crate) async fn repeated() -> Bill {
    let world = World::start().await.unwrap();
    world.accept(&order(1)).await.unwrap();
    assert_eq!(world.deliver().await.unwrap(), 1);
    world.clock.advance(SignedDuration::from_mins(10));
    let mut again = order(1);
    again["id"] = json!("again");
    world.meter.start();
    world.accept(&again).await.unwrap();
    assert_eq!(world.deliver().await.unwrap(), 1);
    let bill = world.meter.take();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
    bill
}

/// Returns what a sweep costs if nothing is due.
pub(crate) async fn idle_minute() -> Bill {
    let world = World::start().await.unwrap();
    // The first sweep reads the configuration.
    world.sweep().await.unwrap();
    world.clock.advance(SignedDuration::from_mins(1));
    world.meter.start();
    world.sweep().await.unwrap();
    let bill = world.meter.take();
    world.finish().await.unwrap();
    bill
}

fn report(message: &Value, status: &str, world: &World) -> Value {
    let (id, opaque) = (message["id"].as_str().unwrap(), message["body"]["biz_opaque_callback_data"].as_str());
    let mut change = World::status(id, opaque, status, world.clock.now());
    let pricing = json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"});
    change["value"]["statuses"][0]["pricing"] = pricing;
    // WhatsApp's id of an Italian number is the number itself. Another id would be recorded.
    let to = message["body"]["to"].as_str().unwrap();
    change["value"]["statuses"][0]["recipient_id"] = json!(to.trim_start_matches('+'));
    change
}

fn order(number: usize) -> Value {
    let mut event = order_status_changed(&format!("0f5b1c9e-6d1e-4b0a-9d4e-{number:012}"));
    event["data"]["order"]["id"] = json!(format!("{}", 13_200 + number));
    event["data"]["order"]["code"] = json!(format!("OC1/{}", 13_200 + number));
    event["data"]["order"]["status"] = json!("EVASO");
    event["data"]["customer"]["id"] = json!(format!("C{number}"));
    event["data"]["customer"]["phone"] = json!(format!("+39340{:07}", 1_000_000 + number));
    event
}

/// The bytes of the functions' log, with the lines of their metrics.
fn log_bytes(world: &World) -> usize {
    let log = std::fs::read_to_string(LOG).unwrap_or_default();
    let lines = log.lines().filter(|line| !line.contains(OF_EMULATOR)).map(|line| line.len() + 1);
    let metrics = world.metrics().into_iter().map(|line| line.to_string().len() + 1);
    lines.chain(metrics).sum()
}
