//! Tests of plan and decision together: the outcome of one message of one event.

use serde_json::{Value, json};

use super::*;
use crate::decision::plan::{Plan, plan};
use crate::primitives::id::{AccountId, MappingId, SiteId};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[field] = value;
}

/// Returns an order of Anna's, with some fields changed.
fn order(changes: &[(&str, Value)]) -> Event {
    let mut document = json!({
        "id": "e-1", "type": "order.status_changed", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "order": {"id": "1320", "code": "OC1/1320", "status": "EVASO", "item_count": 3,
                      "total": {"amount": "129.90", "currency": "EUR"}},
            "customer": {"id": "A", "first_name": "Anna", "phone": "340 1234567", "groups": ["web"]}
        }
    });
    for (pointer, value) in changes {
        set(&mut document, pointer, value.clone());
    }
    Event::parse(document, now()).unwrap()
}

/// Returns an upload by U, notified to some administrators.
fn upload(administrators: Value, changes: &[(&str, Value)]) -> Event {
    let mut document = json!({
        "id": "e-2", "type": "file.uploaded", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "file": {"id": "F", "name": "bilancio.pdf", "folder": "Bilanci"},
            "actor": {"id": "U", "first_name": "Ugo"}, "administrators": administrators, "notify": ["whatsapp"]
        }
    });
    for (pointer, value) in changes {
        set(&mut document, pointer, value.clone());
    }
    Event::parse(document, now()).unwrap()
}

fn template(language: &str) -> Template {
    Template {
        name: "avviso".to_owned(),
        language: Language::parse(language).unwrap(),
        status: TemplateStatus::Approved,
        category: Category::Utility,
        quality: None,
        content: Content::Usable(Parts::of_body(crate::template::Pattern::parse("Ciao {{1}}, novità."))),
        fingerprint: "f1".to_owned(),
    }
}

fn mapping(id: &str, event_type: &str) -> Mapping {
    let document = json!({
        "id": id, "name": id, "event_type": event_type, "enabled": true, "active_since": "2020-01-01T00:00:00Z",
        "templates": {
            "it": {"name": "avviso", "language": "it", "fingerprint": "f1", "body": {"1": {"variable": "first_name"}}},
            "en": {"name": "avviso", "language": "en", "fingerprint": "f1", "body": {"1": {"variable": "first_name"}}}
        }
    });
    serde_json::from_value(document).unwrap()
}

fn config() -> LiveConfig {
    let account: Account = serde_json::from_value(json!({
        "id": "main", "base_url": "https://example.com/v1", "phone_number_id": "1", "waba_id": "2"
    }))
    .unwrap();
    let main = AccountId::parse("main").unwrap();
    LiveConfig {
        site: crate::site::config::Site::new(SiteId::parse("demo").unwrap()),
        accounts: vec![account],
        mappings: vec![mapping("orders", "order.status_changed"), mapping("uploads", "file.uploaded")],
        templates: vec![(main.clone(), template("it")), (main, template("en"))],
        holds: Vec::new(),
    }
}

fn with(change: impl FnOnce(&mut LiveConfig)) -> LiveConfig {
    let mut config = config();
    change(&mut config);
    config
}

/// Returns the outcome of the only message or skip: its text, or the reason with its detail.
fn outcome(event: &Event, config: &LiveConfig) -> Result<String, (String, String)> {
    outcome_with(event, config, &DecisionContext::default())
}

fn outcome_with(event: &Event, config: &LiveConfig, known: &DecisionContext) -> Result<String, (String, String)> {
    let planned: Plan = plan(event, config);
    let stated = |skip: &Skip| (skip.reason.to_string(), skip.detail.clone());
    match (planned.messages.as_slice(), planned.skips.as_slice()) {
        ([message], []) => match decide(event, message, config, known, now()) {
            Ok(outgoing) => Ok(outgoing.body.text),
            Err(Halt::Skip(skip)) => Err(stated(&skip)),
            Err(Halt::Wait { waiting, .. }) => Err((format!("wait: {}", waiting.why), waiting.detail)),
        },
        ([], [skip]) => Err(stated(&skip.skip)),
        other => panic!("expected one outcome: {other:?}"),
    }
}

