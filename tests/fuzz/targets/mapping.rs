//! A mapping file as `bridge mapping apply` parses, checks and stores it, and `bridge mapping export` writes it.
#![no_main]

#[path = "../../../infra/cli/src/yaml.rs"]
mod yaml;

use domain::check::check;
use domain::mapping::Mapping;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(document) = yaml::parse(text) else { return };
    let checked = check(&document, &fuzz::CONFIG);
    assert!(checked.mapping.is_some() || !checked.findings.is_empty(), "a refusal has a reason");
    assert!(checked.findings.is_sorted_by_key(|finding| &finding.path));
    for finding in &checked.findings {
        assert!(finding.path.is_empty() || finding.path.starts_with('/'), "{finding:?}");
    }
    let is_right = checked.is_right();
    let Some(mapping) = checked.mapping else { return };
    fuzz::round_trip(&mapping);
    let useful_for = mapping.useful_for();
    assert!(useful_for.duration().is_positive() && useful_for.duration() <= domain::mapping::UsefulFor::MAX.duration());
    exported(mapping, is_right);
});

/// The exported file is read as the same mapping, and may be saved if the mapping may.
fn exported(mapping: Mapping, is_right: bool) {
    let file = yaml::of_mapping(&mapping).and_then(|yaml| serde_norway::to_string(&yaml)).expect("a mapping is YAML");
    let document = yaml::parse(&file).unwrap_or_else(|error| panic!("the export is no YAML: {error}\n{file}"));
    let again = check(&document, &fuzz::CONFIG);
    assert!(!is_right || again.is_right(), "{:?}\n{file}", again.findings);
    assert_eq!(again.mapping, Some(Mapping { version: 0, ..mapping }), "{file}");
}
