//! What the line for a filter knows of the language: whether a text is valid, how it can go on, and
//! what the help tells of it.

use crate::query::{self, Field, Filter, RowFilter};
use crate::store::CaptureStore;
use crate::tui::question::{Checker, Completion, Fault};
use crate::tui::view::{QuestionKind, Rows};
use crate::tui::views::{connections, packets, servers};

/// What rows have that a filter can ask for.
const fn fields(rows: Rows) -> &'static [Field] {
    match rows {
        Rows::Calls => query::fields(),
        Rows::Connections => connections::FILTERED,
        Rows::Packets => packets::FILTERED,
        Rows::Servers => servers::FILTERED,
    }
}

/// Judges filters by the language; takes every answer to other questions.
#[derive(Clone, Copy, Debug)]
pub struct Filters;

impl Checker for Filters {
    fn check(&self, kind: QuestionKind, text: &str) -> Result<(), Fault> {
        let QuestionKind::Filter(rows) = kind else { return Ok(()) };
        let parsed = match rows {
            Rows::Calls => Filter::parse(text).map(drop),
            Rows::Connections | Rows::Packets | Rows::Servers => {
                RowFilter::parse(fields(rows), text).map(drop)
            }
        };
        parsed.map_err(|error| Fault { place: error.span, reason: error.message })
    }

    fn complete(
        &self,
        kind: QuestionKind,
        text: &str,
        cursor: usize,
        capture: &CaptureStore,
    ) -> Vec<Completion> {
        let QuestionKind::Filter(rows) = kind else { return Vec::new() };
        // The costliest first: whoever filters looks for those.
        let patterns = capture.statistics().patterns();
        let patterns = patterns.iter().filter_map(|row| row.pattern.as_deref());
        let found = query::complete(fields(rows), text, cursor, patterns);
        let completion = |candidate: query::Candidate| Completion {
            place: found.replace.clone(),
            text: candidate.text,
            hint: candidate.hint,
        };
        found.candidates.into_iter().map(completion).collect()
    }

    fn help(&self, rows: Rows) -> Vec<(String, String)> {
        let fields = fields(rows).iter().map(|field| (field.name, field.meaning));
        let examples = if rows == Rows::Calls { EXAMPLES } else { &[] };
        examples
            .iter()
            .copied()
            .chain([("Conditions", "")])
            .chain(CONDITIONS.iter().copied())
            .chain([("Fields", "")])
            .chain(fields)
            .map(|(word, sentence)| (word.to_owned(), sentence.to_owned()))
            .collect()
    }
}

/// What one may look for, and filters that find it.
const EXAMPLES: &[(&str, &str)] = &[
    ("what failed", "status == error"),
    ("slow calls", "latency > 10ms"),
    ("what was sent", "data.user.id == 42"),
    ("what came back", "response contains \"paid\""),
    ("two conditions", "pattern == \"sum\" and not status == ok"),
];

/// The forms of a condition.
const CONDITIONS: &[(&str, &str)] = &[
    ("latency", "there is such a field: here, a call that was answered"),
    ("== !=", "equal or not; false where the field is missing"),
    ("< <= > >=", "smaller, larger"),
    ("in {1, 3..5}", "one of these; a range holds both its ends"),
    ("contains \"x\"", "the text, or a text anywhere in the JSON, holds x"),
    ("matches \"x\"", "so does a regular expression; Sum and sum are one"),
    ("and or not ( )", "join conditions; and binds more tightly than or"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_a_place_and_a_reason() {
        let check = |text| Filters.check(QuestionKind::Filter(Rows::Calls), text);
        assert_eq!(check("status == error"), Ok(()));
        let fault = check("status == error and latancy > 10ms").unwrap_err();
        assert_eq!(fault.place, 20..27);
        assert!(fault.reason.contains("latency"), "{}", fault.reason);
        assert_eq!(Filters.check(QuestionKind::File, "latancy"), Ok(()));
    }

    #[test]
    fn fields_and_words_are_completed() {
        let complete = |text: &str| {
            let found = Filters.complete(
                QuestionKind::Filter(Rows::Calls),
                text,
                text.len(),
                &CaptureStore::default(),
            );
            found.into_iter().map(|found| (found.place, found.text)).collect::<Vec<_>>()
        };
        assert_eq!(complete("lat"), [(0..3, "latency".to_owned())]);
        assert!(complete("status == er").contains(&(10..12, "error".to_owned())));
        let none = Filters.complete(QuestionKind::Search, "lat", 3, &CaptureStore::default());
        assert_eq!(none, []);
    }

    #[test]
    fn what_the_help_shows_is_valid() {
        for (_, example) in EXAMPLES {
            assert!(Filter::parse(example).is_ok(), "{example}");
        }
        for rows in [Rows::Calls, Rows::Connections, Rows::Packets, Rows::Servers] {
            let told = Filters.help(rows);
            for field in fields(rows) {
                assert!(told.iter().any(|(word, _)| word == field.name), "{}", field.name);
            }
            // One column of words, one of sentences, and the scroll bar: on 80 columns.
            let fits = |(word, text): &(String, String)| word.len() <= 14 && text.len() <= 61;
            assert!(told.iter().all(fits));
        }
    }
}
