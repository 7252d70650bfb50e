//! A filter as it is typed → the conditions that it says.
//!
//! ```text
//!  any   = all { ("or" | "||") all }
//!  all   = part { ("and" | "&&") part }
//!  part  = { "not" | "!" } ( "(" any ")" | term )
//!  term  = field [ compare value | ["not"] "in" "{" element { "," element } "}" ]
//!  field = name { "." key | "[" (index | "*" | text) "]" }
//! ```

mod operand;

use std::fmt::Write;
use std::ops::Range;

use super::error::FilterError;
use super::field::{self, Fact, Field, FieldKind};
use super::filter::Node;
use super::lexer::{self, Sign, Token, TokenKind};
use super::quoting::quoted;
use super::term::{Term, Test};
use crate::json::Step;
use crate::limits;

/// What a filter says.
pub struct Parsed {
    pub root: Node,
    /// How many questions are about the pattern alone.
    pub memos: usize,
}

/// Reads a filter over rows that have these `fields`.
pub fn parse(fields: &'static [Field], text: &str) -> Result<Parsed, FilterError> {
    if text.len() > limits::FILTER_BYTES {
        let message = format!("the filter is longer than {} bytes", limits::FILTER_BYTES);
        let start = text.floor_char_boundary(limits::FILTER_BYTES);
        return Err(FilterError::new(text, start..text.len(), message));
    }
    let mut parser =
        Parser { text, fields, tokens: lexer::tokens(text), at: 0, depth: 0, memos: 0 };
    if parser.tokens.is_empty() {
        return Ok(Parsed { root: Node::All(Vec::new()), memos: 0 });
    }
    let root = parser.any()?;
    match parser.peek() {
        None => Ok(Parsed { root, memos: parser.memos }),
        Some(_) => Err(parser.behind_a_term()),
    }
}

/// The ways to compare, other than `in`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Contains,
    Matches,
}

struct Parser<'t> {
    text: &'t str,
    /// What the rows have.
    fields: &'static [Field],
    tokens: Vec<Token>,
    /// The next of them.
    at: usize,
    /// Parentheses that are open.
    depth: usize,
    memos: usize,
}

type Result<T, E = FilterError> = std::result::Result<T, E>;

// Conditions.
impl Parser<'_> {
    fn any(&mut self) -> Result<Node> {
        let mut parts = vec![self.all()?];
        while self.take_sign(Sign::Or) {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Node::Any))
    }

    fn all(&mut self) -> Result<Node> {
        let mut parts = vec![self.part()?];
        while self.take_sign(Sign::And) {
            parts.push(self.part()?);
        }
        Ok(one_or(parts, Node::All))
    }

    fn part(&mut self) -> Result<Node> {
        let mut negated = false;
        while self.take_sign(Sign::Not) {
            negated = !negated;
        }
        let part = if self.take_sign(Sign::Open) { self.group()? } else { self.term()? };
        Ok(if negated { Node::Not(Box::new(part)) } else { part })
    }

    /// From behind an opening parenthesis.
    fn group(&mut self) -> Result<Node> {
        let open = self.last_span();
        if self.depth == limits::FILTER_DEPTH {
            return Err(self.error(open, "too many parentheses in one another".to_owned()));
        }
        self.depth += 1;
        let inner = self.any()?;
        self.depth -= 1;
        if self.take_sign(Sign::Close) {
            return Ok(inner);
        }
        match self.peek() {
            None => Err(self.error(open, "this `(` is not closed".to_owned())),
            Some(_) => Err(self.behind_a_term()),
        }
    }

    /// What stands behind a term is no `and`, no `or` and closes nothing.
    fn behind_a_term(&self) -> FilterError {
        let word = self.peek_word();
        let lower = word.to_lowercase();
        if self.peek_sign() == Some(Sign::Close) {
            return self.error(self.span(), "this `)` closes nothing".to_owned());
        }
        let meant = match word {
            "&" => " (did you mean &&?)",
            "|" => " (did you mean ||?)",
            "," => " (values are listed in braces: in {1, 2})",
            _ if lower == "and" || lower == "or" => " (in lower case)",
            _ if lower == "xor" || lower == "^^" => " (there is no xor)",
            _ => "",
        };
        self.error(self.span(), format!("expected `and` or `or`, found {}{meant}", self.found()))
    }
}

