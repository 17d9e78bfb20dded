//! Records go from the queue to a function and are then deleted.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
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
    assert_eq!(length(&sqs, &queues.dead.url).await.unwrap(), 0);
    stopper.stop();
    within(polling).await.unwrap();
}

/// Both queues share the dead-letter queue. A record has the ARN of its own queue as an attribute, as on AWS.
#[tokio::test]
async fn a_record_received_too_often_names_its_queue() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let sqs = emulators.sqs();
    let queues = Queues::create(&sqs, "test", 30).await.unwrap();
    for queue in [&queues.events, &queues.statuses] {
        sqs.send_message().queue_url(&queue.url).message_body(&queue.arn).send().await.unwrap();
        until("SQS gives the record up", async || {
            let receive = sqs.receive_message().queue_url(&queue.url).visibility_timeout(0);
            receive.send().await.unwrap();
            length(&sqs, &queue.url).await.unwrap() == 0
        })
        .await;
        let receive = sqs.receive_message().queue_url(&queues.dead.url).wait_time_seconds(5);
        let received = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
        let [record]: &[Message; 1] = received.messages().try_into().unwrap();
        let source = MessageSystemAttributeName::DeadLetterQueueSourceArn;
        assert_eq!(record.attributes.as_ref().unwrap().get(&source), Some(&queue.arn));
        assert_eq!(record.body.as_ref(), Some(&queue.arn));
    }
}
