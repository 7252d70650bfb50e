//! What stands behind an operator.

use std::ops::{Bound, RangeInclusive};

use regex::RegexBuilder;

use super::{Operator, Parser, Result, listed};
use crate::limits;
use crate::query::error::FilterError;
use crate::query::field::{self, Field, FieldKind};
use crate::query::lexer::{self, Sign, Token, TokenKind};
use crate::query::quoting::{quoted, unescaped, unquoted_regex};
use crate::query::term::{Needle, Wanted};
use crate::query::value::{self, Addresses, Interval, Literal};

impl Parser<'_> {
    /// The value behind an operator that the field has.
    pub(super) fn compared(&mut self, field: &Field, operator: Operator) -> Result<Wanted> {
        match operator {
            Operator::Contains => return self.needle(),
            Operator::Matches => return self.regex(),
            _ => {}
        }
        if self.peek_sign() == Some(Sign::SetOpen) {
            let message = "a set stands behind `in`".to_owned();
            return Err(self.error(self.span(), message));
        }
        let mut wanted = Wanted::none(field.kind);
        match &mut wanted {
            Wanted::Numbers(ranges) => ranges.push(compare_number(operator, self.number(field)?)),
            Wanted::Values(intervals) => {
                intervals.push(compare_literal(operator, self.literal(field)?));
            }
            Wanted::Words(bits) => *bits = self.word(field)?,
            Wanted::Addresses(addresses) => addresses.push(self.address(field)?),
            Wanted::Contains(_) | Wanted::Matches(_) => {}
        }
        Ok(wanted)
    }

    /// `{a, b, 3..5}`.
    pub(super) fn set(&mut self, field: &Field) -> Result<Wanted> {
        let open = self.span();
        if !self.take_sign(Sign::SetOpen) {
            let message = format!("expected a set such as {{a, b}}, found {}", self.found());
            return Err(self.error(open, message));
        }
        let mut wanted = Wanted::none(field.kind);
        loop {
            self.element(field, &mut wanted)?;
            if self.take_sign(Sign::SetClose) {
                return Ok(wanted);
            }
            if self.peek().is_none() {
                return Err(self.error(open, "this `{` is not closed".to_owned()));
            }
            if !self.take_sign(Sign::Comma) {
                let message = format!("expected `,` or `}}`, found {}", self.found());
                return Err(self.error(self.span(), message));
            }
        }
    }

    /// A value, or two with `..` between them.
    fn element(&mut self, field: &Field, wanted: &mut Wanted) -> Result<()> {
        self.split_range();
        let start = self.span().start;
        match wanted {
            Wanted::Numbers(ranges) => {
                let from = self.number(field)?;
                let to = if self.take_word("..") { self.number(field)? } else { from };
                self.check_range(start, from <= to)?;
                ranges.push(from..=to);
            }
            Wanted::Values(intervals) => {
                let from = self.literal(field)?;
                let to = if self.take_word("..") { self.literal(field)? } else { from.clone() };
                let is_range = Interval::is_range(&from, &to);
                self.check_range(start, is_range)?;
                intervals.push(Interval::new(Bound::Included(from), Bound::Included(to)));
            }
            Wanted::Words(bits) => *bits |= self.word(field)?,
            Wanted::Addresses(addresses) => {
                let mut address = self.address(field)?;
                if self.take_word("..") {
                    let to = self.address(field)?;
                    let span = start..self.last_span().end;
                    address = address
                        .up_to(&to)
                        .map_err(|reason| self.error(span, format!("this range {reason}")))?;
                }
                addresses.push(address);
            }
            Wanted::Contains(_) | Wanted::Matches(_) => {}
        }
        Ok(())
    }

    /// Makes three words of `3..5`.
    fn split_range(&mut self) {
        let ends = [self.at, self.at + 1];
        for index in ends.into_iter().rev() {
            let Some(token) = self.tokens.get(index).cloned() else { continue };
            let word = self.word_of(&token);
            let Some(dots) = word.find("..").filter(|_| token.kind == TokenKind::Word) else {
                continue;
            };
            let (start, end) = (token.span.start + dots, token.span.start + dots + 2);
            let parts = [token.span.start..start, start..end, end..token.span.end];
            let parts = parts.into_iter().filter(|span| !span.is_empty());
            self.tokens
                .splice(index..=index, parts.map(|span| Token { kind: TokenKind::Word, span }));
        }
    }

    fn check_range(&self, start: usize, ascends: bool) -> Result<()> {
        if ascends {
            return Ok(());
        }
        let message = "this range ends before it begins".to_owned();
        Err(self.error(start..self.last_span().end, message))
    }

    fn number(&mut self, field: &Field) -> Result<i128> {
        let word = self.value_word(field)?;
        let read = match field.kind {
            FieldKind::Size => value::size(&word),
            FieldKind::Duration => value::duration(&word),
            FieldKind::Time => value::time(&word),
            _ => value::number(&word),
        };
        read.map_err(|reason| self.no_value(&word, &reason))
    }

    fn address(&mut self, field: &Field) -> Result<Addresses> {
        let word = self.value_word(field)?;
        Addresses::new(&word).map_err(|reason| self.no_value(&word, &reason))
    }

    fn word(&mut self, field: &Field) -> Result<u32> {
        let FieldKind::Word(words) = field.kind else { return Ok(0) };
        let word = self.value_word(field)?;
        // In quotes it may be spelled as the outputs spell it: "no answer".
        let spelled = word.replace(' ', "_");
        let index = words.iter().position(|known| *known == spelled);
        index.and_then(|index| 1_u32.checked_shl(u32::try_from(index).ok()?)).ok_or_else(|| {
            let meant = field::nearest(&word.to_lowercase(), words.iter().copied());
            let meant = match meant {
                Some(meant) => format!("; did you mean {meant}?"),
                None => format!(": {}", listed(words)),
            };
            self.error(self.last_span(), format!("`{word}` is no {}{meant}", field.name))
        })
    }

    /// A text in quotes, or what of JSON stands without them.
    fn literal(&mut self, field: &Field) -> Result<Literal> {
        if let Some(TokenKind::Text { .. }) = self.peek_kind() {
            return self.quoted().map(Literal::Text);
        }
        let word = self.peek_word().to_owned();
        let literal = (field.kind == FieldKind::Json).then(|| Literal::new(&word)).flatten();
        if let Some(literal) = literal {
            self.at += 1;
            return Ok(literal);
        }
        Err(self.unquoted(&word, field.kind.value()))
    }

    fn needle(&mut self) -> Result<Wanted> {
        let text = self.quoted()?;
        if text.is_empty() {
            let message = "an empty text is in every other; write the field alone".to_owned();
            return Err(self.error(self.last_span(), message));
        }
        Ok(Wanted::Contains(Box::new(Needle::new(&text))))
    }

    fn regex(&mut self) -> Result<Wanted> {
        let raw = self.is_raw_text()?;
        let inside = self.inside();
        self.at += 1;
        let pattern = if raw { inside.to_owned() } else { unquoted_regex(inside) };
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(limits::FILTER_REGEX_BYTES)
            .build();
        regex.map(Wanted::Matches).map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                error => {
                    // The last of its lines says what is wrong; those before draw the place.
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    last.trim().trim_start_matches("error: ").to_owned()
                }
            };
            self.error(self.last_span(), format!("no regular expression: {message}"))
        })
    }

    /// Whether the text in quotes that must stand here has no escapes.
    fn is_raw_text(&self) -> Result<bool> {
        match self.peek_kind() {
            Some(TokenKind::Text { closed: true, raw }) => Ok(raw),
            Some(TokenKind::Text { closed: false, .. }) => {
                let start = self.span().start;
                let message = "the text that begins here has no closing quote".to_owned();
                Err(self.error(start..start + 1, message))
            }
            _ => Err(self.unquoted(self.peek_word(), "a text in quotes")),
        }
    }

    /// A value without the quotes that it needs, or none at all.
    fn unquoted(&self, word: &str, expected: &str) -> FilterError {
        let meant = match self.peek_kind() {
            Some(TokenKind::Word) => format!("; did you mean {}?", quoted(word)),
            Some(TokenKind::Sign(Sign::IndexOpen | Sign::SetOpen)) => {
                " (the parts of a payload are compared one by one: data[0] == 1)".to_owned()
            }
            _ => String::new(),
        };
        self.error(self.span(), format!("expected {expected}, found {}{meant}", self.found()))
    }

    /// The word that is a value; it may have quotes too, and an address brackets.
    fn value_word(&mut self, field: &Field) -> Result<String> {
        match self.peek_kind() {
            Some(TokenKind::Text { .. }) => return self.quoted(),
            Some(TokenKind::Word) if !lexer::KEYWORDS.contains(&self.peek_word()) => {
                self.at += 1;
                return Ok(self.word_of_last().to_owned());
            }
            Some(TokenKind::Sign(Sign::IndexOpen)) if field.kind == FieldKind::Address => {
                return Ok(self.bracketed());
            }
            _ => {}
        }
        let message = format!("expected {}, found {}", field.kind.value(), self.found());
        Err(self.error(self.span(), message))
    }

    /// `[::1]:8888`, as one word. The span of the last token is that of the whole.
    fn bracketed(&mut self) -> String {
        let start = self.span().start;
        let mut end = start;
        while let Some(token) = self.tokens.get(self.at)
            && (token.span.start == end || end == start)
            && !matches!(token.kind, TokenKind::Sign(Sign::Close | Sign::SetClose | Sign::Comma))
        {
            end = token.span.end;
            self.at += 1;
        }
        if let Some(token) = self.at.checked_sub(1).and_then(|last| self.tokens.get_mut(last)) {
            token.span.start = start;
        }
        self.text.get(start..end).unwrap_or_default().to_owned()
    }

    fn no_value(&self, word: &str, reason: &str) -> FilterError {
        self.error(self.last_span(), format!("`{word}` {reason}"))
    }

    /// A text in quotes, its escapes undone.
    pub(super) fn quoted(&mut self) -> Result<String> {
        let raw = self.is_raw_text()?;
        let inside = self.inside();
        let start = self.span().end - 1 - inside.len();
        let text = if raw { Ok(inside.to_owned()) } else { unescaped(inside) };
        let text = text.map_err(|escape| {
            let span = start + escape.start..start + escape.end;
            let found = self.text.get(span.clone()).unwrap_or_default();
            let message =
                format!("`{found}` is no escape; \\\\ is a backslash, r\"…\" has no escapes");
            self.error(span, message)
        })?;
        self.at += 1;
        Ok(text)
    }
}