fn one_or(mut parts: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

// Terms.
impl Parser<'_> {
    fn term(&mut self) -> Result<Node> {
        let (field, path) = self.field()?;
        let is_negated = self.peek_sign() == Some(Sign::Not)
            && self.tokens.get(self.at + 1).is_some_and(|token| self.word_of(token) == "in");
        if is_negated {
            self.at += 1;
        }
        if self.take_word("in") {
            let wanted = self.set(field)?;
            let term = self.asked(field, path, Test::Is { wanted, negated: false });
            return Ok(if is_negated { Node::Not(Box::new(term)) } else { term });
        }
        let test = match self.operator(field)? {
            None => Test::Exists,
            Some(operator) => {
                let negated = operator == Operator::NotEqual;
                Test::Is { wanted: self.compared(field, operator)?, negated }
            }
        };
        Ok(self.asked(field, path, test))
    }

    fn asked(&mut self, field: &Field, path: Vec<Step>, test: Test) -> Node {
        let memo = (field.fact == Fact::Pattern).then_some(self.memos);
        self.memos += usize::from(memo.is_some());
        Node::Term(Term { fact: field.fact, path, test, memo })
    }

    /// A field, and the way into its values.
    fn field(&mut self) -> Result<(&'static Field, Vec<Step>)> {
        let span = self.span();
        let word = self.peek_word();
        if self.peek_kind() != Some(TokenKind::Word) || lexer::KEYWORDS.contains(&word) {
            let meant = match self.peek_kind() {
                Some(TokenKind::Text { .. }) => {
                    " (a text is compared: pattern == \"sum\", data contains \"x\")"
                }
                _ => "",
            };
            return Err(
                self.error(span, format!("expected a field, found {}{meant}", self.found()))
            );
        }
        let known = field::named(self.fields, word).map(|field| (field, "")).or_else(|| {
            let (name, rest) = word.split_once('.')?;
            let field =
                field::named(self.fields, name).filter(|field| field.kind == FieldKind::Json)?;
            Some((field, rest))
        });
        let Some((field, rest)) = known else { return Err(self.unknown_field(word)) };
        self.at += 1;
        let mut path = Vec::new();
        if word.len() > field.name.len() {
            self.keys(rest, span.end - rest.len(), &mut path)?;
        }
        self.path(field, span.end, &mut path)?;
        Ok((field, path))
    }

    fn unknown_field(&self, word: &str) -> FilterError {
        if let Some((name, part)) = word.split_once('.')
            && field::named(self.fields, name).is_some_and(|field| field.kind != FieldKind::Json)
            && field::meant(self.fields, word).is_none_or(|meant| meant == name)
        {
            return self
                .error(self.span(), format!("{name} has no part `{part}`; only JSON has parts"));
        }
        let meant = field::meant(self.fields, word)
            .or_else(|| field::meant(self.fields, word.split('.').next()?));
        let next = self.tokens.get(self.at + 1).map(|token| self.word_of(token));
        let stands_alone =
            matches!(next, None | Some("and" | "or" | "&&" | "||" | ")" | "," | "}"));
        let mut message = format!("`{word}` is no field");
        // Writing to a String cannot fail.
        match meant {
            Some(meant) => _ = write!(message, "; did you mean {meant}?"),
            None if stands_alone && self.fields.iter().any(|field| field.name == "pattern") => {
                _ = write!(message, "; for a pattern write pattern == {}", quoted(word));
            }
            None => {
                let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
                _ = write!(message, "; fields are {}", names.join(", "));
            }
        }
        self.error(self.span(), message)
    }

    /// The keys of `dotted`, which begins at `at` in the filter.
    fn keys(&self, dotted: &str, mut at: usize, path: &mut Vec<Step>) -> Result<()> {
        for key in dotted.split('.') {
            let span = at..at + key.len();
            if key.is_empty() {
                let message = "expected a key between the dots (`data[\"\"]` for an empty one)";
                return Err(self.error(span, message.to_owned()));
            }
            if key == "*" {
                let message = "`*` is no key; [*] stands for every element of an array";
                return Err(self.error(span, message.to_owned()));
            }
            self.step(Step::Key(key.to_owned()), span, path)?;
            at += key.len() + 1;
        }
        Ok(())
    }

    /// What follows a name or a bracket without a space: `[0]`, `[*]`, `["key"]`, `.key`.
    fn path(&mut self, field: &Field, mut end: usize, path: &mut Vec<Step>) -> Result<()> {
        loop {
            let span = self.span();
            let follows = span.start == end && span.end > end;
            if follows && self.peek_sign() == Some(Sign::IndexOpen) {
                if field.kind != FieldKind::Json {
                    let message = format!("{} has no parts; only JSON has parts", field.name);
                    return Err(self.error(span, message));
                }
                self.at += 1;
                let inside = self.span();
                let step = self.index()?;
                self.step(step, inside, path)?;
                if !self.take_sign(Sign::IndexClose) {
                    return Err(
                        self.error(self.span(), format!("expected `]`, found {}", self.found()))
                    );
                }
                end = self.last_span().end;
            } else if follows && !path.is_empty() && self.peek_word().starts_with('.') {
                let word = self.peek_word();
                self.keys(word.get(1..).unwrap_or_default(), span.start + 1, path)?;
                self.at += 1;
                end = span.end;
            } else {
                return Ok(());
            }
        }
    }

    fn index(&mut self) -> Result<Step> {
        let word = self.peek_word();
        let step = match self.peek_kind() {
            Some(TokenKind::Text { .. }) => return self.quoted().map(Step::Key),
            _ if word == "*" => Step::Each,
            _ => match word.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => {
                    let message =
                        format!("expected a number, * or a key in quotes, found {}", self.found());
                    return Err(self.error(self.span(), message));
                }
            },
        };
        self.at += 1;
        Ok(step)
    }

    fn step(&self, step: Step, span: Range<usize>, path: &mut Vec<Step>) -> Result<()> {
        if path.len() == limits::FILTER_DEPTH {
            return Err(self.error(span, "the path is too long".to_owned()));
        }
        path.push(step);
        Ok(())
    }

    /// The operator behind a field; `None` where the field stands alone.
    fn operator(&mut self, field: &Field) -> Result<Option<Operator>> {
        let word = self.peek_word();
        let operator = match self.peek_kind() {
            Some(TokenKind::Sign(Sign::Equal)) => Operator::Equal,
            Some(TokenKind::Sign(Sign::NotEqual)) => Operator::NotEqual,
            Some(TokenKind::Sign(Sign::Less)) => Operator::Less,
            Some(TokenKind::Sign(Sign::LessEqual)) => Operator::LessEqual,
            Some(TokenKind::Sign(Sign::Greater)) => Operator::Greater,
            Some(TokenKind::Sign(Sign::GreaterEqual)) => Operator::GreaterEqual,
            Some(TokenKind::Sign(Sign::Matches)) => Operator::Matches,
            Some(TokenKind::Word) if word == "contains" => Operator::Contains,
            None | Some(TokenKind::Sign(Sign::And | Sign::Or | Sign::Close)) => return Ok(None),
            _ => return Err(self.no_operator(field, word)),
        };
        let spelled = match operator {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Contains => "contains",
            Operator::Matches => "matches",
        };
        if !field.kind.operators().contains(&spelled) {
            let known = listed(field.kind.operators());
            let message = format!("{} is compared with {known}, not with `{word}`", field.name);
            return Err(self.error(self.span(), message));
        }
        self.at += 1;
        Ok(Some(operator))
    }

    fn no_operator(&self, field: &Field, word: &str) -> FilterError {
        let meant = match word {
            "=" | "===" | "is" | "equals" => Some("=="),
            "!==" | "<>" | "~=" | "isnt" => Some("!="),
            "=~" | "like" | "match" => Some("matches"),
            "&" => Some("&&"),
            "|" => Some("||"),
            "has" | "include" | "includes" => Some("contains"),
            _ => field::nearest(&word.to_lowercase(), lexer::KEYWORDS.into_iter()),
        };
        let meant = match meant {
            Some(meant) => format!("; did you mean {meant}?"),
            None => format!(": {}, `and` or `or`", field.kind.operators().join(" ")),
        };
        let message =
            format!("expected an operator behind {1}, found {0}{meant}", self.found(), field.name);
        self.error(self.span(), message)
    }
}

