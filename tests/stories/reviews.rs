//! Changes of a mapping by an operator, and reviews after a template changed.

use domain::mapping::{Action, Mapping, SavedMapping};
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::id::MappingId;
use jiff::SignedDuration;
use kit::{World, order_status_changed};
use serde_json::json;
use store::config::Kept;

use crate::templates::{map, raise, sync};

/// Returns a mapping of the site, enabled or not.
async fn mapping(world: &World, id: &str) -> Option<Mapping> {
    let mappings = world.config.mappings(&world.site().unwrap()).await.unwrap();
    mappings.into_iter().find(|mapping| mapping.id.as_str() == id)
}

/// Saves the next version of a mapping as an operator would. Then waits until `send-message` reads the configuration
/// again.
pub(crate) async fn save(world: &World, id: &str, action: Action, change: impl FnOnce(&mut Mapping)) {
    let mut mapping = mapping(world, id).await.unwrap();
    change(&mut mapping);
    mapping.version += 1;
    let saved = SavedMapping { at: world.clock.now(), by: "anna".to_owned(), action, mapping };
    assert_eq!(world.config.save_mapping(&world.site().unwrap(), &saved).await.unwrap(), Kept::Yes);
    world.clock.advance(SignedDuration::from_secs(15));
}

/// Accepts the current templates of a mapping.
pub(crate) async fn confirm(world: &World, id: &str) {
    let account = &world.live().await.unwrap().accounts[0].id;
    let templates = world.config.templates(&world.site().unwrap(), account).await.unwrap();
    save(world, id, Action::Confirmed, |mapping| {
        for used in mapping.templates.values_mut() {
            let now = templates.iter().find(|one| one.name == used.name && one.language == used.language).unwrap();
            used.fingerprint.clone_from(&now.fingerprint);
        }
        mapping.needs_review = None;
    })
    .await;
}

/// Returns the ids of the mappings that need a review.
async fn marked(world: &World) -> Vec<String> {
    let mappings = world.config.mappings(&world.site().unwrap()).await.unwrap();
    mappings.iter().filter(|one| one.needs_review.is_some()).map(|one| one.id.to_string()).collect()
}

#[tokio::test]
async fn a_changed_template_marks_every_enabled_mapping_that_uses_it_once() {
    let world = World::start().await.unwrap();
    let listed = json!({"components": [{"type": "BODY", "text": "Novità."}]});
    map(&world, "novita", "order.status_changed", &listed, &json!({})).await;
    let first = mapping(&world, "novita").await.unwrap();
    for id in ["seconda", "spenta"] {
        let other = Mapping { id: MappingId::parse(id).unwrap(), enabled: id != "spenta", ..first.clone() };
        world.config.put_mapping(&world.site().unwrap(), &other).await.unwrap();
    }
    assert_eq!(sync(&world).await.unwrap().to_review, 0);

    world.set_template("novita", "it", &json!({"components": [{"type": "BODY", "text": "Novita."}]})).await.unwrap();
    assert_eq!(sync(&world).await.unwrap().to_review, 2);
    assert_eq!(marked(&world).await, ["novita", "seconda"]);
    let since = mapping(&world, "novita").await.unwrap().needs_review;
    assert_eq!(sync(&world).await.unwrap().to_review, 0, "it is marked already");
    assert_eq!(mapping(&world, "novita").await.unwrap().needs_review, since);

    confirm(&world, "novita").await;
    assert_eq!(marked(&world).await, ["seconda"]);
    assert_eq!(sync(&world).await.unwrap().to_review, 0, "it was confirmed");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_review_mark_survives_disabling_and_enabling() {
    let world = World::start().await.unwrap();
    world.set_template("conferma_ordine", "it", &json!({"category": "MARKETING"})).await.unwrap();
    assert_eq!(sync(&world).await.unwrap().to_review, 1);
    save(&world, "stato-ordine", Action::Disabled, |mapping| mapping.enabled = false).await;
    save(&world, "stato-ordine", Action::Enabled, |mapping| mapping.enabled = true).await;
    assert_eq!(marked(&world).await, ["stato-ordine"]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_disabled_mapping_leaves_the_live_configuration_until_it_is_enabled() {
    let world = World::start().await.unwrap();
    let is_live = || async { world.live().await.unwrap().mappings.iter().any(|one| one.id.as_str() == "stato-ordine") };
    save(&world, "stato-ordine", Action::Disabled, |mapping| mapping.enabled = false).await;
    assert!(!is_live().await);
    assert!(mapping(&world, "stato-ordine").await.is_some_and(|mapping| !mapping.enabled));
    raise(&world, &order_status_changed("e-1")).await;
    let id = domain::primitives::id::EventId::parse("e-1").unwrap();
    let plan = world.ledger.plan(&world.site().unwrap(), &id).await.unwrap().unwrap();
    assert_eq!(plan.skips.first().unwrap().skip.reason, Reason::NoMapping);

    save(&world, "stato-ordine", Action::Enabled, |mapping| mapping.enabled = true).await;
    assert!(is_live().await);
    let all = world.config.mappings(&world.site().unwrap()).await.unwrap();
    assert_eq!(all.iter().filter(|one| one.id.as_str() == "stato-ordine").count(), 1, "it is in one place only");
    raise(&world, &order_status_changed("e-2")).await;
    assert_eq!(world.state("e-2", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn every_version_stays_in_the_history_and_is_saved_only_once() {
    let world = World::start().await.unwrap();
    let (site, id) = (world.site().unwrap(), MappingId::parse("stato-ordine").unwrap());
    let first = mapping(&world, "stato-ordine").await.unwrap();
    save(&world, "stato-ordine", Action::Saved, |mapping| mapping.name = "Ordini".to_owned()).await;
    // Bea edited the previous version.
    let late = Mapping { name: "Di Bea".to_owned(), version: first.version + 1, ..first.clone() };
    let saved = SavedMapping { at: world.clock.now(), by: "bea".to_owned(), action: Action::Saved, mapping: late };
    assert_eq!(world.config.save_mapping(&site, &saved).await.unwrap(), Kept::Overtaken);
    assert_eq!(mapping(&world, "stato-ordine").await.unwrap().name, "Ordini");

    for _ in 0..9 {
        save(&world, "stato-ordine", Action::Saved, |_| ()).await;
    }
    save(&world, "stato-ordine", Action::Deleted, |_| ()).await;
    assert!(mapping(&world, "stato-ordine").await.is_none());
    let history = world.config.history(&site, &id).await.unwrap();
    let versions: Vec<u64> = history.iter().map(|saved| saved.mapping.version).collect();
    let expected: Vec<u64> = (1..=11).map(|count| first.version + count).collect();
    assert_eq!(versions, expected);
    let last = history.last().unwrap();
    assert_eq!((last.action, last.by.as_str(), last.mapping.name.as_str()), (Action::Deleted, "anna", "Ordini"));
    assert!(history.iter().all(|saved| saved.by == "anna"));
    world.finish().await.unwrap();
}
