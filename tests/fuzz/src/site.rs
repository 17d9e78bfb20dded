//! The site that the inputs belong to.

use std::sync::LazyLock;

use domain::primitives::id::SiteId;
use domain::site::config::{Account, LiveConfig, Site};
use domain::webhook::{Mode, Webhook};
use serde_json::json;

/// The templates of the local run, and those of a seed.
const TEMPLATES: [&str; 2] =
    [include_str!("../../../infra/local/src/templates.json"), include_str!("../seeds/templates/page.json")];

/// The site's configuration, without mappings.
pub static CONFIG: LazyLock<LiveConfig> = LazyLock::new(|| {
    let account: Account = serde_json::from_value(json!({
        "id": "main", "base_url": "https://example.com/v23.0", "phone_number_id": "111", "waba_id": "222",
    }))
    .expect("an account");
    let of_page = |page: &str| crate::templates(&crate::page(crate::json(page.as_bytes())?));
    let templates = TEMPLATES.into_iter().flat_map(|page| of_page(page).expect("a page of templates"));
    let templates = templates.map(|template| (account.id.clone(), template)).collect();
    LiveConfig {
        site: Site::new(site_id()),
        mappings: Vec::new(),
        templates,
        holds: Vec::new(),
        accounts: vec![account],
    }
});

/// The site's webhook.
pub static WEBHOOK: LazyLock<Webhook> = LazyLock::new(|| Webhook {
    site: site_id(),
    mode: Mode::Signature,
    phone_number_ids: vec!["111".to_owned()],
    waba_ids: vec!["222".to_owned()],
    set_at: None,
});

fn site_id() -> SiteId {
    SiteId::parse("demo").expect("a site's id")
}