#[track_caller]
fn check(event: &Event, config: &LiveConfig, reason: &str, detail: &str) {
    assert_eq!(outcome(event, config), Err((reason.to_owned(), detail.to_owned())));
}

#[test]
fn an_order_event_notifies_its_customer() {
    assert_eq!(outcome(&order(&[]), &config()), Ok("Ciao Anna, novità.".to_owned()));
    let event = order(&[]);
    let config = config();
    let planned = plan(&event, &config);
    let outgoing =
        decide(&event, planned.messages.first().unwrap(), &config, &DecisionContext::default(), now()).unwrap();
    assert_eq!(outgoing.phone.as_e164(), "+393401234567");
    assert_eq!((outgoing.template, outgoing.language.as_str()), ("avviso", "it"));
}

#[test]
fn each_check_of_the_plan_has_its_reason() {
    check(&order(&[]), &with(|config| config.site.active = false), "site_inactive", "");
    check(&order(&[]), &with(|config| config.mappings.clear()), "no_mapping", "");
    check(&order(&[("/data/order/marketplace", json!("eBay"))]), &config(), "marketplace_order", "eBay");
    let on_marketplace = with(|config| config.site.marketplace_orders = true);
    assert!(outcome(&order(&[("/data/order/marketplace", json!("eBay"))]), &on_marketplace).is_ok());
    let one = json!([{"id": "A", "phone": "3401234567"}]);
    check(&upload(one.clone(), &[("/data/notify", json!(["sms"]))]), &config(), "notify_not_requested", "");
    check(&upload(one, &[("/data/sender_may_notify", json!(false))]), &config(), "sender_not_permitted", "");
    check(&upload(json!([]), &[]), &config(), "no_recipient", "");
    check(&upload(json!([{"id": "U", "phone": "3401234567"}]), &[]), &config(), "actor_is_recipient", "");
}

#[test]
fn conditions_name_the_value_that_decided() {
    let confirmed = with(|config| config.mappings[0].order_statuses = vec!["Confermato".to_owned()]);
    check(&order(&[]), &confirmed, "condition_not_met", "order.status = EVASO");
    assert!(outcome(&order(&[("/data/order/status", json!("memorizzato"))]), &confirmed).is_ok());
    check(&order(&[("/data/order/kind", json!("quote"))]), &config(), "condition_not_met", "order.kind = Quote");
    let dear = with(|config| config.mappings[0].min_total = Some("130".parse().unwrap()));
    check(&order(&[]), &dear, "condition_not_met", "order.total = 129.90 < 130");
    let young = with(|config| config.mappings[0].active_since = "2026-11-22T09:00:01Z".parse().unwrap());
    check(&order(&[]), &young, "before_activation", "2026-11-22T09:00:00Z < 2026-11-22T09:00:01Z");
}

#[test]
fn a_mapping_without_an_account_uses_the_sites_default_account() {
    let other = |id: &str| Account { id: AccountId::parse(id).unwrap(), active: false, ..config().accounts[0].clone() };
    let two = |stated: Option<&str>| {
        with(|config| {
            config.site.default_account = stated.map(|id| AccountId::parse(id).unwrap());
            config.accounts.insert(0, other("aaa"));
        })
    };
    assert!(outcome(&order(&[]), &two(Some("main"))).is_ok());
    // A site of an earlier version states no default account. The first account applies, as in that version.
    check(&order(&[]), &two(None), "account_inactive", "aaa");
    // No other account replaces a default account that is gone.
    check(&order(&[]), &two(Some("gone")), "account_inactive", "gone");
}

