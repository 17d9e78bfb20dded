//! A template that changed at Meta stops the mappings that use it.

use domain::message::reason::Reason;
use domain::template::TemplateStatus;
use serde_json::{Value, json};

use crate::statuses::failed;
use crate::world::{ANNA, World, main, site, template};

fn change(change: &Value) -> Value {
    json!({"notice": "template.1", "site": "demo", "waba_id": "222", "name": "stato", "language": "it",
        "change": change})
}

fn event(event: &str) -> Value {
    change(&json!({"status": {"event": event}}))
}

#[tokio::test]
async fn a_paused_template_sends_nothing_until_it_is_approved_again() {
    let world = World::start().await;
    world.deliver(&[event("FLAGGED")]).await;
    assert_eq!(world.refusal("demo").await, None, "a warning stops nothing");
    world.deliver(&[event("PAUSED")]).await;
    assert_eq!(world.refusal("demo").await, Some(Err("template_held".to_owned())));
    assert_eq!(world.refusal("outlet").await, world.refusal("demo").await, "it sends from the same number");
    assert_eq!(world.refusal("other").await, None);
    let listed = world.config.templates(&site("demo"), &main()).await.unwrap();
    assert_eq!(listed[0].status, TemplateStatus::Other("PAUSED".to_owned()));
    let id = world.send("e1", ANNA).await;
    world.deliver(&[failed("e1", &id, "132015", world.now())]).await;
    world.deliver(&[event("APPROVED")]).await;
    assert_eq!(world.refusal("demo").await, None, "neither its status nor its hold is in the way");
}

#[tokio::test]
async fn a_new_category_or_text_requires_a_review() {
    for what in [json!({"category": {"category": "MARKETING"}}), json!("components")] {
        let world = World::start().await;
        world.deliver(&[change(&what), change(&what)]).await;
        assert_eq!(world.refusal("demo").await, Some(Ok(Reason::TemplateChanged)), "{what}");
        let live = world.live("demo").await;
        assert!(live.mappings[0].needs_review.is_some(), "{what}");
        assert!(world.live("outlet").await.mappings[0].needs_review.is_some(), "{what}");
        assert!(world.live("other").await.mappings[0].needs_review.is_none(), "{what}");
    }
}

#[tokio::test]
async fn a_quality_score_is_stored_without_stopping_the_template() {
    let world = World::start().await;
    world.deliver(&[change(&json!({"quality": {"score": "RED"}}))]).await;
    let live = world.live("demo").await;
    let listed = world.config.templates(&site("demo"), &main()).await.unwrap();
    for template in [&live.templates[0].1, &listed[0]] {
        assert_eq!(template.quality.as_deref(), Some("RED"));
    }
    assert_eq!(world.refusal("demo").await, None);
}

#[tokio::test]
async fn a_platform_event_for_an_unknown_template_changes_nothing() {
    let world = World::start().await;
    let mut unknown = event("PAUSED");
    unknown["name"] = json!("nuovo");
    let mut elsewhere = event("PAUSED");
    elsewhere["waba_id"] = json!("444");
    let mut odd = event("PAUSED");
    odd["language"] = json!("no language");
    assert_eq!(world.deliver(&[unknown, elsewhere, odd]).await, Vec::<String>::new());
    assert_eq!(world.config.templates(&site("demo"), &main()).await.unwrap(), [template()]);
    assert_eq!(world.dead(Some("demo")).await, Vec::<String>::new());
}
