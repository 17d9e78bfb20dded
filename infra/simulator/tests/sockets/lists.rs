//! The template list over HTTP.

use serde_json::{Value, json};

use crate::world::{World, read};

fn keys(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap();
    rows.iter().map(|row| format!("{}/{}", row["name"].as_str().unwrap(), row["language"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn every_template_is_found_page_by_page() {
    let world = World::start().await;
    for n in 0..7 {
        world.post(&format!("/_sim/templates/altro_{n}/it"), json!({})).await;
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = world.list(&format!("fields=id,name,language,status&limit=3{after}")).await;
        assert_eq!(status, 200);
        found.extend(keys(&page));
        if page["paging"].get("next").is_none() {
            break;
        }
        after = format!("&after={}", page["paging"]["cursors"]["after"].as_str().unwrap());
    }
    assert_eq!(found.len(), 10);
    assert_eq!(found[..3], ["stato_ordine/it", "stato_ordine/en", "avviso/it"]);
    found.dedup();
    assert_eq!(found.len(), 10);
}

#[tokio::test]
async fn the_list_shows_changes_and_filters_by_them() {
    let world = World::start().await;
    world.post("/_sim/templates/avviso/it", json!({"status": "PAUSED", "category": "MARKETING"})).await;
    let (_, page) = world.list("status=paused&fields=name,language,status,category,previous_category").await;
    assert_eq!(page["data"][0]["previous_category"], "UTILITY");
    assert_eq!(keys(&page), ["avviso/it"]);
    assert_eq!(keys(&world.list("language=en").await.1), ["stato_ordine/en"]);
    assert_eq!(world.list("name=nessuno").await.1, json!({"data": []}));
}

#[tokio::test]
async fn the_list_refuses_the_same_requests_as_the_platform() {
    let world = World::start().await;
    for query in ["fields=colore", "limit=-1", "after=%20"] {
        let (status, answer) = world.list(query).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{query}");
    }
    let get = |path: &str, token: &str| {
        let request = world.client.get(format!("{}{path}", world.running.url())).bearer_auth(token);
        async move { read(request.send().await.unwrap()).await }
    };
    let (status, answer) = get("/v1/2002/message_templates", "another").await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    let (status, answer) = get("/v1/1001/message_templates", crate::world::TOKEN).await;
    assert_eq!((status, &answer["error"]["error_subcode"]), (400, &json!(33)));
}