impl Wanted {
    /// Nothing yet, for the values of such a field.
    const fn none(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Number | FieldKind::Size | FieldKind::Duration | FieldKind::Time => {
                Self::Numbers(Vec::new())
            }
            FieldKind::Text | FieldKind::Json => Self::Values(Vec::new()),
            FieldKind::Word(_) => Self::Words(0),
            FieldKind::Address => Self::Addresses(Vec::new()),
        }
    }
}

const fn compare_number(operator: Operator, value: i128) -> RangeInclusive<i128> {
    match operator {
        Operator::Less => i128::MIN..=value.saturating_sub(1),
        Operator::LessEqual => i128::MIN..=value,
        Operator::Greater => value.saturating_add(1)..=i128::MAX,
        Operator::GreaterEqual => value..=i128::MAX,
        _ => value..=value,
    }
}

fn compare_literal(operator: Operator, value: Literal) -> Interval {
    match operator {
        Operator::Less => Interval::new(Bound::Unbounded, Bound::Excluded(value)),
        Operator::LessEqual => Interval::new(Bound::Unbounded, Bound::Included(value)),
        Operator::Greater => Interval::new(Bound::Excluded(value), Bound::Unbounded),
        Operator::GreaterEqual => Interval::new(Bound::Included(value), Bound::Unbounded),
        _ => Interval::new(Bound::Included(value.clone()), Bound::Included(value)),
    }
}
