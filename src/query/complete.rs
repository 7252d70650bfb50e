//! What may stand at a place of a filter that is being typed.
//!
//! ```text
//!            not (                 and or                 ,
//!            ┌──┐          ┌──────────────────────┐      ┌──┐
//!            ▼  │          ▼                      │      ▼  │
//!  start ─► field ─ name ─► operator ─ == ─► value ─► joint ◄─ } ─ element
//!                             │  ▲                                   ▲
//!                             └──┘ [0] .key      └──── in ──► set ─ { ┘
//! ```

use std::ops::Range;

use super::field::{self, Fact, Field, FieldKind};
use super::lexer::{self, Sign, Token, TokenKind};
use super::quoting::{quoted, unescaped};
use super::value;

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The bytes of the text that a candidate takes the place of; empty where nothing was begun.
    pub replace: Range<usize>,
    /// What may stand there, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// A way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What to write.
    pub text: String,
    /// What it means; may be empty.
    pub hint: &'static str,
}

/// What may stand at byte `cursor` of `text`, a filter over rows of this `table` of fields.
/// `patterns` are those that are known, the likeliest first.
pub fn complete<'p>(
    table: &'static [Field],
    text: &str,
    cursor: usize,
    patterns: impl IntoIterator<Item = &'p str>,
) -> Completions {
    let cursor = text.floor_char_boundary(cursor);
    let mut tokens = lexer::tokens(text.get(..cursor).unwrap_or_default());
    let begun = tokens.pop_if(|token| token.span.end == cursor && is_begun(token, text));
    let mut replace = begun.as_ref().map_or(cursor..cursor, |token| token.span.clone());
    let is_word = begun.is_some_and(|token| !matches!(token.kind, TokenKind::Text { .. }));
    if is_word {
        let rest = text.get(cursor..).unwrap_or_default();
        replace.end = cursor + rest.find(|c| !lexer::is_of_word(c)).unwrap_or(rest.len());
    }
    let (place, parentheses) = place(table, &tokens, text);
    if let Place::Element(_) = place
        && let Some(dots) = text.get(replace.start..cursor).and_then(|word| word.rfind(".."))
    {
        replace.start += dots + 2;
    }
    let begun = text.get(replace.start..cursor).unwrap_or_default();
    let mut candidates = match place {
        Place::Field => fields(table, begun),
        Place::Operator(field) => starting(begun, operators(field).chain(JOINTS)),
        Place::Set => starting(begun, [("{", "a set: {a, b, 3..5}")].into_iter()),
        Place::Joint => starting(begun, JOINTS.into_iter()),
        Place::Value(field) | Place::Element(field) => values(field, begun, patterns),
        Place::Text | Place::Index(_) | Place::Unknown => Vec::new(),
    };
    let may_close = matches!(place, Place::Operator(_) | Place::Joint) && parentheses > 0;
    if may_close && begun.is_empty() {
        candidates.push(candidate(")", "closes the parenthesis"));
    }
    Completions { replace, candidates }
}

