//! The rules as a table: a template, a request, and the platform's error code.

use serde_json::{Value, json};

use super::*;

const SENDER: &str = "+390212345678";

fn templates() -> Catalogue {
    let body = |name: &str, format: &str, text: &str| {
        json!({"name": name, "language": "it", "parameter_format": format,
               "components": [{"type": "BODY", "text": text}]})
    };
    let with = |name: &str, components: Value| json!({"name": name, "language": "it", "components": components});
    Catalogue::seeded(&[
        body("fermo", "POSITIONAL", "Siamo aperti."),
        body("due", "POSITIONAL", "Ciao {{1}}, ordine {{2}}, ancora {{1}}."),
        body("nomi", "NAMED", "Ciao {{nome}}, ordine {{codice}}."),
        with("vecchio", json!([{"type": "BODY", "text": "Ciao {{nome}}."}])),
        with("testata", json!([{"type": "HEADER", "format": "TEXT", "text": "Ordine {{1}}"}, {"type": "BODY", "text": "Ecco."}])),
        with("foto", json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Ecco."}])),
        with("file", json!([{"type": "HEADER", "format": "DOCUMENT"}, {"type": "BODY", "text": "Ecco."}])),
        with("luogo", json!([{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Ecco."}])),
        with(
            "bottoni",
            json!([{"type": "BODY", "text": "Ecco."}, {"type": "FOOTER", "text": "STOP per uscire"}, {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Grazie"},
                {"type": "PHONE_NUMBER", "text": "Chiama", "phone_number": "+390212345678"},
                {"type": "URL", "text": "Sito", "url": "https://negozio.example/"},
                {"type": "URL", "text": "Ordine", "url": "https://negozio.example/o/{{1}}"},
                {"type": "COPY_CODE", "text": "Copia"},
            ]}]),
        ),
        with("giostra", json!([{"type": "BODY", "text": "Ecco."}, {"type": "CAROUSEL", "cards": []}])),
        json!({"name": "fermo", "language": "en", "status": "PAUSED", "components": []}),
        json!({"name": "fermo", "language": "de", "status": "DISABLED", "components": []}),
        json!({"name": "fermo", "language": "fr", "status": "PENDING", "components": []}),
    ])
    .unwrap()
}

fn request(name: &str, components: Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+393401234567",
        "type": "template",
        "template": {"name": name, "language": {"code": "it"}, "components": components},
    })
}

/// Returns a body component with these texts.
fn body(texts: &[&str]) -> Value {
    json!([{"type": "body", "parameters": texts.iter().map(|text| json!({"type": "text", "text": text})).collect::<Vec<_>>()}])
}

fn button(sub_type: &str, index: Value, parameters: Value) -> Value {
    json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": parameters})
}

fn suffix(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

fn coupon(code: &str) -> Value {
    button("copy_code", json!(4), json!([{"type": "coupon_code", "coupon_code": code}]))
}

#[track_caller]
fn taken(request: &Value) -> Rendered {
    check(request, &templates(), SENDER).unwrap().rendered
}

#[track_caller]
fn refused(request: &Value, code: i64, details: &str) {
    let error = check(request, &templates(), SENDER).unwrap_err();
    let reason = error.clone().reason();
    assert_eq!(error.code, code, "{reason}");
    assert!(reason.contains(details), "{reason}");
}

/// Returns `request` with the value at `pointer` replaced.
fn set(mut request: Value, pointer: &str, value: Value) -> Value {
    *request.pointer_mut(pointer).unwrap() = value;
    request
}

/// Returns `request` without the key at the end of `pointer`.
fn without(mut request: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    request
}

#[test]
fn a_template_without_placeholders_needs_no_components() {
    assert_eq!(taken(&without(request("fermo", json!([])), "/template/components")).body, "Siamo aperti.");
    assert_eq!(taken(&request("fermo", json!([]))).body, "Siamo aperti.");
}

#[test]
fn positional_parameters_fill_by_number() {
    assert_eq!(taken(&request("due", body(&["Anna", "A1"]))).body, "Ciao Anna, ordine A1, ancora Anna.");
    refused(&request("due", body(&["Anna"])), 132000, "(1) does not match the expected number (2)");
    refused(&request("due", body(&["Anna", "A1", "x"])), 132000, "(3)");
    refused(&request("due", json!([])), 132000, "(0)");
    refused(&request("fermo", body(&["Anna"])), 132000, "expected number (0)");
    let named = json!([{"type": "body", "parameters": [
        {"type": "text", "parameter_name": "nome", "text": "Anna"}, {"type": "text", "parameter_name": "codice", "text": "A1"}]}]);
    refused(&request("due", named), 132012, "parameter_name given");
}

#[test]
fn named_parameters_fill_by_name() {
    let named = |first: &str, second: &str| {
        json!([{"type": "body", "parameters": [
            {"type": "text", "parameter_name": first, "text": "A1"}, {"type": "text", "parameter_name": second, "text": "Anna"}]}])
    };
    assert_eq!(taken(&request("nomi", named("codice", "nome"))).body, "Ciao Anna, ordine A1.");
    refused(&request("nomi", named("codice", "cognome")), 132012, "no parameter is named \"nome\"");
    refused(&request("nomi", named("nome", "nome")), 132012, "\"codice\"");
    refused(&request("nomi", body(&["Anna", "A1"])), 100, "parameter_name is missing");
    refused(&request("vecchio", body(&["Anna"])), 100, "parameter_name is missing");
}

#[test]
fn text_values_must_follow_the_text_rule() {
    for bad in ["a\nb", "a\rb", "a\tb", "a     b", "", "   "] {
        refused(&request("due", body(&[bad, "A1"])), 132018, "Param text cannot");
    }
    assert!(taken(&request("due", body(&["a    b", "A1"]))).body.starts_with("Ciao a    b,"));
}

#[test]
fn currency_and_date_show_their_fallback() {
    let parameters = |code: &str| {
        json!([{"type": "body", "parameters": [
            {"type": "date_time", "date_time": {"fallback_value": "22/11/2026"}},
            {"type": "currency", "currency": {"fallback_value": "129,90 €", "code": code, "amount_1000": 129_900}}]}])
    };
    assert!(taken(&request("due", parameters("EUR"))).body.starts_with("Ciao 22/11/2026, ordine 129,90 €"));
    refused(&request("due", parameters("euro")), 131009, "ISO 4217");
    let broken =
        set(request("due", parameters("EUR")), "/template/components/0/parameters/1/currency/amount_1000", json!("x"));
    refused(&broken, 100, "amount_1000'] must be an integer");
}

#[test]
fn the_filled_body_has_at_most_1024_utf16_units() {
    let fixed = "Ciao , ordine A, ancora .".len();
    let half = (1024 - fixed) / 2;
    refused(&request("due", body(&[&"x".repeat(half + 1), "A"])), 132005, "1024 are allowed");
    taken(&request("due", body(&[&"x".repeat(half), "A"])));
    refused(&request("due", body(&[&"😀".repeat(half / 2 + 1), "A"])), 132005, "body");
}

#[test]
fn wrong_types_of_parameters_are_a_mismatch() {
    let image = json!([{"type": "body", "parameters": [{"type": "image", "image": {"id": "1"}}, {"type": "text", "text": "A1"}]}]);
    refused(&request("due", image), 132012, "expected TEXT, received IMAGE");
    let unknown = json!([{"type": "body", "parameters": [{"type": "testo", "text": "Anna"}]}]);
    refused(&request("due", unknown), 100, "must be one of");
    let absent = json!([{"type": "body", "parameters": [{"type": "text"}, {"type": "text", "text": "A1"}]}]);
    refused(&request("due", absent), 131008, "template['components'][0]['parameters'][0]['text'] is missing");
    let number = json!([{"type": "body", "parameters": [{"type": "text", "text": 5}, {"type": "text", "text": "A1"}]}]);
    refused(&request("due", number), 100, "must be a string");
}

#[test]
fn a_text_header_has_its_own_parameters() {
    let header = |texts: &[&str]| {
        let parameters: Vec<_> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        request("testata", json!([{"type": "header", "parameters": parameters}]))
    };
    assert_eq!(taken(&header(&["A1"])).header.unwrap().text, "Ordine A1");
    refused(&header(&[]), 132000, "header");
    refused(&header(&["A1", "A2"]), 132000, "header");
    refused(&header(&["a\tb"]), 132018, "new-line");
    refused(&header(&[&"x".repeat(54)]), 132005, "60 are allowed");
    refused(&request("testata", json!([])), 132000, "header");
    refused(&request("fermo", json!([{"type": "header", "parameters": suffix("x")}])), 132000, "header");
}

#[test]
fn a_media_header_needs_its_medium() {
    let image =
        |value: Value| request("foto", json!([{"type": "header", "parameters": [{"type": "image", "image": value}]}]));
    assert_eq!(taken(&image(json!({"id": "77"}))).header.unwrap().text, "77");
    assert_eq!(taken(&image(json!({"link": "https://x.example/a.png"}))).header.unwrap().kind, "image");
    refused(&image(json!({"link": "ftp://x.example/a.png"})), 100, "not a valid URI");
    refused(&image(json!({"link": "a.png"})), 100, "not a valid URI");
    refused(&image(json!({})), 131008, "needs an id or a link");
    refused(&image(json!({"id": "1", "link": "https://x.example/"})), 100, "both");
    refused(&image(json!({"id": "1", "filename": "a.png"})), 100, "Unexpected key \"filename\"");
    refused(&request("foto", json!([])), 132012, "expected IMAGE, received NOTHING");
    let video = json!([{"type": "header", "parameters": [{"type": "video", "video": {"id": "1"}}]}]);
    refused(&request("foto", video), 132012, "expected IMAGE, received VIDEO");
    refused(&request("foto", json!([{"type": "header", "parameters": suffix("x")}])), 132012, "received TEXT");
    let document = json!([{"type": "header", "parameters": [
        {"type": "document", "document": {"link": "https://x.example/f.pdf", "filename": "Fattura.pdf"}}]}]);
    assert_eq!(taken(&request("file", document)).header.unwrap().filename.as_deref(), Some("Fattura.pdf"));
    let place = |latitude: Value| {
        request(
            "luogo",
            json!([{"type": "header", "parameters": [{"type": "location", "location":
            {"latitude": latitude, "longitude": 9.19, "name": "Negozio", "address": "Via Roma 1"}}]}]),
        )
    };
    assert_eq!(taken(&place(json!("45.46"))).header.unwrap().text, "Negozio, Via Roma 1");
    refused(&place(json!("nord")), 131009, "not a coordinate");
}

#[test]
fn the_button_index_counts_all_buttons_from_zero() {
    let rendered = taken(&request(
        "bottoni",
        json!([
            button("url", json!("3"), suffix("A1")),
            coupon("SCONTO10"),
            button("quick_reply", json!(0), json!([{"type": "payload", "payload": "ok"}])),
        ]),
    ));
    let values: Vec<_> = rendered.buttons.iter().map(|button| (button.kind, button.value.as_deref())).collect();
    assert_eq!(
        values,
        [
            ("quick_reply", Some("ok")),
            ("phone_number", Some("+390212345678")),
            ("url", Some("https://negozio.example/")),
            ("url", Some("https://negozio.example/o/A1")),
            ("copy_code", Some("SCONTO10")),
        ]
    );
    assert_eq!(rendered.footer.as_deref(), Some("STOP per uscire"));
}

#[test]
fn a_button_with_a_variable_needs_its_value_and_the_others_refuse_one() {
    let with = |buttons: Vec<Value>| request("bottoni", Value::Array(buttons));
    let order = || button("url", json!(3), suffix("A1"));
    taken(&with(vec![order(), coupon("A")]));
    refused(&with(vec![coupon("A")]), 131008, "button at index 3 of type url requires a parameter");
    refused(&with(vec![order()]), 131008, "button at index 4 of type copy_code");
    // The index is wrong: it counts only buttons with a variable.
    refused(
        &with(vec![button("url", json!(0), suffix("A1")), coupon("A")]),
        132012,
        "expected QUICK_REPLY, received URL",
    );
    refused(&with(vec![button("url", json!(2), suffix("A1")), order(), coupon("A")]), 132000, "index 2");
    refused(&with(vec![order(), coupon("A"), button("url", json!(1), json!([]))]), 132012, "expected PHONE_NUMBER");
    refused(&with(vec![order(), coupon("A"), button("url", json!(5), suffix("A"))]), 131009, "no button at index 5");
    refused(&with(vec![order(), order(), coupon("A")]), 131009, "given twice");
    refused(&with(vec![button("url", json!("terzo"), suffix("A")), coupon("A")]), 131009, "not a button's index");
    refused(&with(vec![button("url", json!(3), suffix("a\nb")), coupon("A")]), 132018, "new-line");
    refused(&with(vec![button("link", json!(3), suffix("A"))]), 100, "must be one of");
    refused(&with(vec![button("url", json!(3), suffix(&"x".repeat(2000))), coupon("A")]), 132005, "2000");
    refused(&with(vec![order(), coupon("TROPPOLUNGO12345")]), 131009, "letters and digits");
    refused(&with(vec![order(), coupon("A-1")]), 131009, "letters and digits");
    let payload = button("quick_reply", json!(0), json!([{"type": "payload", "payload": "x".repeat(257)}]));
    refused(&with(vec![order(), coupon("A"), payload]), 131009, "256");
}

#[test]
fn unknown_fields_are_refused_everywhere() {
    let full = request("due", body(&["Anna", "A1"]));
    for place in
        ["", "/template", "/template/language", "/template/components/0", "/template/components/0/parameters/0"]
    {
        let mut request = full.clone();
        request.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("colore".into(), json!(1));
        refused(&request, 100, "Unexpected key \"colore\"");
    }
    let footer = json!([{"type": "footer", "parameters": []}]);
    refused(&request("fermo", footer), 100, "must be one of");
    let index = json!([{"type": "body", "index": 0, "parameters": []}]);
    refused(&request("fermo", index), 100, "Unexpected key \"index\"");
    let twice = json!([{"type": "body", "parameters": []}, {"type": "body", "parameters": []}]);
    refused(&request("fermo", twice), 100, "a second body");
}

#[test]
fn missing_fields_are_named() {
    let full = request("due", body(&["Anna", "A1"]));
    for (pointer, name) in [
        ("/messaging_product", "messaging_product"),
        ("/to", "to"),
        ("/type", "type"),
        ("/template", "template"),
        ("/template/name", "template['name']"),
        ("/template/language", "template['language']"),
        ("/template/language/code", "template['language']['code']"),
        ("/template/components/0/type", "template['components'][0]['type']"),
        ("/template/components/0/parameters/0/type", "template['components'][0]['parameters'][0]['type']"),
    ] {
        refused(&without(full.clone(), pointer), 131008, &format!("Parameter {name} is missing"));
    }
}

#[test]
fn the_envelope_accepts_only_values_the_platform_supports() {
    let full = request("fermo", json!([]));
    refused(&set(full.clone(), "/messaging_product", json!("telegram")), 100, "must be one of {WHATSAPP}");
    refused(&set(full.clone(), "/recipient_type", json!("group")), 100, "INDIVIDUAL");
    refused(&set(full.clone(), "/type", json!("text")), 131051, "Only template");
    refused(&set(full.clone(), "/to", json!("anna")), 131009, "'to'");
    refused(&set(full.clone(), "/to", json!(393401234567_i64)), 100, "must be a string");
    refused(&set(full.clone(), "/to", json!(SENDER)), 131021, "itself");
    refused(&set(full.clone(), "/template/language", json!("it")), 100, "must be a JSON object");
    refused(
        &set(full.clone(), "/template/language", json!({"code": "it", "policy": "fallback"})),
        100,
        "DETERMINISTIC",
    );
    refused(&set(full, "/template/components", json!({})), 100, "must be an array");
    refused(&json!([]), 100, "of the request must be a JSON object");
}

#[test]
fn callback_data_has_at_most_512_characters() {
    let with = |data: Value| {
        let mut request = request("fermo", json!([]));
        request.as_object_mut().unwrap().insert("biz_opaque_callback_data".into(), data);
        request
    };
    let longest = "è".repeat(512);
    let checked = check(&with(json!(longest)), &templates(), SENDER).unwrap();
    assert_eq!(checked.callback_data, Some(longest));
    refused(&with(json!("x".repeat(513))), 131009, "512");
    refused(&with(json!(7)), 100, "must be a string");
}

#[test]
fn only_approved_templates_of_the_exact_language_are_sent() {
    let language = |code: &str| set(request("fermo", json!([])), "/template/language/code", json!(code));
    refused(&request("nessuno", json!([])), 132001, "does not exist");
    refused(&language("it_IT"), 132001, "does not exist in the translation it_IT");
    refused(&language("en"), 132015, "paused");
    refused(&language("de"), 132016, "disabled");
    refused(&language("fr"), 132001, "PENDING");
    refused(&request("giostra", json!([])), 132012, "CAROUSEL");
}
