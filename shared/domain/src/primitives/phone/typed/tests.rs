//! Phone number fields as ERP records contain them.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expected: Result<&str, PhoneError>) {
    let phone = Phone::parse(text, Country::ITALY);
    assert_eq!(phone.as_ref().map(Phone::as_e164).map_err(|error| *error), expected, "{text}");
}

#[test]
fn the_first_mobile_in_a_field_with_several_numbers_is_used() {
    for text in [
        "3401234567/3409876543",
        "340 1234567 - 340 9876543",
        "340 1234567 340 9876543",
        "340.1234567; 340.9876543",
        "340 1234567, 06 69812345",
        "06 69812345 - 340 1234567",
        "06 69812345 / 340 1234567 / 333 7654321",
        "06/69812345 340/1234567",
        "+39 340 1234567+39 333 7654321",
        "340 1234567 o 333 7654321",
        "340 1234567 e 06 69812345",
        "340 1234567\n333 7654321",
        "casa 06 69812345 cell 340 1234567",
        "fax 06 69812345, cell. 340 1234567",
        "P.IVA 01234567890 tel. 340 1234567",
    ] {
        check(text, Ok("+393401234567"));
    }
    check("fax 06 69812345", Err(PhoneError::Invalid));
    check("06 69812345 - 02 76543210", Ok("+390669812345"));
}

#[test]
fn words_around_a_number_are_left_out() {
    for text in [
        "cell. 340 1234567",
        "Cell.3401234567",
        "cell3401234567",
        "tel:+39 340 1234567",
        "340 1234567 (Mario)",
        "340 1234567 Sig.ra Rossi",
        "Mario: 340-1234567 (ore 9-13)",
        "3401234567 (dopo le 18)",
        "WhatsApp +39 340 1234567",
        "\u{202a}+39 340 1234567\u{202c}",
        "M. 340 1234567",
    ] {
        check(text, Ok("+393401234567"));
    }
}

#[test]
fn a_letter_is_never_read_as_a_digit() {
    for text in [
        "340 1234S67",
        "34O1234567",
        "34O 1234567",
        "340 123456l",
        "340 I234567",
        "+39 34O 1234567",
        "340-CASA-123",
        "340 12345 ab",
        "340 O 1234567",
        "O39 340 1234567",
        "340 123FIORI",
        "RSSMRA80A01H501U",
        "800-FIORI-1",
    ] {
        check(text, Err(PhoneError::Invalid));
    }
    // In Germany eight digits are a number, but those after the typing error are not read as one.
    let germany = Country::parse("DE").unwrap();
    assert!(Phone::parse("0151 23456789", germany).is_ok());
    assert_eq!(Phone::parse("0151O23456789", germany), Err(PhoneError::Invalid));
}

#[test]
fn ambiguous_numbers_are_refused() {
    for text in ["06 698123/45", "340 123456/7", "340,1234567", "1) 340 1234567", "340 12", "340123456733376543219"] {
        check(text, Err(PhoneError::Invalid));
    }
    check("3401234567 int. 12", Err(PhoneError::Extension));
    check("3401234567x12", Err(PhoneError::Extension));
    check("3401234567 #12", Err(PhoneError::Extension));
    check("06 69812345 interno 3", Err(PhoneError::Extension));
    check("06 69812345 int. 3, cell. 340 1234567", Ok("+393401234567"));
    check("numero verde 800 123456", Err(PhoneError::Service));
}

#[test]
fn invisible_marks_inside_a_number_are_ignored() {
    for mark in ['\u{ad}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2060}', '\u{2069}', '\u{feff}'] {
        check(&format!("340{mark} 123{mark}4567"), Ok("+393401234567"));
    }
}

#[test]
fn runs_around_a_possible_typing_error_count_together_or_not_at_all() {
    check("340 1234567, 12", Err(PhoneError::Invalid));
    check("12, 340 1234567", Err(PhoneError::Invalid));
    // A word separates the runs, so each counts by itself.
    check("340 1234567 oppure 12", Ok("+393401234567"));
    // The comma may be a typing error inside the extension.
    check("06 69812345 int. 3, 340 1234567", Err(PhoneError::Extension));
}

#[test]
fn the_first_error_that_is_more_exact_than_invalid_is_returned() {
    check("800 123456 oppure 12", Err(PhoneError::Service));
    check("12 oppure 800 123456", Err(PhoneError::Service));
}

#[test]
fn adjacent_numbers_are_split_only_at_a_separator_or_a_plus() {
    check("3401234567 3337654321", Ok("+393401234567"));
    check("34012345673337654321", Err(PhoneError::Invalid));
    check("+41791234567+41791234568", Ok("+41791234567"));
}