/// What is expected.
#[derive(Clone, Copy)]
enum Place {
    Field,
    Operator(&'static Field),
    /// Within the brackets of a path.
    Index(&'static Field),
    Value(&'static Field),
    /// A text that nobody can guess.
    Text,
    Set,
    Element(&'static Field),
    Joint,
    Unknown,
}

/// Whether a token that ends at the cursor may go on.
fn is_begun(token: &Token, text: &str) -> bool {
    match token.kind {
        TokenKind::Text { closed, .. } => !closed,
        _ => text.get(token.span.clone()).is_some_and(|word| word.chars().all(lexer::is_of_word)),
    }
}

/// What is expected behind `tokens`, and how many parentheses are open there.
fn place(table: &'static [Field], tokens: &[Token], text: &str) -> (Place, usize) {
    let mut place = Place::Field;
    let mut parentheses = 0_usize;
    let mut asked = None;
    for token in tokens {
        let word = text.get(token.span.clone()).unwrap_or_default();
        let sign = match token.kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        };
        match sign {
            Some(Sign::Open) => parentheses += 1,
            Some(Sign::Close) => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        place = match (place, sign) {
            (Place::Field, Some(Sign::Not | Sign::Open)) => Place::Field,
            (Place::Field, None) => known(table, word).map_or(Place::Unknown, Place::Operator),
            (Place::Operator(field), Some(Sign::IndexOpen)) => Place::Index(field),
            (Place::Index(field), Some(Sign::IndexClose)) => Place::Operator(field),
            (Place::Index(field), _) => Place::Index(field),
            (Place::Operator(field), Some(Sign::Not)) => Place::Operator(field),
            (Place::Operator(_), Some(Sign::Matches)) => Place::Text,
            (Place::Operator(field), Some(sign)) if is_comparison(sign) => Place::Value(field),
            (Place::Operator(_), None) if word == "contains" => Place::Text,
            (Place::Operator(field), None) if word == "in" => {
                asked = Some(field);
                Place::Set
            }
            (Place::Operator(field), None) if word.starts_with('.') => Place::Operator(field),
            (Place::Set, Some(Sign::SetOpen)) => asked.map_or(Place::Unknown, Place::Element),
            (Place::Element(_), Some(Sign::SetClose)) => Place::Joint,
            (Place::Element(field), _) => Place::Element(field),
            (Place::Value(_) | Place::Text, None) => Place::Joint,
            (Place::Operator(_) | Place::Joint, Some(Sign::And | Sign::Or)) => Place::Field,
            (Place::Operator(_) | Place::Joint, Some(Sign::Close)) => Place::Joint,
            _ => Place::Unknown,
        };
    }
    (place, parentheses)
}

const fn is_comparison(sign: Sign) -> bool {
    matches!(
        sign,
        Sign::Equal
            | Sign::NotEqual
            | Sign::Less
            | Sign::LessEqual
            | Sign::Greater
            | Sign::GreaterEqual
    )
}

/// The field that `word` names, with or without a path.
fn known(table: &'static [Field], word: &str) -> Option<&'static Field> {
    field::named(table, word).or_else(|| {
        let (name, _path) = word.split_once('.')?;
        field::named(table, name).filter(|field| field.kind == FieldKind::Json)
    })
}

const JOINTS: [(&str, &str); 2] = [("and", "both must hold"), ("or", "one must hold")];

fn operators(field: &Field) -> impl Iterator<Item = (&'static str, &'static str)> {
    field.kind.operators().iter().map(|operator| {
        let hint = match *operator {
            "==" => "equal",
            "!=" => "there, and different",
            "<" => "less",
            "<=" => "less or equal",
            ">" => "greater",
            ">=" => "greater or equal",
            "in" => "one of a set",
            "contains" => "holds this text",
            _ => "fits this regular expression",
        };
        (*operator, hint)
    })
}

fn fields(table: &'static [Field], begun: &str) -> Vec<Candidate> {
    let fields = table.iter().map(|field| (field.name, field.meaning));
    starting(begun, fields.chain([("not", "must not hold")]))
}

fn values<'p>(
    field: &Field,
    begun: &str,
    patterns: impl IntoIterator<Item = &'p str>,
) -> Vec<Candidate> {
    let nothing = |words: &'static [&'static str]| starting(begun, words.iter().map(|w| (*w, "")));
    match field.kind {
        FieldKind::Word(words) => nothing(words),
        FieldKind::Duration if begun.is_empty() => nothing(&["1ms", "10ms", "100ms", "1s"]),
        FieldKind::Duration => with_unit(begun, &value::UNITS.map(|(unit, _)| unit)),
        FieldKind::Size => with_unit(begun, &["kB", "MB", "GB", "KiB", "MiB", "GiB"]),
        FieldKind::Json => nothing(&["true", "false", "null"]),
        FieldKind::Text if field.fact == Fact::Pattern => {
            let inside = begun.trim_start_matches(['r', 'R']);
            let typed = inside.strip_prefix(['"', '\'']).unwrap_or(begun);
            let typed = unescaped(typed).unwrap_or_else(|_| typed.to_owned());
            let fitting = patterns.into_iter().filter(|pattern| pattern.starts_with(&typed));
            fitting.map(|pattern| candidate(quoted(pattern), "")).collect()
        }
        FieldKind::Text | FieldKind::Number | FieldKind::Time | FieldKind::Address => Vec::new(),
    }
}

/// The number that was begun with each unit that it may have.
fn with_unit(begun: &str, units: &[&str]) -> Vec<Candidate> {
    let digits = begun.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    let (amount, unit) = begun.split_at(digits);
    if amount.is_empty() {
        return Vec::new();
    }
    let fitting = units.iter().filter(|known| known.is_ascii() && known.starts_with(unit));
    fitting.map(|unit| candidate(format!("{amount}{unit}"), "")).collect()
}

fn starting(
    begun: &str,
    words: impl Iterator<Item = (&'static str, &'static str)>,
) -> Vec<Candidate> {
    let fitting = words.filter(|(word, _)| word.starts_with(begun));
    fitting.map(|(word, hint)| candidate(word, hint)).collect()
}

fn candidate(text: impl Into<String>, hint: &'static str) -> Candidate {
    Candidate { text: text.into(), hint }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::Filter;

    const PATTERNS: [&str; 3] = ["sum", "sub\"t", "log"];

    /// What each candidate makes of a text whose cursor is the `|`.
    fn completed(typed: &str) -> Vec<String> {
        let cursor = typed.find('|').unwrap();
        let text = typed.replacen('|', "", 1);
        let Completions { replace, candidates } =
            complete(field::fields(), &text, cursor, PATTERNS);
        let with = |candidate: &Candidate| {
            format!("{}{}{}", &text[..replace.start], candidate.text, &text[replace.end..])
        };
        candidates.iter().map(with).collect()
    }

    #[test]
    fn what_was_begun_is_completed() {
        let cases: [(&str, &[&str]); 27] = [
            ("lat|", &["latency"]),
            ("cli|", &["client", "client.port"]),
            ("l|at > 1ms", &["latency > 1ms"]),
            ("n|", &["n", "not"]),
            ("not (st|", &["not (status"]),
            (
                "n > 1 and re|",
                &[
                    "n > 1 and request_time",
                    "n > 1 and reply_time",
                    "n > 1 and request_held",
                    "n > 1 and reply_held",
                    "n > 1 and replies",
                    "n > 1 and request.bytes",
                    "n > 1 and reply.bytes",
                    "n > 1 and response",
                ],
            ),
            ("pattern con|", &["pattern contains"]),
            ("data.user.id m|", &["data.user.id matches"]),
            ("data[0].x m|", &["data[0].x matches"]),
            ("status |", &["status ==", "status !=", "status in", "status and", "status or"]),
            ("status i|", &["status in"]),
            ("status in |", &["status in {"]),
            (
                "status == |",
                &[
                    "status == ok",
                    "status == error",
                    "status == open",
                    "status == closed",
                    "status == unknown",
                    "status == sent",
                    "status == orphan",
                    "status == refused",
                    "status == no_answer",
                    "status == reset",
                ],
            ),
            ("status == o|", &["status == ok", "status == open", "status == orphan"]),
            ("status in {ok, er|}", &["status in {ok, error}"]),
            (
                "pattern == |",
                &["pattern == \"sum\"", r#"pattern == "sub\"t""#, "pattern == \"log\""],
            ),
            ("pattern == \"su|", &["pattern == \"sum\"", r#"pattern == "sub\"t""#]),
            ("pattern == su|", &["pattern == \"sum\"", r#"pattern == "sub\"t""#]),
            (r#"pattern == "sub\"|"#, &[r#"pattern == "sub\"t""#]),
            ("latency > 10m|", &["latency > 10ms", "latency > 10m"]),
            ("latency >|", &["latency >1ms", "latency >10ms", "latency >100ms", "latency >1s"]),
            ("wait in {1ms..2u|}", &["wait in {1ms..2us}"]),
            ("bytes > 1M|", &["bytes > 1MB", "bytes > 1MiB"]),
            ("data.ok == t|", &["data.ok == true"]),
            ("(n == 1 |", &["(n == 1 and", "(n == 1 or", "(n == 1 )"]),
            ("pattern matches |", &[]),
            ("sum |", &[]),
        ];
        for (typed, expected) in cases {
            assert_eq!(completed(typed), expected, "{typed}");
        }
        assert_eq!(completed("|").len(), field::fields().len() + 1);
    }

    #[test]
    fn every_operator_that_is_offered_is_taken() {
        for field in field::fields() {
            for operator in field.kind.operators() {
                let text = format!("{} {operator} ", field.name);
                let offered = complete(field::fields(), &text, field.name.len() + 1, []).candidates;
                assert!(offered.iter().any(|candidate| candidate.text == *operator), "{text}");
                // What is missing is the value, not a better operator.
                let error = Filter::parse(&text).unwrap_err();
                assert!(error.message.ends_with("found the end of the filter"), "{text}: {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(
            text in r#"[a-z.\[\]{}()"'\\ =!<>&|~0-9é]{0,30}"#,
            cursor in 0_usize..40,
        ) {
            let Completions { replace, .. } = complete(field::fields(), &text, cursor, PATTERNS);
            prop_assert!(text.get(replace).is_some());
        }
    }
}
