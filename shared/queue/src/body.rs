//! Record bodies: JSON that SQS accepts.

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use crate::NotQueued;

/// Serialises a value as the body of a record.
pub(crate) fn of(value: &impl Serialize) -> Result<String, NotQueued> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, SqsFormatter);
    value.serialize(&mut serializer).map_err(NotQueued::because)?;
    String::from_utf8(bytes).map_err(NotQueued::because)
}

/// Writes compact JSON and escapes the two characters that JSON allows and SQS refuses (U+FFFE, U+FFFF). Otherwise an
/// event with one of them would be refused on every attempt. JSON itself escapes control characters.
struct SqsFormatter;

impl Formatter for SqsFormatter {
    fn write_string_fragment<W: std::io::Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> std::io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['\u{fffe}', '\u{ffff}']) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            writer.write_all(if from.starts_with('\u{fffe}') { b"\\ufffe" } else { b"\\uffff" })?;
            rest = from.get('\u{fffe}'.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }

    fn write_char_escape<W: std::io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> std::io::Result<()> {
        CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use domain::primitives::id::SiteId;
    use domain::queue::job::Job;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_contains_only_characters_sqs_accepts() {
        let job = Job::event(
            SiteId::parse("demo").unwrap(),
            "2026-11-22T09:15:00Z".parse().unwrap(),
            json!({"text": "a\u{0}\u{fffe}b\u{ffff}\u{ffff} é \" 🎉"}),
        );
        let body = of(&job).unwrap();
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(body.chars().all(allowed), "{body}");
        assert_eq!(serde_json::from_str::<Job>(&body).unwrap(), job);
    }
}
