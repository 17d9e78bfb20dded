//! The times in the published examples, which are relative to the moment at which an example is used.
//!
//! `{{now}}` becomes a time with the offset of Italy, and `{{today}}` a date. Both may be moved, as in
//! `{{now + 2d 5h 15m}}` or `{{today - 2d}}`. Any other text in braces stays, such as the placeholder `{{1}}` of a
//! template.

use jiff::{Span, Timestamp, Zoned};

/// The zone of the examples.
const ZONE: &str = "Europe/Rome";

/// Replaces the times in an example. `now` is the moment at which it is used.
#[must_use]
pub fn filled(text: &str, now: Timestamp) -> String {
    let Ok(now) = now.in_tz(ZONE) else { return text.to_owned() };
    let mut parts = text.split("{{");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let time = part.split_once("}}").and_then(|(moment, rest)| Some((time_of(moment, &now)?, rest)));
        let (time, rest) = time.unwrap_or_else(|| ("{{".to_owned(), part));
        result.push_str(&time);
        result.push_str(rest);
    }
    result
}

/// Returns the time or date of the text between braces. `None` if the text is something else.
fn time_of(moment: &str, now: &Zoned) -> Option<String> {
    let (format, moved) = match moment.strip_prefix("now") {
        Some(moved) => ("%Y-%m-%dT%H:%M:%S%:z", moved),
        None => ("%Y-%m-%d", moment.strip_prefix("today")?),
    };
    let mut letters = moved.trim_start().chars();
    let sign = letters.next();
    let by = || letters.as_str().trim().parse::<Span>().ok();
    let at = match sign {
        None => now.clone(),
        Some('+') => now.checked_add(by()?).ok()?,
        Some('-') => now.checked_sub(by()?).ok()?,
        Some(_) => return None,
    };
    Some(at.strftime(format).to_string())
}

/// Returns the published example of an event type, as used on 22 November 2026 at 10:15 in Italy.
#[cfg(test)]
pub(crate) fn published(kind: super::EventType) -> serde_json::Value {
    let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    let text = filled(&std::fs::read_to_string(file).unwrap(), "2026-11-22T09:15:00Z".parse().unwrap());
    serde_json::from_str(&text).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventType};

    #[test]
    fn times_are_relative_and_other_braces_stay() {
        let filled = |text| filled(text, "2026-10-24T10:00:07Z".parse().unwrap());
        for (text, expected) in [
            ("at {{now}}, {{today}}.", "at 2026-10-24T12:00:07+02:00, 2026-10-24."),
            ("{{now - 30m}} {{today-2d}}", "2026-10-24T11:30:07+02:00 2026-10-22"),
            // Summer time ends on the 25th. The local time stays, and the offset changes.
            ("{{now + 2d 1h 15m}}", "2026-10-26T13:15:07+01:00"),
            ("{{1}} {{ now }} {{now * 2d}} {{now", "{{1}} {{ now }} {{now * 2d}} {{now"),
            ("{{now + soon}} {{nowè}} {{{{now}}", "{{now + soon}} {{nowè}} {{2026-10-24T12:00:07+02:00"),
            ("", ""),
        ] {
            assert_eq!(filled(text), expected);
        }
    }

    #[test]
    fn every_example_is_valid_on_any_day() {
        let days = ["2026-03-28T23:30:00Z", "2026-10-24T23:30:00Z", "2027-12-31T23:59:59Z", "2028-02-29T12:00:00Z"];
        for now in days.map(|day| day.parse().unwrap()) {
            for kind in EventType::ALL {
                let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(file).unwrap();
                let event = Event::parse(serde_json::from_str(&filled(&text, now)).unwrap(), now).unwrap();
                assert_eq!(event.occurred_at, now, "{kind}");
                assert!(!text.contains("\"202"), "{kind} contains a fixed date");
            }
        }
    }
}
