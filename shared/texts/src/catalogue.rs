//! Tests of the whole catalogue.

use std::fmt::Write;

use fluent_typed::prelude::FluentArgs;

use crate::Lang;
use crate::generated::L10n;

/// Returns a sentence with the names of its variables in their places. Counts are 1 and 3.
fn shown(lang: Lang, id: &str, variables: &'static [&'static str], count: u32) -> String {
    let mut args = FluentArgs::new();
    for name in variables {
        if *name == "count" {
            args.set(*name, count);
        } else {
            args.set(*name, format!("‹{name}›"));
        }
    }
    lang.texts().sentences.by_id().msg(id, Some(args)).unwrap()
}

/// People read this snapshot when a sentence changes. Italian comes first.
#[test]
fn every_sentence_in_both_languages() {
    let mut all = String::new();
    for (id, variables) in L10n::variables() {
        let counts: &[u32] = if variables.contains(&"count") { &[1, 3] } else { &[3] };
        for count in counts {
            for lang in Lang::ALL {
                writeln!(all, "{id}  {}  {}", lang.code(), shown(lang, id, variables, *count).replace('\n', "\n    "))
                    .unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}

/// Words that occur in English sentences and never in Italian ones.
const ENGLISH: &str = "the an is are was were not of with from has have and or for this that its be been must may \
    can cannot which when only no-one their there some any without wrong missing found send sent message site queue \
    deleted unknown rule value field name should below above between after before";

#[test]
fn italian_sentences_have_no_english_words() {
    let english: Vec<&str> = ENGLISH.split_whitespace().collect();
    for (id, variables) in L10n::variables() {
        let text = variables
            .iter()
            .fold(shown(Lang::It, id, variables, 3), |text, name| text.replace(&format!("‹{name}›"), "…"));
        // Commands and their examples are not sentences.
        let sentences = text.lines().filter(|line| !line.trim_start().starts_with("bridge "));
        for sentence in sentences {
            let command = sentence.find("bridge ").unwrap_or(sentence.len());
            let words =
                sentence[..command].split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_');
            let found: Vec<&str> = words.filter(|word| english.contains(word)).collect();
            assert!(found.is_empty(), "{id}: {found:?} in {sentence}");
        }
    }
}
