//! Records go from the queue to a function and are then deleted.

use std::time::Duration;

use local::{
    emulators::{DataDir, Emulators},
    poller::Poller,
    queues::{Queues, length},
    stop,
    terminal::Terminal,
};

use crate::{Fixture, until, within};

#[tokio::test]
async fn records_are_handled_and_a_failed_one_is_tried_again() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let sqs = emulators.sqs();
    let queues = Queues::create(&sqs, "test", 1).await.unwrap();
    let fixture = Fixture::start(2, Duration::from_secs(60)).await;
    for body in ["fine", "fail-once", "fine"] {
        sqs.send_message().queue_url(&queues.events.url).message_body(body).send().await.unwrap();
    }
    let poller = Poller {
        sqs: sqs.clone(),
        queue: queues.events.clone(),
        api: fixture.api.clone(),
        function: "stand-in",
        concurrency: 2,
        terminal: Terminal::new(false),
    };
    let (stopper, stopped) = stop::word();
    let polling = tokio::spawn(poller.run(stopped));
    until("the queue is empty", async || length(&sqs, &queues.events.url).await.unwrap() == 0).await;
    assert_eq!(length(&sqs, &queues.events_dead.url).await.unwrap(), 0);
    stopper.stop();
    within(polling).await.unwrap();
}
