//! Tests the content of one POST and when a webhook is dropped.

use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::settings::Webhook;

fn status(message: &str, word: &str) -> Update {
    Update::Status { message: message.into(), contact: None, status: json!({"id": message, "status": word}) }
}

fn change(field: &str) -> Update {
    Update::Change { field: field.into(), value: json!({}), at: Timestamp::UNIX_EPOCH }
}

fn shown(batch: &[Update]) -> Vec<String> {
    let show = |update: &Update| match update {
        Update::Status { message, status, .. } => format!("{message} {}", status["status"].as_str().unwrap()),
        Update::Change { field, .. } => field.clone(),
    };
    batch.iter().map(show).collect()
}

#[test]
fn a_post_carries_at_most_one_status_per_message_and_changes_go_alone() {
    let mut waiting = VecDeque::from([
        status("a", "sent"),
        status("a", "read"),
        status("b", "sent"),
        change("account_update"),
        status("a", "read"),
        status("c", "sent"),
    ]);
    let mut batches = Vec::new();
    loop {
        let batch = take_batch(&mut waiting);
        if batch.is_empty() {
            break;
        }
        batches.push(shown(&batch).join(", "));
    }
    assert_eq!(batches, ["a sent, b sent, c sent", "a read", "account_update", "a read"]);
}

#[test]
fn a_post_carries_ten_statuses_at_most() {
    let mut waiting: VecDeque<Update> = (0..13).map(|n| status(&n.to_string(), "sent")).collect();
    assert_eq!(take_batch(&mut waiting).len(), 10);
    assert_eq!(shown(&take_batch(&mut waiting)), ["10 sent", "11 sent", "12 sent"]);
}

fn outbox(url: &str) -> Outbox {
    Outbox::new(&Settings {
        phone_number_id: "1001".into(),
        waba_id: "2002".into(),
        access_token: "token".into(),
        display_phone_number: "+390212345678".into(),
        clock: Arc::new(|| Timestamp::UNIX_EPOCH),
        templates: Vec::new(),
        webhook: Some(Webhook { url: url.into(), secret: "secret".into() }),
    })
}

#[tokio::test(start_paused = true)]
async fn an_undeliverable_webhook_is_dropped_after_twenty_tries() {
    // A URL without a scheme fails immediately, without the network and its delays.
    let outbox = outbox("nowhere");
    let begin = Instant::now();
    outbox.raise(change("account_update"));
    let mut tally = outbox.watch();
    assert_eq!(tally.borrow().pending, 1);
    let end = *tally.wait_for(|tally| tally.pending == 0).await.unwrap();
    assert_eq!((end.delivered, end.dropped), (0, 1));
    // 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s, then 14 × 5 s.
    assert_eq!(begin.elapsed().as_millis().div_euclid(100), 762);
}

#[tokio::test(start_paused = true)]
async fn a_reset_discards_pending_retries() {
    let outbox = outbox("nowhere");
    let ticket = outbox.expect(1);
    outbox.raise(change("account_update"));
    outbox.clear();
    outbox.push(ticket, vec![change("account_update")]);
    let cleared = *outbox.watch().borrow();
    assert_eq!((cleared.pending, cleared.delivered, cleared.dropped), (0, 0, 0));
    assert!(!outbox.holds(ticket));
    assert!(outbox.line().waiting.is_empty());

    outbox.raise(change("account_update"));
    outbox.watch().wait_for(|tally| tally.pending == 0).await.unwrap();
    assert_eq!(outbox.watch().borrow().dropped, 1, "what was forgotten is not counted");
}