// Tokens.
impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    fn peek_sign(&self) -> Option<Sign> {
        match self.peek_kind() {
            Some(TokenKind::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    fn word_of(&self, token: &Token) -> &'t str {
        self.text.get(token.span.clone()).unwrap_or_default()
    }

    fn peek_word(&self) -> &'t str {
        self.peek().map_or("", |token| self.word_of(token))
    }

    fn word_of_last(&self) -> &'t str {
        self.text.get(self.last_span()).unwrap_or_default()
    }

    /// What stands between the quotes of the next token.
    fn inside(&self) -> &'t str {
        let word = self.peek_word();
        let start = word.find(['"', '\'']).map_or(0, |quote| quote + 1);
        word.get(start..word.len() - 1).unwrap_or_default()
    }

    fn take_sign(&mut self, sign: Sign) -> bool {
        let is_next = self.peek_sign() == Some(sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.peek_kind() == Some(TokenKind::Word) && self.peek_word() == word;
        self.at += usize::from(is_next);
        is_next
    }

    /// Where the next token stands; at the end, behind the last one.
    fn span(&self) -> Range<usize> {
        let end = self.text.trim_end().len();
        self.peek().map_or(end..end, |token| token.span.clone())
    }

    /// Where the last token that was taken stands.
    fn last_span(&self) -> Range<usize> {
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(0..0, |token| token.span.clone())
    }

    /// The next token, in a message.
    fn found(&self) -> String {
        match self.peek_word() {
            "" => "the end of the filter".to_owned(),
            word => format!("`{word}`"),
        }
    }

    fn error(&self, span: Range<usize>, message: String) -> FilterError {
        FilterError::new(self.text, span, message)
    }
}

/// `==, != and in`.
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
