//! `bridge template list` and `bridge template show`.

use domain::check::{button_kind, template_problems};
use domain::mapping::Mapping;
use domain::primitives::id::AccountId;
use domain::site::config::LiveConfig;
use domain::template::{Button, Content, Header, Media, Parts, Template};
use serde_json::{Value, json};
use texts::{Lang, Texts};

use crate::failure::Failure;
use crate::output::{Output, table, wrapped};
use crate::stack::Stack;

/// A template with its account and the mappings that use it.
struct Listed<'a> {
    account: &'a AccountId,
    template: &'a Template,
    used_by: Vec<&'a str>,
}

pub(super) async fn list(stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let mappings = stack.config.mappings(&live.site.id).await?;
    let listed = listed(&live, &mappings);
    let documents: Vec<Value> = listed.iter().map(as_document).collect();
    output.say(&json!({"templates": documents}), |texts| {
        let row = |one: &Listed<'_>| {
            let Template { name, language, category, .. } = one.template;
            let state = if matches!(one.template.content, Content::Unusable { .. }) {
                texts.template_unusable()
            } else {
                String::from(one.template.status.clone())
            };
            let category = String::from(category.clone());
            [name.clone(), language.to_string(), state, category, one.used_by.join(", ")]
        };
        let rows: Vec<_> = listed.iter().map(row).collect();
        let heading = [
            texts.column_template(),
            texts.column_language(),
            texts.column_status(),
            texts.column_category(),
            texts.column_mappings(),
        ];
        table(heading, &rows)
    });
    Ok(())
}

pub(super) async fn show(name: &str, language: Option<&str>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let mappings = stack.config.mappings(&live.site.id).await?;
    let mut listed = listed(&live, &mappings);
    listed.retain(|one| one.template.name == name);
    if listed.is_empty() {
        return Err(Failure::no(|texts| texts.no_such_template(name)));
    }
    if let Some(language) = language {
        listed.retain(|one| one.template.language.as_str() == language);
        if listed.is_empty() {
            return Err(Failure::no(|texts| texts.no_such_template_language(name, language)));
        }
    }
    let documents: Vec<Value> = listed.iter().map(as_document).collect();
    output.say(&json!({"templates": documents}), |texts| {
        listed.iter().map(|one| words(one, texts)).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn listed<'a>(live: &'a LiveConfig, mappings: &'a [Mapping]) -> Vec<Listed<'a>> {
    let one = |(account, template): &'a (AccountId, Template)| {
        // Two accounts may list the same template.
        let uses = |mapping: &&Mapping| {
            live.account(mapping).is_some_and(|of_mapping| of_mapping.id == *account)
                && mapping
                    .templates
                    .values()
                    .any(|used| used.name == template.name && used.language == template.language)
        };
        Listed { account, template, used_by: mappings.iter().filter(uses).map(|one| one.id.as_str()).collect() }
    };
    live.templates.iter().map(one).collect()
}

fn as_document(one: &Listed<'_>) -> Value {
    let Listed { account, template, used_by } = one;
    let (unusable, parts) = match &template.content {
        Content::Usable(parts) => (None, Some(parts)),
        Content::Unusable { why } => (Some(why.to_string()), None),
    };
    let problems: Vec<Value> = template_problems(template)
        .iter()
        .map(|problem| json!({"code": problem.code(), "message": Lang::En.texts().problem(problem)}))
        .collect();
    json!({
        "account": account, "name": template.name, "language": template.language, "status": template.status,
        "category": template.category, "quality": template.quality, "unusable": unusable,
        "fingerprint": template.fingerprint, "used_by": used_by, "problems": problems,
        "header": parts.map(|parts| &parts.header), "body": parts.map(|parts| &parts.body),
        "footer": parts.map(|parts| &parts.footer), "buttons": parts.map(|parts| &parts.buttons),
        "placeholders": parts.map(placeholders), "examples": parts.map(|parts| &parts.examples),
    })
}

/// Returns the places that a mapping fills: `header`, `header/1`, `body/nome`, `buttons/0`.
fn placeholders(parts: &Parts) -> Vec<String> {
    let mut places = Vec::new();
    match &parts.header {
        Some(Header::Text { text }) => places.extend(text.placeholders().iter().map(|one| format!("header/{one}"))),
        Some(Header::Media { .. }) => places.push("header".to_owned()),
        None => {}
    }
    places.extend(parts.body.placeholders().iter().map(|one| format!("body/{one}")));
    let buttons = parts.buttons.iter().enumerate().filter(|(_, button)| button_kind(button).is_some());
    places.extend(buttons.map(|(index, _)| format!("buttons/{index}")));
    places
}

fn words(one: &Listed<'_>, texts: &Texts) -> String {
    let Listed { account, template, used_by } = one;
    let (status, category) = (String::from(template.status.clone()), String::from(template.category.clone()));
    let language = template.language.to_string();
    let mut words =
        wrapped(&texts.template_head(template.name.as_str(), language, category, status, account.as_str()), 0);
    words += &match used_by.as_slice() {
        [] => wrapped(&texts.template_unused(), 2),
        used_by => wrapped(&texts.template_used_by(used_by.join(", ")), 2),
    };
    for problem in template_problems(template) {
        words += &wrapped(&texts.template_problem(texts.problem(&problem)), 2);
    }
    if let Content::Usable(parts) = &template.content {
        words += &parts_words(parts, texts);
    }
    words
}

fn parts_words(parts: &Parts, texts: &Texts) -> String {
    let mut words = String::new();
    match &parts.header {
        Some(Header::Text { text }) => words += &wrapped(&texts.template_header(String::from(text.clone())), 2),
        Some(Header::Media { media }) => words += &wrapped(&texts.template_header(media_word(*media, texts)), 2),
        None => {}
    }
    words += &format!("  {}\n", texts.template_body());
    // The lines of the text stay apart.
    words += &String::from(parts.body.clone()).lines().map(|line| wrapped(line, 4)).collect::<String>();
    if let Some(footer) = &parts.footer {
        words += &wrapped(&texts.template_footer(footer.as_str()), 2);
    }
    if !parts.buttons.is_empty() {
        words += &format!("  {}\n", texts.template_buttons());
    }
    for (index, button) in parts.buttons.iter().enumerate() {
        words += &wrapped(&format!("{index}: {}", button_words(button, texts)), 4);
    }
    let places = placeholders(parts);
    if !places.is_empty() {
        words += &format!("  {}\n", texts.template_places());
    }
    for place in &places {
        let example = parts.examples.get(place);
        words +=
            &wrapped(&example.map_or(place.clone(), |one| texts.template_example(place.as_str(), one.as_str())), 4);
    }
    words
}

fn media_word(media: Media, texts: &Texts) -> String {
    match media {
        Media::Image => texts.media_image(),
        Media::Video => texts.media_video(),
        Media::Document => texts.media_document(),
    }
}

fn button_words(button: &Button, texts: &Texts) -> String {
    match button {
        Button::Url { text, url } => texts.button_url(text.as_str(), url.as_str()),
        Button::UrlWithSuffix { text, base } => texts.button_suffix(text.as_str(), format!("{base}{{{{1}}}}")),
        Button::QuickReply { text } => texts.button_reply(text.as_str()),
        Button::CopyCode { text } => texts.button_code(text.as_str()),
        Button::PhoneNumber { text, number } => texts.button_phone(text.as_str(), number.as_str()),
    }
}
