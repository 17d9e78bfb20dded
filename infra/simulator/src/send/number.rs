//! Resolves `to` to a WhatsApp number.

/// Minimum and maximum length of a number with country code. E.164 allows at most 15 digits.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Country codes of two digits. The codes 1 and 7 have one digit. All others have three.
const TWO_DIGIT_CODES: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 \
                               60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

/// Returns the digits that identify the number on WhatsApp, or `None` if `to` is not a plausible number.
///
/// Blanks, dashes and brackets are accepted. Without `+` the country code of `sender` is prepended, even if the number
/// already contains one. The platform does the same, and a bridge that omits the `+` must notice it.
pub(crate) fn wa_id(to: &str, sender: &str) -> Option<String> {
    let (international, rest) = match to.trim().strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, to.trim()),
    };
    if !rest.chars().all(|c| c.is_ascii_digit() || "-() ".contains(c)) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let number = if international { digits } else { format!("{}{digits}", country_code(sender)?) };
    (DIGITS.contains(&number.len()) && !number.starts_with('0')).then_some(number)
}

fn country_code(sender: &str) -> Option<&str> {
    let digits = sender.strip_prefix('+')?;
    let two = digits.get(..2)?;
    let length = match two {
        _ if two.starts_with(['1', '7']) => 1,
        _ if TWO_DIGIT_CODES.split(' ').any(|code| code == two) => 2,
        _ => 3,
    };
    digits.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(to: &str, expected: Option<&str>) {
        assert_eq!(wa_id(to, "+390212345678").as_deref(), expected, "{to}");
    }

    #[test]
    fn numbers_in_international_form_are_read() {
        check("+393401234567", Some("393401234567"));
        check(" +39 340 (123)-45 67", Some("393401234567"));
        check("+390669812345", Some("390669812345"));
        check("+16315551234", Some("16315551234"));
    }

    #[test]
    fn a_number_without_plus_gets_the_senders_country_code() {
        check("3401234567", Some("393401234567"));
        check("393401234567", Some("39393401234567"));
        assert_eq!(wa_id("(631) 555-1234", "+1 415 5550000").as_deref(), Some("16315551234"));
        assert_eq!(wa_id("401234567", "+3581234567").as_deref(), Some("358401234567"));
    }

    #[test]
    fn an_invalid_number_is_not_read() {
        for to in ["", "+", "+39", "+0393401234567", "anna", "+39340123456x", "+3934012345678901", "++393401234567"] {
            check(to, None);
        }
    }
}
