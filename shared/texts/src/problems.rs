//! The problems of mappings and templates.

use domain::check::{ButtonKind, Problem, Unfilled, Wrong};
use domain::decision::render::Fault;
use domain::primitives::language::Language;
use domain::template::{Media, Unfillable};

use crate::Texts;

impl Texts {
    /// Returns a problem of a mapping.
    #[must_use]
    pub fn problem(&self, problem: &Problem) -> String {
        match problem {
            Problem::Missing => self.problem_missing(),
            Problem::UnknownField => self.problem_unknown_field(),
            Problem::Wrong(wrong) => self.problem_wrong(self.wrong(wrong)),
            Problem::UnknownVariable { id, nearest: None } => self.problem_unknown_variable(id.as_str()),
            Problem::UnknownVariable { id, nearest: Some(nearest) } => {
                self.problem_unknown_variable_nearest(id.as_str(), *nearest)
            }
            Problem::VariableNotInEvent { variable, event, instead: None } => {
                self.problem_variable_not_in_event(event.to_string(), *variable)
            }
            Problem::VariableNotInEvent { variable, event, instead: Some(instead) } => {
                self.problem_variable_not_in_event_instead(event.to_string(), *variable, *instead)
            }
            Problem::NeverNotified(event) => self.problem_never_notified(event.to_string()),
            Problem::NotOfThisEvent(event) => self.problem_not_of_this_event(event.to_string()),
            Problem::HeldTooLong(useful_for) => self.problem_held_too_long(useful_for.as_str()),
            Problem::NeverQuiet => self.problem_never_quiet(),
            Problem::NoTemplates => self.problem_no_templates(),
            Problem::UnknownAccount(Some(id)) => self.problem_unknown_account(id.as_str()),
            Problem::UnknownAccount(None) => self.problem_no_account(),
            Problem::InactiveAccount(id) => self.problem_inactive_account(id.as_str()),
            Problem::UnknownTemplate { name, account } => {
                self.problem_unknown_template(account.as_str(), name.as_str())
            }
            Problem::UnknownTemplateLanguage { name, listed } => {
                let listed: Vec<&str> = listed.iter().map(Language::as_str).collect();
                self.problem_unknown_template_language(name.as_str(), listed.join(", "))
            }
            Problem::NotApproved(status) => self.problem_not_approved(status.as_str()),
            Problem::Unusable(why) => self.problem_unusable(self.unfillable(why)),
            Problem::TemplateChanged => self.problem_template_changed(),
            Problem::CategoryRefused(category) => self.problem_category_refused(category.as_str()),
            Problem::Marketing => self.problem_marketing(),
            Problem::Unfilled(part) => self.unfilled(part),
            Problem::Superfluous => self.problem_superfluous(),
            Problem::OtherHeader(Some(media)) => self.problem_other_header(media.to_string()),
            Problem::OtherHeader(None) => self.problem_text_header(),
            Problem::OtherButton(ButtonKind::Suffix) => self.problem_button_suffix(),
            Problem::OtherButton(ButtonKind::Payload) => self.problem_button_payload(),
            Problem::OtherButton(ButtonKind::Code) => self.problem_button_code(),
            Problem::EmptyText => self.problem_empty_text(),
            Problem::NeverSendable(Fault::NoHttpsAddress) => self.problem_no_https(),
            Problem::NeverSendable(Fault::OtherThanLettersAndDigits) => self.problem_no_code(),
            Problem::NeverSendable(Fault::TooLong { length, length_max }) => {
                self.problem_too_long(*length, *length_max)
            }
            Problem::UnknownLanguage(code) => self.problem_unknown_language(code.as_str()),
            Problem::OtherLanguage(language) => self.problem_other_language(language.as_str()),
            Problem::NoDefaultLanguage(language) => self.problem_no_default_language(language.as_str()),
        }
    }

    fn unfilled(&self, part: &Unfilled) -> String {
        match part {
            Unfilled::Placeholder(placeholder) => self.problem_unfilled_placeholder(format!("{{{{{placeholder}}}}}")),
            Unfilled::Header(Media::Image) => self.problem_unfilled_image(),
            Unfilled::Header(Media::Video) => self.problem_unfilled_video(),
            Unfilled::Header(Media::Document) => self.problem_unfilled_document(),
            Unfilled::Button(ButtonKind::Suffix) => self.problem_unfilled_suffix(),
            Unfilled::Button(ButtonKind::Payload) => self.problem_unfilled_payload(),
            Unfilled::Button(ButtonKind::Code) => self.problem_unfilled_code(),
        }
    }

    /// Returns why a value is invalid for its field, as the end of a sentence.
    #[must_use]
    pub fn wrong(&self, wrong: &Wrong) -> String {
        match wrong {
            Wrong::Boolean => self.wrong_boolean(),
            Wrong::Text => self.wrong_text(),
            Wrong::List => self.wrong_list(),
            Wrong::Object => self.wrong_object(),
            Wrong::WholeNumber => self.wrong_whole_number(),
            Wrong::Amount => self.wrong_amount(),
            Wrong::Moment => self.wrong_moment(),
            Wrong::OneOf(names) => self.wrong_one_of(names.join(", ")),
            Wrong::Lacks(name) => self.wrong_lacks(name.as_str()),
            Wrong::Id(error) => self.id_error(*error),
            Wrong::Language => self.wrong_language(),
            Wrong::Duration => self.wrong_duration(),
            Wrong::HourMinute => self.wrong_hour_minute(),
            Wrong::Placeholder => self.wrong_placeholder(),
            Wrong::EventType => self.wrong_event_type(),
            Wrong::Variable => self.wrong_variable(),
            Wrong::ButtonPlace => self.wrong_button_place(),
            Wrong::ValueKind => self.wrong_value_kind(),
            Wrong::HeaderKind => self.wrong_header_kind(),
            Wrong::ButtonKind => self.wrong_button_kind(),
            Wrong::Other(words) => words.clone(),
        }
    }

    /// Returns why the bridge cannot fill a template, as the end of a sentence.
    #[must_use]
    pub fn unfillable(&self, why: &Unfillable) -> String {
        match why {
            Unfillable::NoBody => self.unfillable_no_body(),
            Unfillable::Part(kind) => self.unfillable_part(kind.as_str()),
            Unfillable::Header(kind) => self.unfillable_header(kind.as_str()),
            Unfillable::HeaderPlaceholders => self.unfillable_header_placeholders(),
            Unfillable::HeaderGaps => self.unfillable_header_gaps(),
            Unfillable::BodyGaps => self.unfillable_body_gaps(),
            Unfillable::Buttons(count_max) => self.unfillable_buttons(*count_max),
            Unfillable::Button(kind) => self.unfillable_button(kind.as_str()),
            Unfillable::UrlMissing => self.unfillable_url_missing(),
            Unfillable::UrlPlaceholder => self.unfillable_url_placeholder(),
            Unfillable::Format { placeholder, format } => self.unfillable_format(placeholder.as_str(), format.as_str()),
            Unfillable::Unread => self.unfillable_unread(),
            Unfillable::Other(words) => words.clone(),
        }
    }
}
