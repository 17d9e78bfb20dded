use domain::primitives::id::SiteId;

use super::*;

fn lines(text: &str) -> Result<(Vec<Line>, Vec<Finding>), Failure> {
    let site = Site::new(SiteId::parse("demo").unwrap());
    let secret = ContactSecret::parse(&"x".repeat(43)).unwrap();
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    Reading { site: &site, secret: &secret, now }.lines(text)
}

#[test]
fn a_spreadsheet_is_read_with_semicolons_quotes_and_italian_values() {
    let text = "Phone;Scope;Reason;Consent\n340 1234567;all;\"detto; al telefono\";\n+39 340 1234567;;;Sì\n";
    let (lines, findings) = lines(text).unwrap();
    assert_eq!(findings, []);
    assert_eq!(lines[0].contact, lines[1].contact);
    let suppression = lines[0].suppression.as_ref().unwrap();
    assert_eq!((suppression.scope, suppression.source), (Scope::All, Source::Import));
    assert_eq!(suppression.reason, "detto; al telefono");
    assert_eq!((lines[1].consent, &lines[1].suppression), (Some(true), &None));
}

#[test]
fn every_invalid_line_is_reported_with_its_number() {
    let other = "0".repeat(64);
    let text = format!(
        "phone,contact,scope,consent,since\n3401234567,,all,,\n12,,all,,\n,,all,,\n3401234567,,some,,\n\
         3401234567,,,maybe,\n3401234567,,,,\n3401234567,{other},all,,\n,abc,all,,\n3401234567,,all,,ieri\n1,2\n"
    );
    let (lines, findings) = lines(&text).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9, 10, 11]);
    // Findings do not repeat the number.
    assert!(!format!("{findings:?}").contains("3401234567"), "{findings:?}");
}

#[test]
fn an_invalid_header_row_is_refused() {
    for head in ["phone,scopo", "scope", "phone,phone", ""] {
        assert_eq!(lines(&format!("{head}\n")).unwrap_err().code(), 2, "{head}");
    }
}
