//! Inbound words with which a person stops messages or lifts the stop.

use serde_json::Value;

use crate::primitives::folded::folded;
use crate::queue::platform_event::Word;

/// Words that stop all messages. Meta does not act on them by itself.
const STOP: [&str; 7] = ["stop", "basta", "ferma", "cancella", "annulla", "disiscrivi", "unsubscribe"];
/// Words that lift a stop.
const START: [&str; 2] = ["start", "riprendi"];
/// Longest text that can be such a word with surrounding characters, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// Returns the request of an inbound message that consists of exactly one of the words. The word may be the text, or
/// the text or payload of the pressed button. If they disagree, the stop has priority.
pub(super) fn of_message(message: &Value) -> Option<Word> {
    let reply = "/interactive/button_reply";
    let places = ["/text/body", "/button/payload", "/button/text", &format!("{reply}/id"), &format!("{reply}/title")];
    let mut words: Vec<Word> =
        places.iter().filter_map(|place| of_text(message.pointer(place).and_then(Value::as_str)?)).collect();
    words.sort_by_key(|word| *word != Word::Stop);
    words.first().copied()
}

/// Returns the request of a text that consists of exactly one of the words. Case, accents and surrounding symbols and
/// whitespace do not matter.
fn of_text(text: &str) -> Option<Word> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let word = folded(text.trim_matches(|character: char| !character.is_alphanumeric()));
    if STOP.contains(&word.as_str()) {
        Some(Word::Stop)
    } else if START.contains(&word.as_str()) {
        Some(Word::Start)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_of_only_a_stop_or_start_word_is_recognised_in_any_spelling() {
        let texts = ["STOP", "stop", " Stop. ", "BASTA!!!", "Ferma", "cancella", "annulla…", "Disiscrivi", "«stop»"];
        let more = ["unsubscribe", "bàsta", "ba\u{300}sta", "\u{200e}STOP\u{200f}", "stop 🙏", "\nSTOP\n"];
        for text in texts.into_iter().chain(more) {
            assert_eq!(of_text(text), Some(Word::Stop), "{text}");
        }
        for text in ["start", "RIPRENDI.", "Start!"] {
            assert_eq!(of_text(text), Some(Word::Start), "{text}");
        }
    }

    #[test]
    fn a_word_within_a_longer_text_is_ignored() {
        let long = format!("{}stop", " .".repeat(40));
        for text in ["", "!", "non stop", "stop please", "Basta così", "fermata", "restart", "stopp", long.as_str()] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_button_stops_by_its_text_or_its_payload() {
        let of = |message: Value| of_message(&message);
        assert_eq!(of(json!({"button": {"payload": "STOP", "text": "Non scrivetemi più"}})), Some(Word::Stop));
        assert_eq!(of(json!({"button": {"payload": "x-1", "text": "Basta"}})), Some(Word::Stop));
        assert_eq!(of(json!({"button": {"payload": "START", "text": "Stop"}})), Some(Word::Stop));
        assert_eq!(of(json!({"interactive": {"button_reply": {"id": "riprendi", "title": "Sì"}}})), Some(Word::Start));
        assert_eq!(of(json!({"button": {"payload": "ok", "text": "Ok"}})), None);
        assert_eq!(of(json!({"caption": "STOP"})), None);
        assert_eq!(of(json!({"text": {"body": 7}})), None);
    }
}
