//! Prints the messages that arrive on the simulated phone to the terminal.

use std::time::Duration;

use axum::{Router, body::Body, http::Request};
use serde::Deserialize;
use tower::ServiceExt as _;

use crate::terminal::Terminal;

/// How often the phone is polled.
const PERIOD: Duration = Duration::from_millis(500);
/// How many characters of a message's text are shown.
const TEXT_CHARS_MAX: usize = 100;

#[derive(Deserialize)]
struct View {
    cursor: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    wa_id: String,
    template: Template,
    body: String,
}

#[derive(Deserialize)]
struct Template {
    name: String,
    language: String,
}

/// Watches the simulator behind `router` for as long as the future is polled. Prints a line for every message.
pub async fn watch(router: Router, terminal: Terminal) {
    let mut cursor = String::new();
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        // A reset of the simulator starts a new cursor. An unreadable view is retried at the next tick.
        if let Some(view) = view(&router, &cursor).await {
            for message in &view.messages {
                terminal.line("phone", &line(message));
            }
            cursor = view.cursor;
        }
    }
}

async fn view(router: &Router, cursor: &str) -> Option<View> {
    let request = Request::get(format!("/_sim/phone?after={cursor}")).body(Body::empty()).ok()?;
    let response = router.clone().oneshot(request).await.ok()?;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.ok()?;
    serde_json::from_slice(&body).ok()
}

/// Formats the recipient, the template and the text. The number is masked, as in every log of the bridge.
fn line(message: &Message) -> String {
    let Message { wa_id, template: Template { name, language }, body } = message;
    let text = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}  {name} ({language}): {shown}{more}", masked(wa_id))
}

fn masked(wa_id: &str) -> String {
    let digits: Vec<char> = wa_id.chars().filter(char::is_ascii_digit).collect();
    let head: String = digits.iter().take(2).collect();
    let tail: String = digits.iter().skip(digits.len().saturating_sub(4).max(2)).collect();
    format!("+{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_masked_number_the_template_and_the_text() {
        let template = Template { name: "conferma_ordine".to_owned(), language: "it".to_owned() };
        let mut message = Message { wa_id: "393401234567".to_owned(), template, body: "Ciao Anna,\nbene.".to_owned() };
        assert_eq!(line(&message), "+39…4567  conferma_ordine (it): Ciao Anna, bene.");
        message.body = "è".repeat(101);
        assert!(line(&message).ends_with("è…"));
        message.wa_id = "39".to_owned();
        assert!(line(&message).starts_with("+39…  "));
    }
}