#[test]
fn each_check_of_the_decision_has_its_reason() {
    check(&order(&[]), &with(|config| config.accounts[0].active = false), "account_inactive", "main");
    check(&order(&[]), &with(|config| config.mappings[0].groups = vec!["vip".to_owned()]), "group_not_included", "web");
    check(&order(&[("/data/customer/phone", json!(null))]), &config(), "phone_missing", "");
    check(&order(&[("/data/customer/phone", json!("abc"))]), &config(), "phone_invalid", "abc");
    let nowhere =
        order(&[("/data/customer/phone", json!("079 123 45 68")), ("/data/customer/country", json!("Atlantide"))]);
    let detail = "079 123 45 68: no prefix, and no country is called Atlantide";
    check(&nowhere, &config(), "phone_invalid", detail);
    check(&order(&[("/data/customer/whatsapp_opt_out", json!(true))]), &config(), "opted_out", "");
    check(
        &order(&[]),
        &with(|config| config.templates.clear()),
        "template_not_approved",
        "avviso (it): not in the account's list",
    );
    let rejected = with(|config| config.templates[0].1.status = TemplateStatus::Other("REJECTED".to_owned()));
    check(&order(&[]), &rejected, "template_not_approved", "avviso (it): REJECTED");
    let edited = with(|config| config.templates[0].1.fingerprint = "f2".to_owned());
    check(&order(&[]), &edited, "template_changed", "avviso (it): not the one the mapping was checked against");
    let otp = with(|config| config.templates[0].1.category = Category::Other("AUTHENTICATION".to_owned()));
    check(&order(&[]), &otp, "category_refused", "AUTHENTICATION");
    let unusable = Content::Unusable { why: crate::template::Unfillable::Button("OTP".to_owned()) };
    let with_otp = with(|config| {
        config.templates[0].1.category = Category::Other("AUTHENTICATION".to_owned());
        config.templates[0].1.content = unusable.clone();
    });
    check(&order(&[]), &with_otp, "category_refused", "AUTHENTICATION");
    let approved = with(|config| config.templates[0].1.content = unusable.clone());
    check(&order(&[]), &approved, "template_not_usable", "avviso (it): it has a button of the kind OTP");
    check(&order(&[("/data/customer/first_name", json!(""))]), &config(), "value_missing", "{{1}} = first_name");
    check(&order(&[("/occurred_at", json!("2026-11-20T09:59:59Z"))]), &config(), "expired", "2026-11-22T09:59:59Z");
}

#[test]
fn marketing_needs_explicit_consent() {
    let marketing = with(|config| config.templates[0].1.category = Category::Marketing);
    check(&order(&[]), &marketing, "consent_missing", "avviso");
    check(&order(&[("/data/customer/marketing_consent", json!(false))]), &marketing, "consent_missing", "avviso");
    let agreed = order(&[("/data/customer/marketing_consent", json!(true))]);
    for (config, expected) in [(&marketing, true), (&config(), false)] {
        let planned = plan(&agreed, config);
        let outgoing =
            decide(&agreed, planned.messages.first().unwrap(), config, &DecisionContext::default(), now()).unwrap();
        assert_eq!(outgoing.marketing, expected);
    }
    assert!(outcome(&order(&[("/data/customer/marketing_consent", json!(true))]), &marketing).is_ok());
}

#[test]
fn a_mapping_switched_off_after_the_plan_sends_nothing() {
    let event = order(&[]);
    let planned = plan(&event, &config());
    let off = with(|config| config.mappings[0].enabled = false);
    let halt = decide(&event, planned.messages.first().unwrap(), &off, &DecisionContext::default(), now()).unwrap_err();
    assert_eq!(halt, Reason::MappingDisabled.into());
    let inactive = with(|config| config.site.active = false);
    let halt =
        decide(&event, planned.messages.first().unwrap(), &inactive, &DecisionContext::default(), now()).unwrap_err();
    assert_eq!(halt, Reason::SiteInactive.into());
}