#[test]
fn each_end_of_a_run_is_read_once() {
    let germany = Country::parse("DE").unwrap();
    // Almost every part of at least six digits is a German number, but no split works at the end.
    let run = format!("{}00000000000000", "48 14 82 34 ".repeat(9));
    let mut known = HashMap::new();
    assert_eq!(ways(&run, germany, &mut known), BTreeSet::new());
    assert!((2..=run.split(' ').count()).contains(&known.len()), "{}", known.len());
    assert_eq!(Phone::parse(&run, germany), Err(PhoneError::Invalid));
    check(&"340 1234567 ".repeat(10), Ok("+393401234567"));
}

#[test]
fn a_number_next_to_another_has_at_least_six_digits() {
    // The shortest Italian landline.
    check("066901", Ok("+39066901"));
    for text in ["066901 3401234567", "3401234567 066901"] {
        check(text, Ok("+393401234567"));
    }
    // Numbers of the Falkland Islands have five digits.
    let falklands = Country::parse("FK").unwrap();
    let parse = |text| Phone::parse(text, falklands).map(|phone| phone.as_e164().to_owned());
    assert_eq!(parse("51234"), Ok("+50051234".to_owned()));
    assert_eq!(parse("+500 51234 / +500 51235"), Ok("+50051234".to_owned()));
    for text in ["51234 / +500 51235", "+500 51234 / 51235"] {
        assert_eq!(parse(text), Err(PhoneError::Invalid), "{text}");
    }
}

#[test]
fn two_zeros_count_as_a_plus_after_separators_and_a_closing_bracket() {
    for text in ["cell. 0041 79 123 45 67", "- 0041 79 123 45 67", "(+41 79 123 45 67)0041 79 123 45 68"] {
        let phone = Phone::parse(text, Country::UNKNOWN);
        assert_eq!(phone.as_ref().map(Phone::as_e164), Ok("+41791234567"), "{text}");
    }
}

const MOBILES: [(&str, &str); 4] = [
    ("340 1234567", "+393401234567"),
    ("+39 333 7654321", "+393337654321"),
    ("0041 79 123 45 67", "+41791234567"),
    ("347.123.45.68", "+393471234568"),
];

/// Returns the digits and signs of a text, without the separators and invisible marks allowed in a number.
fn closed(text: &str) -> String {
    text.chars().filter(|char| !is_separator(*char) && !is_invisible(*char)).collect()
}

proptest! {
    #[test]
    fn a_letter_among_the_digits_makes_a_number_invalid(
        number in prop::sample::select(MOBILES.as_slice()), at in 1usize..16, letter in "\\p{L}{1,2}", replaces: bool,
    ) {
        let digits: Vec<usize> =
            number.0.char_indices().filter(|(_, char)| char.is_ascii_digit()).map(|(index, _)| index).collect();
        let at = digits[at % (digits.len() - 1) + usize::from(!replaces)];
        let after = if replaces { at + 1 } else { at };
        let text = format!("{}{letter}{}", &number.0[..at], &number.0[after..]);
        prop_assert!(Phone::parse(&text, Country::ITALY).is_err(), "{}", text);
    }

    #[test]
    fn accepted_digits_occur_in_the_text(text in "[a-zO0-9 +./,;()-]{0,40}|([0-9]{3} [0-9]{6,7}[ /;-]{1,3}){1,3}") {
        if let Ok(phone) = Phone::parse(&text, Country::ITALY) {
            let tail: String = phone.as_e164().chars().skip(phone.as_e164().len() - 6).collect();
            prop_assert!(closed(&text).contains(&tail), "{} in {}", tail, text);
        }
    }

    #[test]
    fn a_number_is_found_among_words(
        number in prop::sample::select(MOBILES.as_slice()),
        before in prop::sample::select(vec!["", "cell. ", "Tel: ", "Sig. Rossi ", "casa - "]),
        after in prop::sample::select(vec!["", " (Mario)", ", dopo le 18", " ufficio", "."]),
    ) {
        let text = format!("{before}{}{after}", number.0);
        let phone = Phone::parse(&text, Country::ITALY);
        prop_assert_eq!(phone.as_ref().map(Phone::as_e164), Ok(number.1), "{}", text);
    }

    #[test]
    fn the_first_of_two_mobiles_is_used(
        one in prop::sample::select(MOBILES.as_slice()), other in prop::sample::select(MOBILES.as_slice()),
        between in prop::sample::select(vec![" / ", "/", "; ", " - ", ", ", " o ", " oppure ", "\n"]),
    ) {
        let text = format!("{}{between}{}", one.0, other.0);
        let phone = Phone::parse(&text, Country::ITALY);
        prop_assert_eq!(phone.as_ref().map(Phone::as_e164), Ok(one.1), "{}", text);
    }
}
