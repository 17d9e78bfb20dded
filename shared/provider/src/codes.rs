//! Meta's error codes and what each calls for, as data.
//!
//! Source: Meta's error code reference for the Cloud API. Logic rests on the code, never on the HTTP status alone or on
//! a title: the former varies with the provider, the latter are translated.

/// What a refusal calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Passing trouble at the provider: surely not accepted, try again.
    Retry,
    /// Too fast: surely not accepted, try again later.
    Rate,
    /// This message or recipient: final.
    Message,
    /// The template cannot be sent: surely not accepted, a matter for the shop.
    Template,
    /// The whole account cannot send: surely not accepted, a matter for the shop.
    Account,
    /// The code proves nothing when it comes with a server error.
    Ambiguous,
}

/// Each code with its class. Codes are strings: one is never computed with.
pub const TABLE: &[(&str, Class)] = &[
    ("0", Class::Account),
    ("1", Class::Ambiguous),
    ("2", Class::Ambiguous),
    ("3", Class::Account),
    ("4", Class::Rate),
    ("10", Class::Account),
    ("33", Class::Account),
    ("100", Class::Message),
    ("102", Class::Account),
    ("190", Class::Account),
    ("368", Class::Account),
    ("613", Class::Rate),
    ("803", Class::Account),
    ("80007", Class::Rate),
    ("80008", Class::Rate),
    ("130429", Class::Rate),
    ("130472", Class::Message),
    ("130497", Class::Message),
    ("131000", Class::Ambiguous),
    ("131005", Class::Account),
    ("131008", Class::Message),
    ("131009", Class::Message),
    ("131016", Class::Ambiguous),
    ("131021", Class::Message),
    ("131026", Class::Message),
    ("131030", Class::Message),
    ("131031", Class::Account),
    ("131037", Class::Account),
    ("131042", Class::Account),
    ("131045", Class::Account),
    ("131047", Class::Message),
    ("131048", Class::Rate),
    ("131049", Class::Message),
    ("131050", Class::Message),
    ("131051", Class::Message),
    ("131052", Class::Retry),
    ("131053", Class::Retry),
    ("131056", Class::Rate),
    ("131057", Class::Retry),
    ("131058", Class::Template),
    ("131060", Class::Retry),
    ("131062", Class::Message),
    ("131063", Class::Template),
    ("131064", Class::Account),
    ("132000", Class::Message),
    ("132001", Class::Template),
    ("132005", Class::Message),
    ("132007", Class::Template),
    ("132008", Class::Message),
    ("132012", Class::Message),
    ("132015", Class::Template),
    ("132016", Class::Template),
    ("132018", Class::Message),
    ("132068", Class::Template),
    ("132069", Class::Retry),
    ("133000", Class::Account),
    ("133004", Class::Retry),
    ("133005", Class::Account),
    ("133006", Class::Account),
    ("133008", Class::Account),
    ("133009", Class::Account),
    ("133010", Class::Account),
    ("133015", Class::Account),
    ("133016", Class::Account),
    ("135000", Class::Message),
    ("137000", Class::Message),
];

/// The class of a code; `None` for one nobody listed.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    let listed = TABLE.iter().find(|(listed, _)| *listed == code).map(|(_, class)| *class);
    // Meta keeps 200 to 299 for missing permissions.
    let is_permission = || code.parse::<u16>().is_ok_and(|number| (200..300).contains(&number));
    listed.or_else(|| is_permission().then_some(Class::Account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<&str> = TABLE.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        let listed = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }

    #[test]
    fn permissions_are_the_accounts_matter() {
        assert_eq!(class("200"), Some(Class::Account));
        assert_eq!(class("299"), Some(Class::Account));
        assert_eq!(class("300"), None);
        assert_eq!(class("WA-7"), None);
    }
}