#[test]
fn the_person_in_the_mappings_group_is_chosen_among_two_with_one_number() {
    let administrators =
        json!([{"id": "A", "phone": "3401234567"}, {"id": "B", "phone": "3401234567", "groups": ["vip"]}]);
    let vip = with(|config| config.mappings[1].groups = vec!["vip".to_owned()]);
    let planned = plan(&upload(administrators, &[]), &vip);
    let notified: Vec<&str> = planned.messages.iter().map(|message| message.recipient.as_str()).collect();
    assert_eq!(notified, ["B"]);
}

#[test]
fn the_language_is_the_sessions_then_the_persons_then_the_countrys_then_the_sites() {
    let config = config();
    let language = |changes: &[(&str, Value)]| {
        let event = order(changes);
        let planned = plan(&event, &config);
        decide(&event, planned.messages.first().unwrap(), &config, &DecisionContext::default(), now())
            .unwrap()
            .language
            .as_str()
            .to_owned()
    };
    assert_eq!(language(&[]), "it");
    assert_eq!(
        language(&[("/data/customer/country", json!("GB")), ("/data/customer/phone", json!("+393401234567"))]),
        "en"
    );
    assert_eq!(language(&[("/data/customer/language", json!("en_US"))]), "en");
    assert_eq!(language(&[("/language", json!("en")), ("/data/customer/language", json!("it"))]), "en");
    assert_eq!(language(&[("/data/customer/language", json!("de"))]), "it", "no German template: the site's default");
    let without_default = with(|config| {
        config.mappings[0].templates.remove(&Language::italian());
    });
    check(&order(&[("/data/customer/language", json!("de"))]), &without_default, "no_template_for_language", "de");
}

#[test]
fn a_mapping_notifies_each_person_and_number_only_once() {
    let administrators = json!([
        {"id": "A", "phone": "3401234567"}, {"id": "A", "phone": "3401234567"},
        {"id": "B", "phone": "+39 340 1234567"}, {"id": "C"}, {"id": "D"}
    ]);
    let planned = plan(&upload(administrators, &[]), &config());
    let notified: Vec<&str> = planned.messages.iter().map(|message| message.recipient.as_str()).collect();
    assert_eq!(notified, ["A", "C", "D"], "two without a number are two skips later, not one person");
    let [skip] = planned.skips.as_slice() else { panic!("{planned:?}") };
    assert_eq!(
        (skip.recipient.as_ref().map(crate::primitives::id::ObjectId::as_str), skip.skip.reason),
        (Some("B"), Reason::SamePhone)
    );
}

#[test]
fn every_mapping_of_the_type_makes_its_own_message() {
    let two = with(|config| config.mappings.push(mapping("orders-too", "order.status_changed")));
    let planned = plan(&order(&[]), &two);
    let through: Vec<&MappingId> = planned.messages.iter().map(|message| &message.mapping).collect();
    assert_eq!(through, [&two.mappings[0].id, &two.mappings[2].id]);
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    let planned = plan(&upload(json!([{"id": "U"}, {"id": "B"}]), &[]), &config());
    let text = serde_json::to_string(&planned).unwrap();
    let expected = r#"{"messages":[{"mapping":"uploads","recipient":"B"}],"skips":[{"mapping":"uploads","recipient":"U","reason":"actor_is_recipient"}]}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), planned);
}

/// Returns the context of a message to a recipient with this data.
fn known_as(contact: ContactData) -> DecisionContext {
    DecisionContext { contact, ..DecisionContext::default() }
}

fn suppressed(scope: Scope) -> ContactData {
    let source = crate::message::suppression::Source::Stop;
    let suppression = crate::message::suppression::Suppression { scope, source, since: now(), reason: String::new() };
    ContactData { suppressions: vec![suppression], ..ContactData::default() }
}

#[track_caller]
fn check_with(contact: &ContactData, config: &LiveConfig, reason: &str, detail: &str) {
    let expected = Err((reason.to_owned(), detail.to_owned()));
    assert_eq!(outcome_with(&order(&[]), config, &known_as(contact.clone())), expected);
}

