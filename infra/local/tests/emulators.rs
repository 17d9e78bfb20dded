//! Tests the embedded AWS services through the real SDK for the features that the bridge relies on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TransactWriteItem,
};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use local::emulators::{DataDir, Emulators};

async fn create_table(client: &aws_sdk_dynamodb::Client) {
    client
        .create_table()
        .table_name("Ledger")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(definition("pk"))
        .attribute_definitions(definition("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .send()
        .await
        .unwrap();
}

fn definition(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

fn item(sk: &str, state: &str) -> HashMap<String, AttributeValue> {
    [("pk", "event"), ("sk", sk), ("state", state)]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())))
        .into()
}

fn put_if_absent(sk: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("Ledger")
        .set_item(Some(item(sk, "sending")))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

#[tokio::test]
async fn a_refused_condition_returns_the_stored_item() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let client = emulators.dynamodb();
    create_table(&client).await;
    let put = |state| {
        client
            .put_item()
            .table_name("Ledger")
            .set_item(Some(item("EVENT", state)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    put("first").await.unwrap();
    let refused = put("second").await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) = refused else {
        panic!("refused for another reason: {refused:?}");
    };
    assert_eq!(refused.item().unwrap()["state"].as_s().unwrap(), "first");
}

#[tokio::test]
async fn a_refused_transaction_writes_nothing_and_names_the_reason() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let client = emulators.dynamodb();
    create_table(&client).await;
    client.transact_write_items().transact_items(put_if_absent("M#1")).send().await.unwrap();
    let both = client.transact_write_items().transact_items(put_if_absent("M#2")).transact_items(put_if_absent("M#1"));
    let refused = both.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        refused,
    ) = refused
    else {
        panic!("refused for another reason: {refused:?}");
    };
    let reasons: Vec<_> =
        refused.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect();
    assert_eq!(reasons, ["None", "ConditionalCheckFailed"]);
    let absent = client.get_item().table_name("Ledger").key("pk", AttributeValue::S("event".into()));
    assert!(absent.key("sk", AttributeValue::S("M#2".into())).send().await.unwrap().item.is_none());
}

#[tokio::test]
async fn a_transaction_repeated_with_its_token_succeeds_once() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let client = emulators.dynamodb();
    create_table(&client).await;
    for _ in 0..2 {
        let write =
            client.transact_write_items().client_request_token("same-token").transact_items(put_if_absent("M#1"));
        write.send().await.unwrap();
    }
}

#[tokio::test]
async fn tables_in_a_folder_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let emulators = Emulators::start(DataDir::Folder(folder.path())).unwrap();
    let client = emulators.dynamodb();
    create_table(&client).await;
    client.put_item().table_name("Ledger").set_item(Some(item("EVENT", "kept"))).send().await.unwrap();
    drop(emulators);
    let emulators = Emulators::start(DataDir::Folder(folder.path())).unwrap();
    let items = emulators.dynamodb().scan().table_name("Ledger").send().await.unwrap();
    assert_eq!(items.items()[0]["state"].as_s().unwrap(), "kept");
}

#[tokio::test]
async fn a_queue_delays_hides_and_counts_its_messages() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let sqs = emulators.sqs();
    let url = sqs
        .create_queue()
        .queue_name("events")
        .attributes(QueueAttributeName::VisibilityTimeout, "1")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    assert!(url.starts_with(&emulators.sqs_url()), "{url} is not on {}", emulators.sqs_url());
    sqs.send_message().queue_url(&url).message_body("later").delay_seconds(1).send().await.unwrap();
    let receive = |wait| {
        sqs.receive_message()
            .queue_url(&url)
            .wait_time_seconds(wait)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
    };
    assert!(receive(0).await.unwrap().messages().is_empty(), "a delayed message is not there yet");
    for count in ["1", "2"] {
        let received = receive(10).await.unwrap();
        let message = &received.messages()[0];
        assert_eq!(message.body(), Some("later"));
        let counted = &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount];
        assert_eq!(counted, count);
    }
}

#[tokio::test]
async fn secrets_are_created_read_and_replaced() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let client = emulators.secrets();
    client.create_secret().name("bridge/demo/provider").secret_string("one").send().await.unwrap();
    let read = async || {
        let answer = client.get_secret_value().secret_id("bridge/demo/provider").send().await.unwrap();
        answer.secret_string.unwrap()
    };
    assert_eq!(read().await, "one");
    client.put_secret_value().secret_id("bridge/demo/provider").secret_string("two").send().await.unwrap();
    assert_eq!(read().await, "two");
    let missing = client.get_secret_value().secret_id("bridge/keys").send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception(), "{missing:?}");
    let twice = client.create_secret().name("bridge/demo/provider").secret_string("x").send().await.unwrap_err();
    assert!(twice.into_service_error().is_resource_exists_exception());
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_long_poll() {
    let emulators = Emulators::start(DataDir::Memory).unwrap();
    let sqs = emulators.sqs();
    let url = sqs.create_queue().queue_name("idle").send().await.unwrap().queue_url.unwrap();
    let polling = tokio::spawn(async move { sqs.receive_message().queue_url(url).wait_time_seconds(20).send().await });
    let stopped = tokio::task::spawn_blocking(move || drop(emulators));
    tokio::time::timeout(Duration::from_secs(5), stopped).await.expect("the emulators stop at once").unwrap();
    polling.abort();
}
