use domain::primitives::id::SiteId;
use domain::site::config::{Account, Site};

use texts::Lang;

use super::*;

fn names(settings: &[Setting]) -> Vec<&str> {
    let mut names: Vec<_> = settings.iter().map(|setting| setting.name).collect();
    names.sort_unstable();
    names
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).filter(|name| *name != "id").collect()
}

/// Returns the table that the documentation must contain, word for word.
fn documented(settings: &[Setting]) -> String {
    let row = |setting: &Setting| {
        let default = if setting.default.is_empty() { "required" } else { setting.default };
        {
            let texts = Lang::En.texts();
            format!("| `{}` | {} | {} | {} |\n", setting.name, (setting.meaning)(texts), default, setting.bounds(texts))
        }
    };
    let rows: String = settings.iter().map(row).collect();
    format!("| setting | meaning | default | may be |\n|---|---|---|---|\n{rows}")
}

#[test]
fn every_field_is_a_setting_with_its_default() {
    let (url, default_account) = (Some("x".to_owned()), Some(AccountId::parse("main").unwrap()));
    let site = Site { url, default_account, ..Site::new(SiteId::parse("demo").unwrap()) };
    let every = serde_json::to_value(Site { paused: true, ..site.clone() }).unwrap();
    assert_eq!(fields(&every), names(SITE));
    let mut site = serde_json::to_value(site).unwrap();
    // The field is serialized only if it is true.
    site["paused"] = json!(false);
    let account: Account = serde_json::from_value(json!({
        "id": "a", "base_url": "u", "phone_number_id": "1", "waba_id": "2",
    }))
    .unwrap();
    let account = serde_json::to_value(account).unwrap();
    assert_eq!(fields(&account), names(ACCOUNT));
    for (settings, fields) in [(SITE, &site), (ACCOUNT, &account)] {
        for setting in settings.iter().filter(|setting| !["", "-"].contains(&setting.default)) {
            let default = setting.read(setting.default).unwrap();
            assert_eq!(default, fields[setting.name], "{}", setting.name);
        }
    }
}

#[test]
fn the_docs_list_every_setting() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap();
    for settings in [SITE, ACCOUNT] {
        let table = documented(settings);
        assert!(docs.contains(&table), "docs/cli.md lacks this table:\n{table}");
    }
}

#[test]
fn wrong_values_are_refused_all_at_once() {
    let pairs =
        ["active=sì", "time_zone=Europe/Roma", "retention_days=5", "colour=red", "url=ftp://x", "default_country=ITA"];
    let refused = assign(&mut Map::new(), SITE, &pairs.map(str::to_owned)).unwrap_err();
    assert_eq!(refused.to_string().lines().count(), 6, "{refused}");
    assert_eq!(refused.code(), 2);
    let mut fields = Map::from_iter([("url".to_owned(), json!("https://old"))]);
    let pairs = ["url=", "default_language=en-us", "retention_days=30"];
    assign(&mut fields, SITE, &pairs.map(str::to_owned)).unwrap();
    assert_eq!(Value::Object(fields), json!({"default_language": "en_US", "retention_days": 30}));
    assert!(assign(&mut Map::new(), ACCOUNT, &["base_url=https://x".to_owned()]).is_err());
}