#[test]
fn a_suppression_an_unreachable_number_or_an_opt_out_prevents_sending() {
    let hour = jiff::SignedDuration::from_hours(1);
    check_with(&suppressed(Scope::All), &config(), "suppressed", "all, stop, 2026-11-22");
    let left_alone = |until| ContactData { unreachable_until: Some(until), ..ContactData::default() };
    check_with(&left_alone(now() + hour), &config(), "unreachable", "2026-11-22T11:00:00Z");
    assert!(outcome_with(&order(&[]), &config(), &known_as(left_alone(now()))).is_ok(), "the month is over");
    let opted_out = ContactData { opted_out_at: Some(now()), ..suppressed(Scope::All) };
    check_with(&opted_out, &config(), "opted_out", "2026-11-22T10:00:00Z");
}

#[test]
fn only_a_newer_explicit_false_overrides_a_recorded_opt_out() {
    let hour = jiff::SignedDuration::from_hours(1);
    let opted_out = |at| ContactData { opted_out_at: Some(at), ..ContactData::default() };
    let stated = |value: Value| order(&[("/data/customer/whatsapp_opt_out", value)]);
    let happened_at = order(&[]).occurred_at;
    let goes = |event: &Event, at| outcome_with(event, &config(), &known_as(opted_out(at))).is_ok();
    for at in [happened_at - hour * 1000, happened_at, happened_at + hour] {
        assert!(!goes(&order(&[]), at) && !goes(&stated(Value::Null), at) && !goes(&stated(json!(true)), at), "{at}");
    }
    assert!(goes(&stated(json!(false)), happened_at - hour));
    assert!(!goes(&stated(json!(false)), happened_at));
}

#[test]
fn marketing_needs_consent_and_no_marketing_suppression() {
    let marketing = with(|config| config.templates[0].1.category = Category::Marketing);
    assert!(
        outcome_with(&order(&[]), &config(), &known_as(suppressed(Scope::Marketing))).is_ok(),
        "a utility template"
    );
    let consent = |consent| ContactData { marketing_consent: consent, ..ContactData::default() };
    check_with(&consent(None), &marketing, "consent_missing", "avviso");
    assert!(outcome_with(&order(&[]), &marketing, &known_as(consent(Some(true)))).is_ok());
    let both = ContactData { marketing_consent: Some(true), ..suppressed(Scope::Marketing) };
    check_with(&both, &marketing, "suppressed", "marketing, stop, 2026-11-22");
    let refused = order(&[("/data/customer/marketing_consent", json!(false))]);
    let outcome = outcome_with(&refused, &marketing, &known_as(consent(Some(true))));
    assert_eq!(outcome.unwrap_err().0, "consent_missing", "what the event says counts first");
}

#[test]
fn a_paused_site_or_held_template_waits_and_a_late_message_expires() {
    let paused = with(|config| config.site.paused = true);
    check(&order(&[]), &paused, "wait: site_paused", "");
    let hold = |until: &str| {
        with(|config| {
            let language = config.templates[0].1.language.clone();
            let account = AccountId::parse("main").unwrap();
            let until = until.parse().unwrap();
            config.holds.push(crate::site::config::TemplateHold {
                account,
                name: "avviso".to_owned(),
                language,
                until,
                code: "132015".to_owned(),
            });
        })
    };
    check(&order(&[]), &hold("2026-11-22T10:30:00Z"), "wait: template_held", "avviso (it), 132015");
    assert!(outcome(&order(&[]), &hold("2026-11-22T10:00:00Z")).is_ok(), "the hold is over");
    let late = order(&[("/occurred_at", json!("2026-11-20T09:00:00Z"))]);
    check(&late, &paused, "expired", "2026-11-22T09:00:00Z");
    let asked = DecisionContext { resend_requested_at: Some(now()), ..DecisionContext::default() };
    assert!(outcome_with(&late, &config(), &asked).is_ok(), "a person asked for it now");
}

mod carts;
mod plans;
mod waits;
