use super::*;
use crate::primitives::phone::Country;

#[test]
fn keys_never_change() {
    let (site, event) = (SiteId::parse("demo").unwrap(), EventId::parse("c4a1b7e2-77").unwrap());
    let (mapping, person) = (MappingId::parse("orders").unwrap(), ObjectId::parse("C7").unwrap());
    let id = MessageId { event: event_key(&site, &event), message: message_key(&mapping, &person, 1) };
    insta::assert_snapshot!(id, @"c8cf173c3af07f69d097e3183acd5a7e.b5bfc94316d4dca05b32295f5a731aec");
    assert_ne!(message_key(&mapping, &person, 2), id.message);
    assert_eq!(MessageId::parse(&id.to_string()), Some(id.clone()));
    let raised = reminder_event_id("R#1", "2026-11-22T13:00:00Z".parse().unwrap(), &event);
    insta::assert_snapshot!(raised, @"bridge:rem.d47b2a146991f9a3b16ef94c931e4904");
    for other in ["", "x.y", &id.event, &format!("{id}0"), &id.to_string().to_uppercase()] {
        assert_eq!(MessageId::parse(other), None, "{other}");
    }
    let latest = latest_event_key(&site, ["orders", "order:1320", "C7"]);
    let item = reminder_key(&site, &person, &person);
    let due_at = "2026-11-24T14:00:00Z".parse().unwrap();
    insta::assert_snapshot!(code_key(&site, "OC1/1320"), @"demo#code:f63f87f8e07552b016d7048f5e1916dd");
    assert_eq!(code_key(&site, " oc1/1320"), code_key(&site, "OC1/1320"));
    let keys = [
        pending_state_key(&latest),
        dedup_key(&site, ["orders", "order:1320", "C7"], "state", "Evaso"),
        collection_key(&site, ["files", "Listini", "C9", "C7"]),
        activity_key(&site, &person),
        cart_key(&site, &person),
        ended_cart_key(&site, &person, &person),
        left_cart_key(&site, &person, &person),
        carts_of_number_key(&site, &person, "c0ffee"),
        reminder_event_id(&item, due_at, &event),
        latest,
        item,
    ];
    insta::assert_snapshot!(keys.join("\n"), @r"
    HELD#587370522ae06daca9ffcef94c6f7764
    TOLD#ef6349e846c9de00d2c27bfd7ff427b5
    FILES#3f0c367e861fb0c231ac11c308f960b9
    ACTIVITY#1359d87898d4a6ea66a4525d669f1f8c
    CART#1359d87898d4a6ea66a4525d669f1f8c
    CARTEND#1764a0254807f43215b0215178507153
    CARTLEFT#1764a0254807f43215b0215178507153
    CART#e5975da3bbdb8e3d31950d4e599a0f7e
    bridge:rem.61c646787245c2b14ff673a9b5cf5e21
    SUBJECT#b39159e0ead97f102ff34d9b1ba7ebae
    R#1764a0254807f43215b0215178507153
    ");
}

#[test]
fn the_content_hash_ignores_order_and_other_fields() {
    let one = json!({"id": "1", "type": "t", "data": {"a": 1, "b": [2]}, "received": 1});
    let same = json!({"data": {"b": [2], "a": 1}, "type": "t", "language": null, "id": "2"});
    assert_eq!(content_hash(&one), content_hash(&same));
    assert_ne!(content_hash(&one), content_hash(&json!({"type": "t", "data": {"a": 1, "b": [3]}})));
}

#[test]
fn a_contact_is_a_pseudonym_of_site_and_number() {
    let secret = ContactSecret::parse(&STANDARD.encode([7; 32])).unwrap();
    let phone = Phone::parse("340 1234567", Country::ITALY).unwrap();
    let (demo, other) = (SiteId::parse("demo").unwrap(), SiteId::parse("other").unwrap());
    assert_eq!(secret.contact_key(&demo, &phone).len(), 64);
    assert_ne!(secret.contact_key(&demo, &phone), secret.contact_key(&other, &phone));
    let at_sender = [secret.sender_contact_key("111", &phone), secret.sender_alias_key("111", "IT.a1")];
    insta::assert_snapshot!(at_sender.join("\n"), @r"
    SENDER#111#b17024d98d3a47b6b3a2e67ca2e55ec065afe0f379ee62ee84888ad5af563437
    SENDER#111#c6c5424cd69f001972c0c97de2ad652d70f6718f9911e13e36debd579a12cc92
    ");
    let person = ObjectId::parse("C7").unwrap();
    assert!(secret.person_key(&demo, &person).starts_with("PERSON#demo#"));
    assert_eq!(ContactSecret::parse("short").unwrap_err(), WeakSecret);
    assert!(ContactSecret::parse(&"x".repeat(43)).is_ok());
    assert_eq!(format!("{secret:?}"), "ContactSecret(…)");
}
